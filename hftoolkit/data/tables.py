"""Tables on disk: written once from a stream, then read by row number."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Kind = Literal["text", "texts", "integer", "integers"]
"""What a column holds: a string, a list of strings, a 64-bit integer, or a list of 32-bit integers."""

_NONE: Mapping[str, Kind] = {}
_BATCH_ROWS = 64
# Reading one row reads its whole batch: 64 rows are some 10 kB, a good bargain between many reads and large ones.


class Table:
    """Rows in an Arrow file; a row takes memory only while somebody holds it.

    The file is read at positions, not memory-mapped: pages of a mapped file count as memory of the process.

    Args:
        path: A file that `write_table` made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        options = pa.ipc.IpcReadOptions(use_threads=False)
        self._reader = pa.ipc.open_file(pa.OSFile(str(path)), options=options)
        self.names: tuple[str, ...] = tuple(self._reader.schema.names)
        batches = self._reader.num_record_batches
        last = self._reader.get_batch(batches - 1).num_rows if batches else 0
        self._length: int = max(batches - 1, 0) * _BATCH_ROWS + last

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(self._reader.num_record_batches):
            yield from _dicts(self._reader.get_batch(number))

    def column(self, name: str) -> Iterator[Any]:
        """Values of one column, in row order, without holding them all."""
        for number in range(self._reader.num_record_batches):
            yield from self._reader.get_batch(number).column(name).to_pylist()

    def lengths(self, name: str) -> NDArray[np.int32]:
        """Number of items in every list of a column; shape ``[rows]``."""
        found = np.empty(len(self), dtype=np.int32)
        for number in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(number)
            starts = np.frombuffer(batch.column(name).buffers()[1], dtype=np.int32)[: batch.num_rows + 1]
            found[number * _BATCH_ROWS : number * _BATCH_ROWS + batch.num_rows] = np.diff(starts)
        return found

    def take(self, numbers: Sequence[int] | NDArray[Any]) -> list[dict[str, Any]]:
        """Rows by number from 0, in the order asked; each batch is read once.

        Raises:
            IndexError: If a number is negative or not less than ``len(table)``.
        """
        return self._taken(numbers, _values)

    def take_arrays(self, numbers: Sequence[int] | NDArray[Any]) -> list[dict[str, Any]]:
        """Rows by number like `take`, with read-only integer arrays in the place of lists: no Python object per item.

        Raises:
            IndexError: If a number is negative or not less than ``len(table)``.
        """
        return self._taken(numbers, _arrays)

    def _taken(
        self, numbers: Sequence[int] | NDArray[Any], read: Callable[[Any, list[int]], list[Any]]
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{}] * len(numbers)
        for batch, places, offsets in self._batches_of(numbers):
            columns = [read(column, offsets) for column in batch.columns]
            for place, values in zip(places, zip(*columns, strict=True), strict=True):
                found[place] = dict(zip(self.names, values, strict=True))
        return found

    def _batches_of(self, numbers: Sequence[int] | NDArray[Any]) -> Iterator[tuple[Any, list[int], list[int]]]:
        """Every batch that holds a wanted row, with the rows' places in the answer and in the batch."""
        wanted = np.asarray(numbers, dtype=np.int64)
        if not len(wanted):
            return
        if wanted.min() < 0 or wanted.max() >= len(self):
            raise IndexError(f"rows {wanted.min()} to {wanted.max()} of a table with {len(self)} rows")
        batches, offsets = np.divmod(wanted, _BATCH_ROWS)
        order = np.argsort(batches, kind="stable")
        starts = np.flatnonzero(np.diff(batches[order])) + 1
        for places in np.split(order, starts):
            yield self._reader.get_batch(int(batches[places[0]])), places.tolist(), offsets[places].tolist()


