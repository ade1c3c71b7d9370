"""What a model reads of a text with marks, and the marks put back into what it wrote.

mask(text, style)                a stand-in such as ``X1`` for every mark, few enough for a model to copy
unmask(masked, output)           the marks where their stand-ins are; None: they were lost, doubled or tangled
pieces_between(masked)           then what stands between the marks is translated piece by piece,
put_between(masked, outputs)     and stays between them
best_style(translate)            which stand-ins a model copies
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from hftoolkit.documents.marks import CLOSE, OPEN, in_order, is_word, joined, partners, roles
from hftoolkit.documents.pieces import Mark, Part, Text
from hftoolkit.documents.protection import is_linguistic
from hftoolkit.documents.scripts import is_unspaced
from hftoolkit.documents.stand_ins import STYLES, Style

_LINE_BREAK = re.compile(r"(?<![ \t])[ \t]*(?:\r\n|[\r\n\x0b\x0c\x85\u2028\u2029])\s*")

_B, _B_END, _LINK, _LINK_END = Mark("<b>"), Mark("</b>"), Mark("["), Mark("](https://example.org)")
SAMPLES: tuple[Text, ...] = (
    ("The file ", Mark("`a.txt`"), " could not be opened."),
    ("Click ", _B, "Save", _B_END, " to keep your changes."),
    ("For more information, see ", _LINK, "the documentation", _LINK_END, "."),
    ("You have ", Mark("{n}"), " new messages from ", Mark("{name}"), "."),
    ("The value must be between ", Mark("%d"), " and ", Mark("%d"), "."),
    (Mark("%s"), " is not a valid name for a file."),
    ("Use ", Mark("`run`"), " instead of ", Mark("`start`"), " to run ", _B, "all", _B_END, " tests."),
    ("We went to the city with ", _B, "our friends", _B_END, " last week."),
)
"""English sentences on which stand-ins are tried."""


@dataclass(frozen=True)
class _Group:
    """Marks with nothing but blanks between them, for which there is one stand-in."""

    parts: Text
    number: int

    left: str
    """The character before it; empty at the beginning."""

    right: str
    """The character behind it; empty at the end."""

    closes: bool
    """Whether its first mark closes something, and so belongs to what is before it."""

    opens: bool
    """Whether its last mark opens something, and so belongs to what is behind it."""


@dataclass(frozen=True)
class Masked:
    """A text as a model reads it, with what is needed to get it back."""

    plain: str
    """What is translated, on one line; empty where there are only marks."""

    lead: Text
    """Marks and blanks before it."""

    core: Text
    """What ``plain`` stands for."""

    tail: Text
    """Marks and blanks behind it."""

    groups: tuple[_Group, ...]
    style: Style


def mask(text: Text, style: Style) -> Masked:
    """A text as a model reads it.

    Tags at its two ends are taken off: no model has to copy them. Tags and placeholders with only blanks between them
    get one stand-in. A line break becomes a blank.

    Args:
        text: A text in which all that must survive is a mark.
        style: What stands for a mark.
    """
    lead, core, tail = _trimmed(text)
    literal = {int(found[1]) for part in core if isinstance(part, str) for found in style.pattern.finditer(part)}
    free = (number for number in count(1) if number not in literal)
    parts = list(_grouped(lead, core, free))
    groups = tuple(part for part in parts if isinstance(part, _Group))
    return Masked("".join(_plain(part, style) for part in parts), lead, core, tail, groups, style)


def unmask(masked: Masked, translation: str) -> Text | None:
    """A translation of ``plain`` with the marks in the places of their stand-ins.

    Blanks at a mark are as they were where the mark was tied to a word, and otherwise as the translation has them.

    Returns:
        None where a mark is lost, doubled or invented, or what opens and what closes is no longer nested, or holds
            nothing.
    """
    expected = {group.number: group for group in masked.groups}
    literal = {int(found[1]) for found in masked.style.pattern.finditer(masked.plain)} - set(expected)
    found = [each for each in masked.style.pattern.finditer(translation) if int(each[1]) not in literal]
    if sorted(int(each[1]) for each in found) != sorted(expected):
        return None
    order = [expected[int(each[1])] for each in found]
    ends = [0, *(place for each in found for place in each.span()), len(translation)]
    between = [translation[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True)]
    neighbours = zip(pairwise(order), between[1:-1], strict=True)
    if any(one.opens and two.closes and not text.strip() for (one, two), text in neighbours):
        return None
    between[0] = between[0].lstrip()
    between[-1] = between[-1].rstrip()
    for number, group in enumerate(order):
        between[number] = _spaced(between[number][::-1], group.left, group.closes)[::-1]
        between[number + 1] = _spaced(between[number + 1], group.right, group.opens)
    parts: list[Part] = [*masked.lead, between[0]]
    for group, text in zip(order, between[1:], strict=True):
        parts += [*group.parts, text]
    result = joined((*parts, *masked.tail))
    return result if in_order(_marks((*masked.lead, *masked.core, *masked.tail)), _marks(result)) else None


def pieces_between(masked: Masked) -> list[str]:
    """What stands between the marks, as far as there is something to translate: words without what surrounds them."""
    return [_one_line(part[start:end]) for part, start, end in _stretches(masked.core) if end]


def put_between(masked: Masked, translations: Sequence[str]) -> Text:
    """The text with translations of its `pieces_between`; every mark is in its place."""
    left = iter(translations)
    parts = [
        f"{part[:start]}{next(left).strip()}{part[end:]}" if end else part
        for part, start, end in _stretches(masked.core)
    ]
    strings = iter(parts)
    core = [next(strings) if isinstance(part, str) else part for part in masked.core]
    return joined((*masked.lead, *core, *masked.tail))


def best_style(
    translate: Callable[[list[str]], Sequence[str]], samples: Sequence[Text] = SAMPLES, styles: Sequence[Style] = STYLES
) -> Style | None:
    """The stand-ins that a model copies.

    Args:
        translate: Texts to their translations, in order; asked once.
        samples: Texts with marks, in the language that the model translates from.
        styles: Candidates; of equally good ones the first is taken.

    Returns:
        None where no candidate comes through in at least half of the samples: pieces are better translated one by one.
    """
    masked = [[mask(text, style) for text in samples] for style in styles]
    outputs = iter(translate([each.plain for texts in masked for each in texts]))
    copied = [sum(unmask(each, next(outputs)) is not None for each in texts) for texts in masked]
    most = max(copied)
    return styles[copied.index(most)] if 2 * most >= len(samples) else None


def _trimmed(text: Text) -> tuple[Text, Text, Text]:
    """A text without the tags and blanks at its ends, which come first and last; what is paired stays together."""
    parts = [each for part in joined(text) for each in (_cut(part) if isinstance(part, str) else [part])]
    at_edge = [not part.strip() if isinstance(part, str) else not is_word(part.text) for part in parts]
    start = at_edge.index(False) if False in at_edge else len(parts)
    end = len(parts) - at_edge[::-1].index(False) if False in at_edge else start
    places = [number for number, part in enumerate(parts) if isinstance(part, Mark)]
    pairs = [
        (place, places[partner])
        for place, partner in zip(places, partners(_marks(parts)), strict=True)
        if partner is not None
    ]
    moved = True
    while moved:
        moved = False
        for place, other in pairs:
            if start <= other < end and not start <= place < end:
                start, end, moved = min(start, place), max(end, place + 1), True
    return joined(parts[:start]), joined(parts[start:end]), joined(parts[end:])


def _cut(part: str) -> list[str]:
    """A stretch, cut off from the blanks at its ends."""
    start, end = len(part) - len(part.lstrip()), len(part.rstrip())
    return [each for each in (part[:start], part[start:end], part[max(start, end) :]) if each]


def _grouped(lead: Text, core: Text, numbers: Iterator[int]) -> Iterator[str | _Group]:
    """Stretches and groups of marks in turn."""
    known = iter(roles(_marks((*lead, *core)))[len(_marks(lead)) :])
    kinds = [next(known)[0] if isinstance(part, Mark) else None for part in core]
    start = 0
    while start < len(core):
        part = core[start]
        end = start + 1
        if isinstance(part, str):
            yield part
            start = end
            continue
        last = start
        while end < len(core) and (isinstance(each := core[end], Mark) or not each.strip()):
            last = end if isinstance(each, Mark) else last
            end += 1
        before, after = core[start - 1] if start else "", core[last + 1] if last + 1 < len(core) else ""
        yield _Group(
            parts=core[start : last + 1],
            number=next(numbers),
            left=before[-1:] if isinstance(before, str) else "",
            right=after[:1] if isinstance(after, str) else "",
            closes=kinds[start] == CLOSE,
            opens=kinds[last] == OPEN,
        )
        start = last + 1


def _plain(part: str | _Group, style: Style) -> str:
    """What the model reads of a part; a stand-in is set off from words."""
    if isinstance(part, str):
        return _one_line(part)
    return " " * part.left.isalnum() + style.stand_in(part.number) + " " * part.right.isalnum()


def _one_line(text: str) -> str:
    return _LINE_BREAK.sub(_blank, text)


def _blank(line_break: re.Match[str]) -> str:
    text, (start, end) = line_break.string, line_break.span()
    return "" if is_unspaced(text[start - 1 : start]) and is_unspaced(text[end : end + 1]) else " "


def _spaced(text: str, neighbour: str, inside: bool) -> str:
    """What follows a mark, with the blank between the two that there should be.

    Args:
        text: What follows in the translation.
        neighbour: The character that follows in the source.
        inside: Whether the two are tied by what the mark is, as a tag and the word that it opens for.
    """
    bare = text.lstrip()
    first = bare[:1]
    word = first.isalnum() and not is_unspaced(first)
    if not neighbour:
        return text
    if neighbour.isspace():
        return f" {text}" if word and text == bare else text
    if word and is_unspaced(neighbour) and not inside:  # from a script without blanks to one with them
        return text
    return bare


def _stretches(core: Text) -> Iterator[tuple[str, int, int]]:
    """Every stretch between marks, and from where to where in it there are words to translate; 0, 0: nowhere.

    Punctuation next to a mark stays there, since it says nothing without what it belongs to.
    """
    for number, part in enumerate(core):
        if isinstance(part, Mark):
            continue
        if not is_linguistic(part):
            yield part, 0, 0
            continue
        start, end = 0, len(part)
        while number and _is_punctuation(part[start]):
            start += 1
        while number < len(core) - 1 and _is_punctuation(part[end - 1]):
            end -= 1
        yield part, start, end


def _is_punctuation(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] in "PSZ"


def _marks(text: Iterable[Part]) -> list[Mark]:
    return [part for part in text if isinstance(part, Mark)]
