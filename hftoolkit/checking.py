"""A recipe looked at before it runs, top to bottom: recipe, folder, rows, checkpoint, tokens, a few steps, forecast."""

import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping
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
from hftoolkit.errors import HftoolkitError
from hftoolkit.evaluation import extra_metrics, read
from hftoolkit.forecasting import forecast, free_disk
from hftoolkit.job import Job, harm_of_dropout, plan_of, warmup_steps
from hftoolkit.models.devices import choose_device
from hftoolkit.recipe.schema import Recipe, Source
from hftoolkit.reports.checkup import Checkup, Finding, Forecast, Lengths, Tokens
from hftoolkit.reports.folder import RunFolder, check_place
from hftoolkit.reports.wording import counted, duration, memory
from hftoolkit.starting import decided, features_of, longest, start_of, trainable
from hftoolkit.tasks import find_task
from hftoolkit.tasks.base import Task
from hftoolkit.training.loop import Step
from hftoolkit.training.plan import Plan
from hftoolkit.training.tracking import require_trackers

_SAMPLE: Final = 1000
"""Training rows that are looked at one by one, evenly over the file."""

_BATCH: Final = 24
"""Rows on which a pretrained model is tried."""

_SHOWN: Final = 100
"""Characters of an example."""

# Above or below these a user hears of it.
_MANY, _LONG, _AGAIN, _ALONE = 0.5, 0.05, 0.1, 0.2  # shares of rows dropped, too long, repeated, alone in a step
_UNKNOWN = 0.01  # share of tokens
_SMALL, _FEW_STEPS = 100, 20
_HIGH, _LOW = 1e-3, 1e-4  # learning rates


def check(recipe: Recipe | Mapping[str, Any] | str | Path, *, overrides: Iterable[str] = ()) -> Checkup:
    """Look at all that a recipe names, and say what would go wrong and what the run would take.

    Rows and encoded rows are put into the cache, where the run finds them. Nothing is written into the output folder,
    and no model is downloaded. The memory of the forecast is that of this process: in a notebook that has done other
    things, it is too high.

    Args:
        recipe: A recipe, a mapping that says the same, its file, or the name of a built-in one.
        overrides: ``key=value`` pairs that change it.

    Returns:
        Everything found; ``exit_code`` says whether the recipe can run. Problems are in it, not raised.
    """
    findings = _Findings()
    parts: dict[str, Any] = {}
    with findings.caught():
        known = read(recipe, list(overrides))
        _look_around(known, findings)
        _look(known, findings, parts)
    name = str(recipe) if isinstance(recipe, str | Path) else ""
    return Checkup(name, **parts, findings=findings.all, exit_code=findings.exit_code)


class _Findings:
    """Problems and doubts, in the order in which they were met."""

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


def _look_around(recipe: Recipe, findings: _Findings) -> None:
    """Look at what needs neither rows nor model: trackers, metrics, the output folder."""
    for look in (
        lambda: require_trackers(recipe.tracking),
        lambda: extra_metrics(recipe),
        lambda: check_place(recipe),
    ):
        with findings.caught():
            look()


