"""Rows of one or several sources: read once, found again on disk, given by number."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data import sources as readers
from hftoolkit.data.census import Census
from hftoolkit.data.row_files import Wanted, write_rows
from hftoolkit.data.sources.files import missing_file
from hftoolkit.data.sources.reading import told
from hftoolkit.data.tables import Table
from hftoolkit.errors import DataError
from hftoolkit.hub import writing_cache
from hftoolkit.recipe.schema import Filters, Languages, Source

_VERSION: Final = 5
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
    wanted = Wanted(sources, inputs, answers, filters, languages)
    weights = tuple(source.weight for source in sources)
    place = folder / f"rows-{_key(wanted)}"
    if not place.is_dir():
        temporary = folder / f"{place.name}.{secrets.token_hex(4)}.tmp"
        try:
            with writing_cache(folder, "the rows"):
                temporary.mkdir(parents=True)
                write_rows(wanted, temporary)
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


def _key(wanted: Wanted) -> str:
    """A name that changes whenever the rows could."""
    sources, filters, languages = wanted.sources, wanted.filters, wanted.languages
    parts = {
        "version": _VERSION,
        "inputs": list(wanted.inputs),
        "answers": list(wanted.answers),
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
