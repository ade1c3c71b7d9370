"""Scores that are the mean of what every row scores: accuracy, exact match, errors of numbers."""

import numpy as np
from numpy.typing import NDArray


def counts(score: float) -> NDArray[np.float64]:
    """What one row adds: its own score, and one row; shape ``[2]``.

    Example:
        >>> total(counts(100 * ("cat" == "cat")) + counts(100 * ("dog" == "cat")))
        50.0
    """
    return np.array([score, 1], dtype=np.float64)


def total(counts: NDArray[np.number]) -> float:
    """The mean score of rows whose counts were added up; 0 of no rows.

    Args:
        counts: Sum over rows; shape ``[2]``.
    """
    return float(counts[0] / counts[1]) if counts[1] else 0.0
