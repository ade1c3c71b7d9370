"""The training of a run: steps taken, measured on held-out rows, kept on disk, continued where they stopped."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from hftoolkit.data.features import Features
from hftoolkit.data.rows import Rows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import ModelError, OutputError
from hftoolkit.evaluation import score_model
from hftoolkit.models.guard import zero_rows
from hftoolkit.recipe.schema import Recipe, Training
from hftoolkit.reports.folder import RunFolder
from hftoolkit.tasks.base import Task
from hftoolkit.training.averaging import Candidates
from hftoolkit.training.batches import Batch
from hftoolkit.training.checkpoints import Place, load_checkpoint, save_checkpoint, save_weights
from hftoolkit.training.loop import Objective, Step, mean_loss, train
from hftoolkit.training.optimizer import build_optimizer, learning_rates
from hftoolkit.training.plan import MicroBatch, Plan
from hftoolkit.training.progress import watched
from hftoolkit.training.tracking import start_tracking, track, track_step

log = logging.getLogger("hftoolkit")


@dataclass(frozen=True)
class Fitting:
    """All that training needs."""

    recipe: Recipe
    task: Task
    tokenizer: Any
    model: Any
    features: Features
    validation: Features
    validation_rows: Rows
    folder: RunFolder


@dataclass(frozen=True)
class Fitted:
    """What training did, before an interruption and after it."""

    steps: int
    epochs: float
    tokens: int

    seconds: float
    """In steps, validation left out."""

    best_step: int
    """The step with the best score on validation."""

    averaged_steps: list[int]
    """The steps whose weights were averaged into ``folder.best``; none: it holds those of the best step."""

    notes: list[str]


def fit(job: Fitting, accelerator: Accelerator) -> Fitted:
    """Take the steps that are left; keep the best weights, and a place to resume from at every evaluation.

    Raises:
        ModelError: If the loss or the gradient is no longer a number.
        OutputError: If the folder cannot be written, or holds a run on other rows.
    """
    settings, folder, model = job.recipe.training, job.folder, job.model
    main = accelerator.is_main_process
    plan = _plan(job)
    optimizer = build_optimizer(
        model, weight_decay=settings.weight_decay, betas=settings.betas, zero_rows=zero_rows(model)
    )
    objective = Objective(_whole(job), partial(job.task.loss, smoothing=settings.label_smoothing))
    prepared, optimizer = accelerator.prepare(objective, optimizer)
    place = _place(job, optimizer)
    measure = _measure(job, accelerator)
    averaging = settings.averaging
    candidates = averaging and Candidates(folder.averaged, averaging.checkpoints, averaging.choose)
    notes: list[str] = []
    if main:
        folder.rewind(place.step)
        start_tracking(accelerator, step=place.step)
        if place.step:
            notes.append(f"continued after step {place.step:,} of {plan.total:,}")
        elif job.recipe.model.scratch is None:
            scores = measure()
            track(accelerator, "validation", 0, scores)
            folder.add([{"step": 0, "validation": scores}])
            notes += _harm_of_dropout(job, plan, accelerator)
        for note in notes:
            log.info(note)
    steps = train(
        prepared,
        optimizer,
        plan.steps(
            plan.total if _out_of_patience(job, place) else place.step,
            process=accelerator.process_index,
            processes=accelerator.num_processes,
            micro_batches=settings.micro_batches,
        ),
        collate=_collate(job.task, job.features),
        rate=learning_rates(
            settings.schedule,
            peak=settings.learning_rate,
            warmup=_warmup(settings, plan.total),
            total=plan.total,
        ),
        accelerator=accelerator,
        seed=settings.seed,
        max_grad_norm=settings.max_grad_norm,
        bf16=settings.precision == "bf16",
    )
    pending: list[dict[str, Any]] = []
    for step in watched(steps, first=place.step, total=plan.total, shown=main):
        _check_finite(step)
        track_step(accelerator, step)
        pending.append(_line(step))
        if not _due(job, step, plan.total):
            continue
        if main:
            scores = measure()
            track(accelerator, "validation", step.number, scores)
            place = _judged(place, step.number, scores[job.task.goal])
            if place.best_step == step.number:
                save_weights(folder.best, model)
            if candidates:
                candidates.add(step.number, model)
            folder.add([*pending, {"step": step.number, "validation": scores}])
            save_checkpoint(folder.last, model, optimizer, place)
            if candidates:  # behind the checkpoint: a run that goes on from the one before still needs them
                candidates.prune(_scores(job))
            log.info(_words(step.number, plan.total, scores, best=place.best_step == step.number))
        pending = []
        place = broadcast_object_list([place])[0]
        if _out_of_patience(job, place):
            break
    done = [line for line in folder.lines() if "loss" in line] if main else []
    if len(done) < plan.total and main:
        notes.append(f"stopped after step {len(done):,}: no better {job.task.goal} in {place.worse} evaluations")
        log.info(notes[-1])
    averaged: list[int] = []
    if candidates and main:
        averaged = candidates.average(model, _scores(job))
        save_weights(folder.best, model)
        notes.append(_words_of_average(averaged, measure()[job.task.goal], place, job.task.goal))
        log.info(notes[-1])
    return Fitted(
        steps=len(done),
        epochs=_epochs(plan, len(done)),
        tokens=sum(line["tokens"] for line in done),
        seconds=sum(line["seconds"] for line in done),
        best_step=place.best_step,
        averaged_steps=averaged,
        notes=notes,
    )


def _whole(job: Fitting) -> Any:
    """The transformers model, with the adapter's matrices in it."""
    return job.model.get_base_model() if job.recipe.adapter is not None else job.model


