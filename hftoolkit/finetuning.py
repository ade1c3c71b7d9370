"""A fine-tuning run, top to bottom: recipe, rows, checkpoint, baseline, features, steps, scores, report."""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Final

from accelerate import Accelerator

from hftoolkit import hub
from hftoolkit.accounts import Clock, beginning, long_rows, sources, versions
from hftoolkit.data.prepared import RunRows, load_run
from hftoolkit.data.rows import Rows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.evaluation import read
from hftoolkit.fitting import fit
from hftoolkit.job import Job
from hftoolkit.models.adapters import save_adapter
from hftoolkit.models.devices import choose_device, enough_memory, peak_memory
from hftoolkit.models.keys import content_key
from hftoolkit.models.loading import Loaded, load_checkpoint, quiet
from hftoolkit.models.saved import write_saved
from hftoolkit.recipe.schema import Recipe
from hftoolkit.reports.files import write_report
from hftoolkit.reports.folder import RunFolder, open_run, write_whole
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import UNTOUCHED, TestSet
from hftoolkit.samples import Samples, samples_of, samples_section
from hftoolkit.scoring import (
    Scored,
    compared,
    engine_of,
    extra_metrics,
    extra_scores,
    made,
    score_model,
    score_trivial,
)
from hftoolkit.starting import decided, does_already, features_of, longest, start_of, trainable
from hftoolkit.tasks import find_task
from hftoolkit.tasks.base import Task
from hftoolkit.training.checkpoints import load_weights
from hftoolkit.training.tracking import closing_trackers, require_trackers, track

log = logging.getLogger("hftoolkit")

_KEPT: Final = "2"
"""Raised when what is kept of a baseline has another form, so that older ones are not read."""


def finetune(
    recipe: Recipe | Mapping[str, Any] | str | Path, *, overrides: Iterable[str] = (), overwrite: bool = False
) -> Report:
    """Fine-tune a model as a recipe says, and report what was gained and lost.

    An unfinished run in the recipe's output folder is continued where it stood: the steps are the same, bit for bit on
    the CPU, as if it had not been interrupted.

    Args:
        recipe: A recipe, a mapping that says the same, its file, or the name of a built-in one.
        overrides: ``key=value`` pairs that change it.
        overwrite: Remove a run that is in the output folder.

    Returns:
        The report; it shows itself in a notebook, and lies in the output folder as JSON, Markdown and HTML.

    Raises:
        RecipeError: If the recipe has problems.
        UsageError: If a tracker it names is not installed.
        DataError: If rows cannot be read, or none are left.
        ModelError: If the model cannot be loaded, does not suit, or would produce gibberish.
        HubError: If something cannot be fetched.
        OutputError: If the output folder holds another run or cannot be written.
    """
    clock = Clock()
    recipe = read(recipe, list(overrides))
    require_trackers(recipe.tracking)
    folder = RunFolder(Path(recipe.output))
    accelerator = Accelerator(
        cpu=choose_device().type == "cpu",
        mixed_precision="no",
        log_with=list(recipe.tracking) or None,
        project_dir=folder.path / "tracking",
    )
    recipe = decided(recipe, accelerator.device)
    task = find_task(recipe.task)(recipe.options, recipe.data.languages)
    extra = extra_metrics(recipe) if accelerator.is_main_process else {}
    run = open_run(recipe, overwrite=overwrite) if accelerator.is_main_process else nullcontext()
    at_hub = hub.using(hub.of_recipe(recipe.endpoint))
    with run, at_hub, closing_trackers(accelerator), enough_memory(accelerator.device):
        accelerator.wait_for_everyone()
        return _run(recipe, task, extra, folder, accelerator, clock)


