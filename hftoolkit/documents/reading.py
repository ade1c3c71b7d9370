"""A file or a text -> a document: its format, its encoding and its pieces."""

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from hftoolkit.documents.formats import Format, format_named, format_of
from hftoolkit.documents.lines import decoded_lines, lines_of_text, not_of_encoding
from hftoolkit.documents.pieces import Piece
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError

_BOM = "\ufeff"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the next one does
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_XML = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([\w.:-]+)")
_DECLARED = {
    "html": re.compile(rb"<meta\s[^>]*?charset\s*=\s*[\"']?([\w.:-]+)|" + _XML.pattern, re.IGNORECASE),
    "po": re.compile(rb'^"Content-Type:[^"\n]*charset=(?!CHARSET\b)([\w.:-]+)', re.IGNORECASE | re.MULTILINE),
    "tmx": _XML,
    "xliff": _XML,
}
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOOKED_AT = 4096  # bytes in which a declaration stands

# What browsers take these names for, since pages that say them are written so.
_OF_BROWSERS = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252"}


@dataclass(frozen=True)
class Document:
    """A document that is being read."""

    name: str
    """In messages."""

    format: str
    """Name of its format."""

    encoding: str
    """As Python calls it; a byte order mark is a piece of its own."""

    pieces: Iterator[Piece]
    """What it is cut into, in order; put together untranslated they are the document, byte for byte."""

    def encoded(self, written: Iterable[str]) -> Iterator[bytes]:
        """What is written in place of the pieces, as bytes of the document's encoding.

        Args:
            written: The pieces, each as it is or filled.

        Raises:
            DataError: If the encoding lacks a character of a translation, and the format knows no way to name it.
        """
        references = self.format in ("html", "tmx", "xliff")  # all that is kept is of the encoding anyway
        try:
            yield from codecs.iterencode(iter(written), self.encoding, "xmlcharrefreplace" if references else "strict")
        except UnicodeEncodeError as error:
            raise DataError(
                f"{self.name}: {error.object[error.start]!r} of a translation cannot be written in {self.encoding}\n"
                "  convert the file to UTF-8 first"
            ) from error


def check_document(
    path: Path, format: str | None = None, columns: Sequence[str] = (), all_entries: bool = False
) -> None:
    """Check that a file can be opened and is of a format of ours, before time is spent on anything else.

    Raises:
        UsageError: If its format is none of ours, or has not what is chosen of it.
        DataError: If it cannot be read.
    """
    file, found = _opened(path, format)
    file.close()
    found.check(columns, all_entries)


def open_document(path: Path, settings: Settings, format: str | None = None) -> Document:
    """Open a file to be translated; it is read as its pieces are.

    Args:
        path: The file.
        settings: What of it is translated.
        format: Name of its format; left out: what its name tells.

    Raises:
        UsageError: If its format is none of ours.
        DataError: If it cannot be read. What is not of its encoding or format is told as its pieces are read.
    """
    file, found = _opened(path, format)
    return document_of(file, str(path), settings, found)


def _opened(path: Path, format: str | None) -> tuple[BufferedReader, Format]:
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed by whoever reads the last of it
        try:
            return file, format_of(path, format, file.peek(1))
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}\n  check the name of the file") from error


def read_document(text: str, settings: Settings, format: str = "text", name: str = "text") -> Document:
    """A document that is in memory.

    Args:
        text: All of it.
        settings: What of it is translated.
        format: Name of its format.
        name: What it is called in messages.

    Raises:
        UsageError: If there is no such format, or it has not what is chosen of it.
        DataError: If the text holds what is no character, as text of an unknown encoding does.
    """
    found = format_named(format)
    found.check(settings.columns, settings.all_entries)
    half = _SURROGATE.search(text)
    if half:
        raise DataError(
            f"{name}: character {half.start() + 1} is {half[0]!r}, half of a character\n"
            "  decode the text in the encoding that it has"
        )
    bare = text.removeprefix(_BOM)
    pieces = found.cut(lines_of_text(bare) if found.by_lines else bare, settings, name)
    return Document(name, format, "utf-8", _after_mark(text[: len(text) - len(bare)], pieces))


def document_of(file: BufferedReader, name: str, settings: Settings, format: Format) -> Document:
    """A document from an open file, such as standard input; closes it.

    Args:
        file: Open at its first byte.
        name: What it is called in messages.
        settings: What of it is translated.
        format: Its format.

    Raises:
        DataError: If it is not of the encoding that it says it has, or of none that is known. What of UTF-8 is read
            line by line is told as its pieces are read.
    """
    mark, encoding = _mark(file.peek(1))
    if format.by_lines and encoding in ("", "utf-8"):
        file.read(len(mark))
        pieces = format.cut(decoded_lines(file, name), settings, name)
        return Document(name, format.name, "utf-8", _after_mark(mark.decode(), pieces))
    with file:
        data = file.read()
    encoding = encoding or _declared(data, format.name, name)
    text = _decoded(data[len(mark) :], encoding, name)
    pieces = format.cut(lines_of_text(text) if format.by_lines else text, settings, name)
    return Document(name, format.name, encoding, _after_mark(mark.decode(encoding), pieces))


def _after_mark(mark: str, pieces: Iterator[Piece]) -> Iterator[Piece]:
    if mark:
        yield mark
    yield from pieces


def _mark(head: bytes) -> tuple[bytes, str]:
    return next(((mark, codec) for mark, codec in _MARKS if head.startswith(mark)), (b"", ""))


def _declared(data: bytes, format: str, name: str) -> str:
    """The encoding that a document says it has, by Python's name; UTF-8 where it says none."""
    pattern = _DECLARED.get(format)
    found = pattern.search(data[:_LOOKED_AT]) if pattern else None
    if found is None:
        return "utf-8"
    said = next(each for each in found.groups() if each).decode().lower()
    try:
        "".encode(said)  # fails for codecs that are no text encodings, too
        known = codecs.lookup(said).name
    except (LookupError, ValueError):
        raise DataError(
            f"{name}: says that its encoding is {said!r}, which Python does not know\n  save the text as UTF-8 first"
        ) from None
    return _OF_BROWSERS.get(said, known) if format == "html" else known


def _decoded(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, byte = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise not_of_encoding(name, line, byte, encoding.upper()) from error
    if encoding != "utf-8" and text.encode(encoding) != data:
        raise DataError(
            f"{name}: has characters that {encoding} writes in more than one way, and would not come back as it is\n"
            "  save the text as UTF-8 first"
        )
    return text
