"""Any number of labels, each right or not whatever the others are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.metrics import labels, means
from hftoolkit.metrics.measure import Measure
from hftoolkit.reports.classes import LabelTally
from hftoolkit.reports.wording import counted
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.classification.label_set import LabelSet
from hftoolkit.tasks.classification.options import Options
from hftoolkit.tasks.classification.problem import Classified, Gathering

if TYPE_CHECKING:
    from torch import Tensor

HALF: Final = 0.5
"""Probability from which on a label is predicted, until a better one is chosen."""


class SeveralLabels:
    """A `Problem`; a label is predicted from a probability on that validation rows choose."""

    role, goal, ranking = "labels", "macro F1", "exact match"

    def __init__(self, options: Options) -> None:
        self.labels = LabelSet(options)
        self._separator = options.separator
        self.threshold = HALF

    @property
    def trivial_name(self) -> str:
        return self.labels.trivial_name

    def learn(self, rows: Rows) -> list[str]:
        return self.labels.learn(rows, self.labels_of, fewest=1)

    def labels_of(self, row: Row) -> list[str]:
        """The labels of a row, each once."""
        parts = (part.strip() for text in row["labels"] for part in text.split(self._separator))
        return list(dict.fromkeys(self.labels.named(part) for part in parts if part))

    def knows(self, config: Any) -> bool:
        return self.labels.known_to(config)

    def settings(self) -> Mapping[str, Any]:
        return self.labels.settings() | {"problem_type": "multi_label_classification"}

    def take(self, config: Any, state: Mapping[str, Any]) -> None:
        self.labels.take(config)
        self.threshold = float(state.get("threshold", self.threshold))

    def state(self) -> dict[str, Any]:
        return {"threshold": self.threshold}

    def fingerprint(self) -> str:
        return str(self.labels.names)

    def taught(self, row: Row) -> list[int]:
        return np.flatnonzero(self._true(row)).tolist()

    def wanted(self, answers: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float32], int]:
        table = np.zeros((len(answers), len(self.labels.names)), dtype=np.float32)  # [B, L]
        for row, places in zip(table, answers, strict=True):
            row[places] = 1
        return table, table.size

    def loss(self, logits: "Tensor", wanted: "Tensor", smoothing: float) -> "Tensor":
        import torch
        from torch.nn import functional

        weights = self.labels.weights(lambda share: (1 - share) / share)  # rows with it count as much as those without
        return functional.binary_cross_entropy_with_logits(
            logits,
            wanted * (1 - smoothing) + smoothing / 2,
            reduction="sum",
            pos_weight=None if weights is None else torch.tensor(weights, dtype=torch.float32, device=logits.device),
        )

    def scores(self, logits: "Tensor") -> "Tensor":
        return logits.sigmoid()

    def settle(self, scored: Iterable[tuple[Row, NDArray[np.float32]]]) -> list[str]:
        pairs = [(scores, self._true(row)) for row, scores in scored]
        self.threshold = labels.best_threshold(
            np.stack([scores for scores, _ in pairs]), np.stack([true for _, true in pairs])
        )
        return [
            f"a label is predicted from a probability of {self.threshold:.3f} on, which gives the highest macro F1 on "
            f"{counted(len(pairs), 'validation row')}"
        ]

    def trivial(self) -> Classified:
        scores = np.zeros(len(self.labels.names), dtype=np.float32)
        scores[int(np.argmax(self.labels.shares))] = 1
        return Classified(scores)

    def measures(self) -> list[Measure]:
        def signature(_: set[int]) -> str:
            return f"threshold {self.threshold:.3f}"

        return [
            Measure("macro F1", self._counts, labels.macro_f1_of_all, signature),
            Measure("micro F1", self._counts, labels.micro_f1, signature),
            Measure("exact match", self._exact, means.total, signature),
        ]

    def _true(self, row: Row) -> NDArray[np.bool_]:
        """Whether each label that the model knows is right; shape ``[L]``."""
        right = set(self.labels_of(row))
        return np.array([label in right for label in self.labels.names], dtype=np.bool_)

    def _chosen(self, found: Classified) -> NDArray[np.bool_]:
        return found.scores >= self.threshold

    def _counts(self, found: Classified, row: Row) -> NDArray[np.int64]:
        return labels.label_set_counts(self._chosen(found), self._true(row))

    def _exact(self, found: Classified, row: Row) -> NDArray[np.float64]:
        return means.counts(100 * (set(self._names(found)) == set(self.labels_of(row))))

    def _names(self, found: Classified) -> list[str]:
        return [self.labels.names[place] for place in np.flatnonzero(self._chosen(found))]

    def gathering(self) -> Gathering:
        tally = LabelTally(self.labels.names, self.threshold)

        def add(number: int, text: str, found: Classified, row: Row) -> None:
            tally.add(number, text, self._true(row), found.scores)

        return Gathering(add, tally.sections)

    def shown(self, prediction: Classified) -> str:
        return ", ".join(self._names(prediction)) or "(none)"

    def shown_answer(self, row: Row) -> str:
        return ", ".join(self.labels_of(row)) or "(none)"

    def record(self, prediction: Classified) -> dict[str, Any]:
        scores = prediction.scores[self._chosen(prediction)]
        return {"labels": self._names(prediction), "scores": [float(score) for score in scores]}

    def ranked(self, prediction: Classified, number: int) -> list[dict[str, Any]]:
        return self.labels.ranked(prediction.scores, number)