def _plan(job: Fitting) -> Plan:
    settings = job.recipe.training
    return Plan(
        job.features.lengths,
        job.features.sources,
        [source.weight for source in job.recipe.data.train],
        batch_tokens=settings.batch_tokens,
        epochs=settings.epochs,
        max_steps=settings.max_steps,
        seed=settings.seed,
    )


def _warmup(settings: Training, total: int) -> int:
    return round(settings.warmup_ratio * total) if settings.warmup_steps is None else settings.warmup_steps


def _scores(job: Fitting) -> dict[int, float]:
    """The deciding score of every evaluation after a step."""
    lines = [line for line in job.folder.lines() if "validation" in line and line["step"]]
    return {line["step"]: line["validation"][job.task.goal] for line in lines}


def _place(job: Fitting, optimizer: Any) -> Place:
    """Where the run stands, its weights and optimizer state put back."""
    data = f"{job.features.key} {job.validation.key}"
    if not job.folder.last.is_file():
        return Place(0, 0, None, 0, data)
    place = load_checkpoint(job.folder.last, job.model, optimizer)
    if place.data != data:
        raise OutputError(
            f"{job.folder.path}: the training or validation rows are not those this run began with\n"
            "  put the files back, or start again:   add --overwrite"
        )
    return place


def _harm_of_dropout(job: Fitting, plan: Plan, accelerator: Accelerator) -> list[str]:
    """Say it where dropout alone makes a model forget what it knows: distilled models are made without."""
    collate, bf16 = _collate(job.task, job.features), job.recipe.training.precision == "bf16"
    rows = next(plan.steps()).micro_batches[0].rows[:8]
    with_it, without = (
        mean_loss(
            _whole(job), [collate(MicroBatch(rows, True), 0)], job.task.loss, accelerator.device, bf16=bf16, dropout=on
        )
        for on in (True, False)
    )
    if with_it < without + 1.0:  # usual dropout costs a tenth or two
        return []
    return [
        f"dropout raises the loss of the untouched model from {without:.1f} to {with_it:.1f} on the first rows; "
        "distilled models are made without it: try --set training.dropout=0"
    ]


def _check_finite(step: Step) -> None:
    """Stop before weights that are not numbers are kept."""
    if not math.isfinite(step.loss + step.gradient_norm):
        raise ModelError(
            f"step {step.number:,}: the loss is {step.loss:g} and the gradient's length {step.gradient_norm:g}: "
            "training has diverged\n"
            "  start again with a lower training.learning_rate, or a longer training.warmup_ratio:   add --overwrite"
        )


def _collate(task: Task, features: Features) -> Callable[[MicroBatch, int], Batch]:
    return lambda micro, seed: task.collate(features.table.take_arrays(micro.rows), seed)


def _measure(job: Fitting, accelerator: Accelerator) -> Callable[[], dict[str, float]]:
    """What measures the model on held-out rows: its loss on all of them, greedy decoding on some."""
    recipe, task, features, rows = job.recipe, job.task, job.validation, job.validation_rows
    none = np.zeros(len(features), np.uint16)
    plan = Plan(features.lengths, none, [1.0], recipe.training.batch_tokens, epochs=1)
    # Evenly over the file, which may be sorted.
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), recipe.evaluation.validation_rows)).astype(int))
    decoded = rows.subset(places)
    inner = _whole(job)
    engine = task.engine(inner, job.tokenizer, batch_tokens=recipe.evaluation.batch_tokens)
    collate = _collate(task, features)

    def measure() -> dict[str, float]:
        batches = (collate(MicroBatch(batch, True), 0) for batch in plan.epoch(0))
        loss = mean_loss(inner, batches, task.loss, accelerator.device, bf16=recipe.training.precision == "bf16")
        scored = score_model(task, engine, decoded, Decoding(beams=1))
        return {"loss": loss} | {one.name: one.total(scored.counts[one.name].sum(axis=0)) for one in task.measures()}

    return measure


def _due(job: Fitting, step: Step, total: int) -> bool:
    every = job.recipe.evaluation.every
    return step.number == total or (step.last_of_epoch if every is None else step.number % every == 0)


def _judged(place: Place, step: int, score: float) -> Place:
    if place.best_score is None or score > place.best_score:
        return replace(place, step=step, best_step=step, best_score=score, worse=0)
    return replace(place, step=step, worse=place.worse + 1)


def _out_of_patience(job: Fitting, place: Place) -> bool:
    return job.recipe.training.patience is not None and place.worse >= job.recipe.training.patience


def _epochs(plan: Plan, steps: int) -> float:
    epochs = 0.0
    for size in plan.steps_per_epoch:
        epochs += min(steps, size) / size
        steps -= min(steps, size)
    return round(epochs, 2)


def _line(step: Step) -> dict[str, Any]:
    """A step as the log keeps it."""
    return {
        "step": step.number,
        "loss": round(step.loss, 6),
        "learning_rate": step.learning_rate,
        "gradient_norm": round(step.gradient_norm, 6),
        "tokens": step.tokens,
        "padding": round(step.padding, 4),
        "seconds": round(step.seconds, 4),
    }


def _words_of_average(steps: list[int], score: float, place: Place, goal: str) -> str:
    return (
        f"weights averaged over {len(steps)} evaluations, steps {steps[0]:,} to {steps[-1]:,}: validation "
        f"{goal} {score:.1f}; the best single one, step {place.best_step:,}, has {place.best_score:.1f}"
    )


def _words(step: int, total: int, scores: dict[str, float], *, best: bool) -> str:
    shown = ", ".join(
        f"{name} {value:.3f}" if name == "loss" else f"{name} {value:.1f}" for name, value in scores.items()
    )
    return f"step {step:,} of {total:,}: validation {shown}" + (" (best so far)" if best else "")
