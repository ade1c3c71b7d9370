"""One label of several."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.metrics import calibration, labels, means
from hftoolkit.metrics.measure import Measure
from hftoolkit.reports.classes import ClassTally
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.classification.label_set import LabelSet
from hftoolkit.tasks.classification.options import Options
from hftoolkit.tasks.classification.problem import Classified, Gathering

if TYPE_CHECKING:
    from torch import Tensor

IGNORED: Final = -100
"""Answer of rows that teach nothing, for the model does not know their label."""


class OneLabel:
    """A `Problem`; its labels exclude each other."""

    role, ranking = "label", "accuracy"

    def __init__(self, options: Options) -> None:
        self.goal = "accuracy" if options.class_weights == "none" else "macro F1"
        self.labels = LabelSet(options)

    @property
    def trivial_name(self) -> str:
        return self.labels.trivial_name

    def learn(self, rows: Rows) -> list[str]:
        return self.labels.learn(rows, self.labels_of, fewest=2)

    def labels_of(self, row: Row) -> list[str]:
        """The label of a row."""
        return [self.labels.named(row["label"])]

    def knows(self, config: Any) -> bool:
        return self.labels.known_to(config)

    def settings(self) -> Mapping[str, Any]:
        return self.labels.settings() | {"problem_type": "single_label_classification"}

    def take(self, config: Any, state: Mapping[str, Any]) -> None:
        self.labels.take(config)

    def state(self) -> dict[str, Any]:
        return {}

    def fingerprint(self) -> str:
        return str(self.labels.names)

    def taught(self, row: Row) -> list[int]:
        (label,) = self.labels_of(row)
        return [self.labels.places.get(label, IGNORED)]

    def wanted(self, answers: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.int64], int]:
        numbers = np.concatenate(answers).astype(np.int64)  # [B]
        return numbers, int((numbers != IGNORED).sum())

    def loss(self, logits: "Tensor", wanted: "Tensor", smoothing: float) -> "Tensor":
        import torch
        from torch.nn import functional

        used = sum(share > 0 for share in self.labels.shares)
        weights = self.labels.weights(lambda share: 1 / (used * share))  # their mean over the rows is 1
        return functional.cross_entropy(
            logits,
            wanted,
            None if weights is None else torch.tensor(weights, dtype=torch.float32, device=logits.device),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=smoothing,
        )

    def scores(self, logits: "Tensor") -> "Tensor":
        return logits.softmax(-1)

    def settle(self, scored: Iterable[tuple[Row, NDArray[np.float32]]]) -> list[str]:
        return []

    def trivial(self) -> Classified:
        return Classified(np.array(self.labels.shares, dtype=np.float32))

    def measures(self) -> list[Measure]:
        found = [
            Measure("accuracy", self._right, means.total, lambda _: "is micro F1 too"),
            Measure("macro F1", self._counts, labels.macro_f1, lambda _: "mean over the labels that occur"),
            Measure("MCC", self._counts, labels.matthews, lambda _: "Matthews correlation, times 100"),
            Measure("ECE", self._sure, calibration.total, lambda _: f"{calibration.BINS} bins, less is better", False),
        ]
        if len(self.labels.names) == 2:
            sought = self.labels.names[1]
            found.insert(1, Measure("F1", self._counts, partial(labels.label_f1, 1), lambda _: f"of '{sought}'"))
        return sorted(found, key=lambda measure: measure.name != self.goal)

    def _place(self, row: Row) -> int:
        """Number of a row's label, or of none: behind the last."""
        (label,) = self.labels_of(row)
        return self.labels.places.get(label, len(self.labels.names))

    def _right(self, found: Classified, row: Row) -> NDArray[np.float64]:
        return means.counts(100 * (_best(found) == self._place(row)))

    def _counts(self, found: Classified, row: Row) -> NDArray[np.int64]:
        return labels.class_counts(_best(found), self._place(row), len(self.labels.names) + 1)

    def _sure(self, found: Classified, row: Row) -> NDArray[np.float64]:
        return calibration.counts(_confidence(found), _best(found) == self._place(row))

    def gathering(self) -> Gathering:
        tally = ClassTally(self.labels.names)

        def add(number: int, text: str, found: Classified, row: Row) -> None:
            tally.add(number, text, self._place(row), self.shown_answer(row), _best(found), _confidence(found))

        return Gathering(add, tally.sections)

    def shown(self, prediction: Classified) -> str:
        return self.labels.names[_best(prediction)]

    def shown_answer(self, row: Row) -> str:
        return self.labels_of(row)[0]

    def record(self, prediction: Classified) -> dict[str, Any]:
        return {"label": self.shown(prediction), "score": _confidence(prediction)}

    def ranked(self, prediction: Classified, number: int) -> list[dict[str, Any]]:
        return self.labels.ranked(prediction.scores, number)


def _best(found: Classified) -> int:
    return int(found.scores.argmax())


def _confidence(found: Classified) -> float:
    return min(1.0, float(found.scores.max()))  # a softmax in float32 may add up to a little more
