"""Which tokens a model is to guess, and what stands in their places.

Source:
    Devlin et al., 2019, BERT, arXiv:1810.04805, section 3.1 and appendix A.1; whole words: the authors' repository.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IGNORED = -100
"""Label of tokens that are not to be guessed."""

_HIDDEN, _REPLACED = 0.8, 0.1
"""Of the tokens to be guessed, those with the mask token in their place, and those with any other; the rest stay."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Masking:
    """Draws tokens of a vocabulary."""

    share: float
    """Of the tokens to be guessed."""

    mask: int
    """Number of the mask token."""

    ordinary: Numbers
    """Numbers of the tokens that texts are made of: neither special nor unknown."""

    @classmethod
    def of(cls, share: float, mask: int, size: int, special: Iterable[int]) -> "Masking":
        """For a vocabulary of some size."""
        return cls(share, mask, np.setdiff1d(np.arange(size), np.array(sorted(special), dtype=np.int64)))

    def draw(
        self, ids: Numbers, generator: np.random.Generator, words: Numbers | None = None
    ) -> tuple[Numbers, Numbers]:
        """Hide tokens; of every row at least one, or one word, if it has any that may be.

        Args:
            ids: Tokens, padding included; shape ``[B, T]``.
            generator: The same one draws the same tokens.
            words: The number of each token's word in its row, less than T, to draw whole words; shape ``[B, T]``.

        Returns:
            What the model reads, and what it is to guess, `IGNORED` elsewhere; shapes ``[B, T]``.
        """
        draws = generator.random(ids.shape)
        if words is not None:
            draws = np.take_along_axis(draws, words, axis=1)
        may = np.isin(ids, self.ordinary)
        draws[~may] = 1.0
        chosen = may & ((draws < self.share) | (draws == draws.min(axis=1, keepdims=True)))
        fate = generator.random(ids.shape)
        replaced = chosen & (fate >= _HIDDEN) & (fate < _HIDDEN + _REPLACED)
        read = np.where(chosen & (fate < _HIDDEN), self.mask, ids)
        read[replaced] = generator.choice(self.ordinary, int(replaced.sum()))
        return read, np.where(chosen, ids, IGNORED)
