"""A file of rows in, a file of predictions out: one for every row, in order, complete or not there."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from hftoolkit.data import sources
from hftoolkit.data.census import Census
from hftoolkit.data.keys import content_of
from hftoolkit.data.roles import KINDS
from hftoolkit.data.sources.formats import format_of_file
from hftoolkit.data.sources.lines import bare, read_lines
from hftoolkit.data.sources.reading import Reading, told
from hftoolkit.errors import DataError, OutputError, UsageError
from hftoolkit.predicting import Given, Opened, answered
from hftoolkit.recipe.schema import Format, Source

_ENDINGS: Final = {".jsonl": "jsonl", ".csv": "csv", ".tsv": "tsv"}
"""Formats of predictions, by the end of the file's name."""

_BY_ID: Final = ".json"
"""End of the name of answers to questions by the questions' ids, as the scripts of SQuAD and CMRC read them."""

_WORDS: Final = ".conll"
"""End of the name of tagged words, one a line."""

_ENDINGS_OF: Final = {"question_answering": _BY_ID, "ner": _WORDS}
"""Further ends, by task."""

_HERE: Final = {
    "columns: {": "name it here:   --column ROLE=COLUMN, as in --column text=sentence",
    "encoding: gb18030": "save it as UTF-8 first",
}
"""What to do, by what a recipe would do."""

_NOTHING: Final[tuple[str, list[str]]] = ("", [])
"""Stands for a text that is not there, and for a list."""


@dataclass
class Account:
    """What should be said when all is predicted, besides the engine's own notes."""

    rows: int = 0

    blank: int = 0
    """Rows without any text."""

    notes: list[str] = field(default_factory=list)
    """What the reader of the file says."""


@dataclass(frozen=True)
class Wishes:
    """How a file is read, and what is written of it."""

    columns: Mapping[str, str | int] = field(default_factory=dict)
    """Role to column: its name, or its number from 1; left out: named like the role."""

    keep: Sequence[str] = ()
    """Columns that are written beside the predictions as they are, each ``COLUMN``, or ``NAME=COLUMN`` where it is to
    have another name there."""

    format: Format | None = None
    """Format of the file; None: told by its name, a text a line where that tells nothing."""

    top_k: int = 1
    """Answers for every row."""


def predict_file(opened: Opened, file: Path, output: Path, wishes: Wishes, *, overwrite: bool = False) -> Account:
    """Predict for every row of a file, and write a table or JSON lines, as the name of ``output`` ends.

    Answers to questions that have ids may be written as ``{"ID": "ANSWER", ...}``, for the scripts of SQuAD and CMRC.

    Args:
        opened: The model.
        file: What to predict from: a text a line, or a table of a format that recipes take.
        output: Ends in ``.jsonl``, ``.csv`` or ``.tsv``; of answers to questions also in ``.json``, of tagged words
            in ``.conll``.
        wishes: What is read, and what is written.
        overwrite: Replace ``output``.

    Raises:
        UsageError: If ``output`` ends in something else, or is the file itself.
        DataError: If the file cannot be read.
        OutputError: If ``output`` cannot be written, or is there already.
    """
    ending = output.suffix.lower()
    known = [*_ENDINGS, *(end for task, end in _ENDINGS_OF.items() if task == opened.task.name())]
    if ending not in known:
        raise UsageError(f"{output}: expected a name that ends in {', '.join(known)}\n  choose one of them")
    if output.exists() and not overwrite:
        raise OutputError(f"{output}: exists already\n  choose another name, or replace it:  --overwrite")
    if output.exists() and output.samefile(file):
        raise UsageError(f"{output}: would be written while it is read\n  choose another name for what is written")
    account = Account()
    if ending == _BY_ID:
        written = _by_id(predictions(opened, file, replace(wishes, keep=["id"]), account))
    else:
        records = predictions(opened, file, wishes, account)
        whole = {".jsonl": _lines, _WORDS: _words}.get(ending)
        written = whole(records) if whole else _table(records, _ENDINGS[ending])
    with _whole(output) as target:
        for line in written:
            target.write(line.encode(errors="backslashreplace"))
    return account


def predictions(opened: Opened, file: Path, wishes: Wishes, account: Account) -> Iterator[dict[str, Any]]:
    """What is given and predicted for every row of a file, as values that JSON knows.

    Args:
        opened: The model.
        file: What to predict from.
        wishes: How it is read, and what is wanted.
        account: Counts along.

    Raises:
        DataError: If the file cannot be read.
    """
    form = wishes.format or format_of_file(file)
    if form is None or form == "text":
        return recorded(opened, _texts(opened, file, account), wishes.top_k, account)
    roles = opened.task.asked_in(form, wishes.columns)
    return recorded(opened, _rows(roles, file, wishes, form, account), wishes.top_k, account, roles)


