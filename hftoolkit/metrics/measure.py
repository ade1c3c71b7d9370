"""What every score of a task is: a name, what each row adds, and what all of that comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measure:
    """A score as a function of a sum of per-row counts."""

    name: str
    """As reports show it."""

    counts: Callable[[Any, Mapping[str, Any]], NDArray[np.number[Any]]]
    """What a prediction for a row adds; shape ``[K]``."""

    total: Callable[[NDArray[np.number[Any]]], float]
    """The score of summed counts, in points from 0 to 100 where it is a share."""

    signature: Callable[[set[int]], str]
    """What makes the score comparable, given how many answers the rows have."""

    higher: bool = True
    """Whether more is better."""

    decimals: int = 1
    """Digits behind the point that are worth showing."""

    whole: Callable[[NDArray[np.number[Any]]], float] | None = None
    """The score of all rows' counts, ``[N, K]``, in the place of `total`: for what is no function of their sum."""

    def of(self, counts: NDArray[np.number[Any]]) -> float:
        """The score of some rows; ``counts`` ``[N, K]``."""
        return self.whole(counts) if self.whole else self.total(counts.sum(axis=0))
