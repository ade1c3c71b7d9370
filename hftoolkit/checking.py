"""A recipe looked at before it runs, top to bottom: recipe, folder, rows, checkpoint, tokens, a few steps, forecast."""

import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from accelerate import Accelerator
from numpy.typing import NDArray

from hftoolkit import hub
from hftoolkit.accounts import Clock, sources, too_long
from hftoolkit.data.features import Features
from hftoolkit.data.prepared import RunRows, load_run
from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.data.splitting import leakage
from hftoolkit.errors import HftoolkitError, ModelError
from hftoolkit.evaluation import extra_metrics, read
from hftoolkit.forecasting import evaluations, forecast, free_disk
from hftoolkit.job import Job, harm_of_dropout, plan_of, warmup_steps
from hftoolkit.models.adapters import adapter_base, is_adapter
from hftoolkit.models.devices import choose_device
from hftoolkit.models.loading import Loaded
from hftoolkit.recipe.schema import Recipe, Source
from hftoolkit.reports.checkup import Checkup, Finding, Forecast, Lengths, Tokens
from hftoolkit.reports.folder import RunFolder, check_place
from hftoolkit.reports.wording import counted, duration, memory, share
from hftoolkit.starting import decided, features_of, longest, start_of, trainable
from hftoolkit.tasks import find_task
from hftoolkit.tasks.base import Row, Task
from hftoolkit.training.loop import Step
from hftoolkit.training.memory import keep_few_shapes
from hftoolkit.training.plan import Plan
from hftoolkit.training.tracking import require_trackers

_SAMPLE: Final = 1000
"""Rows of every source and test set that are looked at one by one."""

_TOGETHER: Final = 50
"""Neighbours among them: a missing line shows in what stands beside each other."""

_TRIED: Final = 16
"""Rows of every source and test set on which a pretrained model is tried."""

_SHOWN: Final = 100
"""Characters of an example."""

_CHARACTERS: Final = 8
"""Unknown characters that are named."""

_FILTERED: Final = ("empty side", "over ", "source equals target", "markup only")
"""Beginnings of the reasons for dropping rows that may be a mistake; what files say of themselves is none."""

_SIDES: Final = {"input_ids": "inputs", "labels": "answers"}
"""What the sides of a feature are called."""

# Shares above which a user hears of it.
_DROPPED, _LONG, _AGAIN, _ALONE, _UNKNOWN, _LEAKED = 0.5, 0.05, 0.1, 0.2, 0.01, 0.01

_BRIEF: Final = 30.0
"""Seconds that nobody minds."""

_FEW_TESTED, _FEW_VALIDATING, _FEW_STEPS = 50, 20, 20

# Lowest and highest learning rates that are usual for each way to train.
_FROM_SCRATCH, _WITH_ADAPTER, _ALL_WEIGHTS = (1e-4, 1e-2), (1e-5, 1e-2), (1e-6, 1e-3)


def check(
    recipe: Recipe | Mapping[str, Any] | str | Path, *, overrides: Iterable[str] = (), overwrite: bool = False
) -> Checkup:
    """Look at all that a recipe names, and say what would go wrong and what the run would take.

    Rows and encoded rows are put into the cache, where the run finds them. Nothing is written into the output folder,
    and no model is downloaded. The memory of the forecast is that of this process: in a notebook that has done other
    things, it is too high.

    Args:
        recipe: A recipe, a mapping that says the same, its file, or the name of a built-in one.
        overrides: ``key=value`` pairs that change it.
        overwrite: Whether the run is to be put in the place of one that is in the output folder.

    Returns:
        Everything found; ``exit_code`` says whether the recipe can run. Problems are in it, not raised.
    """
    findings = _Findings()
    parts: dict[str, Any] = {}
    with findings.caught():
        _look(read(recipe, list(overrides)), overwrite, findings, parts)
    name = str(recipe) if isinstance(recipe, str | Path) else ""
    return Checkup(name, **parts, findings=findings.all, exit_code=findings.exit_code)


