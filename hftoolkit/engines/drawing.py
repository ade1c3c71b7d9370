"""Tokens drawn by their probability, from numbers that belong to the prompt alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from transformers import (
    EpsilonLogitsWarper,
    LogitsProcessor,
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from hftoolkit.engines.sampling import Sampling

_WARPERS: Final[Mapping[str, tuple[Callable[[Any], Any], Any]]] = {
    "temperature": (TemperatureLogitsWarper, 1.0),
    "top_k": (TopKLogitsWarper, 0),
    "top_p": (TopPLogitsWarper, 1.0),
    "min_p": (MinPLogitsWarper, None),
    "typical_p": (TypicalLogitsWarper, 1.0),
    "epsilon_cutoff": (EpsilonLogitsWarper, 0.0),
}
"""What changes probabilities, in the order in which transformers does, each with the value that changes nothing."""


def drawing(config: Any, sampling: Sampling, numbers: Sequence[np.random.Generator]) -> LogitsProcessorList:
    """What leaves every row the one token that is drawn for it; nothing where the likeliest is taken.

    transformers itself draws all rows from one stream of numbers: a row's text would hang on its neighbours.

    Args:
        config: A generation configuration, for what ``sampling`` does not say.
        sampling: How tokens are chosen.
        numbers: For every row what its numbers come from.
    """
    if sampling.greedy:
        return LogitsProcessorList()
    values = {name: getattr(sampling, name, getattr(config, name)) for name in _WARPERS}
    warpers = [
        warper(values[name]) for name, (warper, nothing) in _WARPERS.items() if values[name] not in (None, nothing)
    ]
    return LogitsProcessorList([*warpers, Draw(numbers)])


class Draw(LogitsProcessor):  # type: ignore[misc]
    """Draws a token for every row, and forbids all others.

    Args:
        numbers: For every row what its numbers come from.
    """

    def __init__(self, numbers: Sequence[np.random.Generator]) -> None:
        self.numbers = numbers

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Leave only the drawn tokens; ``scores`` ``[B, V]``."""
        below = scores.cpu().double().softmax(-1).cumsum(-1)  # [B, V]; on the CPU: the same tokens on every device
        # Numbers of 24 bits: their product with the sum of all stays below it.
        drawn = torch.tensor([[float(numbers.random(dtype=np.float32))] for numbers in self.numbers])  # [B, 1]
        tokens = torch.searchsorted(below, drawn.double() * below[:, -1:], right=True)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens.to(scores.device), 0.0)
