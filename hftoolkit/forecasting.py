"""What a run will take: a few real steps and some real decoding, timed and multiplied."""

import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import psutil
from accelerate import Accelerator
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.job import Job, plan_of, prepared, steps_of, whole_of
from hftoolkit.models.devices import peak_memory
from hftoolkit.models.positions import positions
from hftoolkit.recipe.schema import Recipe
from hftoolkit.reports.checkup import Forecast
from hftoolkit.reports.run import ModelFacts
from hftoolkit.scoring import engine_of
from hftoolkit.tasks.base import Row
from hftoolkit.training.loop import Step
from hftoolkit.training.memory import give_back
from hftoolkit.training.plan import Plan

_SECONDS: Final = 1.0
"""Spent on small steps, and then on those that are measured; one is always taken."""

_SMALL: Final = 512
"""Tokens of a small step, which shows as well as a whole one what memory a new shape takes."""

_ENOUGH: Final = 12
"""Shapes of small steps that show it well enough."""

_SHAPES: Final = 36
"""Shapes of steps whose compiled kernels oneDNN keeps: some 28 kernels each, 1,024 in all."""

_SAMPLE: Final = 1000
"""Rows of a test set that are tokenized to learn how long its rows are."""

_FORWARD: Final = 1 / 3
"""Of a training step's time, what the loss alone takes."""


def forecast(
    job: Job, tests: Mapping[str, Rows], accelerator: Accelerator, facts: ModelFacts, load_seconds: float
) -> tuple[Forecast, list[Step]]:
    """Measure and multiply; afterwards the model is no longer what it was.

    Args:
        job: The run's, with a model that nobody needs any more.
        tests: The run's test sets.
        accelerator: The run's.
        facts: Of the model.
        load_seconds: What loading the model took; rows and features are in the cache by now.

    Returns:
        The forecast, and the steps that were measured.
    """
    recipe, plan = job.recipe, plan_of(job)
    decoding = Decoding.of(recipe.evaluation)
    scoring = _seconds_to_predict(job, tests, decoding)
    picked = job.validation_rows.evenly(recipe.evaluation.validation_rows)
    validating = _seconds_to_predict(job, {"validation": picked}, Decoding(beams=1))
    growth = _Growth()
    steps = list(_measured(job, plan, accelerator, growth))
    seconds = sum(step.seconds for step in steps)
    tokens = sum(step.tokens for step in steps)
    computed = sum(step.tokens / (1 - step.padding) for step in steps)
    of_loss = _FORWARD * seconds / tokens * float(job.validation.lengths.sum())
    extra = job.able + (recipe.training.averaging is not None)  # before the first step, and of the average
    phases = {
        "load": load_seconds,
        "baseline": scoring if job.able else 0.0,
        "train": plan.total * seconds / len(steps),
        "validate": (evaluations(recipe, plan) + extra) * (validating + of_loss),
        "test": scoring,
    }
    return Forecast(
        steps=plan.total,
        step_seconds=seconds / len(steps),
        tokens_per_second=tokens / seconds,
        padding=1 - tokens / computed,
        seconds=phases,
        peak_memory_bytes=peak_memory(accelerator.device) + growth.to_come(_shapes(plan)),
        disk_bytes=_disk(job, facts),
    ), steps


def evaluations(recipe: Recipe, plan: Plan) -> int:
    """How often a run measures on validation rows between its steps and after them."""
    every = recipe.evaluation.every
    return len(plan.steps_per_epoch) if every is None else math.ceil(plan.total / every)


def free_disk(folder: Path) -> int:
    """Bytes that are free where a folder is, or will be."""
    return shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists())).free


@dataclass
class _Growth:
    """Memory that grows with every new shape of a step on a processor: what oneDNN compiles for it is kept."""

    begin: int = 0
    """Bytes of the process after the first step."""

    end: int = 0
    """Bytes after the last one."""

    seen: int = 0
    """Shapes that these steps had."""

    def to_come(self, shapes: int) -> int:
        """Bytes that are not there yet when steps of so many shapes have been taken."""
        if self.seen < 2:
            return 0
        of_one = max(0, self.end - self.begin) / (self.seen - 1)
        return round(of_one * max(0, shapes - self.seen))


def _shapes(plan: Plan, steps: int | None = None) -> int:
    """How many different shapes the first steps have; without a number, all steps, but no more than matters."""
    shapes: set[tuple[int, ...]] = set()
    for batch in islice(_batches(plan), plan.total if steps is None else steps):
        shapes.add((len(batch), *plan.lengths[batch].max(axis=0).tolist()))
        if steps is None and len(shapes) >= _SHAPES:
            break
    return len(shapes)


