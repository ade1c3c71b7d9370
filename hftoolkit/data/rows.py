"""Rows of one or several sources: read once, filtered, counted, kept on disk."""

import hashlib
import json
import os
import secrets
import shutil
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data import sources as readers
from hftoolkit.data.census import Census
from hftoolkit.data.filters import reasons
from hftoolkit.data.keys import content_of, first_occurrences, key_of
from hftoolkit.data.roles import KINDS
from hftoolkit.data.sources.files import missing_file
from hftoolkit.data.sources.formats import name_of
from hftoolkit.data.sources.reading import Raw, told
from hftoolkit.data.tables import Table, write_table
from hftoolkit.errors import DataError
from hftoolkit.hub import writing_cache
from hftoolkit.recipe.schema import Filters, Languages, Source

_VERSION: Final = 4
"""Raised whenever the same sources would give other rows, so that older tables are not used."""

_CHUNK_ROWS = 1024
_SMALL_FILE = 1 << 20  # bytes; contents of smaller files are part of the cache's key


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows on disk; in memory are their numbers, 8 bytes a row."""

    folder: Path
    """Where the table and the arrays beside it are."""

    table: Table
    """All rows that were written, those that turned out to be duplicates included."""

    numbers: NDArray[np.int64]
    """The table's rows that count, in order; shape ``[rows]``."""

    census: tuple[Census, ...]
    """What became of the rows of each source; a subset keeps the census of the whole."""

    weights: tuple[float, ...]
    """Weight of each source."""

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self), _CHUNK_ROWS):
            yield from self.table.take(self.numbers[start : start + _CHUNK_ROWS])

    def take(self, positions: Sequence[int] | NDArray[Any]) -> list[dict[str, Any]]:
        """Rows by position from 0, in the order asked."""
        return self.table.take(self.numbers[np.asarray(positions, dtype=np.int64)])

    def subset(self, positions: Sequence[int] | NDArray[Any]) -> "Rows":
        """Some of these rows, in the order asked; nothing is copied on disk."""
        numbers = self.numbers[np.asarray(positions, dtype=np.int64)]
        return Rows(self.folder, self.table, numbers, self.census, self.weights)

    def evenly(self, number: int) -> "Rows":
        """At most so many of these rows, spread evenly over them: a file may be sorted."""
        return self.subset(np.unique(np.linspace(0, len(self) - 1, min(len(self), number)).astype(np.int64)))

    @property
    def source_numbers(self) -> NDArray[np.uint16]:
        """Number of each row's source, from 0; read from disk at every call."""
        return self._array("sources")

    @property
    def input_keys(self) -> NDArray[np.uint64]:
        """A hash of each row's inputs: equal inputs have equal keys, in every run; read from disk at every call."""
        return self._array("inputs")

    @property
    def file_names(self) -> list[str]:
        """Names of the files that the table's rows are from, within their sources; read from disk at every call."""
        return [name for name, _ in self._files()]

    @property
    def file_numbers(self) -> NDArray[np.int64]:
        """Number of each row's file, from 0; read from disk at every call."""
        starts = np.array([start for _, start in self._files()], dtype=np.int64)
        return np.searchsorted(starts, self.numbers, side="right") - 1

    def places(self, positions: Sequence[int] | NDArray[Any]) -> list[str]:
        """Where rows were read, by position from 0, as messages say it: file and line; read from disk at every call."""
        with open(self.folder / "places.json", encoding="utf-8") as file:
            names, starts = zip(*json.load(file), strict=True)
        rows = self.numbers[np.asarray(positions, dtype=np.int64)]
        lines = np.load(self.folder / "lines.npy", allow_pickle=False)[rows].tolist()
        runs = (np.searchsorted(np.array(starts), rows, side="right") - 1).tolist()
        return [told(names[run], line) for run, line in zip(runs, lines, strict=True)]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the 64-bit hashes of the rows, in order: the same rows, from whatever files, have the same."""
        return hashlib.sha256(np.ascontiguousarray(self._array("rows"), dtype="<u8").data).hexdigest()

    def _files(self) -> list[tuple[str, int]]:
        """Every file with the number of its first row, in order."""
        with open(self.folder / "files.json", encoding="utf-8") as file:
            return [(name, start) for name, start in json.load(file)]

    def _array(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = np.load(self.folder / f"{name}.npy", allow_pickle=False)
        return found[self.numbers]


def load_rows(
    sources: Sequence[Source],
    inputs: Sequence[str],
    answers: Sequence[str],
    *,
    filters: Filters | None,
    folder: Path,
    languages: Languages | None = None,
) -> Rows:
    """Read sources, drop and count what does not qualify, and keep the rest in a table under ``folder``.

    Memory does not grow with the files but for some 30 bytes a row, 8 of which stay. Sources that were read
    before and have not changed are not read again.

    Args:
        sources: Where rows come from, in order.
        inputs: Roles that are given to a model.
        answers: Roles that are expected from it.
        filters: Rows to drop besides those with an empty side; None for test sets: no others.
        folder: The cache; made where it is missing.
        languages: Those of a translation, for formats that name the languages of their texts.

    Raises:
        DataError: If a source cannot be read, a value is not text, or no row is left.
        HubError: If a hub data set cannot be had.
        OutputError: If the cache cannot be written.
    """
    weights = tuple(source.weight for source in sources)
    place = folder / f"rows-{_key(sources, inputs, answers, filters, languages)}"
    if not place.is_dir():
        temporary = folder / f"{place.name}.{secrets.token_hex(4)}.tmp"
        try:
            with writing_cache(folder, "the rows"):
                temporary.mkdir(parents=True)
                _load(_Wanted(sources, inputs, answers, filters, languages), temporary)
                _publish(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    with open(place / "census.json", encoding="utf-8") as file:
        census = tuple(Census(**one) for one in json.load(file))
    return Rows(place, Table(place / "rows.arrow"), np.load(place / "numbers.npy", allow_pickle=False), census, weights)


def _publish(temporary: Path, place: Path) -> None:
    try:
        os.rename(temporary, place)
    except OSError:
        if not place.is_dir():  # another process was quicker: its rows are the same
            raise


@dataclass(frozen=True)
class _Wanted:
    """What `load_rows` was asked for."""

    sources: Sequence[Source]
    inputs: Sequence[str]
    answers: Sequence[str]
    filters: Filters | None
    languages: Languages | None


@dataclass(frozen=True)
class _Keys:
    """What is known of the rows written so far: 22 bytes a row."""

    rows: "array[int]"
    inputs: "array[int]"
    sources: "array[int]"
    lines: "array[int]"
    places: list[tuple[str, int]]
    """What the places of rows begin with, such as ``train.tsv: line``, and the number of the first such row."""

    files: list[tuple[str, int]]
    """Every file's name, and the number of its first row."""


