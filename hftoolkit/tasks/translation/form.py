"""What translating asks of an architecture: how rows become features, a loss, and what an engine is given."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hftoolkit.models.saved import Saved
from hftoolkit.tasks.base import Feature

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.training.batches import Batch

Pair = tuple[str, Sequence[str]]
"""A source, and its translations."""


class Form(Protocol):
    """A kind of model that translates, bound to a checkpoint's tokenizer."""

    padded: tuple[str, ...]
    others: tuple[str, ...]
    """Names in a feature, as a task has them."""

    packed: bool
    """Whether features share rows in training."""

    token: str | None
    """What stands for the language translated to in what the model reads."""

    new_tokens: tuple[int, ...]
    """Numbers of tokens that the tokenizer was given."""

    def prompt(self, source: str) -> str:
        """What the model reads for a source."""

    def fingerprint(self) -> str:
        """Whatever changes features, as text."""

    def begin(self, model: Any) -> list[str]:
        """Try what training asks of a model, and give what should be said about it."""

    def encode(self, pairs: Sequence[Pair], tokenizer: Any) -> list[list[Feature]]:
        """A feature for each translation of every pair; nothing is cut."""

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], *, widest: int) -> "Batch":
        """Tensors of some features."""

    def loss(self, model: Any, batch: "Batch", *, smoothing: float) -> dict[str, "Tensor"]:
        """Sums of the losses over a batch, in nats."""

    def engine(self, model: Any, tokenizer: Any, *, batch_tokens: int | None) -> Any:
        """What writes behind prompts."""

    def answer_tokens(self, texts: Iterable[str], tokenizer: Any) -> int:
        """Tokens of the longest of some translations."""

    def saved(self, facts: Saved) -> Saved:
        """What a checkpoint must say about itself, besides these facts."""
