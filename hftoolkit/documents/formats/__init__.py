"""The formats of documents, one file per family: each cuts a document into what stays and what is translated.

A format's function takes the document, the settings and the document's name in messages, and yields its pieces. The
document is one text, or, where the format can be read line by line, its lines with their ends.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hftoolkit.documents.pieces import Piece
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import UsageError


@dataclass(frozen=True)
class Format:
    """A format of documents."""

    name: str
    """What it is called in commands and messages."""

    suffixes: tuple[str, ...]
    """Ends of the names of its files."""

    home: str
    """Module in this folder; loaded on first use, since some need a parser that others do without."""

    function: str = "pieces"
    """Name of the format's function in that module."""

    by_lines: bool = False
    """Whether the function takes lines, and memory does not grow with the file."""

    has_columns: bool = False
    """Whether columns of it can be chosen."""

    has_entries: bool = False
    """Whether it has entries with a source and a translation."""

    def check(self, columns: Sequence[str], all_entries: bool) -> None:
        """Check that a document of this format has what is chosen of it.

        Raises:
            UsageError: If it has no columns, or no entries.
        """
        if columns and not self.has_columns:
            raise self._lacking("--column", [each.name for each in _FORMATS if each.has_columns])
        if all_entries and not self.has_entries:
            raise self._lacking("--all-entries", [each.name for each in _FORMATS if each.has_entries])

    def _lacking(self, option: str, formats: Sequence[str]) -> UsageError:
        return UsageError(
            f"{option} is about {', '.join(formats[:-1])} and {formats[-1]}, and this document is {self.name}\n"
            f"  leave it out, or name another format:  --format {formats[0]}"
        )

    def cut(self, document: Any, settings: Settings, name: str) -> Iterator[Piece]:
        """Cut a document, given as a text or as an iterator of lines, into pieces."""
        function: Callable[[Any, Settings, str], Iterator[Piece]]
        function = getattr(import_module(f"{__name__}.{self.home}"), self.function)
        return function(document, settings, name)


_FORMATS = (
    Format("text", (".txt", ".text"), "text", by_lines=True),
    Format("jsonl", (".jsonl", ".ndjson", ".json"), "json_lines", by_lines=True, has_columns=True),
    Format("csv", (".csv",), "delimited", "csv_pieces", by_lines=True, has_columns=True),
    Format("tsv", (".tsv", ".tab"), "delimited", "tsv_pieces", by_lines=True, has_columns=True),
    Format("srt", (".srt",), "subtitles", "srt_pieces", by_lines=True),
    Format("vtt", (".vtt",), "subtitles", "vtt_pieces", by_lines=True),
    Format("markdown", (".md", ".markdown", ".mdown", ".mkd"), "markdown"),
    Format("html", (".html", ".htm", ".xhtml"), "html"),
    Format("po", (".po", ".pot"), "po", has_entries=True),
    Format("xliff", (".xlf", ".xliff"), "xliff", has_entries=True),
    Format("tmx", (".tmx",), "tmx", has_entries=True),
)

FORMATS = {each.name: each for each in _FORMATS}
"""Every format by its name."""

_OF_SUFFIX = {suffix: each for each in _FORMATS for suffix in each.suffixes}

_NO_TEXT = re.compile(
    r"\.(docx?|docm|dotx?|rtf|od[tsp]|xls[xm]?|pptx?|pdf|epub|mobi|pages|numbers|key|zip|gz|7z|png|jpe?g|gif|mp[34])"
)


_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def format_of(path: Path, named: str | None, head: bytes) -> Format:
    """The format of a file: the named one, else what the file's name tells; a text of any other name is plain text.

    Args:
        path: The file.
        named: Name of the format, if someone said it.
        head: The first bytes of the file.

    Raises:
        UsageError: If there is no format of that name, or the file is none of ours.
    """
    if named is not None:
        return format_named(named)
    suffix = path.suffix.lower()
    if suffix in _OF_SUFFIX:
        return _OF_SUFFIX[suffix]
    known = _NO_TEXT.fullmatch(suffix)
    if known or (b"\0" in head and not head.startswith(_UTF_16)):
        what = f"a {suffix} file" if known else "a file that holds no text"
        raise UsageError(
            f"{path}: {what} cannot be translated\n"
            f"  save it in a format that can: {_listed()}\n"
            "  what has another suffix is said:  --format markdown"
        )
    return FORMATS["text"]


def format_named(name: str) -> Format:
    """The format of this name.

    Raises:
        UsageError: If there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"no format {name!r}\n  the formats are: {', '.join(FORMATS)}")
    return FORMATS[name]


def _listed() -> str:
    return ", ".join(f"{each.name} ({' '.join(each.suffixes)})" for each in _FORMATS)