class _Findings:
    """Problems, doubts and notes, in the order in which they were met."""

    def __init__(self) -> None:
        self.all: list[Finding] = []
        self.exit_code = 0

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note an error where it would otherwise end everything."""
        try:
            yield
        except HftoolkitError as error:
            self.exit_code = max(self.exit_code, error.exit_code)
            self.all.append(Finding("error", str(error)))

    def doubt(self, messages: Iterable[str]) -> None:
        """Note what a run may suffer from."""
        self.all += [Finding("warning", message) for message in messages]

    def note(self, messages: Iterable[str]) -> None:
        """Note what a run will do unasked."""
        self.all += [Finding("note", message) for message in messages]


def _look(recipe: Recipe, overwrite: bool, findings: _Findings, parts: dict[str, Any]) -> None:
    """Look at everything in turn; what was found before an error stays in ``parts``."""
    keep_few_shapes()
    clock = Clock()
    accelerator = Accelerator(cpu=choose_device().type == "cpu", mixed_precision="no")
    recipe = decided(recipe, accelerator.device)
    with findings.caught():
        require_trackers(recipe.tracking)
    with findings.caught():
        extra_metrics(recipe)
    with findings.caught():
        check_place(recipe, overwrite=overwrite)
    here = False
    with findings.caught():
        parts["model_state"], here = _state_of_model(recipe, findings)
    task = find_task(recipe.task)(recipe.options, recipe.data.languages)
    with clock("read"):
        rows = _rows(recipe, task, findings)
    if rows is None:
        return
    leaks = {"data.validation": leakage(rows.train, rows.validation)}
    leaks |= {f"data.test.{name}": count for name, count in rows.leaks.items()}
    parts |= {"data": sources(rows), "leaks": leaks, "example": _example(task, rows.train)}
    _look_at_rows(task, rows, leaks, findings)
    if not here:
        return
    with tempfile.TemporaryDirectory(dir=hub.cache_folder(), prefix="check-", ignore_cleanup_errors=True) as folder:
        with clock("load"):
            start, notes = start_of(recipe, task, rows.train, Path(folder) / "start")
        start.model.to(accelerator.device)
        findings.note(notes)
        if recipe.model.scratch is None:
            findings.doubt(_doubts_of_model(task, start, rows))
        with clock("encode"):
            train, validation = (features_of(recipe, task, start, part) for part in (rows.train, rows.validation))
        limit = longest(recipe, start)
        parts["tokens"] = _tokens(task, train, limit)
        too_long(limit, {"training": train, "validation": validation})  # raises where none is left
        findings.doubt(_doubts_about_tokens(task, start.tokenizer, train, rows.train, limit))
        model, parts["model"] = trainable(recipe, start, accelerator)
        job = Job(
            recipe, task, start.tokenizer, model, train, validation, rows.validation, RunFolder(Path(recipe.output))
        )
        plan = plan_of(job)
        findings.doubt(_doubts_about_plan(recipe, plan))
        if recipe.model.scratch is None:
            findings.doubt(harm_of_dropout(job, plan, accelerator))
        parts["forecast"], steps = forecast(job, rows.tests, accelerator, parts["model"], clock.phases(train=0.0))
        with findings.caught():
            _check_finite(steps)
        findings.doubt(_doubts_about_forecast(parts["forecast"], Path(recipe.output)))


def _state_of_model(recipe: Recipe, findings: _Findings) -> tuple[str, bool]:
    """Where the checkpoint is in words, and whether all of it is on this machine.

    Raises:
        HubError: If it is not, and cannot be had.
        UsageError: If its name can be neither a folder nor a hub id.
    """
    name, revision = recipe.model.name, recipe.model.revision
    if name is None:
        return "new, from scratch", True
    wanted = name
    while (folder := hub.find(wanted, revision)) is not None:
        if not is_adapter(folder):
            return name + (
                f", in the hub's cache, commit {folder.name[:12]}" * (folder.parent.name == "snapshots")
            ), True
        wanted, revision = adapter_base(folder)
    if hub.offline():
        hub.resolve(wanted, revision)  # refuses, and says why
    findings.doubt(
        [
            f"model: '{wanted}' is not on this machine: its tokens, its steps and their time were not looked at\n"
            f"  a run downloads it from {hub.endpoint()}; check again when it is there"
        ]
    )
    return f"{name}, to be downloaded from {hub.endpoint()}", False


def _rows(recipe: Recipe, task: Task, findings: _Findings) -> RunRows | None:
    """All rows of the run; None where some cannot be had, for which every source is then read on its own."""
    data, folder = recipe.data, hub.cache_folder() / "rows"
    try:
        return load_run(data, task.inputs, task.answers, folder=folder, seed=recipe.training.seed)
    except HftoolkitError as error:
        before = len(findings.all)
        held = [part for part in (data.validation, *data.test.values()) if isinstance(part, Source)]
        for source, filters in [*((part, data.filters) for part in data.train), *((part, None) for part in held)]:
            with findings.caught():
                load_rows([source], task.inputs, task.answers, filters=filters, folder=folder, languages=data.languages)
        if len(findings.all) == before:
            raise error
    return None


def _example(task: Task, rows: Rows) -> dict[str, str]:
    given, answers = task.shown_row(rows.take([len(rows) // 2])[0])
    texts = {", ".join(task.inputs): given, ", ".join(task.answers): answers[0]}
    return {role: text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…" for role, text in texts.items()}


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


def _look_at_rows(task: Task, rows: RunRows, leaks: Mapping[str, int], findings: _Findings) -> None:
    for census in rows.train.census:
        filtered = {reason: n for reason, n in census.dropped.items() if reason.startswith(_FILTERED)}
        if sum(filtered.values()) > _DROPPED * census.read:
            reasons = ", ".join(f"{number:,} {reason}" for reason, number in filtered.items())
            findings.doubt(
                [
                    f"data.train: {census.name}: most of its {census.read:,} rows are dropped: {reasons}\n"
                    "  look at the columns, and at data.filters"
                ]
            )
    for place, part in _parts_of(rows):
        sample = part.take(_places(len(part), _SAMPLE, together=_TOGETHER))
        findings.doubt(f"{place}: {message}" for message in [*task.doubts(sample), *_damage(sample)])
    for place, part in _held_out(rows):
        if leaked := leaks[place]:
            message = f"{place}: {counted(leaked, 'row')} of {len(part):,} stand in the training rows too"
            if leaked > _LEAKED * len(part):
                findings.doubt([f"{message}: its score will be too high\n  take them out of the training files"])
            else:
                findings.note([message])
        few = _FEW_VALIDATING if place == "data.validation" else _FEW_TESTED
        if len(part) < few:
            findings.doubt([f"{place}: {counted(len(part), 'row')} are few: its scores are uncertain\n  add some"])
        again = len(part) - len(np.unique(part.input_keys))
        if again > _AGAIN * len(part):
            findings.doubt(
                [
                    f"{place}: {again:,} of {len(part):,} rows have an input that stood before, and count twice\n"
                    "  leave each in once, with a list of answers if there are several"
                ]
            )


def _damage(sample: Sequence[Row]) -> Iterator[str]:
    damaged = sum(any("\ufffd" in str(value) for value in row.values()) for row in sample)
    if damaged:
        yield (
            f"{damaged:,} of {counted(len(sample), 'row')} looked at hold U+FFFD, the sign for lost characters: "
            "the file was once read in a wrong encoding\n  make it anew from its source"
        )


def _doubts_of_model(task: Task, start: Loaded, rows: RunRows) -> Iterator[str]:
    yield from task.doubts_about(start.tokenizer)
    for place, part in _parts_of(rows):
        tried = part.take(_places(len(part), _TRIED))
        yield from (f"{place}: {message}" for message in task.doubts_of(start.model, start.tokenizer, tried))


def _tokens(task: Task, features: Features, limit: int) -> Tokens:
    sides = [
        Lengths(
            side=_SIDES.get(name, name),
            median=int(np.median(lengths)),
            nearly_all=int(np.quantile(lengths, 0.95, method="higher")),
            most=int(lengths.max()),
            total=int(lengths.sum()),
        )
        for name, lengths in zip(task.padded, features.lengths.T, strict=True)
        if len(lengths)
    ]
    return Tokens(sides, limit, len(features), features.too_long)


def _doubts_about_tokens(task: Task, tokenizer: Any, train: Features, rows: Rows, limit: int) -> Iterator[str]:
    all_rows = len(train) + train.too_long
    if train.too_long > _LONG * all_rows:
        yield (
            f"training.max_tokens: {train.too_long:,} of {all_rows:,} training rows are longer than {limit} tokens on "
            "a side, and are left out\n  raise it if the model has more positions, or split the rows into sentences"
        )
    if tokenizer.unk_token_id is None:
        return
    some = train.table.take_arrays(_places(len(train), _SAMPLE))
    unknown = {
        _SIDES.get(side, side): float((np.concatenate([one[side] for one in some]) == tokenizer.unk_token_id).mean())
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


def _unknown_characters(task: Task, tokenizer: Any, rows: Sequence[Row]) -> list[str]:
    """Characters that neither side of the tokenizer knows, the most frequent first."""
    seen = [character for character, _ in Counter("".join(task.texts(rows))).most_common() if not character.isspace()]
    known = [
        any(tokenizer.unk_token_id not in ids for ids in both)
        for both in zip(tokenizer(seen)["input_ids"], tokenizer(text_target=seen)["input_ids"], strict=True)
    ]
    return [character for character, is_known in zip(seen, known, strict=True) if not is_known][:_CHARACTERS]


def _doubts_about_plan(recipe: Recipe, plan: Plan) -> Iterator[str]:
    settings, total, every = recipe.training, plan.total, recipe.evaluation.every
    if total < _FEW_STEPS:
        yield f"training: {counted(total, 'step')} in all are few\n  raise training.epochs, or lower batch_tokens"
    if warmup_steps(settings, total) >= total > 1:
        yield "training: the learning rate is still rising at the end\n  lower training.warmup_steps or warmup_ratio"
    if every and every > total:
        yield f"evaluation.every: {every:,} is more than the {counted(total, 'step')} there are\n  lower it"
    if settings.averaging and settings.averaging.checkpoints > (times := evaluations(recipe, plan)):
        yield (
            f"training.averaging: {settings.averaging.checkpoints} checkpoints are to be averaged, of "
            f"{counted(times, 'evaluation')}\n  lower evaluation.every"
        )
    batches = plan.epoch(0)
    alone = sum(len(batch) == 1 for batch in batches) / len(batches)
    if alone > _ALONE:
        yield f"training.batch_tokens: {share(alone, 1)} of the steps hold a single row\n  raise it"
    rate = settings.learning_rate
    low, high = _FROM_SCRATCH if recipe.model.scratch else _WITH_ADAPTER if recipe.adapter else _ALL_WEIGHTS
    if not low <= rate <= high:
        how = "from scratch" if recipe.model.scratch else "with an adapter" if recipe.adapter else "of all weights"
        what = f"low for training {how}: little may be learned" if rate < low else f"high for training {how}"
        risk = "" if rate < low else ": what the model knows may be lost" if recipe.model.name else ": it may diverge"
        yield f"training.learning_rate: {rate:g} is {what}{risk}\n  usual are {low:g} to {high:g}"


def _check_finite(steps: list[Step]) -> None:
    """Refuse what a run would stop at.

    Raises:
        ModelError: If a loss or a gradient is no number.
    """
    if not all(math.isfinite(step.loss + step.gradient_norm) for step in steps):
        raise ModelError(
            "training: the loss is no number after the first steps: training diverges\n"
            "  lower training.learning_rate, or raise training.warmup_ratio"
        )


def _doubts_about_forecast(found: Forecast, output: Path) -> Iterator[str]:
    free = free_disk(output)
    if found.disk_bytes > free:
        yield (
            f"output: a run needs {memory(found.disk_bytes)} on disk, {memory(free)} are free\n"
            "  make room, or choose another folder:   --set output=..."
        )
    if found.seconds["validate"] > max(_BRIEF, found.seconds["train"]):
        yield (
            f"evaluation.every: measuring on validation rows takes {duration(found.seconds['validate'])}, longer than "
            f"training ({duration(found.seconds['train'])})\n  raise it, or lower evaluation.validation_rows"
        )


def _places(rows: int, number: int, together: int = 1) -> NDArray[np.int64]:
    """About so many places, evenly over the rows, some neighbours at a time."""
    if rows <= number:
        return np.arange(rows)
    starts = np.linspace(0, rows - together, number // together).astype(np.int64)
    return np.unique(starts[:, None] + np.arange(together))
