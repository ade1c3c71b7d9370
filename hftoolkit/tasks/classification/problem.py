"""What differs between one label, several labels and a number: how rows teach it, how it is predicted and measured."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.metrics.measure import Measure
from hftoolkit.reports.sections import Section
from hftoolkit.tasks.base import Row

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Classified:
    """What a text was found to be."""

    scores: NDArray[np.floating[Any]]
    """Probability of every label, in the model's order, shape ``[L]``; or the number, shape ``[1]``."""


@dataclass(frozen=True)
class Gathering:
    """What a report shows of predictions besides scores, while it is gathered."""

    add: Callable[[int, str, Classified, Row], None]
    """Takes in a row: its number from 1, its text, the prediction, the row."""

    sections: Callable[[], list[Section]]


class Problem(Protocol):
    """One of the three."""

    @property
    def role(self) -> str:
        """Where rows have the answer."""

    @property
    def goal(self) -> str:
        """As `Task.goal`."""

    @property
    def ranking(self) -> str:
        """As `Task.ranking`."""

    @property
    def trivial_name(self) -> str:
        """As `Task.trivial_name`."""

    @property
    def labels_of(self) -> Callable[[Row], list[str]] | None:
        """What gives the labels of a row; None where there are none."""

    def learn(self, rows: Rows) -> list[str]:
        """As `Task.learn`."""

    def knows(self, config: Any) -> bool:
        """Whether a checkpoint has an output for everything that was learned."""

    def settings(self) -> Mapping[str, Any]:
        """What a new head is for, as a configuration says it."""

    def take(self, config: Any, state: Mapping[str, Any]) -> None:
        """Take the meaning of the outputs from a configuration, and what `state` wrote."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint must say besides its configuration."""

    def fingerprint(self) -> str:
        """Whatever of this changes features."""

    def taught(self, row: Row) -> list[int]:
        """A row's answer as a feature holds it."""

    def wanted(self, answers: Sequence[NDArray[np.int32]]) -> tuple[NDArray[Any], int]:
        """The same of a batch as the loss takes it, and how many predictions it counts."""

    def loss(self, logits: "Tensor", wanted: "Tensor", smoothing: float) -> "Tensor":
        """Sum over what is counted; ``logits`` ``[B, L]``."""

    def scores(self, logits: "Tensor") -> "Tensor":
        """What a prediction is made of; shape ``[B, L]``."""

    def settle(self, scored: Iterable[tuple[Row, NDArray[np.float32]]]) -> list[str]:
        """As `Task.settle`, with rows and their scores."""

    def trivial(self) -> Classified:
        """The answer of a baseline."""

    def measures(self) -> list[Measure]:
        """As `Task.measures`."""

    def gathering(self) -> Gathering:
        """What a report shows besides."""

    def shown(self, prediction: Classified) -> str:
        """As `Task.shown`."""

    def shown_answer(self, row: Row) -> str:
        """The right answer as one line of text."""

    def record(self, prediction: Classified) -> dict[str, Any]:
        """As `Task.record`."""

    def ranked(self, prediction: Classified, number: int) -> list[dict[str, Any]]:
        """As `Task.ranked`."""
