"""What pipelines over a model with a head share: how one is opened, how inputs come, and what is said of cut ones."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from hftoolkit.errors import UsageError
from hftoolkit.predicting import Opened, open_task
from hftoolkit.tasks.base import Task

log = logging.getLogger("hftoolkit")


class HeadPipeline(ABC):
    """A model that answers for inputs as they come from a user.

    A base class, since every pipeline has the same attributes, as those of transformers have.

    Args:
        opened: The model.
        batch_size: Inputs computed at once at most; None: as many as a token budget holds.
        settings: Those of a call, for every call.

    Raises:
        UsageError: If a setting is unknown.
    """

    task: ClassVar[str]
    """Its name."""

    _of: ClassVar[type[Task]]
    """The task that its model was tuned for."""

    _options: ClassVar[Mapping[str, Any] | None] = None
    """That task's, for a checkpoint from elsewhere, which does not say them."""

    _single: ClassVar[type | tuple[type, ...]] = str
    """What is one input, and no list of them."""

    _wanted: ClassVar[str] = "a text or several of them"
    """What may be given, in words."""

    def __init__(self, opened: Opened, batch_size: int | None = None, **settings: Any) -> None:
        self._engine = opened.engine
        self._settings = self._checked(settings)
        self.batch_size = batch_size

    @classmethod
    def open(
        cls,
        name: str,
        model: str | None,
        *,
        device: int | str | None,
        revision: str,
        batch_size: int | None,
        **settings: Any,
    ) -> Self:
        """A pipeline by its name.

        Raises:
            UsageError: If there is no model, or a setting is unknown.
            HftoolkitError: If the model cannot be had, or does not suit.
        """
        cls._checked(settings)  # before anything is loaded
        if model is None:
            raise UsageError(f'{name}: which model?\n  name one:   pipeline("{name}", model="runs/mine")')
        opened = open_task(model, cls._of.name(), device=device, revision=revision, options=cls._options)
        return cls(opened, batch_size, **settings)

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self._engine.model

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._engine.tokenizer

    @staticmethod
    @abstractmethod
    def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings that hold, without what changes nothing.

        Raises:
            UsageError: If one is unknown, or is nothing that it could be.
        """

    @abstractmethod
    def _answers(self, inputs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Any]:
        """An answer for every input, in order, read as they are answered."""

    def _answered(self, inputs: Any, settings: Mapping[str, Any]) -> Any:
        """The answer for one input, a list for a list, and for any other iterable an iterator.

        Raises:
            UsageError: If it is none of them.
        """
        if isinstance(inputs, self._single):
            (answer,) = self._told([inputs], settings)
            return answer
        if isinstance(inputs, list | tuple):
            return list(self._told(inputs, settings))
        if not isinstance(inputs, Iterable):
            raise UsageError(f"expected {self._wanted}, got {type(inputs).__name__}")
        return self._told(inputs, settings)

    def _told(self, inputs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Any]:
        """The answers; at their end it is said what was cut."""
        cut = self._engine.cut
        yield from self._answers(inputs, settings)
        if self._engine.cut > cut:
            log.warning(self._engine.cut_note(self._engine.cut - cut))


def check_name(name: str, known: Collection[str]) -> None:
    """Refuse a setting that a pipeline does not have.

    Raises:
        UsageError: If it is not among the known ones.
    """
    if name not in known:
        raise UsageError(f"unknown setting '{name}'\n  known: {', '.join(sorted(known))}")
