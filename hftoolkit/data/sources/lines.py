"""Text files as lines: encodings, byte order marks, and one line end only, the line feed."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

from hftoolkit.data.sources.files import opened
from hftoolkit.data.sources.reading import Reading
from hftoolkit.errors import DataError

_MARKS = (  # the longer ones first: UTF-32 LE begins like UTF-16 LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OF_HOSTS = ("idna", "punycode")
"""What Python calls encodings, but are for the names of hosts alone."""

_SHOWN = 5


def read_lines(path: Path, encoding: str | None, reading: Reading) -> Iterator[str]:
    r"""Lines of a file, each with its ``\n``; no other character ends a line, not U+0085, U+2028 or a lone ``\r``.

    Args:
        path: The file; decompressed where its name ends in ``.gz``.
        encoding: Name of the encoding, or None: UTF-8, or what a byte order mark says.
        reading: Gets a note where there is a byte order mark.

    Raises:
        DataError: If the file cannot be read, or a byte is not of the encoding.
    """
    with decoded(path, encoding, reading) as text:
        yield from text


def read_text(path: Path, encoding: str | None, reading: Reading) -> str:
    """All lines of `read_lines` in one text.

    Raises:
        DataError: As `read_lines` does.
    """
    with decoded(path, encoding, reading) as text:
        return text.read()


def bare(line: str) -> str:
    r"""A line without its end, ``\n`` or ``\r\n``."""
    return line.removesuffix("\n").removesuffix("\r")


def encoding_name(path: Path, encoding: str) -> str:
    """Python's own name of an encoding.

    Raises:
        DataError: If it knows none by that name.
    """
    try:
        "".encode(encoding)  # fails for codecs that are no text encodings, too
        found = codecs.lookup(encoding).name
        if found in _OF_HOSTS:
            raise LookupError
        return found
    except (LookupError, ValueError):
        raise DataError(
            f"{path}: encoding: Python knows no encoding {encoding!r}\n"
            "  names are such as:  utf-8  utf-16  gb18030  big5  shift_jis  cp1252  iso-8859-1"
        ) from None


@dataclass
class BadLines:
    """Lines that are not of a file's format: all are counted, the first ones shown."""

    path: Path
    advice: str
    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, number: int, message: str) -> None:
        """Remember a line; numbers count from 1."""
        self.count += 1
        if self.count <= _SHOWN:
            self.shown.append(f"line {number}: {message}")

    def check(self) -> None:
        """Raise one DataError for all of them, if there are any."""
        if self.count == 1:
            raise DataError(f"{self.path}: {self.shown[0]}\n  {self.advice}")
        if self.count:
            lines = [f"{self.path}: {self.count} lines do not fit", *self.shown]
            if self.count > _SHOWN:
                lines.append(f"and {self.count - _SHOWN} more")
            raise DataError("\n  ".join([*lines, self.advice]))


@contextmanager
def decoded(path: Path, encoding: str | None, reading: Reading) -> Iterator[TextIOWrapper]:
    """A file as text, to be read in pieces.

    Raises:
        DataError: As `read_lines` does.
    """
    with opened(path) as file:
        mark, found = _mark(file.read(4))
        codec = _codec(path, encoding, found)
        skipped = len(mark) if codec == found else 0
        if skipped:
            reading.note(path, f"begins with a byte order mark: read as {codec.upper()}")
        file.seek(skipped)
        try:
            with TextIOWrapper(file, encoding=codec, newline="\n") as text:
                yield text
        except UnicodeDecodeError:
            raise _undecodable(path, codec, skipped) from None
        except UnicodeError:  # UTF-16 and UTF-32 without a byte order mark: nothing says which one it is
            raise DataError(
                f"{path}: encoding: {encoding} without a byte order mark does not tell its byte order\n"
                f"  say it:  encoding: {codec}-le  (or {codec}-be)"
            ) from None


def _mark(head: bytes) -> tuple[bytes, str]:
    return next(((mark, codec) for mark, codec in _MARKS if head.startswith(mark)), (b"", ""))


def _codec(path: Path, encoding: str | None, found: str) -> str:
    """The encoding to read with; a byte order mark settles the byte order, and UTF-8 with mark from UTF-8 without."""
    if encoding is None:
        return found or "utf-8"
    name = encoding_name(path, encoding)
    return found if found and found.startswith(name.removesuffix("-sig")) else name


def _undecodable(path: Path, codec: str, skipped: int) -> DataError:
    """The error for a file with a byte that is not of its encoding; reads it again to find the place."""
    decoder = codecs.getincrementaldecoder(codec)()
    lines, done = 0, skipped
    with opened(path) as file:
        file.seek(skipped)
        while True:
            chunk = file.read(1 << 20)
            pending = len(decoder.getstate()[0])
            try:
                lines += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                lines += error.object[: error.start].decode(codec, "replace").count("\n")
                place = f"byte {done - pending + error.start + 1} (line {lines + 1})"
                return DataError(
                    f"{path}: {place}: 0x{error.object[error.start]:02X} is not {codec.upper()} here\n"
                    "  if the file has another encoding, say so:  encoding: gb18030"
                )
            done += len(chunk)
            if not chunk:
                return DataError(f"{path}: changed while it was read\n  try again")
