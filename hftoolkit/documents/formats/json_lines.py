"""JSON Lines: the strings of the chosen columns; the rest of every line stays as it is written."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from hftoolkit.documents.columns import obvious, unknown, untold
from hftoolkit.documents.pieces import Mark, Part, Piece, Place, Text
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError

_BLANK = re.compile(r"[ \t\n\r]*")
_NOT_ASCII = re.compile(r"(?<!\\)(?:\\\\)*\\u(?!00[0-7])")
"""An escape of a character that is not ASCII."""

_LONE = re.compile("([\ud800-\udfff]+)")
"""Halves of a pair of surrogates, which JSON can hold and UTF-8 cannot."""

_decode = json.JSONDecoder().raw_decode


def pieces(lines: Iterator[str], settings: Settings, name: str) -> Iterator[Piece]:
    """Cut JSON Lines: every string of a chosen column is a place.

    Raises:
        UsageError: If the first object lacks a chosen column, or none is chosen and none is the obvious one.
        DataError: If a line is no JSON object, or holds a list or an object where text is expected.
    """
    columns: tuple[str, ...] = ()
    escapes = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield line
            continue
        record = _record(line, f"{name}: line {number}")
        columns = columns or _columns(record, settings, name)
        # A line without any such character is written as those before it.
        escapes = line.isascii() and (escapes or bool(_NOT_ASCII.search(line)))
        done = 0
        for column, start, end in _strings(line, columns, f"{name}: line {number}"):
            yield line[done : start + 1]
            kept = line[start + 1 : end - 1]
            yield _place(kept, str(_decode(line, start)[0]), escapes, f"line {number}, column {column!r}")
            done = end - 1
        yield line[done:]


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError) as error:
        problem = f"not JSON: {error}"
    else:
        if isinstance(record, dict):
            return record
        problem = f"expected an object in braces, got {line.strip():.40}"
    raise DataError(f"{where}: {problem}\n  expected one JSON object a line") from None


def _columns(record: dict[str, Any], settings: Settings, name: str) -> tuple[str, ...]:
    for column in settings.columns:
        if column not in record:
            raise unknown(column, list(record), name)
    found = settings.columns or obvious(list(record), settings)
    if found:
        return found
    texts = tuple(column for column, value in record.items() if isinstance(value, str))
    if len(texts) != 1:
        raise untold(list(record), name, "NAME")
    return texts


def _strings(line: str, columns: tuple[str, ...], where: str) -> Iterator[tuple[str, int, int]]:
    """The chosen columns of an object that are strings, each with where it starts and ends, quotes and all."""
    at = _after_blanks(line, line.index("{") + 1)
    while line.startswith('"', at):
        key, at = _decode(line, at)
        start = _after_blanks(line, line.index(":", at) + 1)
        value, at = _decode(line, start)
        if key in columns:
            if isinstance(value, list | dict):
                kind = "a list" if isinstance(value, list) else "an object"
                raise DataError(f"{where}: column {key!r} is {kind}, expected text\n  choose columns that hold text")
            if isinstance(value, str) and _LONE.sub("", value).strip():
                yield key, start, at
        at = _after_blanks(line, _after_blanks(line, at) + 1)


def _after_blanks(line: str, at: int) -> int:
    found = _BLANK.match(line, at)
    return found.end() if found else at


def _place(kept: str, value: str, escapes: bool, where: str) -> Place:
    text = value.strip()
    lead, trail = value[: value.index(text)], value[value.index(text) + len(text) :]
    parts: list[Part] = [
        Mark(_written(each, False)) if number % 2 else each for number, each in enumerate(_LONE.split(text))
    ]
    fill = partial(_filled, lead=_written(lead, escapes), trail=_written(trail, escapes), escapes=escapes)
    return Place((tuple(part for part in parts if part != ""),), fill, kept, where)


def _filled(texts: Sequence[Text], lead: str, trail: str, escapes: bool) -> str:
    written = (_written(part, escapes) if isinstance(part, str) else part.text for part in texts[0])
    return lead + "".join(written) + trail


def _written(text: str, escapes: bool) -> str:
    escaped = json.dumps(text, ensure_ascii=escapes)[1:-1]
    return _LONE.sub(lambda found: json.dumps(found.group())[1:-1], escaped)
