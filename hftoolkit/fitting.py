"""The training of a run: steps taken, measured on held-out rows, kept on disk, continued where they stopped."""

import logging
import math
from dataclasses import dataclass, replace
from typing import Any, Final

from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from hftoolkit.errors import ModelError, OutputError
from hftoolkit.job import Job, harm_of_dropout, measure_of, plan_of, prepared, steps_of
from hftoolkit.metrics.measure import Measure
from hftoolkit.reports.wording import counted
from hftoolkit.tasks.base import Task
from hftoolkit.training.averaging import Candidates
from hftoolkit.training.checkpoints import Place, load_checkpoint, save_checkpoint, save_weights
from hftoolkit.training.loop import Step
from hftoolkit.training.plan import Plan
from hftoolkit.training.progress import watched
from hftoolkit.training.tracking import start_tracking, track, track_step

log = logging.getLogger("hftoolkit")

_CALMER: Final = (
    "  start again with a lower training.learning_rate, or a longer training.warmup_ratio:   add --overwrite"
)


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


def fit(job: Job, accelerator: Accelerator) -> Fitted:
    """Take the steps that are left; keep the best weights, and a place to resume from at every evaluation.

    Raises:
        ModelError: If the loss or the gradient is no longer a number.
        OutputError: If the folder cannot be written, or holds a run on other rows.
    """
    settings, folder, model = job.recipe.training, job.folder, job.model
    main = accelerator.is_main_process
    plan = plan_of(job)
    objective, optimizer = prepared(job, accelerator)
    place = _place(job, optimizer)
    measure = measure_of(job, accelerator)
    averaging = settings.averaging
    candidates = averaging and Candidates(folder.averaged, averaging.checkpoints, averaging.choose)
    notes: list[str] = []
    if main:
        folder.rewind(place.step)
        start_tracking(accelerator, step=place.step)
        if place.step:
            notes.append(f"continued after step {place.step:,} of {plan.total:,}")
        elif job.able:
            scores = measure()
            track(accelerator, "validation", 0, scores)
            folder.add([{"step": 0, "validation": scores}])
            notes += harm_of_dropout(job, plan, accelerator)
        for note in notes:
            log.info(note)
    first = plan.total if _out_of_patience(job, place) else place.step
    steps = steps_of(job, plan, objective, optimizer, accelerator, first)
    pending: list[dict[str, Any]] = []
    for step in watched(steps, first=place.step, total=plan.total, shown=main):
        _check_finite(step)
        track_step(accelerator, step)
        pending.append(_line(step))
        if not _due(job, step, plan.total):
            continue
        if main:
            scores = measure()
            _check_validation(step.number, scores["loss"])
            track(accelerator, "validation", step.number, scores)
            place = _judged(place, step.number, scores[job.task.goal], higher=job.task.deciding().higher)
            if place.best_step == step.number:
                save_weights(folder.best, model)
            if candidates:
                candidates.add(step.number, model)
            folder.add([*pending, {"step": step.number, "validation": scores}])
            save_checkpoint(folder.last, model, optimizer, place)
            if candidates:  # behind the checkpoint: a run that goes on from the one before still needs them
                candidates.prune(_scores(job))
            log.info(_words(job.task, step.number, plan.total, scores, best=place.best_step == step.number))
        pending = []
        place = broadcast_object_list([place])[0]
        if _out_of_patience(job, place):
            break
    done = [line for line in folder.lines() if "loss" in line] if main else []
    if len(done) < plan.total and main:
        notes.append(
            f"stopped after step {len(done):,}: no better {job.task.goal} in {counted(place.worse, 'evaluation')}"
        )
        log.info(notes[-1])
    averaged: list[int] = []
    if candidates and main:
        averaged = candidates.average(model, _scores(job))
        save_weights(folder.best, model)
        notes.append(_words_of_average(averaged, measure()[job.task.goal], place, job.task.deciding()))
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


def _scores(job: Job) -> dict[int, float]:
    """The deciding score of every evaluation after a step, negative where less is better."""
    lines = [line for line in job.folder.lines() if "validation" in line and line["step"]]
    sign = 1 if job.task.deciding().higher else -1
    return {line["step"]: sign * line["validation"][job.task.goal] for line in lines}


def _place(job: Job, optimizer: Any) -> Place:
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


def _check_finite(step: Step) -> None:
    """Stop before weights that are not numbers are kept."""
    if not math.isfinite(step.loss + step.gradient_norm):
        raise ModelError(
            f"step {step.number:,}: the loss is {step.loss:g} and the gradient's length {step.gradient_norm:g}: "
            f"training has diverged\n{_CALMER}"
        )


def _check_validation(step: int, loss: float) -> None:
    """The same of what the last step made of the weights, which no training step will tell."""
    if not math.isfinite(loss):
        raise ModelError(f"step {step:,}: the validation loss is {loss:g}: training has diverged\n{_CALMER}")


def _due(job: Job, step: Step, total: int) -> bool:
    every = job.recipe.evaluation.every
    return step.number == total or (step.last_of_epoch if every is None else step.number % every == 0)


def _judged(place: Place, step: int, score: float, *, higher: bool) -> Place:
    if place.best_score is None or (score > place.best_score if higher else score < place.best_score):
        return replace(place, step=step, best_step=step, best_score=score, worse=0)
    return replace(place, step=step, worse=place.worse + 1)


def _out_of_patience(job: Job, place: Place) -> bool:
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


def _words_of_average(steps: list[int], score: float, place: Place, goal: Measure) -> str:
    return (
        f"weights averaged over {len(steps)} evaluations, steps {steps[0]:,} to {steps[-1]:,}: validation "
        f"{goal.name} {score:.{goal.decimals}f}; the best single one, step {place.best_step:,}, has "
        f"{place.best_score:.{goal.decimals}f}"
    )


def _words(task: Task, step: int, total: int, scores: dict[str, float], *, best: bool) -> str:
    decimals = {"loss": 3} | {measure.name: measure.decimals for measure in task.measures()}
    shown = ", ".join(f"{name} {value:.{decimals[name]}f}" for name, value in scores.items())
    return f"step {step:,} of {total:,}: validation {shown}" + (" (best so far)" if best else "")
