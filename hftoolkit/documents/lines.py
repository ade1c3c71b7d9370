r"""Lines with their ends, whichever of ``\n``, ``\r\n`` and ``\r`` a document has.

A carriage return alone ends a line only in a document that has no line feed, as old Macs wrote them: elsewhere it is a
character like any other. Nothing else ends a line, not U+2028, U+0085 or a form feed.
"""

import re
from collections.abc import Iterator
from io import BufferedReader, StringIO

from hftoolkit.errors import DataError

_END = re.compile(r"\r\n?|\n")
_ENDS = re.compile(r"[\r\n]+")
_CHUNK = 1 << 16  # bytes


def body_and_end(line: str) -> tuple[str, str]:
    """A line without its end, and that end."""
    body = line.removesuffix("\n").removesuffix("\r")
    return body, line[len(body) :]


def one_line(text: str) -> str:
    """A text without line ends: each is a blank."""
    return _ENDS.sub(" ", text)


def line_starts(text: str) -> list[int]:
    r"""Where every line of a text begins, a line ending at ``\n``, ``\r\n`` or ``\r``."""
    return [0, *(found.end() for found in _END.finditer(text))]


def lines_of_text(text: str) -> Iterator[str]:
    """The lines of a text."""
    return iter(StringIO(text, newline="\n" if "\n" in text else "\r"))


def decoded_lines(file: BufferedReader, name: str) -> Iterator[str]:
    """The lines of a UTF-8 file, each as soon as it is there; closes the file behind the last one.

    Args:
        file: Open at its first line.
        name: Its name in messages.

    Raises:
        DataError: If a byte is not UTF-8.
    """
    with file:
        head = file.peek(1)  # as much as is there
        lone = b"\n" not in head and b"\r" in head[:-1]
        for number, line in enumerate(_ended_by_return(file) if lone else file, 1):
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                raise not_of_encoding(name, number, error.start + 1, "UTF-8") from error


def not_of_encoding(name: str, line: int, byte: int, encoding: str) -> DataError:
    """The error for a byte of a line, both counted from 1, that is not of the encoding."""
    return DataError(f"{name}: line {line}: byte {byte} is not {encoding}\n  save the text as UTF-8 first")


def _ended_by_return(file: BufferedReader) -> Iterator[bytes]:
    begun = b""
    while chunk := file.read1(_CHUNK):
        *lines, begun = (begun + chunk).split(b"\r")
        yield from (line + b"\r" for line in lines)
    if begun:
        yield begun
