"""What a report shows of labels and numbers besides scores: by label, one for another, how sure, how wrong."""

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.metrics import calibration, labels
from hftoolkit.reports.sections import Curve, Listing, Matrix, Section, Table

_SQUARE: Final = 20
"""Labels up to which all of what was taken for what is shown as a square; of more, the most frequent mistakes."""

_SHOWN: Final = 20
"""Mistakes listed, and rows of a table of mistakes."""

_OFTEN: Final = "Where a model is sure and wrong, it is often the label that is wrong."

UNKNOWN: Final = "(not in training)"
"""What stands for labels that the model does not know."""


class Mistakes:
    """The rows with the worst mistakes, in constant memory."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, list[str]]] = []

    def add(self, badness: float, number: int, texts: list[str]) -> None:
        """Take a mistake in; of equally bad ones the earlier stays."""
        item = (badness, -number, texts)
        (heapq.heappush if len(self._kept) < _SHOWN else heapq.heappushpop)(self._kept, item)

    def items(self) -> list[tuple[int, list[str]]]:
        """The worst first."""
        return [(-number, texts) for _, number, texts in sorted(self._kept, reverse=True)]


class ClassTally:
    """Gathers rows with one label each.

    Args:
        names: Of the labels, in the model's order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._counts = np.zeros(3 * (len(names) + 1), dtype=np.int64)
        self._sure = np.zeros(3 * calibration.BINS)
        self._pairs: Counter[tuple[int, int]] = Counter()
        self._mistakes = Mistakes()

    def add(self, number: int, text: str, true: int, true_name: str, predicted: int, confidence: float) -> None:
        """Take a row in.

        Args:
            number: Of the row, from 1.
            text: What the model read.
            true: Number of its label, or of none: how many labels there are.
            true_name: That label.
            predicted: Number of the label that the model chose.
            confidence: The probability it gave to that; 0 to 1.
        """
        self._counts += labels.class_counts(predicted, true, len(self.names) + 1)
        self._sure += calibration.counts(confidence, predicted == true)
        self._pairs[true, predicted] += 1
        if predicted != true:
            texts = [true_name, f"{self.names[predicted]} ({100 * confidence:.1f} %)", text]
            self._mistakes.add(confidence, number, texts)

    def sections(self) -> list[Section]:
        """What was gathered."""
        return [
            _per_label(self.names, self._counts),
            *self._confusions(),
            reliability(self._sure),
            *_listed(self._mistakes, "The surest mistakes", ["right", "predicted", "text"], _OFTEN),
        ]

    def _confusions(self) -> list[Section]:
        names = [*self.names, UNKNOWN]
        wrong = Counter({pair: times for pair, times in self._pairs.items() if pair[0] != pair[1]})
        if len(self.names) <= _SQUARE:
            used = names if any(true == len(self.names) for true, _ in self._pairs) else self.names
            counts = [[self._pairs[true, found] for found in range(len(used))] for true in range(len(used))]
            return [Matrix("What was taken for what", list(used), counts)]
        rows: list[list[str | int | float]] = [
            [names[true], names[found], times] for (true, found), times in wrong.most_common(_SHOWN)
        ]
        return [Table("What was most often taken for what", ["right", "predicted", "rows"], rows)] if rows else []


class LabelTally:
    """Gathers rows with any number of labels each.

    Args:
        names: Of the labels, in the model's order.
        threshold: The probability from which on a label is predicted.
    """

    def __init__(self, names: Sequence[str], threshold: float) -> None:
        self.names = list(names)
        self.threshold = threshold
        self._counts = np.zeros(3 * len(names), dtype=np.int64)
        self._mistakes = Mistakes()

    def add(self, number: int, text: str, true: NDArray[np.bool_], scores: NDArray[np.floating]) -> None:
        """Take a row in.

        Args:
            number: Of the row, from 1.
            text: What the model read.
            true: Whether each label is right; shape ``[L]``.
            scores: Probability of each label; shape ``[L]``.
        """
        predicted = scores >= self.threshold
        self._counts += labels.label_set_counts(predicted, true)
        for place in np.flatnonzero(predicted & ~true):
            right = ", ".join(self.names[right] for right in np.flatnonzero(true))
            texts = [right, f"{self.names[place]} ({100 * scores[place]:.1f} %)", text]
            self._mistakes.add(float(scores[place]), number, texts)

    def sections(self) -> list[Section]:
        """What was gathered."""
        return [
            _per_label(self.names, self._counts),
            *_listed(self._mistakes, "The surest mistakes", ["right", "predicted beside them", "text"], _OFTEN),
        ]


class NumberTally:
    """Gathers rows with a number each."""

    def __init__(self) -> None:
        self._mistakes = Mistakes()

    def add(self, number: int, text: str, true: float, predicted: float) -> None:
        """Take a row in: its number, from 1, what the model read, the right number and the predicted one."""
        self._mistakes.add(abs(predicted - true), number, [f"{true:g}", f"{predicted:.4g}", text])

    def sections(self) -> list[Section]:
        """What was gathered."""
        return _listed(self._mistakes, "The largest mistakes", ["right", "predicted", "text"])


def reliability(counts: NDArray[np.number]) -> Curve:
    """How often predictions are right, by how sure the model is.

    Args:
        counts: From `calibration.counts`, summed over rows.
    """
    bins = calibration.bins(counts)
    return Curve(
        "How sure, and how often right",
        "probability given to the prediction, %",
        "predictions that are right, %",
        [(one.confidence, one.accuracy) for one in bins],
        [one.rows for one in bins],
        "as sure as right",
        f"Expected calibration error {calibration.total(counts):.1f}; below the diagonal the model is too sure.",
    )


def _per_label(names: Sequence[str], counts: NDArray[np.int64]) -> Table:
    rows: list[list[str | int | float]] = [
        [name, score.precision, score.recall, score.f1, score.true]
        for name, score in zip(names, labels.label_scores(counts), strict=False)  # the unknown one has no scores
    ]
    return Table("Label by label", ["label", "precision", "recall", "F1", "rows"], rows)


def _listed(mistakes: Mistakes, title: str, header: list[str], note: str = "") -> list[Section]:
    return [Listing(title, header, mistakes.items(), note)] if mistakes.items() else []
