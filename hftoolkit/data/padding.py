"""Features of unequal lengths as tables of one width."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = Sequence[int] | NDArray[np.int32]


def padded(rows: Sequence[Numbers], value: int) -> NDArray[np.int64]:
    """Rows filled up at their ends.

    Args:
        rows: Lists of numbers.
        value: What they are filled up with.

    Returns:
        A table of shape ``[B, T]``, as wide as the longest row.
    """
    table = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def counted(rows: Sequence[Numbers]) -> NDArray[np.int64]:
    """1 where a row has something, 0 where it is filled up; shape ``[B, T]``."""
    lengths = np.array([[len(row)] for row in rows])  # [B, 1]
    return (np.arange(int(lengths.max())) < lengths).astype(np.int64)


def model_inputs(features: Sequence[Mapping[str, Numbers]], pad: int) -> dict[str, NDArray[np.int64]]:
    """What an encoder reads: tokens, which of them count, and of which text each is where any feature says it.

    Args:
        features: Each with ``input_ids``, some with ``token_type_ids``.
        pad: Number of the padding token.

    Returns:
        Tables of shape ``[B, T]`` under the names that transformers has for them.
    """
    ids = [feature["input_ids"] for feature in features]
    tables = {"input_ids": padded(ids, pad), "attention_mask": counted(ids)}
    if any("token_type_ids" in feature for feature in features):
        segments = [feature.get("token_type_ids", [0] * len(feature["input_ids"])) for feature in features]
        tables["token_type_ids"] = padded(segments, 0)
    return tables