def recorded(
    opened: Opened, rows: Iterable[Given], top_k: int, account: Account, roles: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The same for rows that are at hand, as they come; ``roles`` as for `answered`."""
    roles = roles or opened.task.asked
    with _bar() as bar:
        for row, record in answered(opened, rows, top_k, roles=roles):
            if clash := next((name for name in row if name in record and name not in roles), None):
                raise UsageError(
                    f"--keep: predictions have a column '{clash}' of their own\n"
                    f"  give that of the file another name:   --keep given_{clash}={clash}"
                )
            account.rows += 1
            account.blank += not any("".join(row[role]).strip() for role in roles)
            bar.update(1)
            yield {**row, **record}
    if account.blank:
        few = "1 row is" if account.blank == 1 else f"{account.blank:,} rows are"
        account.notes.append(f"{few} blank: what is predicted there means nothing")


def _texts(opened: Opened, file: Path, account: Account) -> Iterator[Given]:
    """The lines of a file."""
    asked = opened.task.asked
    if len(asked) != 1:
        raise DataError(
            f"{file}: has a text a line, but this model reads {' and '.join(asked)}\n"
            "  give a table that has them as columns: .jsonl, .csv or .tsv"
        )
    reading = Reading(Source(source=str(file)), asked, None, Census(str(file)))
    with _advised():
        for line in read_lines(file, None, reading):
            yield {asked[0]: bare(line)}
    reading.finish()
    account.notes += reading.census.notes


def _rows(asked: Sequence[str], file: Path, wishes: Wishes, form: Format, account: Account) -> Iterator[Given]:
    """The rows of a table."""
    for role in wishes.columns:
        if role not in asked:
            raise UsageError(f"--column: this model has no role '{role}'\n  it reads: {', '.join(asked)}")
    kept = {name: column for name, column in map(_named, wishes.keep) if name not in asked}
    source = Source(source=str(file), columns={**wishes.columns, **kept}, format=form)
    census = Census(str(file))
    with _advised():
        yield from _read(source, asked, kept, census)
    account.notes += census.notes
    account.notes += [f"{file}: left out: {count:,} {reason}" for reason, count in census.dropped.items()]


def _read(source: Source, asked: Sequence[str], kept: Iterable[str], census: Census) -> Iterator[Given]:
    for _, raws in sources.read(source, [*asked, *kept], census):
        for row, place, number in raws:
            for role in asked:
                if row[role] is not None and not isinstance(row[role], str) and role not in KINDS:
                    raise DataError(
                        f"{told(place, number)}: {role}: expected text, got {row[role]!r:.60}\n"
                        "  put it in quotes, or map another column"
                    )
            given = {role: row[role] or _NOTHING[role in KINDS] for role in asked}
            try:
                content_of(given.values())
            except UnicodeEncodeError:
                raise DataError(
                    f"{told(place, number)}: half of a surrogate pair is no character\n"
                    "  write the character itself, or both halves"
                ) from None
            yield {name: row[name] for name in kept} | given


@contextmanager
def _advised() -> Iterator[None]:
    """Say what to do about a file that no recipe names."""
    try:
        yield
    except DataError as error:
        found, _, last = str(error).rpartition("\n  ")
        advice = next((advice for part, advice in _HERE.items() if part in last), None)
        if advice is None:
            raise
        raise DataError(f"{found}\n  {advice}") from error


def _named(wish: str) -> tuple[str, str | int]:
    """The name of a kept column, and the column."""
    name, renamed, column = wish.partition("=")
    return name, (int(column) if column.isdecimal() else column) if renamed else name


def _lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _words(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A word and its tag a line, a blank line after every sentence."""
    for record in records:
        yield "".join(map(_tsv_line, zip(record["words"], record["tags"], strict=True))) + "\n"


def _by_id(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    between = "{"
    for record in records:
        yield f"{between}\n  {json.dumps(str(record['id']))}: {json.dumps(record['answer'], ensure_ascii=False)}"
        between = ","
    yield "{}\n" if between == "{" else "\n}\n"


def _table(records: Iterable[Mapping[str, Any]], form: str) -> Iterator[str]:
    """A header and a line for every record; what is neither text nor a number is written as JSON."""
    write = _csv_line if form == "csv" else _tsv_line
    for number, record in enumerate(records):
        if not number:
            yield write(list(record))
        yield write([_cell(value) for value in record.values()])


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _tsv_line(cells: Sequence[str]) -> str:
    """Cells between tabs; tabs and line ends within them, which cannot be told from those, become blanks."""
    return "\t".join(" ".join(cell.replace("\t", " ").splitlines()) for cell in cells) + "\n"


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is there when all of it is written.

    Raises:
        OutputError: If it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror}\n  free some space, or write elsewhere"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _bar() -> Any:
    """Rows per second on standard error, for people who watch."""
    from tqdm import tqdm

    return tqdm(unit=" rows", unit_scale=True, disable=not sys.stderr.isatty(), mininterval=0.5, leave=False)