def _load(wanted: _Wanted, folder: Path) -> None:
    sources, filters = wanted.sources, wanted.filters
    keys = _Keys(array("Q"), array("Q"), array("H"), array("I"), [], [])
    census = [Census(name_of(source)) for source in sources]
    write_table(folder / "rows.arrow", _kept(wanted, census, keys), known=KINDS)
    _check_left(census)
    np.save(folder / "inputs.npy", np.frombuffer(keys.inputs, dtype=np.uint64))
    np.save(folder / "lines.npy", np.frombuffer(keys.lines, dtype=np.uintc))
    keys.inputs[:], keys.lines[:] = array("Q"), array("I")  # room for the search for duplicates
    if filters is not None and filters.duplicates:
        first = first_occurrences(np.frombuffer(keys.rows, dtype=np.uint64))
        later = np.bincount(np.frombuffer(keys.sources, dtype=np.uint16)[~first], minlength=len(sources))
        for one, count in zip(census, later.tolist(), strict=True):
            one.kept -= count
            one.dropped |= {"duplicate": count} if count else {}
        numbers = np.flatnonzero(first)
    else:
        numbers = np.arange(len(keys.rows), dtype=np.int64)
    np.save(folder / "numbers.npy", numbers)
    np.save(folder / "rows.npy", np.frombuffer(keys.rows, dtype=np.uint64))
    np.save(folder / "sources.npy", np.frombuffer(keys.sources, dtype=np.uint16))
    with open(folder / "files.json", "w", encoding="utf-8") as file:
        json.dump(keys.files, file)
    with open(folder / "places.json", "w", encoding="utf-8") as file:
        json.dump(keys.places, file)
    with open(folder / "census.json", "w", encoding="utf-8") as file:
        json.dump([asdict(one) for one in census], file)


