"""F1 and Matthews correlation of labels, from 0 to 100, as functions of a sum of per-row counts.

The counts of L labels have shape ``[3 L]``: how often each was predicted and true, how often predicted, how often true.
What would be divided by zero is 0, as with sklearn's ``zero_division=0``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.number]


class LabelScore(NamedTuple):
    """How well one label is found, or all of them taken together."""

    precision: float
    """Of its predictions, how many are right; 0 to 100."""

    recall: float
    """Of the rows it is true of, how many were found; 0 to 100."""

    f1: float
    """Harmonic mean of the two; 0 to 100."""

    true: int
    """How often it is true."""


def class_counts(predicted: int, true: int, classes: int) -> NDArray[np.int64]:
    """What one row with one label adds.

    Args:
        predicted: Number of the predicted class, from 0.
        true: Number of the right class, from 0.
        classes: How many there are. Where rows may hold a class that the model does not know, one more than it knows.

    Returns:
        Counts of shape ``[3 * classes]``.

    Raises:
        ValueError: If there is no class of such a number.
    """
    for number in (predicted, true):
        if not 0 <= number < classes:  # -1 would silently mean the last one
            raise ValueError(f"expected a class from 0 to {classes - 1}, got {number}")
    counts = np.zeros((3, classes), dtype=np.int64)
    counts[0, true] = predicted == true
    counts[1, predicted] = 1
    counts[2, true] = 1
    return counts.ravel()


def label_set_counts(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """What one row with any number of labels adds.

    Args:
        predicted: True for every predicted label; shape ``[L]``.
        true: True for every right label; shape ``[L]``.

    Returns:
        Counts of shape ``[3 L]``.
    """
    return np.concatenate([predicted & true, predicted, true]).astype(np.int64)


def label_scores(counts: Counts) -> list[LabelScore]:
    """Precision, recall and F1 of every label."""
    return [_score(*of_label) for of_label in counts.reshape(3, -1).T]


def overall(counts: Counts) -> LabelScore:
    """Precision, recall and F1 of all labels taken together (micro average)."""
    return _score(*counts.reshape(3, -1).sum(axis=1))


def micro_f1(counts: Counts) -> float:
    """F1 of all labels taken together; where every row has one label, it is the accuracy."""
    return overall(counts).f1


def macro_f1(counts: Counts) -> float:
    """Mean F1 of the classes that occur among predictions or rows, as sklearn takes it for rows with one label."""
    occurs = counts.reshape(3, -1)[1:].any(axis=0)
    return float(_f1s(counts)[occurs].mean()) if occurs.any() else 0.0


def macro_f1_of_all(counts: Counts) -> float:
    """Mean F1 of all labels, 0 for those that do not occur, as sklearn takes it for rows with any number of labels."""
    return float(_f1s(counts).mean())


def weighted_f1(counts: Counts) -> float:
    """Mean F1 of the labels, each weighing as often as it is true."""
    true = counts.reshape(3, -1)[2]
    return float(_f1s(counts) @ true / true.sum()) if true.any() else 0.0


def label_f1(label: int, counts: Counts) -> float:
    """F1 of one label, by its number from 0: what is called F1 where one of two classes is looked for."""
    return float(_f1s(counts)[label])


def matthews(counts: Counts) -> float:
    """Matthews correlation of predicted and right class, -100 to 100; for rows with one label.

    Source:
        Gorodkin, 2004, doi:10.1016/j.compbiolchem.2004.09.006: of the confusion matrix it needs only these counts.
    """
    right, predicted, true = counts.reshape(3, -1).astype(np.float64)
    rows = true.sum()
    together = right.sum() * rows - predicted @ true
    apart = (rows**2 - predicted @ predicted) * (rows**2 - true @ true)
    return float(100 * together / np.sqrt(apart)) if apart else 0.0


def best_threshold(probabilities: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """The probability from which on to predict a label, for the highest macro F1 on rows held out of training.

    One for all labels: of a rare label a held-out part has a handful of rows, and a threshold of its own would fit
    these, while one for all has all rows to lean on. Every threshold that makes a difference is tried. The one returned
    lies halfway to the next lower probability, so that rounding elsewhere does not change what is predicted.

    Args:
        probabilities: Of every label; shape ``[N, L]``.
        true: Whether the label is right; shape ``[N, L]``.

    Returns:
        Predict where ``probability >= threshold``. 0.5 where no label is ever right, for then nothing can be chosen.
    """
    if not true.any():
        return 0.5
    order = np.argsort(-probabilities, axis=0, kind="stable")  # [N, L]
    falling = np.take_along_axis(probabilities, order, axis=0)
    found = np.take_along_axis(true, order, axis=0).cumsum(axis=0)
    predicted = np.arange(1, len(true) + 1)[:, None]
    f1s = 2 * found / (predicted + true.sum(axis=0))  # with one more predicted in every line
    gains = np.diff(f1s, axis=0, prepend=0)
    # The labels' predictions become one queue, most probable first; a threshold lets in a part of it.
    queue = np.argsort(-falling, axis=None, kind="stable")
    thresholds, sums = falling.ravel()[queue], gains.ravel()[queue].cumsum()
    last = np.append(thresholds[1:] != thresholds[:-1], True)  # equal probabilities come in together
    thresholds, best = thresholds[last], int(np.argmax(sums[last]))
    lower = thresholds[best + 1] if best + 1 < len(thresholds) else thresholds.dtype.type(0)
    halfway = (thresholds[best] + lower) / 2  # in their own number format, in which nothing lies between neighbours
    return float(halfway if halfway > lower else thresholds[best])


def _f1s(counts: Counts) -> NDArray[np.float64]:
    right, predicted, true = counts.reshape(3, -1).astype(np.float64)
    both = predicted + true
    return np.divide(200 * right, both, out=np.zeros_like(both), where=both > 0)


def _score(right: float, predicted: float, true: float) -> LabelScore:
    return LabelScore(
        precision=float(100 * right / predicted) if predicted else 0.0,
        recall=float(100 * right / true) if true else 0.0,
        f1=float(200 * right / (predicted + true)) if predicted + true else 0.0,
        true=int(true),
    )