def _run(
    recipe: Recipe,
    task: Task,
    extra: Mapping[str, Any],
    folder: RunFolder,
    accelerator: Accelerator,
    clock: Clock,
) -> Report:
    """The run, in a folder that is there."""
    with clock("read"), accelerator.main_process_first():
        rows = load_run(
            recipe.data, task.inputs, task.answers, folder=hub.cache_folder() / "rows", seed=recipe.training.seed
        )
    with clock("load"), accelerator.main_process_first():
        learned = task.learn(rows.train)
        start, notes = start_of(recipe, task, rows.train, folder.checkpoints / "start")
        notes = [*learned, *notes]
        start.model.to(accelerator.device)
    _say(accelerator, notes)
    with clock("baseline"):
        before = _baseline(recipe, task, start, rows) if accelerator.is_main_process else {}
        written = _samples(recipe, task, start, rows) if accelerator.is_main_process else {}
    accelerator.wait_for_everyone()
    with clock("encode"), accelerator.main_process_first():
        features, validation = (features_of(recipe, task, start, part) for part in (rows.train, rows.validation))
    encoded = {"training": features, "validation": validation}
    notes += (cut := long_rows(longest(recipe, task, start), encoded, task.cut_part))
    model, facts = trainable(recipe, task, start, accelerator)
    _say(accelerator, [*beginning(rows, facts), *cut])
    with clock("train and validate"):
        fitted = fit(
            Job(
                recipe,
                task,
                start.tokenizer,
                model,
                features,
                validation,
                rows.validation,
                folder,
                able=does_already(recipe, task, start),
            ),
            accelerator,
        )
        notes += fitted.notes
    if accelerator.is_main_process:
        load_weights(folder.best, model)
        notes += (settled := _settle(recipe, task, start.tokenizer, model, rows))
        _say(accelerator, settled)
        _save(task, start, model, folder)
        del model
    with clock("test"):
        tests, decoding, said = (
            _test(recipe, task, rows, before, written, extra, folder, able=does_already(recipe, task, start))
            if accelerator.is_main_process
            else ([], "", ())
        )
    _say(accelerator, said)
    notes += said
    report = Report(
        task=recipe.task,
        tests=tests,
        recipe=recipe.model_dump(mode="json"),
        data=sources(rows),
        model=facts,
        steps=fitted.steps,
        epochs=fitted.epochs,
        best_step=fitted.best_step,
        averaged_steps=fitted.averaged_steps,
        tokens=fitted.tokens,
        seconds=clock.phases(train=fitted.seconds),
        peak_memory_bytes=peak_memory(accelerator.device),
        curve=folder.curve(),
        decoding=decoding,
        versions=versions(),
        started=clock.started,
        notes=notes,
    )
    if accelerator.is_main_process:
        write_report(report, folder.path)
        folder.finish()
        for test in tests:
            track(accelerator, f"test/{test.name}", fitted.steps, {score.name: score.value for score in test.after})
    accelerator.wait_for_everyone()
    return report


def _baseline(recipe: Recipe, task: Task, start: Loaded, rows: RunRows) -> dict[str, Scored]:
    """Scores before training; those of the untouched model are kept, for they are the same in every run."""
    if not does_already(recipe, task, start):
        return {name: score_trivial(task, part) for name, part in rows.tests.items()}
    engine = engine_of(task, start.model, start.tokenizer, recipe)
    task.settle(engine, rows.validation)  # the untouched model is given the best of its own thresholds, too
    found = {}
    for name, part in rows.tests.items():
        signatures = [measure.signature({1}) for measure in task.measures()]
        parts = [
            _KEPT,
            content_key(start),
            task.fingerprint(),
            part.fingerprint,
            made(task, engine, Decoding.of(recipe.evaluation)),
            *signatures,
        ]
        kept = hub.cache_folder() / "baselines" / f"{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}.json"
        if kept.is_file():
            found[name] = Scored.from_json(kept.read_text(encoding="utf-8"))
            continue
        log.info("scoring '%s' before training (%s rows)", name, f"{len(part):,}")
        found[name] = score_model(task, engine, part, Decoding.of(recipe.evaluation))
        with suppress(OSError):  # without room for it the next run measures again
            write_whole(kept, found[name].to_json())
    return found


