"""What a reader of one file is given, and what it yields."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftoolkit.data.census import Census
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Languages, Source

Raw = tuple[dict[str, Any], str, int]
"""A row (role to value), and its place for messages: ``f"{place} {number}"`` reads ``train.tsv: line 17``."""


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
    _of_rows: dict[str, int] = field(default_factory=dict)

    def note(self, path: Path, text: str) -> None:
        """Say something of a file; what is said of many files becomes one note."""
        first, count = self._of_files.get(text, (path, 0))
        self._of_files[text] = first, count + 1

    def count(self, text: str) -> None:
        """Say something of a row; what is said of many rows becomes one note."""
        self._of_rows[text] = self._of_rows.get(text, 0) + 1

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
        self.census.notes += [f"{text}: {count:,}" for text, count in self._of_rows.items()]


@dataclass(frozen=True)
class Part:
    """What is read at once: a file, or one file for every role."""

    name: str
    """Its path below the source's folder, or below the part of a pattern without wildcards; else the file's name."""

    read: Callable[[Reading], Iterator[Raw]]
