"""A fine-tuning run, top to bottom: recipe, rows, checkpoint, baseline, features, steps, scores, report."""

import hashlib
import logging
import shutil
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from hftoolkit import hub
from hftoolkit.accounts import Clock, beginning, sources, too_long, versions
from hftoolkit.data.features import Features, build_features
from hftoolkit.data.prepared import RunRows, load_run
from hftoolkit.data.rows import Rows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.evaluation import Scored, compared, extra_metrics, extra_scores, read, score_model, score_trivial
from hftoolkit.fitting import Fitting, fit
from hftoolkit.models.adapters import adapter_targets, add_adapter, save_adapter
from hftoolkit.models.devices import choose_device, choose_precision, device_words, peak_memory
from hftoolkit.models.keys import content_key, tokenizer_key
from hftoolkit.models.loading import Loaded, load_checkpoint, quiet
from hftoolkit.models.saved import write_saved
from hftoolkit.models.scratch import build_marian
from hftoolkit.recipe.schema import Recipe
from hftoolkit.reports.files import write_report
from hftoolkit.reports.folder import RunFolder, open_run, write_whole
from hftoolkit.reports.run import UNTOUCHED, ModelFacts, Report, TestSet
from hftoolkit.tasks import find_task
from hftoolkit.tasks.base import Task
from hftoolkit.training.checkpoints import load_weights

