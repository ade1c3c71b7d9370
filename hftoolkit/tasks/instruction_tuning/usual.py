"""The baseline that knows nothing but how often each token is in answers."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import numpy as np

from hftoolkit.tasks.base import Row
from hftoolkit.tasks.instruction_tuning.reading import Reading
from hftoolkit.tasks.instruction_tuning.scoring import Cost

_AT_ONCE: Final = 100
"""Rows tokenized at once."""


class Usual:
    """Frequencies of tokens.

    Args:
        reading: Reads rows.
        size: Tokens that there are.
        rows: Whose answers are counted.
    """

    def __init__(self, reading: Reading, size: int, rows: Iterable[Row]) -> None:
        self._reading = reading
        counts = np.ones(size)  # what was never seen is not impossible
        stream = iter(rows)
        while some := list(islice(stream, _AT_ONCE)):
            for answers in self._answers(some):
                counts += np.bincount(np.array(answers, dtype=np.int64), minlength=size)
        self._nats = np.log(counts.sum()) - np.log(counts)  # [V]

    def cost(self, row: Row) -> Cost:
        """What the answers of a row cost."""
        (ids,) = self._answers([row])
        return Cost(float(self._nats[ids].sum()), len(ids))

    def _answers(self, rows: Sequence[Row]) -> list[list[int]]:
        """Tokens of the answers of each row."""
        return [
            [number for number, one in zip(ids, learned, strict=True) if one]
            for ids, learned in self._reading.tokens(rows)
        ]