def _look(recipe: Recipe, findings: _Findings, parts: dict[str, Any]) -> None:
    """Look at rows, model, tokens and some steps; what was found before an error stays in ``parts``."""
    clock = Clock()
    accelerator = Accelerator(cpu=choose_device().type == "cpu", mixed_precision="no")
    recipe = decided(recipe, accelerator.device)
    task = find_task(recipe.task)(recipe.options, recipe.data.languages)
    parts["model_state"], here = _state_of_model(recipe)
    with clock("read"):
        rows = _rows(recipe, task, findings)
    if rows is None:
        return
    leaks = {"validation": leakage(rows.train, rows.validation)} | dict(rows.leaks)
    parts |= {"data": sources(rows), "leaks": leaks, "example": _example(task, rows.train)}
    findings.doubt(_doubts_about_rows(task, rows, leaks))
    if not here:
        findings.doubt([f"{parts['model_state']}: its tokens, steps and time cannot be looked at before"])
        return
    with tempfile.TemporaryDirectory(prefix="hftoolkit-check-", ignore_cleanup_errors=True) as folder:
        with clock("load"):
            start, notes = start_of(recipe, task, rows.train, Path(folder) / "start")
        start.model.to(accelerator.device)
        if recipe.model.scratch is None:
            some = rows.train.take(_places(len(rows.train), _BATCH))
            findings.doubt([*notes, *task.doubts_about(start.model, start.tokenizer, some)])
        with clock("encode"):
            train, validation = (features_of(recipe, task, start, part) for part in (rows.train, rows.validation))
        limit = longest(recipe, start)
        parts["tokens"] = _tokens(task, train, limit)
        findings.doubt(_doubts_about_tokens(task, start.tokenizer, train, validation, limit))
        model, parts["model"] = trainable(recipe, start, accelerator)
        job = Job(
            recipe, task, start.tokenizer, model, train, validation, rows.validation, RunFolder(Path(recipe.output))
        )
        plan = plan_of(job)
        findings.doubt(_doubts_about_plan(recipe, plan))
        findings.doubt(harm_of_dropout(job, plan, accelerator) if recipe.model.scratch is None else [])
        parts["forecast"], steps = forecast(job, rows.tests, accelerator, parts["model"], clock.phases(train=0.0))
        findings.doubt(_doubts_about_forecast(parts["forecast"], steps, Path(recipe.output)))


def _state_of_model(recipe: Recipe) -> tuple[str, bool]:
    """Where the checkpoint is in words, and whether it is on this machine."""
    name = recipe.model.name
    if name is None:
        return "new, from scratch", True
    folder = hub.find(name, recipe.model.revision)
    if folder is None:
        return f"'{name}' is not on this machine: a run would download it from {hub.endpoint()}", False
    if folder.parent.name == "snapshots":
        return f"'{name}', complete in the hub's cache, commit {folder.name[:12]}", True
    return f"'{name}', on this machine", True


def _rows(recipe: Recipe, task: Task, findings: _Findings) -> RunRows | None:
    """All rows of the run; None where some cannot be had, for which every source is then read on its own."""
    data, folder = recipe.data, hub.cache_folder() / "rows"
    try:
        return load_run(data, task.inputs, task.answers, folder=folder, seed=recipe.training.seed)
    except HftoolkitError as error:
        before = len(findings.all)
        for source in data.train:
            with findings.caught():
                load_rows([source], task.inputs, task.answers, filters=data.filters, folder=folder)
        for held in (data.validation, *data.test.values()):
            if isinstance(held, Source):
                with findings.caught():
                    load_rows([held], task.inputs, task.answers, filters=None, folder=folder)
        if len(findings.all) == before:
            raise error
    return None