def write_table(
    path: Path,
    rows: Iterable[Mapping[str, Any]],
    schema: Mapping[str, Kind] | None = None,
    *,
    known: Mapping[str, Kind] = _NONE,
) -> Table:
    """Write rows as they come; the file appears under its name when it is complete.

    Args:
        path: The file; its folder is made where it is missing.
        rows: Mappings that all have the same keys. Lists of integers may be arrays.
        schema: What each column holds; left out: told by the first 64 rows.
        known: What some columns hold, if there are such, whatever the first rows tell.

    Raises:
        TypeError: If a value is not of its column's kind, or no kind can be told.
        ValueError: If a row has other keys than the schema.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    stream = iter(rows)
    try:
        chunk = list(islice(stream, _BATCH_ROWS))
        kinds = dict(schema) if schema is not None else _kinds_of(chunk, known)
        types = pa.schema([(name, _TYPES[kind]) for name, kind in kinds.items()])
        with pa.OSFile(str(temporary), "wb") as file, pa.ipc.new_file(file, types) as writer:
            while chunk:
                if any(len(row) != len(kinds) for row in chunk):
                    raise ValueError(f"expected rows with the keys {list(kinds)}")
                arrays = [_array([row[name] for row in chunk], kind) for name, kind in kinds.items()]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=types))
                chunk = list(islice(stream, _BATCH_ROWS))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return Table(path)


_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "integer": pa.int64(),
    "integers": pa.list_(pa.int32()),
}


def _kinds_of(rows: Sequence[Mapping[str, Any]], known: Mapping[str, Kind]) -> dict[str, Kind]:
    """What the columns hold, told by the first value that says it."""
    names = rows[0] if rows else ()
    return {name: known.get(name) or _kind_of(name, [row[name] for row in rows]) for name in names}


def _kind_of(name: str, values: Sequence[Any]) -> Kind:
    for value in values:
        if isinstance(value, str):
            return "text"
        if isinstance(value, int | np.integer):
            return "integer"
        if len(value):
            return "texts" if isinstance(value[0], str) else "integers"
    raise TypeError(f"cannot tell what the column {name!r} holds: all lists are empty; give a schema")


def _array(values: list[Any], kind: Kind) -> Any:
    # Built from buffers: pa.array would import pandas to ask whether a list is one of its types.
    if kind == "text":
        encoded = [value.encode() for value in values]
        buffers = [None, _offsets(encoded), pa.py_buffer(b"".join(encoded))]
        return pa.Array.from_buffers(_TYPES[kind], len(values), buffers)
    if kind == "integer":
        return pa.Array.from_buffers(_TYPES[kind], len(values), [None, pa.py_buffer(np.array(values, dtype=np.int64))])
    if any(isinstance(value, str) for value in values):
        raise TypeError(f"expected lists, got text: {next(value for value in values if isinstance(value, str))!r:.80}")
    if kind == "texts":
        items = _array([text for texts in values for text in texts], "text")
    else:
        joined = np.concatenate([np.asarray(value, dtype=np.int32) for value in values])
        items = pa.Array.from_buffers(pa.int32(), len(joined), [None, pa.py_buffer(joined)])
    return pa.Array.from_buffers(_TYPES[kind], len(values), [None, _offsets(values)], children=[items])


def _offsets(values: Sequence[Any]) -> Any:
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    return pa.py_buffer(offsets)


def _dicts(batch: Any) -> list[dict[str, Any]]:
    names = batch.schema.names
    return [dict(zip(names, row, strict=True)) for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)]


def _values(column: Any, offsets: list[int]) -> list[Any]:
    if len(offsets) * 8 < len(column):
        return [column[offset].as_py() for offset in offsets]
    values = column.to_pylist()  # quicker than one by one for many
    return [values[offset] for offset in offsets]


def _arrays(column: Any, offsets: list[int]) -> list[Any]:
    """Some values of a column: views into the batch for lists of integers, Python values for the rest."""
    if column.type != _TYPES["integers"]:
        return _values(column, offsets)
    _, bounds, _, items = column.buffers()
    starts = np.frombuffer(bounds, dtype=np.int32)
    integers = np.frombuffer(items, dtype=np.int32)
    return [integers[starts[offset] : starts[offset + 1]] for offset in offsets]
