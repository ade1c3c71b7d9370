"""The baseline that knows nothing but how often each token is."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

import numpy as np

from hftoolkit.tasks.base import Row
from hftoolkit.tasks.language_modelling.reading import Reading

_SHOWN: Final = 2000
"""Characters of a row that are enough."""

_AT_ONCE: Final = 100
"""Rows tokenized at once."""


class Usual:
    """Frequencies of tokens.

    Args:
        reading: Reads rows.
        size: Tokens that there are.
        rows: Whose tokens are counted.
    """

    def __init__(self, reading: Reading, size: int, rows: Iterable[Row]) -> None:
        self._reading = reading
        counts = np.ones(size)  # what was never seen is not impossible
        texts = (row["text"][:_SHOWN] for row in rows)
        while some := list(islice(texts, _AT_ONCE)):
            for ids in reading.tokens(some):
                counts += np.bincount(np.array(ids, dtype=np.int64), minlength=size)
        self._nats = np.log(counts.sum()) - np.log(counts)  # [V]

    def nats(self, text: str) -> tuple[float, int]:
        """What a text costs, and of how many tokens it is."""
        (ids,) = self._reading.tokens([text])
        return float(self._nats[ids].sum()), len(ids)