def _samples(recipe: Recipe, task: Task, start: Loaded, rows: RunRows) -> dict[str, Samples]:
    """What the untouched model writes, if it does."""
    if not does_already(recipe, task, start):
        return {}
    engine = engine_of(task, start.model, start.tokenizer, recipe)
    return samples_of(task, engine, rows.tests, recipe.training.seed)


def _settle(recipe: Recipe, task: Task, tokenizer: Any, model: Any, rows: RunRows) -> list[str]:
    """Choose on validation rows what is left to choose, with the weights that are kept."""
    whole = model.get_base_model() if recipe.adapter is not None else model
    return task.settle(engine_of(task, whole.eval(), tokenizer, recipe), rows.validation)


def _save(task: Task, start: Loaded, model: Any, folder: RunFolder) -> None:
    """Write model or adapter, tokenizer, and what they do not say themselves."""
    with folder.writing(), quiet():
        if model is start.model:
            model.save_pretrained(folder.path)
        else:
            save_adapter(model, folder.path)
        start.tokenizer.save_pretrained(folder.path)
        write_saved(task.saved(), folder.path)
        for weights in folder.path.glob("*.safetensors"):  # written for their owner alone, whatever the umask says
            shutil.copymode(folder.path / "recipe.yaml", weights)


def _test(
    recipe: Recipe,
    task: Task,
    rows: RunRows,
    before: Mapping[str, Scored],
    written: Mapping[str, Samples],
    extra: Mapping[str, Any],
    folder: RunFolder,
    *,
    able: bool,
) -> tuple[list[TestSet], str, tuple[str, ...]]:
    """Score what was saved, read back from disk: what is measured is what a user gets.

    Returns:
        The test sets of the report, how they were decoded, and what should be said about them.
    """
    tuned = load_checkpoint(str(folder.path), task.auto_class, quantize=recipe.model.quantize is not None)
    tuned.model.to(choose_device())
    task.restore(tuned.saved, tuned.model.config)
    engine = engine_of(task, tuned.model, tuned.tokenizer, recipe)
    baseline = UNTOUCHED if able else task.trivial_name
    seed, tests = recipe.training.seed, []
    writes = samples_of(task, engine, rows.tests, seed)
    for name, part in rows.tests.items():
        log.info("scoring '%s' after training (%s rows)", name, f"{len(part):,}")
        tally = task.tally()
        after = score_model(task, engine, part, Decoding.of(recipe.evaluation), tally)
        _write_predictions(task, name, part, before[name], after, folder)
        test = compared(task, name, part, before[name], after, baseline, rows.leaks[name])
        test.sections.extend(samples_section(written.get(name, {}), writes[name], seed))
        test.sections.extend(tally.sections() if tally else [])
        test.before.extend(extra_scores(task, extra, part, before[name]))
        test.after.extend(extra_scores(task, extra, part, after))
        tests.append(test)
    return tests, made(task, engine, Decoding.of(recipe.evaluation)), engine.notes


def _write_predictions(task: Task, name: str, rows: Rows, before: Scored, after: Scored, folder: RunFolder) -> None:
    shown = [task.shown_row(row) for row in rows]
    folder.write_lines(f"{name}.source.txt", [source for source, _ in shown])
    most = max(len(answers) for _, answers in shown)
    for number in range(most):
        suffix = f".{number}" if most > 1 else ""
        answers = [answers[number] if number < len(answers) else "" for _, answers in shown]
        folder.write_lines(f"{name}.reference{suffix}.txt", answers)
    folder.write_lines(f"{name}.before.txt", before.shown)
    folder.write_lines(f"{name}.after.txt", after.shown)


def _say(accelerator: Accelerator, notes: Iterable[str]) -> None:
    if accelerator.is_main_process:
        for note in notes:
            log.info(note)
