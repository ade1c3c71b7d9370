"""Encoded rows on disk: tokenized once, kept under a key of all they depend on, read by number."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.data.tables import Kind, Table, write_table
from hftoolkit.errors import DataError
from hftoolkit.hub import writing_cache

FORMAT = 2
"""Raised when features are written in another way, so that older ones are not taken for them."""

CHUNK = 1000
"""Rows tokenized at once."""

Encode = Callable[[Sequence[Mapping[str, Any]]], list[list[dict[str, list[int]]]]]


@dataclass(frozen=True)
class Features:
    """Features of some rows; only their lengths are in memory."""

    table: Table

    lengths: NDArray[np.int32]
    """Tokens of every feature, one column per padded side; shape ``[N, sides]``."""

    sources: NDArray[np.uint16]
    """Number of the source every feature's row is from; shape ``[N]``."""

    too_long: int
    """Features dropped because a side is longer than allowed."""

    cut: int = 0
    """Features of which something had to be left out."""

    def __len__(self) -> int:
        return len(self.table)

    @property
    def key(self) -> str:
        """A hash of all that these features depend on."""
        return self.table.path.stem


def build_features(
    rows: Rows,
    encode: Encode,
    *,
    padded: Sequence[str],
    others: Sequence[str] = (),
    max_tokens: int,
    folder: Path,
    key: Sequence[str],
) -> Features:
    """Encode rows, or find them encoded.

    Args:
        rows: Raw rows.
        encode: Features of each of some rows. One of which something was cut says so under ``cut``, and is counted.
        padded: Names in a feature whose lengths count.
        others: Names of a feature's further lists.
        max_tokens: Longest side kept; longer features are dropped, and counted.
        folder: Where features are kept.
        key: Whatever besides the rows changes the features: task, tokenizer.

    Raises:
        DataError: If a row cannot be encoded; the message tells its file and line.
        OutputError: If the folder cannot be written.
    """
    parts = json.dumps([FORMAT, rows.fingerprint, max_tokens, list(padded), list(others), list(key)])
    path = folder / f"{hashlib.sha256(parts.encode()).hexdigest()[:32]}.arrow"
    facts = path.with_suffix(".json")
    if not (path.is_file() and facts.is_file()):
        counter = _Counter()
        schema: dict[str, Kind] = {"source_number": "integer"}
        schema |= dict.fromkeys([*padded, *others], "integers")
        with writing_cache(folder, "the encoded rows"):
            write_table(path, _encoded(rows, encode, padded, max_tokens, counter), schema=schema)
            temporary = facts.with_suffix(f".{secrets.token_hex(4)}.tmp")
            temporary.write_text(json.dumps(vars(counter)), encoding="utf-8")
            os.replace(temporary, facts)
    table = Table(path)
    return Features(
        table,
        lengths=np.stack([table.lengths(name) for name in padded], axis=1),
        sources=np.fromiter(table.column("source_number"), dtype=np.uint16, count=len(table)),
        **json.loads(facts.read_text(encoding="utf-8")),
    )


@dataclass
class _Counter:
    too_long: int = 0
    cut: int = 0


def _encoded(
    rows: Rows, encode: Encode, padded: Sequence[str], max_tokens: int, counter: _Counter
) -> Iterator[dict[str, Any]]:
    stream, begin = zip(iter(rows), rows.source_numbers, strict=True), 0
    while chunk := list(islice(stream, CHUNK)):
        try:
            encoded = encode([row for row, _ in chunk])
        except DataError as error:
            raise _placed(error, rows, begin, [row for row, _ in chunk], encode) from error
        begin += len(chunk)
        for (_, source), features in zip(chunk, encoded, strict=True):
            for feature in features:
                cut = feature.pop("cut", None)
                if max(len(feature[name]) for name in padded) > max_tokens:
                    counter.too_long += 1
                else:
                    counter.cut += cut is not None
                    yield {"source_number": int(source), **feature}


def _placed(error: DataError, rows: Rows, begin: int, chunk: Sequence[Mapping[str, Any]], encode: Encode) -> DataError:
    """An error about one of some rows, with the file and line of that row."""
    for number, row in enumerate(chunk, begin):
        try:
            encode([row])
        except DataError as own:
            return DataError(f"{rows.places([number])[0]}: {own}")
    return error
