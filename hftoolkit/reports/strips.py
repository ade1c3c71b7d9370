"""Before and after with their intervals, on one scale for all test sets: where things stand in a table cell."""

from collections.abc import Sequence
from dataclasses import dataclass

from hftoolkit.reports.scores import Score, TestSet


@dataclass(frozen=True)
class Mark:
    """A score on its scale, in percent of the scale's width."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scale:
    """The range that holds every score of one name, and its intervals."""

    low: float
    high: float

    def mark(self, score: Score) -> Mark:
        """Where a score stands."""
        low, high = _ends(score)
        return Mark(self._place(score.value), self._place(low), self._place(high))

    def _place(self, value: float) -> float:
        return round(2 + 96 * (value - self.low) / (self.high - self.low or 1), 2)


def scale_of(name: str, tests: Sequence[TestSet]) -> Scale:
    """One scale for all scores of a name."""
    scores = [score for test in tests for score in (*test.before, *test.after) if score.name == name]
    ends = [end for score in scores for end in (*_ends(score), score.value)]
    return Scale(min(ends), max(ends))


def _ends(score: Score) -> tuple[float, float]:
    low = score.value if score.low is None else score.low
    high = score.value if score.high is None else score.high
    return low, high
