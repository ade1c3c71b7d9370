"""Values of roles that are more than a text, brought into one form and checked, whatever file they come from."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from hftoolkit.data.messages import ADVICE as ADVICE_FOR_MESSAGES
from hftoolkit.data.messages import read_conversation
from hftoolkit.data.sources.answers import ADVICE as ADVICE_FOR_ANSWERS
from hftoolkit.data.sources.answers import read_answers
from hftoolkit.data.sources.reading import BadRows, Raw, Reading, told
from hftoolkit.data.spans import ADVICE as ADVICE_FOR_SPANS
from hftoolkit.data.spans import read_spans

_LARGEST = (2 - 2**-23) * 2.0**127
"""Number that 32 bits hold, as models need it."""

_ADVICE_FOR_LABELS = "a label is a text or a number; several of one text are a list:  columns: {labels: COLUMN}"
_ADVICE_FOR_NUMBERS = "map the column that has a number in every row:  columns: {number: COLUMN}"
_ADVICE_FOR_WORDS = 'words and tags are lists of equal length:  {"words": ["Paris", "."], "tags": ["B-LOC", "O"]}'


def uniform(raws: Iterator[Raw], reading: Reading) -> Iterator[Raw]:
    """Rows as `hftoolkit.data.roles` describes them.

    Raises:
        DataError: For all rows of a file at once whose values cannot be read so.
    """
    roles = set(reading.roles)
    if roles == {"text"}:
        return _each(raws, _document, BadRows(""), reading)
    if "messages" in roles:
        return _each(raws, _messages, BadRows(ADVICE_FOR_MESSAGES), reading)
    if {"text", "spans"} <= roles:
        return _each(raws, _spans, BadRows(ADVICE_FOR_SPANS), reading)
    if {"context", "answers"} <= roles:
        return _each(raws, _answers, BadRows(ADVICE_FOR_ANSWERS), reading)
    if roles & {"label", "labels"}:
        return _each(raws, _labels, BadRows(_ADVICE_FOR_LABELS), reading)
    if "number" in roles:
        return _each(raws, _number, BadRows(_ADVICE_FOR_NUMBERS), reading)
    return _each(raws, _words, BadRows(_ADVICE_FOR_WORDS), reading) if "words" in roles else raws


_Read = Callable[[dict[str, Any], str, Reading], dict[str, Any]]
"""Makes a row from one as it is in a file; raises ValueError."""


def _each(raws: Iterator[Raw], read: _Read, bad: BadRows, reading: Reading) -> Iterator[Raw]:
    for raw, place, number in raws:
        where = told(place, number)
        try:
            row = read(raw, where, reading)
        except ValueError as error:
            bad.add(where, str(error))
        else:
            yield row, place, number
    bad.check()


def _document(row: dict[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    """A text of several parts, such as a title and a list of paragraphs, as the lines of one."""
    parts = row["text"]
    if not isinstance(parts, list):
        return row
    lines = [line for part in parts for line in (part if isinstance(part, list) else [part])]
    if not all(isinstance(line, str) for line in lines):
        return row
    reading.count("texts of several parts, which become lines", where)
    return {"text": "\n".join(lines)}


def _messages(row: dict[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    return {"messages": [str(message) for message in read_conversation(row)]}


def _labels(row: dict[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    found = dict(row)
    if found.get("label") is not None:
        found["label"] = _label(found["label"])
    if (several := found.get("labels")) is not None:
        values = several if isinstance(several, list) else [several]
        found["labels"] = [text for text in map(_label, values) if text.strip()]
    return found


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int) or (isinstance(value, float) and not math.isnan(value)):
        return str(value).strip()
    raise ValueError(f"label: expected a text or a number, got {value!r:.40}")


def _number(row: dict[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    value = row["number"]
    if value is None or (isinstance(value, str) and not value.strip()):
        return row
    try:
        if isinstance(value, bool) or not abs(float(value)) <= _LARGEST:  # nan is not
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"number: expected a number, got {value!r:.40}") from None
    return {**row, "number": str(value).strip()}


def _words(row: dict[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    found = {role: _texts(role, value) if role in ("words", "tags") else value for role, value in row.items()}
    words, tags = found["words"], found.get("tags")
    if words is not None and tags is not None and len(words) != len(tags):
        raise ValueError(f"{len(words)} words, but {len(tags)} tags")
    return found


def _texts(role: str, values: Any) -> list[str] | None:
    if values is None:
        return None
    if not isinstance(values, list):
        raise ValueError(f"{role}: expected a list of texts, got {values!r:.40}")
    for value in values:
        if not isinstance(value, str) and (type(value) is not int or role != "tags"):
            raise ValueError(f"{role}: expected texts, got {value!r:.40}")
    return [str(value) for value in values]  # tags may be numbers of labels


def _spans(row: dict[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    if row["spans"] is None or not isinstance(row["text"], str):
        return row
    spans = read_spans(row["spans"], row["text"])
    if len(spans) < len(row["spans"]):
        reading.count("rows in which a span stands twice", where)
    return {**row, "spans": [str(span) for span in spans]}


def _answers(row: dict[str, Any], where: str, reading: Reading) -> dict[str, Any]:
    found = {"starts": None, **row}
    if row["answers"] is not None and isinstance(row["context"], str):
        found["answers"], found["starts"], counted = read_answers(row["answers"], row.get("starts"), row["context"])
        for text in counted:
            reading.count(text, where)
    return {role: found[role] for role in reading.roles}
