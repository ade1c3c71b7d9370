"""A recipe looked at before it runs, top to bottom: recipe, folder, rows, checkpoint, tokens, a few steps, forecast."""

import math
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from accelerate import Accelerator

from hftoolkit import hub
from hftoolkit.accounts import long_rows, sources
from hftoolkit.data.features import Features
from hftoolkit.data.prepared import RunRows, load_run
from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.data.splitting import leakage
from hftoolkit.doubts import (
    doubts_about_forecast,
    doubts_about_model,
    doubts_about_plan,
    doubts_about_rows,
    doubts_about_tokens,
    notes_about_rows,
    side_name,
)
from hftoolkit.errors import HftoolkitError, ModelError
from hftoolkit.evaluation import read
from hftoolkit.forecasting import forecast
from hftoolkit.job import Job, harm_of_dropout, plan_of
from hftoolkit.models.adapter_folders import adapter_base, is_adapter
from hftoolkit.models.devices import choose_device, enough_memory
from hftoolkit.recipe.schema import Recipe, Source
from hftoolkit.reports.checkup import Checkup, Finding, Lengths, Tokens
from hftoolkit.reports.folder import RunFolder, check_place
from hftoolkit.scoring import extra_metrics
from hftoolkit.starting import decided, does_already, features_of, longest, start_of, trainable
from hftoolkit.tasks import find_task
from hftoolkit.tasks.base import Task
from hftoolkit.training.loop import Step
from hftoolkit.training.tracking import require_trackers

_SHOWN: Final = 100
"""Characters of an example."""


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
        wanted = read(recipe, list(overrides))
        with _thrown_away() as folder, hub.using(hub.of_recipe(wanted.endpoint)):
            _look(wanted, folder, overwrite, findings, parts)
    name = str(recipe) if isinstance(recipe, str | Path) else ""
    return Checkup(name, **parts, findings=findings.all, exit_code=findings.exit_code)


@contextmanager
def _thrown_away() -> Iterator[Path]:
    """A folder in our cache for what no run will need.

    Raises:
        OutputError: If the cache cannot be written.
    """
    cache = hub.cache_folder()
    with hub.writing_cache(cache, "the cache"):
        made = tempfile.TemporaryDirectory(dir=cache, prefix="check-", ignore_cleanup_errors=True)
    with made as folder:
        yield Path(folder)


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
            found = Finding("error", str(error))
            if found not in self.all:  # a file may be read for training and for testing
                self.all.append(found)

    def doubt(self, messages: Iterable[str]) -> None:
        """Note what a run may suffer from."""
        self.all += [Finding("warning", message) for message in messages]

    def note(self, messages: Iterable[str]) -> None:
        """Note what a run will do unasked."""
        self.all += [Finding("note", message) for message in messages]


def _look(recipe: Recipe, folder: Path, overwrite: bool, findings: _Findings, parts: dict[str, Any]) -> None:
    """Look at everything in turn; what was found before an error stays in ``parts``."""
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
    rows = _rows(recipe, task, findings)
    if rows is None:
        return
    leaks = {"data.validation": leakage(rows.train, rows.validation)}
    leaks |= {f"data.test.{name}": count for name, count in rows.leaks.items()}
    parts |= {"data": sources(rows), "leaks": leaks, "example": _example(task, rows.train)}
    findings.doubt(doubts_about_rows(task, rows, leaks))
    findings.note([*notes_about_rows(rows, leaks), *task.learn(rows.train)])
    if not here:
        return
    with enough_memory(accelerator.device):
        _look_at_model(recipe, folder, task, rows, accelerator, findings, parts)


def _look_at_model(
    recipe: Recipe,
    folder: Path,
    task: Task,
    rows: RunRows,
    accelerator: Accelerator,
    findings: _Findings,
    parts: dict[str, Any],
) -> None:
    """Look at the model, its tokens, and some steps of it."""
    begin = time.perf_counter()
    start, notes = start_of(recipe, task, rows.train, folder / "start")
    load_seconds = time.perf_counter() - begin
    start.model.to(accelerator.device)
    findings.note(notes)
    if recipe.model.scratch is None:
        findings.doubt(doubts_about_model(task, start, rows))
    train, validation = (features_of(recipe, task, start, part) for part in (rows.train, rows.validation))
    limit = longest(recipe, task, start)
    parts["tokens"] = _tokens(task, train, limit)
    cut = long_rows(limit, {"training": train, "validation": validation}, task.cut_part)  # raises where none is left
    findings.note(cut if task.cut_part else [])  # of rows that are cut as a whole the tokens tell
    findings.doubt(doubts_about_tokens(task, start.tokenizer, train, rows.train, limit))
    model, parts["model"] = trainable(recipe, task, start, accelerator)
    output, able = RunFolder(Path(recipe.output)), does_already(recipe, task, start)
    job = Job(recipe, task, start.tokenizer, model, train, validation, rows.validation, output, able=able)
    plan = plan_of(job)
    findings.doubt(doubts_about_plan(recipe, plan, limit))
    if able:
        findings.doubt(harm_of_dropout(job, plan, accelerator))
    parts["forecast"], steps = forecast(job, rows.tests, accelerator, parts["model"], load_seconds)
    with findings.caught():
        _check_finite(steps)
    findings.doubt(doubts_about_forecast(parts["forecast"], Path(recipe.output)))


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
            return name + (f", in the hub's cache, commit {folder.name[:12]}" * hub.in_cache(folder)), True
        wanted, revision = adapter_base(folder)
    if hub.offline():
        hub.resolve(wanted, revision)  # refuses, and says why
    findings.doubt(
        [
            f"model: '{wanted}' is not on this machine: its tokens, its steps and their time were not looked at\n"
            f"  a run downloads it from {hub.shown(hub.endpoint())}; check again when it is there"
        ]
    )
    return f"{name}, to be downloaded from {hub.shown(hub.endpoint())}", False


def _rows(recipe: Recipe, task: Task, findings: _Findings) -> RunRows | None:
    """All rows of the run; None where some cannot be had, for which every source is then read on its own."""
    data, folder = recipe.data, hub.cache_folder() / "rows"
    try:
        return load_run(data, task.inputs, task.answers, folder=folder, seed=recipe.training.seed)
    except HftoolkitError as error:
        before = len(findings.all)
        held = [part for part in (data.validation, *data.test.values()) if isinstance(part, Source)]
        alone = data.filters if len(data.train) == 1 else None  # filters may leave one of several sources empty
        for source, filters in [*((part, alone) for part in data.train), *((part, None) for part in held)]:
            with findings.caught():
                load_rows([source], task.inputs, task.answers, filters=filters, folder=folder, languages=data.languages)
        if len(findings.all) == before:
            raise error
    return None


def _example(task: Task, rows: Rows) -> dict[str, str]:
    given, answers = task.shown_row(rows.take([len(rows) // 2])[0])
    texts = {", ".join(task.inputs): given}
    if task.answers:
        texts[", ".join(task.answers)] = ", ".join(answers[:1])
    lines = {role: " ".join(text.split()) for role, text in texts.items()}
    return {role: text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…" for role, text in lines.items()}


def _tokens(task: Task, features: Features, limit: int) -> Tokens:
    sides = [
        Lengths(
            side=side_name(name),
            median=int(np.median(lengths)),
            nearly_all=int(np.quantile(lengths, 0.95, method="higher")),
            most=int(lengths.max()),
            total=int(lengths.sum()),
        )
        for name, lengths in zip(task.padded, features.lengths.T, strict=True)
        if len(lengths)
    ]
    return Tokens(sides, limit, len(features), features.too_long, 0 if task.cut_part else features.cut)


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
