"""What a task hands to the loop: the tensors of a micro-batch and what is counted in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Tensors that go through the model together."""

    inputs: Mapping[str, Tensor]
    """Keyword arguments of the model; shapes ``[B, ...]``."""

    labels: Mapping[str, Tensor]
    """What is to be predicted, by the name of the loss it belongs to."""

    counts: Mapping[str, int]
    """How many predictions each loss is a mean of: known before the model runs, so that a step in pieces divides by
    the counts of all its pieces."""

    tokens: int
    """Tokens, padding left out."""

    padded: int
    """Tokens, padding included."""