def _example(task: Task, rows: Rows) -> dict[str, str]:
    row = rows.take([len(rows) // 2])[0]
    texts = {role: row[role] if isinstance(row[role], str) else row[role][0] for role in (*task.inputs, *task.answers)}
    return {role: text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…" for role, text in texts.items()}


def _doubts_about_rows(task: Task, rows: RunRows, leaks: Mapping[str, int]) -> Iterator[str]:
    for census in rows.train.census:
        if sum(census.dropped.values()) > _MANY * census.read:
            reasons = ", ".join(f"{number:,} {reason}" for reason, number in census.dropped.items())
            yield f"{census.name}: most of its {census.read:,} rows are dropped: {reasons}\n  look at data.filters"
    sample = rows.train.take(_places(len(rows.train), _SAMPLE))
    yield from task.doubts(sample)
    damaged = sum(any("\ufffd" in str(value) for value in row.values()) for row in sample)
    if damaged:
        yield (
            f"{damaged:,} of {len(sample):,} training rows looked at hold U+FFFD, the sign for lost characters: "
            "the file was once read in a wrong encoding\n  make it anew from its source"
        )
    for name, count in leaks.items():
        part = rows.validation if name == "validation" else rows.tests[name]
        if count:
            yield (
                f"{name}: {count:,} of {len(part):,} rows stand in the training rows too: its score will be too high\n"
                "  take them out of the training files"
            )
    for name, part in {"validation": rows.validation, **rows.tests}.items():
        if len(part) < _SMALL:
            yield f"{name}: {counted(len(part), 'row')} are few: scores on them are uncertain"
        again = len(part) - len(np.unique(part.input_keys))
        if again > _AGAIN * len(part):
            yield f"{name}: {again:,} of {len(part):,} rows have an input that stood before"


def _tokens(task: Task, features: Features, limit: int) -> Tokens:
    sides = [
        Lengths(
            side=name,
            median=int(np.median(lengths)),
            most=int(lengths.max()),
            nearly_all=int(np.quantile(lengths, 0.95, method="higher")),
            total=int(lengths.sum()),
        )
        for name, lengths in zip(task.padded, features.lengths.T, strict=True)
        if len(lengths)
    ]
    return Tokens(sides, limit, len(features), features.too_long)


def _doubts_about_tokens(
    task: Task, tokenizer: Any, train: Features, validation: Features, limit: int
) -> Iterator[str]:
    """Doubts, and an error where nothing is left.

    Raises:
        DataError: If encoding left nothing.
    """
    too_long(limit, {"training": train, "validation": validation})
    all_rows = len(train) + train.too_long
    if train.too_long > _LONG * all_rows:
        yield (
            f"{train.too_long:,} of {all_rows:,} encoded training rows are longer than {limit} tokens and are dropped\n"
            "  raise training.max_tokens, or split the rows into sentences"
        )
    some = train.table.take_arrays(_places(len(train), _SAMPLE))
    for side in task.padded:
        ids = np.concatenate([feature[side] for feature in some])
        unknown = float((ids == tokenizer.unk_token_id).mean()) if tokenizer.unk_token_id is not None else 0.0
        if unknown > _UNKNOWN:
            yield (
                f"{side}: {unknown:.1%} of the tokens are unknown to the tokenizer, and lost to the model\n"
                "  choose a model of this language, or train a tokenizer with model.scratch"
            )


def _doubts_about_plan(recipe: Recipe, plan: Plan) -> Iterator[str]:
    settings, total = recipe.training, plan.total
    if total < _FEW_STEPS:
        yield f"training: {counted(total, 'step')} in all are few\n  raise training.epochs, or lower batch_tokens"
    if warmup_steps(settings, total) >= total > 1:
        yield "training: the learning rate is still rising at the end\n  lower training.warmup_steps or warmup_ratio"
    if recipe.evaluation.every and recipe.evaluation.every > total:
        yield f"evaluation.every: {recipe.evaluation.every:,} is more than the {total:,} steps there are"
    alone = sum(len(batch) == 1 for batch in plan.epoch(0)) / plan.steps_per_epoch[0]
    if alone > _ALONE:
        yield f"training.batch_tokens: {alone:.0%} of the steps hold a single row\n  raise it"
    scratch, rate = recipe.model.scratch is not None, settings.learning_rate
    if recipe.adapter is None and not scratch and rate > _HIGH:
        yield f"training.learning_rate: {rate:g} is high for a pretrained model, which may forget what it knows"
    if scratch and rate < _LOW:
        yield f"training.learning_rate: {rate:g} is low for a new model, which may hardly learn"


def _doubts_about_forecast(found: Forecast, steps: list[Step], output: Path) -> Iterator[str]:
    if not all(math.isfinite(step.loss + step.gradient_norm) for step in steps):
        yield "training: the loss is no number after the first steps\n  lower training.learning_rate"
    free = free_disk(output)
    if found.disk_bytes > free:
        yield f"output: a run needs {memory(found.disk_bytes)} on disk, {memory(free)} are free"
    if found.seconds["validate"] > found.seconds["train"]:
        yield (
            f"evaluation.every: measuring on validation rows takes {duration(found.seconds['validate'])}, longer than "
            "training\n  raise it, or lower evaluation.validation_rows"
        )


def _places(rows: int, number: int) -> NDArray[np.int64]:
    """So many places, evenly over the rows."""
    return np.unique(np.linspace(0, rows - 1, min(rows, number)).astype(np.int64))
