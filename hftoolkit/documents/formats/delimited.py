r"""Tables of text: the cells of the chosen columns; every other field keeps its quotes, or has none, as it is written.

As in our training data, a quote in a TSV is just a quote, and a CSV may be separated by semicolons or tabs.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from hftoolkit.documents.columns import obvious, unknown, untold
from hftoolkit.documents.lines import body_and_end
from hftoolkit.documents.pieces import Piece, Place, Text, flat
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError, UsageError

_NO_CELL = re.compile(r"[\t\r\n]+")
"""What a cell of a TSV cannot hold."""

_NUMBER = re.compile(r"[\W\d_]*")


@dataclass(frozen=True)
class _Field:
    start: int
    end: int
    value: str
    quoted: bool


@dataclass(frozen=True)
class _Row:
    line: int
    """Number of its first line."""

    text: str
    """All of it, with the line end."""

    fields: tuple[_Field, ...]
    """None in a blank line."""


def csv_pieces(lines: Iterator[str], settings: Settings, name: str) -> Iterator[Piece]:
    """Cut a CSV file: every cell of a chosen column is a place.

    Raises:
        UsageError: If there is no such column, or none is chosen and none is the obvious one.
        DataError: If a row is not CSV, or has another number of columns than the first.
    """
    first = next(lines, "")
    delimiter = next((each for each in ",;\t" if each in first), ",")
    rows = _quoted_rows(chain([first] if first else [], lines), delimiter, name)
    return _pieces(rows, settings, name, partial(_filled_csv, delimiter=delimiter), "CSV")


def tsv_pieces(lines: Iterator[str], settings: Settings, name: str) -> Iterator[Piece]:
    """Cut a TSV file: every cell of a chosen column is a place.

    Raises:
        UsageError: If there is no such column, or none is chosen and none is the obvious one.
        DataError: If a row has another number of columns than the first.
    """
    return _pieces(_tab_separated_rows(lines), settings, name, _filled_tsv, "TSV")


_Fill = Callable[..., str]
"""From the translations of a cell, and by name the blanks around it and whether it was quoted, to the field."""


def _pieces(rows: Iterator[_Row], settings: Settings, name: str, fill: _Fill, kind: str) -> Iterator[Piece]:
    head: list[_Row] = []
    for row in rows:
        head.append(row)
        if sum(bool(each.fields) for each in head) == 2:
            break
    known = [row for row in head if row.fields]
    if not known:
        yield from (row.text for row in head)
        return
    columns, has_header = _columns(known, settings, name)
    labels = {at: repr(field.value) if has_header else str(at + 1) for at, field in enumerate(known[0].fields)}
    for row in chain(head, rows):
        if not row.fields or (has_header and row is known[0]):
            yield row.text
            continue
        if len(row.fields) != len(labels):
            raise _uneven(row, len(labels), name, kind)
        done = 0
        for column in columns:
            field = row.fields[column]
            if not field.value.strip():
                continue
            yield row.text[done : field.start]
            yield _place(field, row.text, fill, f"line {row.line}, column {labels[column]}")
            done = field.end
        yield row.text[done:]


def _columns(known: Sequence[_Row], settings: Settings, name: str) -> tuple[list[int], bool]:
    """Positions of the chosen columns, and whether the first row names them."""
    names = [field.value.strip() for field in known[0].fields]
    chosen = settings.columns
    if chosen and all(each.isdecimal() for each in chosen) and not set(chosen) <= set(names):
        return sorted({_by_number(int(each), len(names), name) for each in chosen}), False
    for column in chosen:
        if column not in names:
            raise unknown(column, names, name)
        if names.count(column) > 1:
            raise DataError(f"{name}: {names.count(column)} columns are named {column!r}\n  give each its own name")
    found = chosen or obvious(names, settings)
    if found:
        return sorted({names.index(column) for column in found}), True
    only = _only_text(known)
    if only is None:
        raise untold(names, name, "NAME_OR_NUMBER")
    return [only], True


def _by_number(number: int, width: int, name: str) -> int:
    if not 1 <= number <= width:
        raise UsageError(f"{name}: no column {number}; the first line has {width}\n  columns count from 1")
    return number - 1


def _only_text(known: Sequence[_Row]) -> int | None:
    """The one column with words, where the first row is a header beyond doubt: it has words over numbers."""
    if len(known) < 2 or len(known[0].fields) != len(known[1].fields):
        return None
    named = all(not _NUMBER.fullmatch(field.value) for field in known[0].fields)
    texts = [at for at, field in enumerate(known[1].fields) if not _NUMBER.fullmatch(field.value)]
    return texts[0] if named and len(texts) == 1 and len(known[0].fields) > 1 else None


def _uneven(row: _Row, width: int, name: str, kind: str) -> DataError:
    count = len(row.fields)
    advice = {
        "TSV": "a tab separates columns and cannot stand in a text; quoted fields need  --format csv",
        "CSV": 'a text with a comma, quote or line end stands in quotes, a quote in it is doubled: ""',
    }[kind]
    return DataError(
        f"{name}: line {row.line}: {count} {'column' if count == 1 else 'columns'}, expected {width}\n  {advice}"
    )


def _place(field: _Field, row: str, fill: _Fill, where: str) -> Place:
    text = field.value.strip()
    at = field.value.index(text)
    around = {"lead": field.value[:at], "trail": field.value[at + len(text) :], "quoted": field.quoted}
    return Place(((text,),), partial(fill, **around), row[field.start : field.end], where)


def _filled_tsv(texts: Sequence[Text], lead: str, trail: str, quoted: bool) -> str:
    return lead + _NO_CELL.sub(" ", flat(texts[0])) + trail


def _filled_csv(texts: Sequence[Text], lead: str, trail: str, quoted: bool, delimiter: str) -> str:
    value = lead + flat(texts[0]) + trail
    if quoted or any(each in value for each in (delimiter, '"', "\n", "\r")):
        return '"' + value.replace('"', '""') + '"'
    return value


def _tab_separated_rows(lines: Iterator[str]) -> Iterator[_Row]:
    for number, line in enumerate(lines, 1):
        body, _ = body_and_end(line)
        fields, at = [], 0
        for value in body.split("\t") if body else []:
            fields.append(_Field(at, at + len(value), value, False))
            at += len(value) + 1
        yield _Row(number, line, tuple(fields))


def _quoted_rows(lines: Iterator[str], delimiter: str, name: str) -> Iterator[_Row]:
    number = 1
    for line in lines:
        text, fields, count = line, [], 1
        stop = len(body_and_end(text)[0])
        at = 0 if stop else -1
        while at >= 0:
            if text.startswith('"', at):
                text, end, more = _until_closed(text, at, lines)
                stop, count = len(body_and_end(text)[0]), count + more
                if not end:
                    raise _not_csv(name, number, "a quote is opened and never closed")
                if end < stop and not text.startswith(delimiter, end):
                    raise _not_csv(name, number, f"{delimiter!r} expected after '\"'")
                fields.append(_Field(at, end, text[at + 1 : end - 1].replace('""', '"'), True))
            else:
                found = text.find(delimiter, at)
                end = stop if found < 0 else found
                fields.append(_Field(at, end, text[at:end], False))
            at = end + 1 if text.startswith(delimiter, end) else -1
        yield _Row(number, text, tuple(fields))
        number += count


def _until_closed(text: str, at: int, lines: Iterator[str]) -> tuple[str, int, int]:
    """The text with the lines that its quoted field goes on for, where that ends (0: nowhere), and their number."""
    look, more = at + 1, 0
    while True:
        found = text.find('"', look)
        if found < 0:
            line = next(lines, None)
            if line is None:
                return text, 0, more
            look, more = len(text), more + 1
            text += line
        elif text.startswith('"', found + 1):
            look = found + 2  # a doubled quote
        else:
            return text, found + 1, more


def _not_csv(name: str, line: int, problem: str) -> DataError:
    return DataError(
        f"{name}: line {line}: not CSV: {problem}\n"
        '  a text with a comma, quote or line end stands in quotes, a quote in it is doubled: ""'
    )
