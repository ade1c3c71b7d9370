"""The baseline that knows nothing but how often each token is."""

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.tasks.base import Row
from hftoolkit.tasks.pretraining.filling import UNKNOWN, Guessed
from hftoolkit.tasks.pretraining.masking import IGNORED
from hftoolkit.tasks.pretraining.reading import Reading

_SHOWN: Final = 2000
"""Characters of a row that are enough."""

_AT_ONCE: Final = 100
"""Rows tokenized at once."""


class Usual:
    """Frequencies of tokens.

    Args:
        counts: How often each is, by its number; shape ``[V]``.
        ordinary: Numbers of those that may be guessed.
    """

    def __init__(self, counts: NDArray[np.int64], ordinary: NDArray[np.int64]) -> None:
        raised = counts + 1  # what was never seen is not impossible
        self.logs = np.log(raised) - np.log(raised[ordinary].sum())
        """Logarithm of every token's share; shape ``[V]``."""
        self._best = int(ordinary[counts[ordinary].argmax()])

    @classmethod
    def of(cls, reading: Reading, rows: Iterable[Row]) -> "Usual":
        """Of the tokens of some rows."""
        counts = np.zeros(reading.size, dtype=np.int64)
        texts = (row["text"][:_SHOWN] for row in rows)
        while some := list(islice(texts, _AT_ONCE)):
            for ids in reading.numbers(some):
                counts += np.bincount(np.array(ids, dtype=np.int64), minlength=len(counts))
        return cls(counts, reading.masking.ordinary)

    def guess(self, labels: Sequence[int]) -> Guessed:
        """The same for every gap of a window; a second text is always said to follow."""
        right = np.array([label for label in labels if label != IGNORED], dtype=np.int64)
        return Guessed(
            tokens=np.full((len(right), 1), self._best),
            shares=np.full((len(right), 1), math.exp(self.logs[self._best]), np.float32),
            nats=np.where(right == UNKNOWN, 0.0, -self.logs[right]).astype(np.float32),
            follows=1.0,
        )