log = logging.getLogger("hftoolkit")


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
        DataError: If rows cannot be read, or none are left.
        ModelError: If the model cannot be loaded, does not suit, or would produce gibberish.
        HubError: If something cannot be fetched.
        OutputError: If the output folder holds another run or cannot be written.
    """
    clock = Clock()
    accelerator = Accelerator(cpu=choose_device().type == "cpu", mixed_precision="no")
    recipe = _decided(read(recipe, list(overrides)), accelerator.device)
    task = find_task(recipe.task)(recipe.options, recipe.data.languages)
    extra = extra_metrics(recipe) if accelerator.is_main_process else {}
    folder = RunFolder(Path(recipe.output))
    with open_run(recipe, overwrite=overwrite) if accelerator.is_main_process else nullcontext():
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
        start, notes = _start(recipe, task, rows, folder)
        task.bind(start.tokenizer, start.model.config)
        start.model.to(accelerator.device)
    _say(accelerator, notes)
    with clock("baseline"):
        before = _baseline(recipe, task, start, rows) if accelerator.is_main_process else {}
    accelerator.wait_for_everyone()
    with clock("encode"), accelerator.main_process_first():
        features, validation = (_features(recipe, task, start, part) for part in (rows.train, rows.validation))
    notes += (cut := too_long(_longest(recipe, start), {"training": features, "validation": validation}))
    model, facts = _trainable(recipe, start, accelerator)
    _say(accelerator, [*beginning(rows, facts), *cut])
    with clock("train and validate"):
        fitted = fit(
            Fitting(recipe, task, start.tokenizer, model, features, validation, rows.validation, folder), accelerator
        )
        notes += fitted.notes
    if accelerator.is_main_process:
        load_weights(folder.best, model)
        _save(task, start, model, folder)
        del model
    with clock("test"):
        tests, decoding, said = (
            _test(recipe, task, rows, before, extra, folder) if accelerator.is_main_process else ([], "", ())
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
    accelerator.wait_for_everyone()
    return report


def _decided(recipe: Recipe, device: torch.device) -> Recipe:
    """The recipe with what the machine decides filled in, so that a resumed run decides the same."""
    precision = choose_precision(recipe.training.precision, device, adapter=recipe.adapter is not None)
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"precision": precision})})


def _start(recipe: Recipe, task: Task, rows: RunRows, folder: RunFolder) -> tuple[Loaded, list[str]]:
    """The checkpoint to start from, and what should be said about it."""
    if recipe.model.scratch is None:
        loaded = load_checkpoint(
            str(recipe.model.name),
            task.auto_class,
            revision=recipe.model.revision,
            dropout=recipe.training.dropout,
        )
        task.bind(loaded.tokenizer, loaded.model.config)
        task.check(loaded.model, loaded.tokenizer, rows.train.take(range(min(4, len(rows.train)))), loaded.name)
        if recipe.adapter is not None:
            adapter_targets(loaded.model, recipe.adapter.targets)  # refuses what will not work, before any scoring
        return loaded, list(loaded.notes)
    path = folder.checkpoints / "start"
    notes = ["a new model from scratch: there is no model to compare with, so the baseline is " + task.trivial_name]
    if not path.is_dir():
        draft = folder.checkpoints / "start.partial"
        notes += build_marian(
            recipe.model.scratch, task.texts(rows.train), recipe.data.languages, draft, recipe.training.seed
        )
        draft.rename(path)
    return load_checkpoint(str(path), task.auto_class), notes


def _baseline(recipe: Recipe, task: Task, start: Loaded, rows: RunRows) -> dict[str, Scored]:
    """Scores before training; those of the untouched model are kept, for they are the same in every run."""
    if recipe.model.scratch is not None:
        return {name: score_trivial(task, part) for name, part in rows.tests.items()}
    engine = task.engine(start.model, start.tokenizer, batch_tokens=recipe.evaluation.batch_tokens)
    found = {}
    for name, part in rows.tests.items():
        signatures = [measure.signature({1}) for measure in task.measures()]
        parts = [
            content_key(start),
            task.fingerprint(),
            part.fingerprint,
            engine.signature,
            str(_decoding(recipe)),
            *signatures,
        ]
        kept = hub.cache_folder() / "baselines" / f"{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}.json"
        if kept.is_file():
            found[name] = Scored.from_json(kept.read_text(encoding="utf-8"))
            continue
        log.info("scoring '%s' before training (%s rows)", name, f"{len(part):,}")
        found[name] = score_model(task, engine, part, _decoding(recipe))
        with suppress(OSError):  # without room for it the next run measures again
            write_whole(kept, found[name].to_json())
    return found


def _features(recipe: Recipe, task: Task, start: Loaded, rows: Rows) -> Features:
    return build_features(
        rows,
        partial(task.encode, tokenizer=start.tokenizer),
        padded=task.padded,
        max_tokens=_longest(recipe, start),
        folder=hub.cache_folder() / "features",
        key=[task.fingerprint(), tokenizer_key(start.folder)],
    )


def _trainable(recipe: Recipe, start: Loaded, accelerator: Accelerator) -> tuple[Any, ModelFacts]:
    """The model as it is trained, and its facts."""
    model = start.model
    if accelerator.device.type == "cpu":
        # 1.3 times the tokens/s of sdpa under bf16 on sentences of 30 tokens, the same in float32.
        model.set_attn_implementation("eager")
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)  # constant tables are no weights
    adapter, targets = "", []
    if recipe.adapter is not None:
        targets = adapter_targets(model, recipe.adapter.targets)
        torch.manual_seed(recipe.training.seed)
        base = recipe.model.name or ""
        base = str(Path(base).resolve()) if Path(base).is_dir() else base
        model = add_adapter(model, recipe.adapter, base, recipe.model.revision)
        adapter = f"LoRA, rank {recipe.adapter.rank}, alpha {recipe.adapter.alpha or 2 * recipe.adapter.rank}"
    model.to(accelerator.device)
    products = "" if recipe.training.precision == "float32" else " weights, bf16 products"
    return model, ModelFacts(
        name=recipe.model.name or "scratch",
        architecture=type(start.model).__name__,
        parameters=parameters,
        trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        number_format=f"float32{products}",
        device=device_words(accelerator.device),
        revision=start.folder.name if start.folder.parent.name == "snapshots" else "",
        adapter=adapter,
        adapter_targets=targets,
    )


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
    recipe: Recipe, task: Task, rows: RunRows, before: Mapping[str, Scored], extra: Mapping[str, Any], folder: RunFolder
) -> tuple[list[TestSet], str, tuple[str, ...]]:
    """Score what was saved, read back from disk: what is measured is what a user gets.

    Returns:
        The test sets of the report, how they were decoded, and what should be said about them.
    """
    tuned = load_checkpoint(str(folder.path), task.auto_class)
    tuned.model.to(choose_device())
    engine = task.engine(tuned.model, tuned.tokenizer, batch_tokens=recipe.evaluation.batch_tokens)
    baseline = UNTOUCHED if recipe.model.scratch is None else task.trivial_name
    tests = []
    for name, part in rows.tests.items():
        log.info("scoring '%s' after training (%s rows)", name, f"{len(part):,}")
        after = score_model(task, engine, part, _decoding(recipe))
        _write_predictions(task, name, part, before[name], after, folder)
        test = compared(task, name, part, before[name], after, baseline, rows.leaks[name])
        test.before.extend(extra_scores(task, extra, part, before[name]))
        test.after.extend(extra_scores(task, extra, part, after))
        tests.append(test)
    return tests, f"{engine.signature}|{_decoding(recipe)}", engine.notes


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


def _decoding(recipe: Recipe) -> Decoding:
    return Decoding(recipe.evaluation.beams, recipe.evaluation.length_penalty)


def _longest(recipe: Recipe, start: Loaded) -> int:
    """Tokens of the longest side that is trained on: what the recipe says, or the model's positions."""
    return min(recipe.training.max_tokens, int(start.model.config.max_position_embeddings))


def _say(accelerator: Accelerator, notes: Iterable[str]) -> None:
    if accelerator.is_main_process:
        for note in notes:
            log.info(note)
