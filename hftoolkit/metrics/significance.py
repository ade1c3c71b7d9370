"""How sure a score is: bootstrap intervals, paired bootstrap test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.number]
Total = Callable[[Counts], float]
"""The score of a sum of rows, a function of shape ``[K]``; `Whole` is one of all rows, of shape ``[N, K]``."""

Whole = Callable[[Counts], float]

SAMPLES = 1000
SEED = 12345  # sacrebleu's, so that the sacrebleu command gives the same numbers


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    """2.5th percentile of the resampled scores."""

    high: float
    """97.5th percentile of the resampled scores."""


@dataclass(frozen=True)
class PairedResult:
    """What a paired test says about two systems on the same rows."""

    difference: float
    """Score after minus score before."""

    low: float
    """Lower end of the 95 % interval of the difference."""

    high: float
    """Upper end of the 95 % interval of the difference."""

    p: float
    """Probability of a difference this large by the choice of rows alone."""


def bootstrap(
    counts: Counts, total: Total, samples: int = SAMPLES, seed: int = SEED, *, whole: Whole | None = None
) -> Interval:
    """95 % interval of a score, from rows drawn again with replacement.

    Args:
        counts: What each row adds to the score; shape ``[N, K]``.
        total: The score of a sum of rows.
        samples: How often N rows are drawn.
        seed: The same seed draws the same rows.
        whole: The score of all rows, in the place of ``total``, where it is no function of their sum.

    Raises:
        ValueError: If there are no rows.

    Source:
        Koehn, 2004, Statistical Significance Tests for Machine Translation Evaluation.
    """
    return _interval(resampled(counts, total, samples, seed, whole=whole))


def paired_test(
    before: Counts,
    after: Counts,
    total: Total,
    samples: int = SAMPLES,
    seed: int = SEED,
    *,
    whole: Whole | None = None,
) -> PairedResult:
    """Whether two systems differ on the same rows: sacrebleu's paired bootstrap test.

    p is sacrebleu's: of the resampled absolute differences, less their mean, the share larger than the absolute
    difference observed. Near 0.05 it is about half a two-sided p, so read it beside the interval, which is two-sided.
    Where the difference is exactly zero sacrebleu says 1/(samples + 1); here p is 1.

    Args:
        before: What each row adds to the first system's score; shape ``[N, K]``.
        after: The same rows of the second system; shape ``[N, K]``.
        total: The score of a sum of rows.
        samples: How often N rows are drawn.
        seed: The same seed draws the same rows.
        whole: The score of all rows, in the place of ``total``, where it is no function of their sum.

    Raises:
        ValueError: If there are no rows, or the two shapes differ.
    """
    if before.shape != after.shape:
        raise ValueError(f"expected counts of the same rows, got shapes {before.shape} and {after.shape}")
    score = whole or (lambda rows: total(rows.sum(axis=0)))
    old, new = (resampled(counts, total, samples, seed, whole=whole) for counts in (before, after))
    return paired(old, new, score(after) - score(before))


def paired(old: NDArray[np.float64], new: NDArray[np.float64], difference: float) -> PairedResult:
    """The same from scores of rows drawn again, as `resampled` gives them with the same seed for the same rows.

    Args:
        old: The first system's; shape ``[samples]``.
        new: The second one's.
        difference: What its score is more on all rows.
    """
    interval = _interval(new - old)
    return PairedResult(difference, interval.low, interval.high, _p(new - old, difference))


def resampled(
    counts: Counts, total: Total, samples: int = SAMPLES, seed: int = SEED, *, whole: Whole | None = None
) -> NDArray[np.float64]:
    """Scores of N rows drawn again with replacement; shape ``[samples]``."""
    if counts.ndim != 2 or not len(counts):
        raise ValueError(f"expected counts of shape [rows, counts] with at least one row, got {counts.shape}")
    drawn = _drawn(len(counts), samples, seed)
    if whole is None:
        found = (total(row) for times in drawn for row in times @ counts.astype(np.float64))
    else:
        found = (whole(np.repeat(counts, row.astype(np.int64), axis=0)) for times in drawn for row in times)
    return np.fromiter(found, dtype=np.float64, count=samples)


def _drawn(rows: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each row is drawn, a few samples at a time, for memory does not grow with rows; shape ``[few, N]``."""
    generator = np.random.default_rng(seed)
    few = max(1, 2**21 // rows)
    for start in range(0, samples, few):
        chosen = generator.choice(rows, size=(min(few, samples - start), rows), replace=True)
        yield np.stack([np.bincount(sample, minlength=rows) for sample in chosen]).astype(np.float64)


def _interval(scores: NDArray[np.float64]) -> Interval:
    cut = len(scores) // 40
    ordered = np.sort(scores)
    return Interval(float(ordered[cut]), float(ordered[-cut - 1]))


def _p(differences: NDArray[np.float64], difference: float) -> float:
    if difference == 0:
        return 1.0
    sizes = np.abs(differences)
    return float((np.sum(sizes - sizes.mean() > abs(difference)) + 1) / (len(sizes) + 1))
