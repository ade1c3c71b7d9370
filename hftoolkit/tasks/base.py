"""What a task is: how rows become features, a loss and predictions, and how predictions are measured."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.saved import Saved
from hftoolkit.recipe.schema import Languages, Part
from hftoolkit.reports.sections import Section

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.training.batches import Batch

Row = Mapping[str, Any]
"""One raw example, under the names of the task's roles."""

Feature = dict[str, list[int]]
"""One encoded example: lists of numbers by name. ``cut: [1]`` says that something of its row had to be left out."""


class Sample(NamedTuple):
    """Text that a model writes behind another."""

    given: str
    written: str


class Tally(Protocol):
    """What gathers, prediction by prediction and in constant memory, what a report shows besides scores."""

    def add(self, number: int, prediction: Any, row: Row) -> None:
        """Take a prediction in; rows are numbered from 1."""

    def sections(self) -> list[Section]:
        """What was gathered."""


class Task(ABC):
    """One file in this folder each; the file's name is the task's name.

    What a class says here for all its instances, an instance may say otherwise, where its options ask for it.
    """

    Options: ClassVar[type[Part]] = Part
    """The task's part of a recipe; as it is here, there is none."""

    inputs: tuple[str, ...]
    """Roles needed to predict."""

    answers: tuple[str, ...]
    """Roles needed besides to learn and to be measured."""

    goal: str
    """Name of the measure that decides which checkpoint is best."""

    ranking: str = ""
    """Name of the measure that ranks single rows as wins and regressions; left out: the goal."""

    padded: tuple[str, ...]
    """Names in a feature whose lengths a batch pads, each on its own."""

    others: tuple[str, ...] = ()
    """Names of a feature's further lists, whose lengths do not count."""

    cut_part: tuple[str, int] | None = None
    """What is cut of a row that is too long, and how many tokens of it stay: ``("question", 64)``. None: all of it, to
    what the model can read."""

    window: int | None = None
    """Tokens that are read at once of a row that is longer; None: as many as the model can read."""

    packed: bool = False
    """Whether features share rows in training, one behind the other: then not their widths count, but their sum."""

    new_tokens: tuple[int, ...] = ()
    """Numbers of tokens that `bind` gave the checkpoint's tokenizer: no model knows them before they are learned."""

    widest: int = 0
    """Tokens that the model being trained can read at most: up to there batches may be padded to common widths."""

    trivial_name: str
    """The baseline that knows nothing, in words."""

    generates: ClassVar[bool] = False
    """Whether predictions are texts that a model writes: then a score depends on the decoding."""

    @property
    def asked(self) -> tuple[str, ...]:
        """Roles of what a user gives for a prediction, each a text."""
        return self.inputs

    def asked_in(self, form: str, named: Collection[str]) -> tuple[str, ...]:
        """The same of a file, where roles may be more than a text.

        Args:
            form: Format of the file.
            named: Roles whose columns a user named.
        """
        return self.asked

    def row_of(self, given: Row) -> Row:
        """A row from what a user gave, by the roles that `asked` names."""
        return given

    @classmethod
    def name(cls) -> str:
        """The name in recipes."""
        return cls.__module__.rsplit(".", 1)[-1]

    @abstractmethod
    def __init__(self, options: Any, languages: Languages | None) -> None:
        """Check what only this task can check about a recipe.

        Args:
            options: As the recipe gives them: a mapping, or an instance of `Options`.
            languages: Those of a translation.

        Raises:
            UsageError: If something the task needs is not said.
        """

    @classmethod
    def of(cls, saved: Saved | None) -> "Task":
        """The task that a checkpoint was tuned for, with the options it was tuned with; the defaults where it does not
        say. `restore` follows when the checkpoint is loaded."""
        languages = None
        if saved and saved.source_language and saved.target_language:
            languages = Languages(source=saved.source_language, target=saved.target_language)
        return cls(saved.state.get("options", {}) if saved else {}, languages)

    def learn(self, rows: Rows) -> list[str]:
        """Take from the training rows what must be known before a model is loaded, such as the labels; one pass.

        Returns:
            What should be said about it.

        Raises:
            DataError: If the rows cannot be learned from.
        """
        return []

    def restore(self, saved: Saved | None, config: Any) -> None:  # noqa: B027
        """Take the same from a checkpoint: labels from its configuration, the rest from what `saved` wrote.

        Args:
            saved: What a folder of ours says about itself; None for a checkpoint from elsewhere.
            config: The checkpoint's configuration.

        Raises:
            ModelError: If it does not say what is needed.
        """

    @abstractmethod
    def auto_class(self, config: Any, name: str) -> str:
        """Name of the transformers auto class for a configuration.

        Raises:
            ModelError: If this architecture cannot do the task.
        """

    def head(self, config: Any) -> Mapping[str, Any] | None:
        """What a checkpoint's configuration must say differently to do this task, such as the number of labels.

        Asked before the weights are loaded, and only where a model is to be trained. What is returned makes all of the
        head new, whatever is in the files.

        Returns:
            None where the checkpoint does what is wanted as it is: then the head in its files is kept, and only what is
            missing there is new.
        """
        return None

    @abstractmethod
    def bind(self, tokenizer: Any, config: Any) -> None:
        """Take from a checkpoint what encoding and collating need: ids of padding and start, tokens in front, the order
        of the labels."""

    def begin(self, model: Any, new: Sequence[str]) -> list[str]:
        """Give new weights a better start than chance, from what `learn` saw, and try what training asks of a model;
        asked after `bind`, before training.

        Args:
            model: A transformers model.
            new: Names of its modules that are new.

        Returns:
            What should be said about it.
        """
        return []

    def check(self, model: Any, tokenizer: Any, rows: Sequence[Row], name: str) -> None:  # noqa: B027
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
    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        """Features of every row, none or several.

        Args:
            rows: Rows with their answers.
            tokenizer: The checkpoint's.
            limit: Tokens of the longest side. A task that cuts leaves nothing longer, and marks what was cut;
                what is longer is dropped, and counted.
        """

    @abstractmethod
    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        """Tensors of some features; whatever is random in them follows from the seed."""

    @abstractmethod
    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        """Sums of the named losses of a transformers model over a batch, in nats."""

    @abstractmethod
    def engine(self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32") -> Any:
        """What runs a model for `predict`: it has ``batch_tokens``, a ``signature`` and ``notes``.

        Args:
            model: In evaluation mode, on its device.
            tokenizer: Its tokenizer.
            batch_tokens: Tokens at once, padding included; None: what suits the device.
            precision: ``float32``, or ``bf16`` for products in bfloat16, as the run trains.
        """

    @abstractmethod
    def predict(self, engine: Any, rows: Iterable[Row], decoding: "Decoding | None" = None) -> Iterator[Any]:
        """A prediction for every row, in order and in constant memory; ``decoding`` is for tasks that generate."""

    def samples(self, engine: Any, rows: Sequence[Row], seed: int) -> list[Sample]:
        """What a model writes of its own for some rows, for tasks that train writing without measuring it.

        Args:
            engine: As `engine` gives it.
            rows: Whose beginnings it is given.
            seed: The same one draws the same texts.

        Returns:
            One for every row, or none at all.
        """
        return []

    def settle(self, engine: Any, rows: Iterable[Row]) -> list[str]:
        """Choose on validation rows what is neither learned nor given, such as a threshold.

        Called before every evaluation on validation rows, and when training has ended, before any test set is seen.

        Returns:
            What was chosen, in words.
        """
        return []

    def rehearse(self, engine: Any, rows: Sequence[Row], decoding: "Decoding") -> None:
        """Predict rows to see how long it takes; a model that has learned nothing is not to answer at length."""
        for _ in self.predict(engine, rows, decoding):
            pass

    def doubts(self, rows: Sequence[Row]) -> list[str]:
        """What looks wrong about some rows, in the order of their file; what to do stands in further lines."""
        return []

    def doubts_among(self, rows: RunRows) -> list[str]:
        """What looks wrong about all rows of a run together, each naming its place in the recipe, file and line."""
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

    def every_measure(self) -> list[Measure]:
        """The same, and those that take long and are shown where systems are compared."""
        return self.measures()

    def deciding(self) -> Measure:
        """The measure that decides which checkpoint is best."""
        return next(measure for measure in self.measures() if measure.name == self.goal)

    def tally(self) -> Tally | None:
        """What gathers what a report shows besides scores; None where there is nothing more."""
        return None

    @abstractmethod
    def trivial(self, row: Row) -> Any:
        """The prediction of a baseline that knows nothing but what `learn` saw."""

    def trivials(self, rows: Iterable[Row]) -> Iterator[Any]:
        """The same for some rows, in order, where what is asked about a row depends on others."""
        return (self.trivial(row) for row in rows)

    @abstractmethod
    def shown(self, prediction: Any) -> str:
        """A prediction as one line of text."""

    @abstractmethod
    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        """A row's input, and its answers, as lines of text."""

    def record(self, prediction: Any) -> dict[str, Any]:
        """A prediction as values that JSON knows, the answer first."""
        return {"prediction": self.shown(prediction)}

    def ranked(self, prediction: Any, number: int) -> list[dict[str, Any]]:
        """The likeliest answers, at most so many, the best first, each as values that JSON knows."""
        return [self.record(prediction)]

    @abstractmethod
    def saved(self) -> Saved:
        """What a checkpoint of this task must say about itself."""
