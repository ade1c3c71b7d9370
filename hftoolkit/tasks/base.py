"""What a task is: how rows become features, a loss and predictions, and how predictions are measured."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hftoolkit.recipe.schema import Languages, Part

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.models.saved import Saved
    from hftoolkit.training.batches import Batch

Row = Mapping[str, Any]
"""One raw example, under the names of the task's roles."""

Feature = dict[str, list[int]]
"""One encoded example: lists of numbers by name."""


@dataclass(frozen=True)
class Measure:
    """A score as a function of a sum of per-row counts."""

    name: str
    """As reports show it."""

    counts: Callable[[Any, Row], NDArray[np.number[Any]]]
    """What a prediction for a row adds; shape ``[K]``."""

    total: Callable[[NDArray[np.number[Any]]], float]
    """The score of summed counts; higher is better."""

    signature: Callable[[set[int]], str]
    """What makes the score comparable, given how many answers the rows have."""


class Task(ABC):
    """One file in this folder each; the file's name is the task's name."""

    class Options(Part):
        """The task's part of a recipe."""

    inputs: ClassVar[tuple[str, ...]]
    """Roles needed to predict."""

    answers: ClassVar[tuple[str, ...]]
    """Roles needed besides to learn and to be measured."""

    goal: ClassVar[str]
    """Name of the measure that decides which checkpoint is best, and that ranks wins and regressions."""

    padded: ClassVar[tuple[str, ...]]
    """Names in a feature whose lengths a batch pads, each on its own."""

    @classmethod
    def name(cls) -> str:
        """The name in recipes."""
        return cls.__module__.rsplit(".", 1)[-1]

    @abstractmethod
    def __init__(self, options: Any, languages: Languages | None) -> None:
        """Check what only this task can check about a recipe.

        Raises:
            UsageError: If something the task needs is not said.
        """

    @abstractmethod
    def auto_class(self, config: Any, name: str) -> str:
        """Name of the transformers auto class for a configuration.

        Raises:
            ModelError: If this architecture cannot do the task.
        """

    @abstractmethod
    def bind(self, tokenizer: Any, config: Any) -> None:
        """Take from a checkpoint what encoding and collating need: ids of padding and start, tokens in front."""

    @abstractmethod
    def check(self, model: Any, tokenizer: Any, rows: Sequence[Row], name: str) -> None:
        """Try a loaded model on a few rows.

        Raises:
            GuardError: If it would produce gibberish.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Whatever of the task changes its features, as text: part of the key under which they are kept."""

    @abstractmethod
    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        """All text of the rows, for a tokenizer trained from scratch."""

    @abstractmethod
    def encode(self, rows: Sequence[Row], tokenizer: Any) -> list[list[Feature]]:
        """Features of every row, none or several, never cut."""

    @abstractmethod
    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        """Tensors of some features; whatever is random in them follows from the seed."""

    @abstractmethod
    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        """Sums of the named losses of a transformers model over a batch, in nats."""

    @abstractmethod
    def engine(self, model: Any, tokenizer: Any, *, batch_tokens: int | None) -> Any:
        """What runs a model for `predict`."""

    @abstractmethod
    def predict(self, engine: Any, rows: Iterable[Row], decoding: "Decoding") -> Iterator[Any]:
        """A prediction for every row, in order and in constant memory."""

    def rehearse(self, engine: Any, rows: Sequence[Row], decoding: "Decoding") -> None:
        """Predict rows to see how long it takes; a model that has learned nothing is not to answer at length."""
        for _ in self.predict(engine, rows, decoding):
            pass

    def doubts(self, rows: Sequence[Row]) -> list[str]:
        """What looks wrong about some rows, in the order of their file; what to do stands in further lines."""
        return []

    def doubts_about(self, tokenizer: Any) -> list[str]:
        """What looks wrong about a pretrained model for this task, whatever the rows."""
        return []

    def doubts_of(self, model: Any, tokenizer: Any, rows: Sequence[Row]) -> list[str]:
        """What a pretrained model finds odd about some rows."""
        return []

    @abstractmethod
    def measures(self) -> list[Measure]:
        """The scores of this task, the deciding one first."""

    @abstractmethod
    def trivial(self, row: Row) -> Any:
        """The prediction of a baseline that knows nothing."""

    trivial_name: ClassVar[str]
    """That baseline in words."""

    @abstractmethod
    def shown(self, prediction: Any) -> str:
        """A prediction as one line of text."""

    @abstractmethod
    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        """A row's input, and its answers, as lines of text."""

    @abstractmethod
    def saved(self) -> "Saved":
        """What a checkpoint of this task must say about itself."""