def _kept(wanted: _Wanted, census: Sequence[Census], keys: _Keys) -> Iterator[dict[str, Any]]:
    """Rows that qualify, duplicates included; counts them, and adds to the keys, as they go by."""
    roles = (*wanted.inputs, *wanted.answers)
    width = len(wanted.inputs)
    reason_of = reasons(wanted.filters, roles)
    kinds: dict[str, type] = {}
    for number, (source, counts) in enumerate(zip(wanted.sources, census, strict=True)):
        for row, place, line in _raws(readers.read(source, roles, counts, wanted.languages), keys):
            for role, value in row.items():
                if (type(value) is not str or kinds.get(role) is not str) and role not in KINDS:
                    _check_kind(role, value, kinds, told(place, line))
            values = list(row.values())
            reason = reason_of(values)
            if reason:
                counts.drop(reason)
                continue
            try:
                given = content_of(values[:width])
                content = given + b"\xff" + content_of(values[width:])
            except UnicodeEncodeError:
                raise DataError(
                    f"{told(place, line)}: half of a surrogate pair is no character\n"
                    "  write the character itself, or both halves"
                ) from None
            counts.read += 1
            counts.kept += 1
            if not keys.places or keys.places[-1][0] != place:
                keys.places.append((place, len(keys.rows)))
            keys.lines.append(line)
            keys.rows.append(key_of(content))
            keys.inputs.append(key_of(given))
            keys.sources.append(number)
            yield row


def _raws(files: Iterator[tuple[str, Iterator[Raw]]], keys: _Keys) -> Iterator[Raw]:
    """The rows of all files; notes where the kept ones of each begin."""
    for name, raws in files:
        keys.files.append((name, len(keys.rows)))
        yield from raws


def _check_kind(role: str, value: Any, kinds: dict[str, type], place: str) -> None:
    """Refuse what is no text, and lists where other rows have single texts; ``kinds`` remembers what those have."""
    if value is None:
        return
    if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        shown = json.dumps(value, ensure_ascii=False, default=str)
        raise DataError(f"{place}: {role}: expected text, got {shown:.60}\n  put it in quotes, or map another column")
    kind = list if isinstance(value, list) else str
    if kinds.setdefault(role, kind) is not kind:
        found, before = ("a list of texts", "single texts") if kind is list else ("a single text", "lists of texts")
        raise DataError(
            f"{place}: {role}: {found}, where the rows before have {before}\n"
            "  write it the same way in all rows of all sources: several texts are several references"
        )


def _check_left(census: Sequence[Census]) -> None:
    if any(one.kept for one in census):
        return
    dropped: dict[str, int] = {}
    for one in census:
        for reason, count in one.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    found = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
    raise DataError(
        f"{' + '.join(one.name for one in census)}: no row is left of {sum(one.read for one in census)} read"
        + (f" ({found})" if found else "")
        + "\n  check that the right columns are mapped to the roles, and the recipe's data.filters"
    )


def _key(
    sources: Sequence[Source],
    inputs: Sequence[str],
    answers: Sequence[str],
    filters: Filters | None,
    languages: Languages | None,
) -> str:
    """A name that changes whenever the rows could."""
    parts = {
        "version": _VERSION,
        "inputs": list(inputs),
        "answers": list(answers),
        "filters": filters.model_dump(mode="json") if filters is not None else None,
        "languages": languages.model_dump(mode="json") if languages is not None else None,
        "sources": [source.model_dump(mode="json", exclude={"weight"}) for source in sources],
        "files": [[_state_of(path) for path in readers.files_of(source)] for source in sources],
    }
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:32]


def _state_of(path: Path) -> list[Any]:
    try:
        state = path.stat()
        small = path.is_file() and state.st_size < _SMALL_FILE
        # A file may change twice within one tick of the clock, and keep its size.
        content = hashlib.sha256(path.read_bytes()).hexdigest() if small else ""
    except FileNotFoundError:
        raise missing_file(path) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}\n  name a file that you may read") from error
    return [str(path.absolute()), state.st_size, state.st_mtime_ns, content]
