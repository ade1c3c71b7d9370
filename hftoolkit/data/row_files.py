"""Sources -> the files of a folder of rows: every row checked, filtered and counted as it goes by."""

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftoolkit.data import sources as readers
from hftoolkit.data.census import Census
from hftoolkit.data.filters import reasons
from hftoolkit.data.keys import content_of, first_occurrences, key_of
from hftoolkit.data.roles import KINDS
from hftoolkit.data.sources.formats import name_of
from hftoolkit.data.sources.reading import Raw, told
from hftoolkit.data.tables import write_table
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Filters, Languages, Source


@dataclass(frozen=True)
class Wanted:
    """Which rows, and of them what."""

    sources: Sequence[Source]
    """Where they come from, in order."""

    inputs: Sequence[str]
    """Roles that are given to a model."""

    answers: Sequence[str]
    """Roles that are expected from it."""

    filters: Filters | None
    """Rows to drop besides those with an empty side; None: no others."""

    languages: Languages | None
    """Those of a translation."""


@dataclass(frozen=True)
class _Keys:
    """What is known of the rows written so far: 22 bytes a row."""

    rows: "array[int]"
    inputs: "array[int]"
    sources: "array[int]"
    lines: "array[int]"
    places: list[tuple[str, int]]
    """What the places of rows begin with, such as ``train.tsv: line``, and the number of the first such row."""

    files: list[tuple[str, int]]
    """Every file's name, and the number of its first row."""


def write_rows(wanted: Wanted, folder: Path) -> None:
    """Read rows, and write those that qualify, with arrays about them and the census of each source, into a folder.

    Raises:
        DataError: If a source cannot be read, a value is not text, or no row is left.
        HubError: If a hub data set cannot be had.
        OSError: If the folder cannot be written.
    """
    sources, filters = wanted.sources, wanted.filters
    keys = _Keys(array("Q"), array("Q"), array("H"), array("I"), [], [])
    census = [Census(name_of(source)) for source in sources]
    write_table(folder / "rows.arrow", _kept(wanted, census, keys), known=KINDS)
    _check_left(census)
    np.save(folder / "inputs.npy", np.frombuffer(keys.inputs, dtype=np.uint64))
    np.save(folder / "lines.npy", np.frombuffer(keys.lines, dtype=np.uintc))
    keys.inputs[:], keys.lines[:] = array("Q"), array("I")  # room for the search for duplicates
    if filters is not None and filters.duplicates:
        first = first_occurrences(np.frombuffer(keys.rows, dtype=np.uint64))
        later = np.bincount(np.frombuffer(keys.sources, dtype=np.uint16)[~first], minlength=len(sources))
        for one, count in zip(census, later.tolist(), strict=True):
            one.kept -= count
            one.dropped |= {"duplicate": count} if count else {}
        numbers = np.flatnonzero(first)
    else:
        numbers = np.arange(len(keys.rows), dtype=np.int64)
    np.save(folder / "numbers.npy", numbers)
    np.save(folder / "rows.npy", np.frombuffer(keys.rows, dtype=np.uint64))
    np.save(folder / "sources.npy", np.frombuffer(keys.sources, dtype=np.uint16))
    with open(folder / "files.json", "w", encoding="utf-8") as file:
        json.dump(keys.files, file)
    with open(folder / "places.json", "w", encoding="utf-8") as file:
        json.dump(keys.places, file)
    with open(folder / "census.json", "w", encoding="utf-8") as file:
        json.dump([asdict(one) for one in census], file)


def _kept(wanted: Wanted, census: Sequence[Census], keys: _Keys) -> Iterator[dict[str, Any]]:
    """Rows that qualify, duplicates included; counts them, and adds to the keys, as they go by."""
    roles = (*wanted.inputs, *wanted.answers)
    width = len(wanted.inputs)
    reason_of = reasons(wanted.filters, roles)
    kinds: dict[str, type] = {}
    for number, (source, counts) in enumerate(zip(wanted.sources, census, strict=True)):
        for row, place, line in _raws(readers.read(source, roles, counts, wanted.languages), keys):
            for role, value in row.items():
                if (type(value) is not str or kinds.get(role) is not str) and role not in KINDS:
                    _check_kind(role, value, kinds, told(place, line), several=role in wanted.answers)
            values = list(row.values())
            reason = reason_of(values)
            if reason:
                counts.drop(reason)
                continue
            try:
                given = content_of(values[:width])
                content = given + b"\xff" + content_of(values[width:])
            except UnicodeEncodeError:
                raise DataError(
                    f"{told(place, line)}: half of a surrogate pair is no character\n"
                    "  write the character itself, or both halves"
                ) from None
            counts.read += 1
            counts.kept += 1
            if not keys.places or keys.places[-1][0] != place:
                keys.places.append((place, len(keys.rows)))
            keys.lines.append(line)
            keys.rows.append(key_of(content))
            keys.inputs.append(key_of(given))
            keys.sources.append(number)
            yield row


def _raws(files: Iterator[tuple[str, Iterator[Raw]]], keys: _Keys) -> Iterator[Raw]:
    """The rows of all files; notes where the kept ones of each begin."""
    for name, raws in files:
        keys.files.append((name, len(keys.rows)))
        yield from raws


def _check_kind(role: str, value: Any, kinds: dict[str, type], place: str, *, several: bool) -> None:
    """Refuse what is no text, and lists where one is meant or other rows have single texts; ``kinds`` remembers what
    those have."""
    if value is None:
        return
    if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        shown = json.dumps(value, ensure_ascii=False, default=str)
        raise DataError(f"{place}: {role}: expected text, got {shown:.60}\n  put it in quotes, or map another column")
    kind = list if isinstance(value, list) else str
    if kind is list and not several:
        raise DataError(
            f"{place}: {role}: a list of texts, expected a single one\n"
            "  only what is expected of a model may be said in several ways, such as references"
        )
    if kinds.setdefault(role, kind) is not kind:
        found, before = ("a list of texts", "single texts") if kind is list else ("a single text", "lists of texts")
        raise DataError(
            f"{place}: {role}: {found}, where the rows before have {before}\n"
            "  write it the same way in all rows of all sources: several texts are several references"
        )


def _check_left(census: Sequence[Census]) -> None:
    if any(one.kept for one in census):
        return
    dropped: dict[str, int] = {}
    for one in census:
        for reason, count in one.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    found = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
    raise DataError(
        f"{' + '.join(one.name for one in census)}: no row is left of {sum(one.read for one in census)} read"
        + (f" ({found})" if found else "")
        + "\n  check that the right columns are mapped to the roles, and the recipe's data.filters"
    )
