"""What texts cost a model: predictions, how they are computed, how they are counted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.tasks.language_modelling.reading import FIRST

_SCORES: Final = 1 << 24
"""Scores that are in memory at once."""


@dataclass(frozen=True)
class Cost:
    """What a text costs a model."""

    nats: float
    """Negative log-likelihood of all its tokens."""

    tokens: int
    """Tokens of the text; those before its begin and behind its end are none of it."""

    size: int
    """Bytes of its UTF-8 form."""

    def counts(self) -> NDArray[np.float64]:
        """Nats, tokens and bytes; shape ``[3]``."""
        return np.array([self.nats, self.tokens, self.size], dtype=np.float64)


def bits_per_byte(sums: NDArray[np.number[Any]]) -> float:
    """Information a model needs to store texts, per byte of their UTF-8 form.

    Perplexity per token cannot compare two tokenizers; bytes are the same for everyone.

    Args:
        sums: Nats, tokens and bytes; shape ``[3]``.

    Source:
        Gao et al., 2020, The Pile, arXiv:2101.00027.
    """
    return float(sums[0]) / math.log(2) / max(float(sums[2]), 1.0)


def perplexity(sums: NDArray[np.number[Any]]) -> float:
    """Among how many tokens a model is unsure, on average.

    Args:
        sums: Nats, tokens and bytes; shape ``[3]``.
    """
    return math.exp(min(float(sums[0]) / max(float(sums[1]), 1.0), 700.0))


def nats_of(
    inputs: Mapping[str, Any], features: Sequence[Mapping[str, Sequence[int]]], *, model: Any, plain: bool
) -> list[float]:
    """Run a causal model over some windows.

    Args:
        inputs: Its keyword arguments, as tensors; shapes ``[B, T]``.
        features: The same windows, with the first token that counts.
        model: A transformers model.
        plain: What `scores_plainly` says of it.

    Returns:
        Of every window what its tokens cost, from the first that counts.
    """
    import torch

    from hftoolkit.models.projection import without_projection

    given = {**inputs, "use_cache": False}
    states = without_projection(model, given)[0] if plain else model(**given).logits  # [B, T, H] or [B, T, V]
    spans = [(feature[FIRST][0], len(feature["input_ids"])) for feature in features]
    before = torch.cat([states[row, first - 1 : end - 1] for row, (first, end) in enumerate(spans)])  # [M, H]
    right = torch.cat([inputs["input_ids"][row, first:end] for row, (first, end) in enumerate(spans)])  # [M]
    layer = model.get_output_embeddings() if plain else torch.nn.Identity()
    at_once = max(1, _SCORES // model.config.get_text_config().vocab_size)
    nats = [
        torch.nn.functional.cross_entropy(layer(some).float(), tokens, reduction="none")
        for some, tokens in zip(torch.split(before, at_once), torch.split(right, at_once), strict=True)
    ]
    each = torch.split(torch.cat(nats).double().cpu(), [end - first for first, end in spans])
    return [float(some.sum()) for some in each]
