"""Whether a model is right as often as it says, as a function of a sum of per-row counts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Of equal width, as in the paper; each holds its upper end."""

_EDGES = np.linspace(0, 1, BINS + 1)


class Bin(NamedTuple):
    """The rows whose confidence lies between two numbers."""

    low: float
    """Confidences are above it; 0 to 100."""

    high: float
    """Confidences are at most this; 0 to 100."""

    rows: int
    """How many there are; never 0."""

    confidence: float
    """Mean probability given to the predicted class; 0 to 100."""

    accuracy: float
    """How many predictions are right; 0 to 100."""


def counts(confidence: float, right: bool) -> NDArray[np.float64]:
    """What one row adds: its confidence, whether it is right, and one row, in its bin; shape ``[3 * BINS]``.

    Args:
        confidence: Probability given to the predicted class; 0 to 1.
        right: Whether that class is the right one.

    Raises:
        ValueError: If the confidence is no probability.
    """
    if not 0 <= confidence <= 1:
        raise ValueError(f"expected a probability from 0 to 1, got {confidence}")
    table = np.zeros((3, BINS))
    table[:, max(0, int(np.searchsorted(_EDGES, confidence)) - 1)] = confidence, right, 1
    return table.ravel()


def total(counts: NDArray[np.number]) -> float:
    """Expected calibration error, 0 to 100, lower is better: by how much confidence and accuracy differ in a bin.

    It is never below zero, so that few rows make it too large; compare it only between equal numbers of rows.

    Args:
        counts: Sum over rows; shape ``[3 * BINS]``.

    Source:
        Guo et al., 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599.
    """
    confidence, right, rows = counts.reshape(3, -1)
    return float(100 * np.abs(confidence - right).sum() / rows.sum()) if rows.any() else 0.0


def bins(counts: NDArray[np.number]) -> list[Bin]:
    """The bins that hold rows, for a reliability plot.

    Args:
        counts: Sum over rows; shape ``[3 * BINS]``.
    """
    table = counts.reshape(3, -1).T
    return [
        Bin(float(100 * low), float(100 * high), int(rows), float(100 * sure / rows), float(100 * right / rows))
        for low, high, (sure, right, rows) in zip(_EDGES[:-1], _EDGES[1:], table, strict=True)
        if rows
    ]
