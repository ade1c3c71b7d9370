"""What looks wrong about a run that has not begun: its rows, model, tokens, plan, forecast, in words for a person."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.features import Features
from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows
from hftoolkit.forecasting import evaluations, free_disk
from hftoolkit.job import warmup_steps
from hftoolkit.models.loading import Loaded
from hftoolkit.recipe.schema import Recipe, ScratchDecoder, ScratchEncoder
from hftoolkit.reports.checkup import Forecast
from hftoolkit.reports.wording import counted, duration, memory, share
from hftoolkit.tasks.base import Row, Task
from hftoolkit.training.plan import Plan

_SIDES: Final = {"input_ids": "inputs", "labels": "answers"}
"""What the sides of a feature are called."""

_SAMPLE: Final = 1000
"""Rows of every source and test set that are looked at one by one."""

_TOGETHER: Final = 50
"""Neighbours among them: a missing line shows in what stands beside each other."""

_TRIED: Final = 16
"""Rows of every source and test set on which a pretrained model is tried."""

_CHARACTERS: Final = 8
"""Unknown characters that are named."""

_FILTERED: Final = ("empty side", "over ", "source equals target", "markup only")
"""Beginnings of the reasons for dropping rows that may be a mistake; what files say of themselves is none."""

# Shares above which a user hears of it.
_DROPPED, _LONG, _AGAIN, _ALONE, _UNKNOWN, _LEAKED = 0.5, 0.05, 0.1, 0.2, 0.01, 0.01

_BRIEF: Final = 30.0
"""Seconds that nobody minds."""

_FEW_TESTED, _FEW_VALIDATING, _FEW_STEPS = 50, 20, 20

# Lowest and highest learning rates that are usual for each way to train.
_FROM_SCRATCH, _WITH_ADAPTER, _ALL_WEIGHTS = (1e-4, 1e-2), (1e-5, 1e-2), (1e-6, 1e-3)


def doubts_about_rows(task: Task, rows: RunRows, leaks: Mapping[str, int]) -> Iterator[str]:
    """Doubts about training sources and held-out rows, each naming its place in the recipe."""
    for census in rows.train.census:
        filtered = {reason: n for reason, n in census.dropped.items() if reason.startswith(_FILTERED)}
        if sum(filtered.values()) > _DROPPED * census.read:
            reasons = ", ".join(f"{number:,} {reason}" for reason, number in filtered.items())
            yield (
                f"data.train: {census.name}: most of its {census.read:,} rows are dropped: {reasons}\n"
                "  look at the columns, and at data.filters"
            )
    for place, part in _parts_of(rows):
        sample = part.take(_places(len(part), _SAMPLE, together=_TOGETHER))
        yield from (f"{place}: {message}" for message in [*task.doubts(sample), *_damage(sample)])
    yield from task.doubts_among(rows)
    for place, part in _held_out(rows):
        if leaks[place] > _LEAKED * len(part):
            same = part.folder == rows.train.folder  # held out by file: the rows are in two of the files
            yield f"{_leak(place, leaks, part)}: its score will be too high\n" + (
                "  hold out rows instead of files, or leave repeated ones in one file only"
                if same
                else "  take them out of the training files"
            )
        few = _FEW_VALIDATING if place == "data.validation" else _FEW_TESTED
        if len(part) < few:
            are = "is" if len(part) == 1 else "are"
            yield f"{place}: {counted(len(part), 'row')} {are} few: its scores are uncertain\n  add some"
        again = len(part) - len(np.unique(part.input_keys))
        if again > _AGAIN * len(part):
            yield (
                f"{place}: {again:,} of {len(part):,} rows have an input that stood before, and count twice\n"
                "  leave each in once, with a list of answers if there are several"
            )


def notes_about_rows(rows: RunRows, leaks: Mapping[str, int]) -> Iterator[str]:
    """What is worth knowing of held-out rows, and does no harm."""
    for place, part in _held_out(rows):
        if 0 < leaks[place] <= _LEAKED * len(part):
            yield _leak(place, leaks, part)


def _leak(place: str, leaks: Mapping[str, int], part: Rows) -> str:
    stand = "stands" if leaks[place] == 1 else "stand"
    return f"{place}: {counted(leaks[place], 'row')} of {len(part):,} {stand} in the training rows too"


def doubts_about_model(task: Task, start: Loaded, rows: RunRows) -> Iterator[str]:
    """Doubts whether a pretrained model is one for these rows."""
    yield from task.doubts_about(start.tokenizer)
    for place, part in _parts_of(rows):
        tried = part.take(_places(len(part), _TRIED))
        yield from (f"{place}: {message}" for message in task.doubts_of(start.model, start.tokenizer, tried))


def doubts_about_tokens(task: Task, tokenizer: Any, train: Features, rows: Rows, limit: int) -> Iterator[str]:
    """Doubts about what the tokenizer makes of the training rows."""
    all_rows = len(train) + train.too_long
    if train.too_long > _LONG * all_rows:
        yield (
            f"training.max_tokens: {train.too_long:,} of {all_rows:,} training rows are longer than {limit} tokens on "
            "a side, and are left out\n  raise it if the model has more positions, or split the rows into sentences"
        )
    if train.cut > _LONG * len(rows):
        part, most = task.cut_part or ("row", limit)
        key = f"options.max_{part}_tokens" if task.cut_part else "training.max_tokens"
        yield (
            f"{key}: {train.cut:,} of {len(rows):,} training {part}s are longer than {most} tokens, and are cut: what "
            "stands at their ends is not learned from\n  raise it if the model has more positions"
        )
    if tokenizer.unk_token_id in (None, tokenizer.bos_token_id, tokenizer.eos_token_id):
        return  # tokenizers of bytes know every character, and name what stands between texts in its place
    some = train.table.take_arrays(_places(len(train), _SAMPLE))
    unknown = {
        side_name(side): float((np.concatenate([one[side] for one in some]) == tokenizer.unk_token_id).mean())
        for side in task.padded
    }
    if max(unknown.values()) > _UNKNOWN:
        shares = " and ".join(f"{100 * part:.1f} % of the {side}" for side, part in unknown.items() if part > _UNKNOWN)
        named = _unknown_characters(task, tokenizer, rows.take(_places(len(rows), _SAMPLE)))
        yield (
            f"tokens: {shares} are unknown to the tokenizer, and lost to the model"
            + (f": most often {' '.join(named)}" if named else "")
            + "\n  choose a model that knows them, or train a tokenizer with model.scratch"
        )


def doubts_about_plan(recipe: Recipe, plan: Plan, limit: int) -> Iterator[str]:
    """Doubts about the number of steps, and what happens in which; ``limit``: tokens of the longest row."""
    settings, total, every = recipe.training, plan.total, recipe.evaluation.every
    if total < _FEW_STEPS:
        yield f"training: {counted(total, 'step')} in all are few\n  raise training.epochs, or lower batch_tokens"
    if warmup_steps(settings, total) >= total > 1:
        yield "training: the learning rate is still rising at the end\n  lower training.warmup_steps or warmup_ratio"
    if settings.schedule == "inverse_sqrt" and warmup_steps(settings, total) < 1:
        yield "training.schedule: without warm-up inverse_sqrt falls at once\n  set training.warmup_steps"
    if every and every > total:
        yield f"evaluation.every: {every:,} is more than the {counted(total, 'step')} there are\n  lower it"
    if settings.averaging and settings.averaging.checkpoints > (times := evaluations(recipe, plan)):
        yield (
            f"training.averaging: {settings.averaging.checkpoints} checkpoints are to be averaged, of "
            f"{counted(times, 'evaluation')}\n  evaluate more often:   evaluation.every"
        )
    batches = plan.epoch(0)
    alone = sum(len(batch) == 1 for batch in batches) / len(batches)
    if alone > _ALONE:
        yield f"training.batch_tokens: {share(alone, 1)} of the steps hold a single row\n  raise it"
    scratch = recipe.model.scratch
    if isinstance(scratch, ScratchEncoder | ScratchDecoder) and scratch.positions > limit:
        yield (
            f"model.scratch.positions: training.max_tokens lets {limit:,} of {scratch.positions:,} be "
            "trained: longer texts will be misread\n  set both to the same"
        )
    rate = settings.learning_rate
    low, high = _FROM_SCRATCH if recipe.model.scratch else _WITH_ADAPTER if recipe.adapter else _ALL_WEIGHTS
    if not low <= rate <= high:
        how = "from scratch" if recipe.model.scratch else "with an adapter" if recipe.adapter else "of all weights"
        what = f"low for training {how}: little may be learned" if rate < low else f"high for training {how}"
        risk = "" if rate < low else ": what the model knows may be lost" if recipe.model.name else ": it may diverge"
        yield f"training.learning_rate: {rate:g} is {what}{risk}\n  usual are {low:g} to {high:g}"


def doubts_about_forecast(found: Forecast, output: Path) -> Iterator[str]:
    """Doubts about the room and the time that a run takes."""
    free = free_disk(output)
    if found.disk_bytes > free:
        yield (
            f"output: a run needs {memory(found.disk_bytes)} on disk, {memory(free)} are free\n"
            "  make room, or choose another folder:   --set output=..."
        )
    if found.seconds["validate"] > max(_BRIEF, found.seconds["train"]):
        yield (
            f"evaluation.every: measuring on validation rows takes {duration(found.seconds['validate'])}, longer than "
            f"training ({duration(found.seconds['train'])})\n  set it higher, or evaluation.validation_rows lower"
        )


def side_name(name: str) -> str:
    """What a side of a feature is called."""
    return _SIDES.get(name, name)


def _parts_of(rows: RunRows) -> Iterator[tuple[str, Rows]]:
    """Every training source and every file of held-out rows, under the name by which messages call it."""
    of = rows.train.source_numbers
    for number, census in enumerate(rows.train.census):
        if (of == number).any():
            yield f"data.train: {census.name}", rows.train.subset(np.flatnonzero(of == number))
    yield from ((place, part) for place, part in _held_out(rows) if part.folder != rows.train.folder)


def _held_out(rows: RunRows) -> Iterator[tuple[str, Rows]]:
    yield "data.validation", rows.validation
    yield from ((f"data.test.{name}", part) for name, part in rows.tests.items())


def _damage(sample: Sequence[Row]) -> Iterator[str]:
    damaged = sum(any("\ufffd" in str(value) for value in row.values()) for row in sample)
    if damaged:
        yield (
            f"{damaged:,} of {counted(len(sample), 'row')} looked at hold U+FFFD, the sign for lost characters: "
            "the file was once read in a wrong encoding\n  make it anew from its source"
        )


def _unknown_characters(task: Task, tokenizer: Any, rows: Sequence[Row]) -> list[str]:
    """Characters that neither side of the tokenizer knows, the most frequent first."""
    seen = [character for character, _ in Counter("".join(task.texts(rows))).most_common() if not character.isspace()]
    known = [
        any(tokenizer.unk_token_id not in ids for ids in both)
        for both in zip(tokenizer(seen)["input_ids"], tokenizer(text_target=seen)["input_ids"], strict=True)
    ]
    return [character for character, is_known in zip(seen, known, strict=True) if not is_known][:_CHARACTERS]


def _places(rows: int, number: int, together: int = 1) -> NDArray[np.int64]:
    """About so many places, evenly over the rows, some neighbours at a time."""
    if rows <= number:
        return np.arange(rows)
    starts = np.linspace(0, rows - together, number // together).astype(np.int64)
    return np.unique(starts[:, None] + np.arange(together))
