"""What answers cost a model: predictions, how they are computed, how they are counted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.tasks.instruction_tuning.reading import PLACES

_SCORES: Final = 1 << 24
"""Scores that are in memory at once."""


@dataclass(frozen=True)
class Cost:
    """What the answers of a conversation cost a model."""

    nats: float
    """Negative log-likelihood of all their tokens."""

    tokens: int
    """Tokens of the answers, those that end them included."""

    def counts(self) -> NDArray[np.float64]:
        """Nats and tokens; shape ``[2]``."""
        return np.array([self.nats, self.tokens], dtype=np.float64)


def perplexity(sums: NDArray[np.number[Any]]) -> float:
    """Among how many tokens a model is unsure in answers, on average.

    Args:
        sums: Nats and tokens; shape ``[2]``.
    """
    return math.exp(min(float(sums[0]) / max(float(sums[1]), 1.0), 700.0))


def nats_of(
    inputs: Mapping[str, Any], features: Sequence[Mapping[str, Sequence[int]]], *, model: Any, plain: bool
) -> list[float]:
    """Run a causal model over some windows.

    Args:
        inputs: Its keyword arguments, as tensors; shapes ``[B, T]``.
        features: The same windows, with the tokens that count.
        model: A transformers model.
        plain: What `scores_plainly` says of it.

    Returns:
        Of every window what its tokens cost that count.
    """
    import torch

    from hftoolkit.models.projection import without_projection

    given = {**inputs, "use_cache": False}
    states = without_projection(model, given)[0] if plain else model(**given).logits  # [B, T, H] or [B, T, V]
    places = [torch.tensor(feature[PLACES], device=states.device) for feature in features]
    before = torch.cat([states[row, each - 1] for row, each in enumerate(places)])  # [M, H]
    right = torch.cat([inputs["input_ids"][row, each] for row, each in enumerate(places)])  # [M]
    layer = model.get_output_embeddings() if plain else torch.nn.Identity()
    at_once = max(1, _SCORES // model.config.get_text_config().vocab_size)
    nats = [
        torch.nn.functional.cross_entropy(layer(some).float(), tokens, reduction="none")
        for some, tokens in zip(torch.split(before, at_once), torch.split(right, at_once), strict=True)
    ]
    return [float(some.sum()) for some in torch.split(torch.cat(nats).double().cpu(), [len(each) for each in places])]