def _batches(plan: Plan) -> Iterator[NDArray[np.int64]]:
    """The rows of every step."""
    for epoch in range(len(plan.steps_per_epoch)):
        yield from plan.epoch(epoch)


def _measured(job: Job, plan: Plan, accelerator: Accelerator, growth: _Growth) -> Iterator[Step]:
    """The first steps of the plan, as many as a second holds, taken a second time: most shapes of a run were there
    before, and oneDNN has compiled what they need."""
    objective, optimizer = prepared(job, accelerator)
    small = replace(plan, batch_tokens=min(_SMALL, plan.batch_tokens))
    for taken in _for_a_second(steps_of(job, small, objective, optimizer, accelerator)):
        if taken == 1:
            growth.begin = _resident(accelerator)
        growth.seen = _shapes(small, taken)
        if growth.seen >= _ENOUGH:
            break
    growth.end = _resident(accelerator)
    taken = max(_for_a_second(steps_of(job, plan, objective, optimizer, accelerator)))
    yield from islice(steps_of(job, plan, objective, optimizer, accelerator), taken)


def _for_a_second(steps: Iterator[Step]) -> Iterator[int]:
    """Take steps, and count them; one at least."""
    begin = time.perf_counter()
    for taken, _ in enumerate(steps, 1):
        yield taken
        if time.perf_counter() - begin > _SECONDS:
            return


def _resident(accelerator: Accelerator) -> int:
    """Bytes of the process that are in memory; 0 on an accelerator, which compiles nothing for a shape."""
    if accelerator.device.type != "cpu":
        return 0
    give_back()
    return int(psutil.Process().memory_info().rss)


def _seconds_to_predict(job: Job, parts: Mapping[str, Rows], decoding: Decoding) -> float:
    """Seconds that predicting all these rows takes, from one batch of usual rows."""
    engine = engine_of(job.task, whole_of(job), job.tokenizer, job.recipe)
    samples = {name: list(rows.evenly(_SAMPLE)) for name, rows in parts.items()}
    lengths = {name: _input_lengths(job, rows) for name, rows in samples.items()}
    everything = [row for rows in samples.values() for row in rows]
    batch, tokens = _usual_batch(everything, np.concatenate(list(lengths.values())), engine.batch_tokens)
    job.task.rehearse(engine, batch[:1], decoding)
    begin = time.perf_counter()
    job.task.rehearse(engine, batch, decoding)
    rate = (time.perf_counter() - begin) / tokens
    return rate * sum(float(lengths[name].mean()) * len(rows) for name, rows in parts.items())


def _usual_batch(rows: Sequence[Row], lengths: NDArray[np.int64], batch_tokens: int) -> tuple[list[Row], int]:
    """Rows of one length, such that half of all tokens are in shorter ones, filling a batch; and their tokens."""
    order = np.argsort(lengths, kind="stable")
    middle = int(np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2))
    fitting = max(1, batch_tokens // max(1, int(lengths[order[middle]])))
    begin = max(0, min(middle - fitting // 2, len(order) - fitting))
    chosen = order[begin : begin + fitting]
    return [rows[place] for place in chosen], max(1, int(lengths[chosen].sum()))  # rows may have nothing to teach


def _input_lengths(job: Job, rows: Sequence[Row]) -> NDArray[np.int64]:
    """Tokens that are read for every row: of a translation its source, whatever its targets, else all its windows."""
    first = job.task.padded[0]
    found = job.task.encode(rows, job.tokenizer, positions(whole_of(job)))
    of_row = partial(max, default=0) if job.task.generates else sum
    return np.array([of_row(len(feature[first]) for feature in features) for features in found])


def _disk(job: Job, facts: ModelFacts) -> int:
    """Bytes at the worst moment: float32 weights of the best, of the last with both moments of Adam, of those to be
    averaged, and either the next last one, before it takes the place of the one before, or the finished model."""
    averaging, scratch = job.recipe.training.averaging, job.recipe.model.scratch is not None
    kept = 4 + (averaging.checkpoints + 1 if averaging else 0)
    finished = facts.trainable if job.recipe.adapter else facts.parameters
    return 4 * (facts.trainable * kept + max(3 * facts.trainable, finished) + (facts.parameters if scratch else 0))
