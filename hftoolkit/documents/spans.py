"""Runs of text and marks as they stand in a document -> the text that is translated, and what stays around it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from hftoolkit.documents.pieces import Mark, Part, Text

_TAG = re.compile(r"<(?P<closes>/?)(?P<name>[A-Za-z][^\s/>.]*)(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?P<empty>/?)>")
_BLANKS = re.compile(r"[ \t\n\r\f]+")

WITHOUT_BLANKS = re.compile(
    "[\u2e80-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
"""Characters of Chinese and Japanese, which have no blanks between words; Korean has."""


@dataclass(frozen=True)
class Span:
    """A stretch of a document that is text or a mark."""

    start: int
    end: int
    part: Part

    partner: int | None = None
    """Of a mark that opens or closes: where the mark begins that closes or opens it; -1 where there is none."""

    loose: bool = False
    """Of a mark: whether it may stay outside where it comes first or last, as a comment may."""


def text_spans(start: int, text: str) -> Iterator[Span]:
    """Spans of a stretch of plain text, the blanks at its ends apart from the rest."""
    middle = text.strip(" \t\n\r\f")
    lead = len(text) - len(text.lstrip(" \t\n\r\f"))
    ends = sorted({0, lead, lead + len(middle), len(text)})
    for first, last in pairwise(ends):
        yield Span(start + first, start + last, text[first:last])


def paired(spans: Sequence[Span]) -> list[Span]:
    """The same spans, with every tag that opens or closes an element knowing its partner."""
    open_tags: list[tuple[str, int]] = []
    partners: dict[int, int] = {}
    for place, span in enumerate(spans):
        tag = _TAG.fullmatch(span.part.text) if isinstance(span.part, Mark) else None
        if tag is None or tag["empty"]:
            continue
        name = tag["name"].lower()
        partners[place] = -1
        if not tag["closes"]:
            open_tags.append((name, place))
            continue
        opened = next((at for at in range(len(open_tags) - 1, -1, -1) if open_tags[at][0] == name), None)
        if opened is not None:
            partner = open_tags[opened][1]
            del open_tags[opened:]
            partners[place], partners[partner] = spans[partner].start, span.start
    return [replace(span, partner=partners[place]) if place in partners else span for place, span in enumerate(spans)]


def inner(spans: Sequence[Span]) -> tuple[int, int]:
    """Which of the spans are the text, from one to before another; blanks and marks around all of it are not.

    A mark at an end that stands for a word, as code does, is part of the text.
    """
    first, last = 0, len(spans)
    while first < last:
        begin, end = spans[first].start, spans[last - 1].start
        if _outside(spans[first], begin, end):
            first += 1
        elif _outside(spans[last - 1], begin, end):
            last -= 1
        elif last - first > 1 and spans[first].partner == spans[last - 1].start:
            first, last = first + 1, last - 1
        else:
            break
    return first, last


def has_words(spans: Iterable[Span]) -> bool:
    """Whether there is any text that is not blank."""
    return any(isinstance(span.part, str) and not span.part.isspace() for span in spans)


def flowing(parts: Iterable[Part]) -> Text:
    """A text as people read it: a line end or several blanks are one blank, or none within Chinese and Japanese."""
    texts: list[Part] = []
    for part in parts:
        if isinstance(part, str) and texts and isinstance(texts[-1], str):
            texts[-1] += part
        elif part != "":
            texts.append(part)
    return tuple(_flowed(texts, place) if isinstance(part, str) else part for place, part in enumerate(texts))


def _outside(span: Span, begin: int, end: int) -> bool:
    if isinstance(span.part, str):
        return span.part.isspace()
    return span.loose or (span.partner is not None and not begin <= span.partner <= end)


def _flowed(parts: Sequence[Part], place: int) -> str:
    text = str(parts[place])

    def blank(found: re.Match[str]) -> str:
        if "\n" not in found.group() and "\r" not in found.group():
            return " "
        before = text[: found.start()] or _text_among(reversed(parts[:place]))
        after = text[found.end() :] or _text_among(parts[place + 1 :])
        wide = WITHOUT_BLANKS.match(before[-1:]) and WITHOUT_BLANKS.match(after[:1])
        return "" if wide else " "

    return _BLANKS.sub(blank, text)


def _text_among(parts: Iterable[Part]) -> str:
    return next((part.strip() for part in parts if isinstance(part, str) and not part.isspace()), "")
