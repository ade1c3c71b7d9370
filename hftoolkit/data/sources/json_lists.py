"""A JSON document that is one list of objects, read object by object: memory does not grow with the file."""

import json
from collections.abc import Iterator
from io import TextIOBase
from pathlib import Path
from typing import Any, Final

from hftoolkit.data.sources.columns import missing_column, names_in, row_of, wanted_names
from hftoolkit.data.sources.files import opened
from hftoolkit.data.sources.json_mistakes import check_depth, mistake
from hftoolkit.data.sources.lines import decoded
from hftoolkit.data.sources.reading import BadRows, Raw, Reading, told
from hftoolkit.errors import DataError

_ADVICE: Final = "expected objects in braces with a value for every role, null where there is none"
_PIECE: Final = 1 << 16
"""Characters read at once."""


def is_list(path: Path) -> bool:
    """Whether a file begins like such a document; JSON lines, which may have the same name, are objects."""
    with opened(path) as file:
        return file.read(_PIECE).decode("utf-8-sig", "replace").lstrip().startswith("[")


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of a list of objects; a column is a key, or a dotted path such as ``translation.en``."""
    names = wanted_names(reading.source, reading.roles)
    bad = BadRows(_ADVICE)
    place = f"{path}: ["
    first = True
    for number, record in enumerate(_values(path, reading)):
        if not isinstance(record, dict):
            bad.add(told(place, number), f"expected an object in braces, got {json.dumps(record):.40}")
            continue
        try:
            row = row_of(record, names)
        except KeyError as error:
            if first:
                raise missing_column(str(path), error.args[0], names, names_in(record)) from None
            bad.add(told(place, number), f"no {error.args[0]!r}")
            continue
        first = False
        yield row, place, number
    bad.check()


def _values(path: Path, reading: Reading) -> Iterator[Any]:
    """The values of the list, one after the other."""
    scan = json.JSONDecoder().raw_decode
    with decoded(path, reading.source.encoding, reading) as text:
        rest = _skipped(text.read(_PIECE), text)
        if not rest.startswith("["):
            raise _broken(path, f"expected a list in brackets, got {rest[:40]!r}")
        rest = _skipped(rest[1:], text)
        number = 0
        while not rest.startswith("]"):
            if number and not rest.startswith(","):
                raise _broken(
                    path, f"behind [{number - 1}]: expected a comma or the end of the list, got {rest[:20]!r}"
                )
            rest = _skipped(rest[bool(number) :], text)
            while True:
                try:
                    value, end = scan(rest)
                    break
                except (ValueError, RecursionError) as error:
                    more = text.read(max(_PIECE, len(rest)))
                    if not more:
                        raise _broken(path, f"[{number}]: {mistake(error, rest)}") from error
                    rest += more
            try:
                check_depth(value, rest[:end])
            except ValueError as error:
                raise _broken(path, f"[{number}]: {error}") from error
            yield value
            rest, number = _skipped(rest[end:], text), number + 1
        if behind := _skipped(rest[1:], text):
            raise _broken(path, f"expected nothing behind the list, got {behind[:20]!r}")


def _skipped(rest: str, text: TextIOBase) -> str:
    """What is left behind blanks; nothing only where the file ends."""
    while not (rest := rest.lstrip()) and (more := text.read(_PIECE)):
        rest = more
    return rest


def _broken(path: Path, message: str) -> DataError:
    return DataError(f"{path}: not a JSON list: {message}\n  copy the file again, or say:  format: jsonl")
