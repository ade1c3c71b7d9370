"""How well predicted numbers follow the right ones."""

import numpy as np
from numpy.typing import NDArray

_NOISE = 1e-12
"""Variance below this share of the mean square is what rounding leaves of equal numbers."""


def counts(predicted: float, true: float) -> NDArray[np.float64]:
    """What one row adds to `pearson`: the sums it is made of; shape ``[6]``."""
    return np.array([1, predicted, true, predicted**2, true**2, predicted * true], dtype=np.float64)


def pearson(counts: NDArray[np.number]) -> float:
    """Pearson's correlation, -100 to 100; 0 where predictions or truths are all equal.

    Args:
        counts: Sum over rows; shape ``[6]``.
    """
    rows, predicted, true, predicted_squares, true_squares, products = map(float, counts)
    spread = rows * predicted_squares - predicted**2
    true_spread = rows * true_squares - true**2
    if spread <= _NOISE * rows * predicted_squares or true_spread <= _NOISE * rows * true_squares:
        return 0.0
    correlation = (rows * products - predicted * true) / (spread**0.5 * true_spread**0.5)
    return float(100 * np.clip(correlation, -1, 1))


def pair(predicted: float, true: float) -> NDArray[np.float64]:
    """What `spearman` needs of one row; shape ``[2]``. It is no function of sums, so these are kept, not added up."""
    return np.array([predicted, true], dtype=np.float64)


def spearman(pairs: NDArray[np.number]) -> float:
    """Spearman's rank correlation, -100 to 100, equal numbers sharing the mean of their ranks.

    Args:
        pairs: Of every row; shape ``[N, 2]``.
    """
    ranks = np.stack([_ranks(column) for column in pairs.T], axis=1)
    ranks -= (len(pairs) + 1) / 2  # the mean rank
    predicted, true = ranks.T
    apart = float((predicted @ predicted) * (true @ true))
    return float(100 * (predicted @ true) / apart**0.5) if apart else 0.0


def _ranks(numbers: NDArray[np.number]) -> NDArray[np.float64]:
    _, places, times = np.unique(numbers, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (times.cumsum() - (times - 1) / 2)[places]
    return ranks
