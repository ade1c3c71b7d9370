"""What a model puts where a text is masked: predictions, how they are computed, how they are counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.padding import padded
from hftoolkit.tasks.pretraining.masking import IGNORED
from hftoolkit.tasks.pretraining.pairs import NEXT

UNKNOWN: Final = -1
"""Label of a mask that a user wrote: nobody knows what is right."""

_AT_ONCE: Final = 512
"""Masked tokens whose scores for the whole vocabulary are in memory."""


@dataclass(frozen=True)
class Gap:
    """A masked token."""

    right: str | None
    """What stood there; None where a user wrote the mask."""

    guesses: tuple[tuple[str, float], ...]
    """Tokens as text with their probabilities, the likeliest first."""

    @property
    def guess(self) -> str:
        """The likeliest."""
        return self.guesses[0][0]


@dataclass(frozen=True)
class Filled:
    """What a model makes of a masked text."""

    gaps: tuple[Gap, ...]
    """From left to right."""

    hits: int = 0
    """Gaps whose likeliest token is what stood there."""

    nats: float = 0.0
    """What the tokens that stood there cost, all together."""

    pairs: int = 0
    """Pairs of texts that were judged besides."""

    pair_hits: int = 0
    """Those of which it is right whether one follows the other."""

    text: str | None = None
    """The text with what fills its gaps, where a user wrote the masks."""

    def counts(self) -> NDArray[np.float64]:
        """Hits, nats, and gaps of which it is known what is right; shape ``[3]``."""
        return np.array([self.hits, self.nats, sum(gap.right is not None for gap in self.gaps)])

    def pair_counts(self) -> NDArray[np.float64]:
        """Hits and pairs; shape ``[2]``."""
        return np.array([self.pair_hits, self.pairs], dtype=np.float64)


def filled_in(text: str, mask: str, guesses: Sequence[str]) -> str:
    """A text with tokens in the places of its masks; a piece such as ``##ing`` goes on with the word before it."""
    found, *rest = text.split(mask)
    for token, behind in zip(guesses, rest, strict=False):  # what a model cannot read has masks, and no guesses
        found = found.rstrip() + token[2:] if token.startswith("##") else found + token.strip()
        found += behind
    return found


@dataclass(frozen=True)
class Guessed:
    """What a model says of one window, as numbers."""

    tokens: NDArray[np.int64]
    """The likeliest tokens of every gap, the likeliest first; shape ``[gaps, top]``."""

    shares: NDArray[np.float32]
    """Their probabilities; shape ``[gaps, top]``."""

    nats: NDArray[np.float32]
    """What the right tokens cost, 0 where they are not known; shape ``[gaps]``."""

    follows: float | None = None
    """Probability that the second text follows the first; None where the model does not say."""


def guess(
    inputs: Mapping[str, Any],
    features: Sequence[Mapping[str, Sequence[int]]],
    *,
    model: Any,
    top: int = 1,
    among: Any = None,
) -> list[Guessed]:
    """Run a masked language model over some windows.

    Args:
        inputs: Its keyword arguments, as tensors; shapes ``[B, T]``.
        features: The same windows, with what is right, or `UNKNOWN`, under ``labels``, and `IGNORED` elsewhere.
        model: A transformers model.
        top: Tokens of every gap.
        among: The only tokens that may be given, a tensor of their numbers; None: all.
    """
    import torch

    from hftoolkit.models.projection import without_projection

    labels = torch.from_numpy(padded([feature["labels"] for feature in features], IGNORED)).to(model.device)  # [B, T]
    hidden, output = without_projection(model, inputs)  # [B, T, H]
    chosen = labels != IGNORED
    pieces = zip(torch.split(hidden[chosen], _AT_ONCE), torch.split(labels[chosen], _AT_ONCE), strict=True)
    layer = model.get_output_embeddings()
    parts = [_scored(layer, some, right, top=top, among=among) for some, right in pieces]
    tokens, shares, nats = (torch.cat(each).cpu().numpy() for each in zip(*parts, strict=True))
    follows = [None] * len(features)
    if "seq_relationship_logits" in output:
        follows = output.seq_relationship_logits.float().softmax(-1)[:, NEXT].tolist()
    ends = chosen.sum(1).cumsum(0).tolist()
    return [
        Guessed(tokens[begin:end], shares[begin:end], nats[begin:end], follow)
        for begin, end, follow in zip([0, *ends], ends, follows, strict=False)
    ]


def _scored(layer: Any, hidden: Any, right: Any, *, top: int, among: Any) -> tuple[Any, Any, Any]:
    """The likeliest tokens with their probabilities, and what the right ones cost."""
    logs = layer(hidden).float().log_softmax(-1)  # [M, V]
    nats = -logs.gather(1, right.clamp(min=0)[:, None])[:, 0] * (right != UNKNOWN)
    shares = logs.exp() if among is None else logs[:, among].exp()
    values, places = shares.topk(min(top, shares.shape[1]))
    return places if among is None else among[places], values, nats
