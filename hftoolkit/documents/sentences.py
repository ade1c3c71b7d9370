"""A text -> its sentences and what lies between them, and back.

Sentences are found by sentencex. What lies between two is white space, and the markers of lists and quotations at the
beginning of a line: it comes back byte for byte. A line break within a paragraph ends a sentence unless the lines look
wrapped: the next one goes on in small letters, or the one before it is long.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import sentencex  # type: ignore[import-untyped]

from hftoolkit.documents.marks import CLOSE, ends_line, is_word, joined, roles
from hftoolkit.documents.pieces import Mark, Part, Text
from hftoolkit.documents.scripts import is_unspaced
from hftoolkit.errors import UsageError
from hftoolkit.languages import normalise

_MARK = "\ufffc"  # one character for every mark, so that no border falls into one
_WORD = "Item"  # what sentencex sees of a mark that stands for a word; of other marks it sees nothing
_BLANK_LINE = "\n\n"
_MARK_AS_MEASURED = " X99 "

_LINE_BREAK = re.compile(r"(?<![ \t])[ \t]*(\r\n|[\r\n\x0b\x0c\x85\u2028\u2029])([ \t]*)")
_BREAKS = "\r\n\x0b\x0c\x85\u2028\u2029"
_MARKER = re.compile(r"(?:(?:[-*+•‣◦▪■●·–—>]|#{1,6}|\(?\d{1,3}[.)]|\(?[A-Za-z]\)|[①-⑳]|\[[ xX]\])[ \t\u3000]+)+(?=\S)")
_AT_ONCE = 4096  # characters
_WRAPPED = 60  # columns from which on a line may have been wrapped

_MOST = 5  # tokens of a character: its bytes in UTF-8, or a mark as it is measured
_CLAUSE = re.compile(r"[,;:!?)](?=\s)|[，；：、。！？）」』】》…—]+|\s[–-](?=\s)")
_BLANK = re.compile(r"\s")
_JOINERS = "\u200d\ufe0e\ufe0f"

_WIDE_ENDS = frozenset("。！？；：，、）」』】》〉〕｡")


class Sentence(NamedTuple):
    """A sentence, or a part of a line that was too long."""

    text: Text
    """Without white space at its ends; empty where a text begins with something that is no sentence."""

    between: str
    """What lies between it and the next one."""


def split(
    text: Text | str, language: str, longest: int | None = None, measure: Callable[[str], int] = len
) -> list[Sentence]:
    """Cut a text into sentences; put together they are the text.

    Args:
        text: Text with or without marks; none of them is cut.
        language: The text's, such as ``en``.
        longest: How much a sentence may measure; longer ones are cut further, between clauses, words or characters.
        measure: How much a text measures, as in tokens; at most its bytes.
    """
    parts = joined((text,) if isinstance(text, str) else text)
    shown = "".join(part if isinstance(part, str) else _MARK for part in parts)
    marks = _places(parts)
    borders = _borders(parts, marks, _code(language)) if marks else _visible_borders(shown, _code(language))
    found: list[Sentence] = []
    end = 0
    for sentence in _ranges(shown, borders):
        for start, stop in _cut(shown, *sentence, longest, measure):
            if start > end:
                before = found.pop().text if found else ()
                found.append(Sentence(before, shown[end:start]))
            found.append(Sentence(_with_marks(shown, start, stop, marks), ""))
            end = stop
    if end < len(shown):
        before = found.pop().text if found else ()
        found.append(Sentence(before, shown[end:]))
    return found


def join(sentences: Iterable[tuple[Text, str]]) -> Text:
    """Translated sentences with what was between them.

    Behind Chinese and Japanese punctuation, which has its blank within it, a single blank is dropped.

    Args:
        sentences: Each one's text, and what lies between it and the next.
    """
    all_of_them = list(sentences)
    parts: list[Part] = []
    for number, (text, between) in enumerate(all_of_them, 1):
        dropped = between == " " and number < len(all_of_them) and _ends_wide(text)
        parts += [*text, "" if dropped else between]
    return joined(parts)


def _places(parts: Text) -> dict[int, Mark]:
    """Marks by their places, where every mark counts as one character."""
    found = {}
    place = 0
    for part in parts:
        if isinstance(part, Mark):
            found[place] = part
        place += len(part) if isinstance(part, str) else 1
    return found


def _borders(parts: Text, marks: dict[int, Mark], code: str) -> list[int]:
    """Where sentences begin, as places where every mark counts as one character."""
    visible: list[str] = []
    places: list[int] = []  # of every visible character
    hidden = set()  # places of marks of which nothing is visible
    place = 0
    for part in parts:
        if isinstance(part, str):
            visible.append(part)
            places += range(place, place + len(part))
            place += len(part)
            continue
        shape = _WORD if is_word(part.text) else _BLANK_LINE if ends_line(part.text) else ""
        visible.append(shape)
        places += [place] * len(shape)
        if not shape:
            hidden.add(place)
        place += 1
    closing = {place for place, (role, _) in zip(marks, roles(marks.values()), strict=True) if role == CLOSE}
    borders = []
    for border in _visible_borders("".join(visible), code):
        # Of tags between two sentences, those that close something belong to the first one.
        last = first = places[border]
        while first - 1 in hidden:
            first -= 1
        borders.append(max((each + 1 for each in range(first, last) if each in closing), default=first))
    return borders


def _visible_borders(text: str, code: str) -> list[int]:
    """Where sentences begin, the first one apart."""
    borders = set()
    end = 0
    for segment in _segments(text, code):
        end += len(segment)
        if 0 < end < len(text) and _is_border(text[end - 1], text[end]):
            borders.add(end)
    borders.update(
        each.end() for each in _LINE_BREAK.finditer(text) if each.end() < len(text) and not _is_wrapped(text, each)
    )
    return sorted(borders)


def _segments(text: str, code: str) -> Iterator[str]:
    """The segments of sentencex, whose time grows with the square of a text that opens quotes and closes none."""
    start = 0
    while len(text) - start > _AT_ONCE:
        *found, last = sentencex.segment(code, text[start : start + _AT_ONCE])
        for segment in found or [last]:  # the last one may go on
            start += len(segment)
            yield segment
    yield from sentencex.segment(code, text[start:])


def _is_border(before: str, after: str) -> bool:
    """Whether two characters may be of two sentences: not those of ``asyncio.Task``."""
    return before.isspace() or after.isspace() or not before.isascii() or is_unspaced(after)


def _is_wrapped(text: str, line_break: re.Match[str]) -> bool:
    """Whether a sentence goes on behind a line break."""
    line = text[max(0, line_break.start() - 2 * _WRAPPED) : line_break.start()]
    line = re.split(f"[{_BREAKS}]", line)[-1]
    following = text[line_break.end()]
    if line_break[1] not in ("\n", "\r\n", "\r") or line_break[2] or not line or following in _BREAKS:
        return False
    if line.endswith((":", "：")) or _MARKER.match(text, line_break.end()):
        return False
    return following.islower() or sum(1 + is_unspaced(each) for each in line) >= _WRAPPED


def _ranges(shown: str, borders: list[int]) -> Iterator[tuple[int, int]]:
    """Beginning and end of every sentence, without what lies between them."""
    start = 0
    for border in (*borders, len(shown)):
        sentence = shown[start:border]
        begun, stop = start + len(sentence) - len(sentence.lstrip()), start + len(sentence.rstrip())
        if begun < stop:
            line = begun
            while line and shown[line - 1] in " \t":
                line -= 1
            marker = _MARKER.match(shown, begun) if not line or shown[line - 1] in _BREAKS else None
            begun = marker.end() if marker else begun
            if begun < stop:
                yield begun, stop
        start = max(border, begun)


def _cut(
    shown: str, start: int, stop: int, longest: int | None, measure: Callable[[str], int]
) -> Iterator[tuple[int, int]]:
    """A sentence, or the parts of one that is too long."""

    def size(width: int) -> int:
        return measure(shown[start : start + width].replace(_MARK, _MARK_AS_MEASURED))

    while longest is not None and _MOST * (stop - start + 1) > longest:
        width = min(stop - start, 8 * longest)
        found = size(width)
        if found <= longest and width == stop - start:
            break
        width = max(1, width * longest // max(found, longest))
        while width > 1 and size(width) > longest:
            width = max(1, width * 9 // 10)
        while width < stop - start and size(more := min(stop - start, width * 9 // 8 + 1)) <= longest:
            width = more
        if width == stop - start:
            break
        end = _place_to_cut(shown, start, start + width)
        yield start, start + len(shown[start:end].rstrip())
        start = end
        while shown[start].isspace():
            start += 1
    yield start, stop


def _place_to_cut(shown: str, start: int, stop: int) -> int:
    """The best place up to ``stop``: behind a clause, else behind a word, else between two characters."""
    half = (start + stop) // 2
    clauses = [found.end() for found in _CLAUSE.finditer(shown, half, stop + 1) if found.end() <= stop]
    blanks = [found.end() for found in _BLANK.finditer(shown, half, stop + 1)]
    if clauses or blanks:
        return (clauses or blanks)[-1]
    place = stop
    while place > start + 1 and (
        unicodedata.combining(shown[place]) or shown[place] in _JOINERS or shown[place - 1] == "\u200d"
    ):
        place -= 1
    return place if place > start + 1 else stop


def _with_marks(shown: str, start: int, stop: int, marks: dict[int, Mark]) -> Text:
    """A stretch with its marks again."""
    parts: list[Part] = []
    place = shown.find(_MARK, start, stop)
    while place >= 0:
        if place in marks:
            parts += [shown[start:place], marks[place]]
            start = place + 1
        place = shown.find(_MARK, place + 1, stop)
    return joined([*parts, shown[start:stop]])


def _ends_wide(text: Text) -> bool:
    """Whether the last words of a text end with a punctuation mark that is as wide as a Chinese character."""
    words = next((part for part in reversed(text) if isinstance(part, str)), "").rstrip("”’")
    return words[-1:] in _WIDE_ENDS


@lru_cache(maxsize=64)
def _code(language: str) -> str:
    """The language as sentencex calls it; of one that it does not know, it takes the nearest that it knows."""
    try:
        return normalise(language).language
    except UsageError:
        return language
