"""Features of unequal lengths as tables of one width."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = Sequence[int] | NDArray[np.int32]

STEP = 4
"""Widths in training are multiples of it: fewer shapes, for each of which oneDNN compiles anew. 1.05 times the tokens/s
of a small Marian on a processor, padding left out, in 0.87 of the memory (benchmarks/results/training.json)."""


def stepped(lengths: NDArray[np.int32]) -> NDArray[np.int32]:
    """Lengths as wide as they become in a table whose width is a multiple of `STEP`."""
    return -(-lengths // STEP) * STEP


def padded(rows: Sequence[Numbers], value: int, *, widest: int = 0) -> NDArray[np.int64]:
    """Rows filled up at their ends.

    Args:
        rows: Lists of numbers.
        value: What they are filled up with.
        widest: Up to this width the table's is a multiple of `STEP`; 0: it is as wide as the longest row.

    Returns:
        A table of shape ``[B, T]``.
    """
    table = np.full((len(rows), _width(rows, widest)), value, dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def counted(rows: Sequence[Numbers], *, widest: int = 0) -> NDArray[np.int64]:
    """1 where a row has something, 0 where it is filled up; shape ``[B, T]``, as `padded` has it."""
    lengths = np.array([[len(row)] for row in rows])  # [B, 1]
    return (np.arange(_width(rows, widest)) < lengths).astype(np.int64)


def model_inputs(
    features: Sequence[Mapping[str, Numbers]], pad: int, *, widest: int = 0
) -> dict[str, NDArray[np.int64]]:
    """What an encoder reads: tokens, which of them count, and of which text each is where any feature says it.

    Args:
        features: Each with ``input_ids``, some with ``token_type_ids``.
        pad: Number of the padding token.
        widest: As for `padded`.

    Returns:
        Tables of shape ``[B, T]`` under the names that transformers has for them.
    """
    ids = [feature["input_ids"] for feature in features]
    tables = {"input_ids": padded(ids, pad, widest=widest), "attention_mask": counted(ids, widest=widest)}
    if any("token_type_ids" in feature for feature in features):
        segments = [feature.get("token_type_ids", [0] * len(feature["input_ids"])) for feature in features]
        tables["token_type_ids"] = padded(segments, 0, widest=widest)
    return tables


def _width(rows: Sequence[Numbers], widest: int) -> int:
    longest = max(map(len, rows))
    wide = -(-longest // STEP) * STEP
    return wide if wide <= widest else longest
