r"""Tables of text: TSV, where a tab always separates, and CSV, where fields may stand in quotes.

TSV has no quoting: in the wild a quote there is just a quote (MRPC and SST-2 have unbalanced ones).
CSV has, with line ends inside quoted fields; it may be separated by semicolons, as spreadsheets in Europe write it.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hftoolkit.data.census import Census
from hftoolkit.data.sources.columns import missing_column, present, there, wanted
from hftoolkit.data.sources.lines import BadLines, bare, read_lines
from hftoolkit.data.sources.reading import Raw, Reading
from hftoolkit.errors import DataError

Fields = Iterator[tuple[int, list[str]]]
"""Number of a row's first line, and its fields."""

_LONGEST_FIELD = 2**31 - 1  # characters; csv's own limit is 131,072


def read_tsv(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of a TSV file, by the names in its header, or by column numbers where it has none."""
    bad = BadLines(path, "a tab separates columns and cannot stand in a text; quoted fields need  format: csv")
    return _read(_tab_separated(read_lines(path, reading.source.encoding, reading)), path, reading, bad)


def read_csv(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of a CSV file, by the names in its header, or by column numbers where it has none."""
    bad = BadLines(path, 'a text with a comma, quote or line end stands in quotes, a quote in it is doubled: ""')
    return _read(_quoted(read_lines(path, reading.source.encoding, reading), path, reading, bad), path, reading, bad)


def _read(fields: Fields, path: Path, reading: Reading, bad: BadLines) -> Iterator[Raw]:
    census = reading.census
    number, head = _first(fields, census)
    columns = there(wanted(reading.source, reading.roles), head)
    numbers = [each for column in columns.values() for each in (column if isinstance(column, list) else [column])]
    if not head:
        bad.check()
        raise DataError(f"{path}: is empty\n  expected columns for: {', '.join(reading.roles)}")
    if all(isinstance(each, int) for each in numbers):
        positions = _by_number(path, columns, len(head))
        yield _row(head, positions), f"{path}: line", number
    elif any(isinstance(each, int) for each in numbers):
        pairs = ", ".join(f"{role}: {number}" for number, role in enumerate(reading.roles, 1))
        raise DataError(
            f"{path}: columns: some by name, some by number\n"
            f"  without a header give every role a number:  columns: {{{pairs}}}"
        )
    else:
        positions = _by_name(path, columns, head)
    yield from _rows(fields, positions, len(head), f"{path}: line", census, bad)
    bad.check()


def _first(fields: Fields, census: Census) -> tuple[int, list[str]]:
    for number, row in fields:
        if row:
            return number, row
        census.drop("blank line")
    return 0, []


def _rows(
    fields: Fields, positions: dict[str, int | list[int]], width: int, place: str, census: Census, bad: BadLines
) -> Iterator[Raw]:
    simple = [(role, position) for role, position in positions.items() if isinstance(position, int)]
    lists = len(simple) < len(positions)
    for number, row in fields:
        if len(row) == width:
            yield (_row(row, positions) if lists else {role: row[at] for role, at in simple}), place, number
        elif row:
            bad.add(number, f"{len(row)} {'column' if len(row) == 1 else 'columns'}, expected {width}")
        else:
            census.drop("blank line")


def _row(fields: list[str], positions: dict[str, int | list[int]]) -> dict[str, Any]:
    return {
        role: fields[position] if isinstance(position, int) else present([fields[each] for each in position])
        for role, position in positions.items()
    }


def _tab_separated(lines: Iterator[str]) -> Fields:
    for number, line in enumerate(lines, 1):
        text = bare(line)
        yield number, text.split("\t") if text else []


def _quoted(lines: Iterator[str], path: Path, reading: Reading, bad: BadLines) -> Fields:
    first = next(lines, "")
    delimiter = next((each for each in ",;\t" if each in first), ",")
    if delimiter != ",":
        reading.note(path, f"is separated by {'semicolons' if delimiter == ';' else 'tabs'}")
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(_again(first, lines), delimiter=delimiter, strict=True)
    number = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            bad.add(number, f"not CSV: {error}")
        else:
            yield number, row
        number = reader.line_num + 1


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _by_number(path: Path, columns: dict[str, Any], width: int) -> dict[str, int | list[int]]:
    for role, column in columns.items():
        for number in column if isinstance(column, list) else [column]:
            if number > width:
                raise DataError(
                    f"{path}: columns: {role}: no column {number}; the first line has {width}\n"
                    "  columns count from 1; a tab separates them in a TSV, a comma in a CSV"
                )
    return {
        role: [number - 1 for number in column] if isinstance(column, list) else column - 1
        for role, column in columns.items()
    }


def _by_name(path: Path, columns: dict[str, Any], header: list[str]) -> dict[str, int | list[int]]:
    for column in columns.values():
        for name in column if isinstance(column, list) else [column]:
            if name not in header:
                raise missing_column(str(path), name, columns, header)
            if header.count(name) > 1:
                raise DataError(f"{path}: {header.count(name)} columns are named {name!r}\n  give each its own name")
    return {
        role: [header.index(name) for name in column] if isinstance(column, list) else header.index(column)
        for role, column in columns.items()
    }
