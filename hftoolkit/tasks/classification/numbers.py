"""A number: how similar, how good, how much."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.metrics import correlations, means
from hftoolkit.metrics.measure import Measure
from hftoolkit.reports.classes import NumberTally
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.classification.options import Options
from hftoolkit.tasks.classification.problem import Classified, Gathering

if TYPE_CHECKING:
    from torch import Tensor


class Number:
    """A `Problem`, learned by the mean squared error."""

    role, goal, ranking = "number", "Pearson", "mean error"
    labels_of = None

    def __init__(self, options: Options) -> None:
        self._mean = 0.0
        self.trivial_name = "the mean of the training rows"

    def learn(self, rows: Rows) -> list[str]:
        self._mean = sum(float(row["number"]) for row in rows) / len(rows)
        self.trivial_name = f"the mean of the training rows, {self._mean:.4g}"
        return []

    def knows(self, config: Any) -> bool:
        return bool(config.num_labels == 1)

    def settings(self) -> Mapping[str, Any]:
        return {"id2label": {0: "LABEL_0"}, "label2id": {"LABEL_0": 0}, "problem_type": "regression"}

    def take(self, config: Any, state: Mapping[str, Any]) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return {}

    def fingerprint(self) -> str:
        return ""

    def taught(self, row: Row) -> list[int]:
        return [int(np.float32(row["number"]).view(np.int32))]  # features hold whole numbers: these are its bits

    def wanted(self, answers: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float32], int]:
        return np.concatenate(answers).astype(np.int32).view(np.float32), len(answers)  # [B]

    def loss(self, logits: "Tensor", wanted: "Tensor", smoothing: float) -> "Tensor":
        from torch.nn import functional

        return functional.mse_loss(logits[:, 0], wanted, reduction="sum")

    def scores(self, logits: "Tensor") -> "Tensor":
        return logits

    def settle(self, scored: Iterable[tuple[Row, NDArray[np.float32]]]) -> list[str]:
        return []

    def trivial(self) -> Classified:
        return Classified(np.array([self._mean], dtype=np.float32))

    def measures(self) -> list[Measure]:
        def of(counts: Callable[[float, float], NDArray[np.float64]]) -> Callable[[Any, Row], NDArray[np.float64]]:
            return lambda found, row: counts(float(found.scores[0]), float(row["number"]))

        def times_100(_: set[int]) -> str:
            return "times 100"

        pairs, ranks = of(correlations.pair), correlations.spearman
        return [
            Measure("Pearson", of(correlations.counts), correlations.pearson, times_100),
            Measure("Spearman", pairs, lambda pair: 0.0, times_100, whole=ranks),
            Measure("mean error", of(_error), means.total, lambda _: "", higher=False),
        ]

    def gathering(self) -> Gathering:
        tally = NumberTally()

        def add(number: int, text: str, found: Classified, row: Row) -> None:
            tally.add(number, text, float(row["number"]), float(found.scores[0]))

        return Gathering(add, tally.sections)

    def shown(self, prediction: Classified) -> str:
        return f"{prediction.scores[0]:.4g}"

    def shown_answer(self, row: Row) -> str:
        return str(row["number"])

    def record(self, prediction: Classified) -> dict[str, Any]:
        return {"number": float(prediction.scores[0])}

    def ranked(self, prediction: Classified, number: int) -> list[dict[str, Any]]:
        return [self.record(prediction)]


def _error(predicted: float, true: float) -> NDArray[np.float64]:
    return means.counts(abs(predicted - true))
