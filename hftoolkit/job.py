"""What training a run takes: its plan, its objective and optimizer, its measure on held-out rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from accelerate import Accelerator

from hftoolkit.data.features import Features
from hftoolkit.data.padding import stepped
from hftoolkit.data.rows import Rows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.models.depths import depths
from hftoolkit.models.guard import zero_rows
from hftoolkit.recipe.schema import Recipe, Training
from hftoolkit.reports.folder import RunFolder
from hftoolkit.scoring import engine_of, score_model
from hftoolkit.tasks.base import Task
from hftoolkit.training.batches import Batch
from hftoolkit.training.loop import Objective, Step, mean_loss, train
from hftoolkit.training.optimizer import build_optimizer, learning_rates
from hftoolkit.training.plan import MicroBatch, Plan


@dataclass(frozen=True)
class Job:
    """All that training needs."""

    recipe: Recipe
    task: Task
    tokenizer: Any
    model: Any
    features: Features
    validation: Features
    validation_rows: Rows
    folder: RunFolder

    able: bool = True
    """Whether the untouched model does the task already."""


def plan_of(job: Job) -> Plan:
    """Which rows are seen in which step."""
    settings, packed = job.recipe.training, job.task.packed
    return Plan(
        job.features.lengths if packed else stepped(job.features.lengths),
        job.features.sources,
        [source.weight for source in job.recipe.data.train],
        batch_tokens=settings.batch_tokens,
        epochs=settings.epochs,
        max_steps=settings.max_steps,
        seed=settings.seed,
        packed=packed,
    )


def prepared(job: Job, accelerator: Accelerator) -> tuple[Any, Any]:
    """The objective and the optimizer, as the processes share them."""
    settings = job.recipe.training
    optimizer = build_optimizer(
        job.model,
        weight_decay=settings.weight_decay,
        betas=settings.betas,
        zero_rows=zero_rows(job.model),
        scales=_scales(job) if settings.layer_decay else None,
    )
    objective = Objective(whole_of(job), partial(job.task.loss, smoothing=settings.label_smoothing))
    found: tuple[Any, Any] = accelerator.prepare(objective, optimizer)
    return found


def _scales(job: Job) -> dict[Any, float]:
    """What of the learning rate every weight gets."""
    whole, decay = whole_of(job), job.recipe.training.layer_decay or 1.0
    found = depths(whole)
    return {parameter: decay ** found[name] for name, parameter in whole.named_parameters()}


def steps_of(
    job: Job, plan: Plan, objective: Any, optimizer: Any, accelerator: Accelerator, first: int = 0
) -> Iterator[Step]:
    """The steps of a plan from number ``first`` on, taken as they are drawn."""
    settings = job.recipe.training
    return train(
        objective,
        optimizer,
        plan.steps(
            first,
            process=accelerator.process_index,
            processes=accelerator.num_processes,
            micro_batches=settings.micro_batches,
        ),
        collate=_collate(job.task, job.features),
        rate=learning_rates(
            settings.schedule,
            peak=settings.learning_rate,
            warmup=warmup_steps(settings, plan.total),
            total=plan.total,
        ),
        accelerator=accelerator,
        seed=settings.seed,
        max_grad_norm=settings.max_grad_norm,
        bf16=settings.precision == "bf16",
    )


def warmup_steps(settings: Training, total: int) -> int:
    """Steps in which the learning rate rises."""
    return round(settings.warmup_ratio * total) if settings.warmup_steps is None else settings.warmup_steps


def whole_of(job: Job) -> Any:
    """The transformers model, with the adapter's matrices in it."""
    return job.model.get_base_model() if job.recipe.adapter is not None else job.model


def harm_of_dropout(job: Job, plan: Plan, accelerator: Accelerator) -> list[str]:
    """Say it where dropout alone makes a model forget what it knows: distilled models are made without."""
    collate, bf16 = _collate(job.task, job.features), job.recipe.training.precision == "bf16"
    rows = next(plan.steps()).micro_batches[0].rows[:8]
    with_it, without = (
        mean_loss(
            whole_of(job),
            [collate(MicroBatch(rows, True), 0)],
            job.task.loss,
            accelerator.device,
            bf16=bf16,
            dropout=on,
        )
        for on in (True, False)
    )
    if with_it < without + 1.0:  # usual dropout costs a tenth or two
        return []
    return [
        f"dropout raises the loss of the untouched model from {without:.1f} to {with_it:.1f} on the first rows; "
        "distilled models are made without it: try --set training.dropout=0"
    ]


def measure_of(job: Job, accelerator: Accelerator) -> Callable[[], dict[str, float]]:
    """What measures the model on held-out rows: its loss on all of them, greedy decoding on some."""
    recipe, task, features, rows = job.recipe, job.task, job.validation, job.validation_rows
    none = np.zeros(len(features), np.uint16)
    plan = Plan(stepped(features.lengths), none, [1.0], recipe.training.batch_tokens, epochs=1)
    decoded = rows.evenly(recipe.evaluation.validation_rows)
    inner = whole_of(job)
    engine = engine_of(task, inner, job.tokenizer, recipe)
    collate = _collate(task, features)

    def measure() -> dict[str, float]:
        batches = (collate(MicroBatch(batch, True), 0) for batch in plan.epoch(0))
        loss = mean_loss(inner, batches, task.loss, accelerator.device, bf16=recipe.training.precision == "bf16")
        task.settle(engine, decoded)
        scored = score_model(task, engine, decoded, Decoding(beams=1))
        return {"loss": loss} | {one.name: one.of(scored.counts[one.name]) for one in task.measures()}

    return measure


def _collate(task: Task, features: Features) -> Callable[[MicroBatch, int], Batch]:
    return lambda micro, seed: task.collate(features.table.take_arrays(micro.rows), seed)
