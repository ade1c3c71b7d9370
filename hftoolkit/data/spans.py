"""Labelled parts of a text: how files say them, how rows hold them.

A row holds a list of ``"START END LABEL"``, in characters from 0, the end not included, in order and not overlapping:
``["0 12 person", "20 25 place of birth"]`` .
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

ADVICE: Final = (
    'a span is {"start": 0, "end": 5, "label": "ORG"} or [0, 5, "ORG"], in characters from 0, the end not included;'
    " spans do not overlap"
)
"""What to do about spans that cannot be used."""

_KEYS: Final = (("start", "start_offset"), ("end", "end_offset"), ("label", "type", "entity_group"))


@dataclass(frozen=True, order=True)
class Span:
    """A part of a text and what it is."""

    start: int
    """Number of its first character, from 0."""

    end: int
    """Number of the character after its last."""

    label: str
    """What it is; may have blanks in it."""

    @classmethod
    def read(cls, text: str) -> "Span":
        """A span as rows hold it.

        Raises:
            ValueError: If the text is none.
        """
        start, end, label = text.split(" ", 2)
        return cls(int(start), int(end), label)

    def __str__(self) -> str:
        return f"{self.start} {self.end} {self.label}"


def read_spans(values: Any, text: str) -> list[Span]:
    """Spans as files say them, in order; those that stand twice are one.

    Args:
        values: Objects with ``start``, ``end`` and ``label`` (or ``start_offset``, ``end_offset``, ``type``,
            ``entity_group``) and perhaps the ``text`` they stand for, lists of these three, or texts as rows hold them.
        text: What they are parts of.

    Raises:
        ValueError: If one is none of these, lies outside the text, holds nothing of it but white space, does not stand
            for the text it says, or overlaps another.
    """
    if not isinstance(values, list):
        raise ValueError(f"spans: expected a list, got {_shown(values)}")
    spans = sorted({_read(value, text) for value in values})
    for one, other in pairwise(spans):
        if other.start < one.end:
            raise ValueError(f"spans: {_told(one)} overlaps {_told(other)}")
    return spans


def _read(value: Any, text: str) -> Span:
    span, said = _parsed(value)
    if not 0 <= span.start <= span.end <= len(text):
        raise ValueError(f"spans: {_told(span)} lies outside the text, which has {len(text)} characters")
    found = text[span.start : span.end]
    if not found.strip():
        raise ValueError(f"spans: {_told(span)} holds no text")
    if said is not None and said != found:
        raise ValueError(f"spans: {_told(span)} is {found!r:.60} in the text, not {said!r:.60}")
    return span


def _parsed(value: Any) -> tuple[Span, str | None]:
    """A span, and the text that it is said to stand for."""
    said = None
    parts: Sequence[Any] = ()
    if isinstance(value, Mapping):
        parts = [next((value[key] for key in keys if key in value), None) for keys in _KEYS]
        said = value.get("text")
    elif isinstance(value, list):
        parts = value
    elif isinstance(value, str):
        with suppress(ValueError):
            span = Span.read(value)
            parts = [span.start, span.end, span.label]
    if len(parts) != 3 or not all(type(part) is int for part in parts[:2]) or not _is_label(parts[2]):
        raise ValueError(f"spans: expected start, end and label, got {_shown(value)}")
    return Span(*parts), said if isinstance(said, str) else None


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _told(span: Span) -> str:
    return f"{span.label!r} from {span.start} to {span.end}"


def _shown(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=False, default=str):.60}"
