"""Features laid one behind the other into the rows of a table, so that hardly any of it is padding."""

import heapq
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.padding import STEP, Numbers

_ENOUGH: Final = 0.97
"""Share of a table with which nothing better is looked for."""

_FEWER: Final = 0.75
"""Of the rows that were tried, as many are tried next."""


def arranged(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Which features share a row.

    The longest of those that are left goes where least stands, which fills all rows about equally. Of tables that are
    full the narrowest is taken: attention costs the square of a row's width, whatever is masked in it.

    Args:
        lengths: Tokens of every feature.
        most: Tokens of a row at most; what is longer has a row of its own.

    Returns:
        Numbers of the features in every row, in their order. Rows times tokens of the longest are never more than if
        every feature had a row of its own.

    Source:
        Graham, 1969, Bounds on Multiprocessing Timing Anomalies.
    """
    total, longest = sum(lengths), max(lengths, default=0)
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    best, size = [[number] for number in order], longest * len(lengths)
    count = -(-total // max(longest, 1))
    while total < _ENOUGH * size and total <= count * most:
        rows = _spread(order, lengths, count)
        width = max(sum(lengths[number] for number in row) for row in rows)
        if width <= max(most, longest) and width * count < size:
            best, size = rows, width * count
        count = int(count * _FEWER)
    return best


def laid_out(
    lists: Sequence[Numbers], rows: Sequence[Sequence[int]], value: int, *, widest: int = 0
) -> NDArray[np.int64]:
    """Lists one behind the other.

    Args:
        lists: One for every feature.
        rows: As `arranged` gives them.
        value: What rows are filled up with.
        widest: Up to this width the table's is a multiple of `STEP`; 0: it is as wide as the longest row.

    Returns:
        A table of shape ``[B, T]``.
    """
    lengths = [sum(len(lists[number]) for number in row) for row in rows]
    wide = -(-max(lengths) // STEP) * STEP
    table = np.full((len(rows), wide if wide <= widest else max(lengths)), value, dtype=np.int64)
    for place, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        table[place, :length] = np.concatenate([lists[number] for number in row])
    return table


def _spread(order: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    """Features in so many rows, each where least stands before."""
    rows: list[list[int]] = [[] for _ in range(count)]
    emptiest = [(0, place) for place in range(count)]
    for number in order:
        length, place = emptiest[0]
        rows[place].append(number)
        heapq.heapreplace(emptiest, (length + lengths[number], place))
    return rows
