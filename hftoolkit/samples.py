"""What a model writes of its own for a few test rows, before training and after it."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from hftoolkit.data.rows import Rows
from hftoolkit.reports.sections import Listing
from hftoolkit.tasks.base import Sample, Task

SHOWN: Final = 4
"""Rows of every test set."""

Samples = Mapping[int, Sample]
"""Samples by the number of their row, from 1."""


def samples_of(task: Task, engine: Any, tests: Mapping[str, Rows], seed: int) -> dict[str, Samples]:
    """Samples for some rows of every test set, the same rows at every call; none where the task has none."""
    found: dict[str, Samples] = {}
    for name, rows in tests.items():
        places = np.unique(np.linspace(0, len(rows) - 1, SHOWN).astype(np.int64)).tolist()
        samples = task.samples(engine, rows.take(places), seed)
        found[name] = {place + 1: sample for place, sample in zip(places, samples, strict=False)}
    return found


def samples_section(before: Samples, after: Samples, seed: int) -> list[Listing]:
    """The part of a report that shows them.

    Args:
        before: Those of the untouched model; none where it did not write yet.
        after: Those of the trained one.
        seed: By which they were drawn.
    """
    if not after:
        return []
    header = ["given", *(["written before"] * bool(before)), "written after"]
    items = [
        (row, [sample.given, *([before[row].written] if before else []), sample.written])
        for row, sample in after.items()
    ]
    return [Listing("Samples", header, items, f"Tokens are drawn with the seed {seed}, for every row anew.")]
