"""What a reader of one file is given, and what it yields."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftoolkit.data.census import Census
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Languages, Source

Raw = tuple[dict[str, Any], str, int]
"""A row (role to value), and its place, in two parts that `told` joins: all rows of a file may share the first."""

_SHOWN = 5


def told(place: str, number: int) -> str:
    """The place of a row as messages say it: ``train.tsv: line 17``, or ``dev.json: data[0].paragraphs[3].qas[2]``."""
    return f"{place}{number}]" if place.endswith("[") else f"{place} {number}"


@dataclass
class BadRows:
    """Rows that cannot be used: all are counted, the first ones shown."""

    advice: str
    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, place: str, message: str) -> None:
        """Remember a row."""
        self.count += 1
        if self.count <= _SHOWN:
            self.shown.append(f"{place}: {message}")

    def check(self) -> None:
        """Raise one DataError for all of them, if there are any."""
        if self.count == 1:
            raise DataError(f"{self.shown[0]}\n  {self.advice}")
        if self.count:
            more = [f"and {self.count - _SHOWN} more"] if self.count > _SHOWN else []
            raise DataError("\n  ".join([f"{self.count} rows do not fit", *self.shown, *more, self.advice]))


@dataclass
class Reading:
    """A source while its files are read, one after the other."""

    source: Source
    roles: Sequence[str]
    languages: Languages | None
    """What the recipe says: for formats that name the languages of their texts."""

    census: Census
    """Readers count in it what they leave out; what they yield is counted by who takes it."""

    language: str | None = None
    """Language of the files' translations, where the recipe says none: that of the first file."""

    fits: bool = False
    """Whether a unit of any file was in all languages that are wanted."""

    unfit: list[tuple[Path, str, str]] = field(default_factory=list)
    """Files of which none was: what they have, and what to do."""

    _of_files: dict[str, tuple[Path, int]] = field(default_factory=dict)
    _of_rows: dict[str, tuple[int, str]] = field(default_factory=dict)

    def note(self, path: Path, text: str) -> None:
        """Say something of a file; what is said of many files becomes one note."""
        first, count = self._of_files.get(text, (path, 0))
        self._of_files[text] = first, count + 1

    def count(self, text: str, place: str = "") -> None:
        """Say something of a row; what is said of many rows becomes one note, with the place of the first."""
        count, first = self._of_rows.get(text, (0, place))
        self._of_rows[text] = count + 1, first

    def finish(self) -> None:
        """Put the notes into the census.

        Raises:
            DataError: If no file has the languages that are wanted.
        """
        if self.unfit and not self.fits:
            path, message, advice = self.unfit[0]
            raise DataError(f"{path}: {message}\n{advice}")
        for path, message, _ in self.unfit:
            self.note(path, f"gives no row: {message}")
        for text, (path, count) in self._of_files.items():
            more = f" (and {count - 1} more {'file' if count == 2 else 'files'})" if count > 1 else ""
            self.census.notes.append(f"{path} {text}{more}")
        for text, (count, place) in self._of_rows.items():
            self.census.notes.append(f"{text}: {count:,}" + (f" (the first: {place})" if place else ""))


@dataclass(frozen=True)
class Part:
    """What is read at once: a file, or one file for every role."""

    name: str
    """Its path below the source's folder, or below the part of a pattern without wildcards; else the file's name."""

    read: Callable[[Reading], Iterator[Raw]]
