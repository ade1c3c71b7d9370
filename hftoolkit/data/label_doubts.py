"""What looks wrong about the labels of rows: rare ones, unknown ones, other ones for the same input, other columns."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

import numpy as np

from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows

LabelsOf = Callable[[Mapping[str, Any]], Collection[str]]
"""The labels of a row, none or several."""

_SHOWN: Final = 5
"""Labels or rows that are named."""

_DIFFERENT: Final = 0.5
"""Share of rows with a label of their own above which the column may hold something else."""


def doubts_about_labels(rows: RunRows, labels_of: LabelsOf) -> Iterator[str]:
    """Sentences about labels that look wrong, each naming its place in the recipe, file and line.

    Args:
        rows: The rows of a run.
        labels_of: What a row's labels are.
    """
    first, times = _seen(rows.train, labels_of)
    if len(times) > _DIFFERENT * len(rows.train):
        yield (
            f"data.train: {len(times):,} different labels in {len(rows.train):,} rows: the column may hold something "
            f"else\n  look at data.train.columns; the first is '{next(iter(times)):.60}'"
        )
        return
    once = {label: first[label] for label, number in times.items() if number == 1}
    if once:
        yield (
            f"data.train: {_named(once, rows.train)} {'occurs' if len(once) == 1 else 'occur'} in one row alone: "
            "nobody can learn it from that\n  add rows, correct the label, or take it out"
        )
    for place, part in [("data.validation", rows.validation), *((f"data.test.{n}", p) for n, p in rows.tests.items())]:
        seen, _ = _seen(part, labels_of)
        unknown = {label: row for label, row in seen.items() if label not in times}
        if unknown:
            yield (
                f"{place}: {_named(unknown, part)} {'is' if len(unknown) == 1 else 'are'} in no training row, and will "
                "never be predicted\n  add training rows, or correct the label"
            )
    yield from _contradictions(rows.train, labels_of)


def _seen(rows: Rows, labels_of: LabelsOf) -> tuple[dict[str, int], dict[str, int]]:
    """The first row of every label, from 0, and how many rows have it."""
    first: dict[str, int] = {}
    times: dict[str, int] = {}
    for number, row in enumerate(rows):
        for label in labels_of(row):
            first.setdefault(label, number)
            times[label] = times.get(label, 0) + 1
    return first, times


def _named(labels: Mapping[str, int], rows: Rows) -> str:
    """Labels with the places of their rows."""
    shown = sorted(labels)[:_SHOWN]
    places = rows.places([labels[label] for label in shown])
    named = ", ".join(f"'{label:.60}' ({place})" for label, place in zip(shown, places, strict=True))
    if len(labels) == 1:
        return f"the label {named}"
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return f"{len(labels):,} labels, {named}{more},"


def _contradictions(rows: Rows, labels_of: LabelsOf) -> Iterator[str]:
    """Rows with the input of another one, and other labels."""
    keys = rows.input_keys
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    pairs = [(int(order[place]), int(order[place + 1])) for place in same]
    if not pairs:
        return
    numbers = sorted({number for pair in pairs for number in pair})
    labels = dict(zip(numbers, (frozenset(labels_of(row)) for row in rows.take(numbers)), strict=True))
    wrong = sorted(pair for pair in pairs if labels[pair[0]] != labels[pair[1]])
    if wrong:
        places = rows.places([number for pair in wrong[:_SHOWN] for number in pair])
        shown = ", ".join(f"{one} and {other}" for one, other in zip(places[::2], places[1::2], strict=True))
        more = f" and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
        yield (
            f"data.train: {len(wrong):,} {'row has' if len(wrong) == 1 else 'rows have'} the input of another row, and "
            f"another label: {shown}{more}\n  one of the two may be wrong: correct it, or take it out"
        )
