"""A translated text -> Markdown that reads as that text: nothing in it becomes markup, and its marks stay markup.

What is written is read again. The first way to write it that reads as it should is taken, and the more a way escapes or
changes, the later it is tried.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from hftoolkit.documents.markdown_blocks import is_one
from hftoolkit.documents.markdown_inline import spans_of
from hftoolkit.documents.pieces import Mark, Part, Text, flat

_DELIMITER = re.compile(r"\*{1,2}|_{1,2}|~~")
_BLANKS = re.compile(r"\s+")
_AS_TEXT = re.compile(r"(?:https?://|ftp://|www\.|:\w).*")
"""Marks that would be no marks if they were escaped: addresses and emoji."""

_RISKY = re.compile(
    r"""
      \\(?=[!-/:-@\[-`{-~]|$) | ` | (?<!\s)\* | \*(?!\s) | (?<![^\W_])_ | _(?![^\W_])
    | <(?=[A-Za-z/!?]) | &(?=\#?\w+;) | ~(?=~|$) | (?<=~)~
    """,
    re.VERBOSE,
)
_RISKIER = re.compile(rf"{_RISKY.pattern} | [\[\]{{$]", re.VERBOSE)
_ANY = re.compile(r"[\\`*_{}\[\]<>~$|&!^=@]")
_BEGINS_BLOCK = re.compile(
    r"""
      \#{1,6}(?=\s|$) | [-+*](?=\s|$) | > | (?:-[ ]?){3,}$ | =+\s*$ | [-:|][-:|\s]*$ | ~{3} | :(?=[:\s]) | !!! | \?\?\?
    | \$\$ | \\(?=begin\{) | \+{3}$ | \[[ xX]\](?=\s)
    | (?P<number>\d{1,9})[.)](?=\s|$)
    """,
    re.VERBOSE,
)
_ENDS_HEADING = re.compile(r"(?<!\S)#+\s*$")


Shape = list[tuple[str, str]]
"""Words, marks, and emphasis that opens or closes: of each which it is, and what it is."""


@dataclass(frozen=True)
class Surroundings:
    """Where in a document a text is written."""

    kind: Literal["paragraph", "heading", "cell"]

    lead: Text
    tail: Text
    """What stays around it in the block."""

    begins_line: bool
    """Whether it is the first on its line, where ``1.`` would begin a list."""

    escaped: frozenset[str]
    """Characters that are escaped in the text of the file, and so are in the translation."""

    contents: Mapping[str, str]
    """How a mark of the file reads without what stands before each of its lines, where that differs."""

    env: Mapping[str, Any]
    """The document's link references, as markdown-it-py has them."""


def written(text: Sequence[Part], around: Surroundings) -> str:
    """Write a text in the place of another.

    Args:
        text: Words and marks, these as the file has them.
        around: Where.
    """
    parts = _trimmed([_BLANKS.sub(" ", part) if isinstance(part, str) else part for part in text])
    wanted = _wanted(parts, around)
    way: list[tuple[str, str]] = []
    for way in _ways(parts, around):
        content = flat(around.lead) + "".join(inner for _, inner in way) + flat(around.tail)
        if _read(content, around) == wanted:
            break
    result = "".join(outer for outer, _ in way)
    # Or the backslash would escape the pipe behind the cell.
    return f"{result} " if around.kind == "cell" and result.endswith("\\") else result


def _ways(parts: Sequence[Part], around: Surroundings) -> Iterator[list[tuple[str, str]]]:
    """Ways to write a text, each part as it is in the file and as it is within the block."""
    yield _escaped(parts, _RISKY, around)
    yield _escaped(list(_set_apart(parts)), _RISKY, around)
    stars = [Mark(flat((part,)).replace("_", "*")) if _is_delimiter(part) else part for part in parts]
    yield _escaped(list(_set_apart(stars)), _RISKY, around)
    yield _escaped(list(_set_apart(stars)), _RISKIER, around)
    yield _escaped(list(_set_apart(stars, everywhere=True)), _RISKIER, around)
    yield _escaped(list(_set_apart(stars, everywhere=True)), _ANY, around)


def _escaped(parts: Sequence[Part], risky: re.Pattern[str], around: Surroundings) -> list[tuple[str, str]]:
    result: list[tuple[str, str]] = []
    parts = [each for pair in zip(parts, _gaps(parts), strict=True) for each in pair if each]
    begins_line = around.begins_line and not flat(around.lead).strip()
    for number, part in enumerate(parts):
        if isinstance(part, Mark):
            inner = around.contents.get(part.text, part.text)
            result.append((part.text, inner))
            begins_line = inner.endswith("\n")
            continue
        text = risky.sub(r"\\\g<0>", part)
        if part.endswith("!") and text.endswith("!") and flat((*parts[number + 1 :], *around.tail)).startswith("["):
            text = text.removesuffix("!") + ("!" if text.endswith("\\!") else "\\!")  # or a link becomes a picture
        for character in around.escaped:
            text = re.sub(rf"(?<!\\){re.escape(character)}", rf"\\{character}", text)
        beginning = _BEGINS_BLOCK.match(text) if begins_line else None
        if beginning:
            digits = len(beginning["number"] or "")
            text = f"{text[:digits]}\\{text[digits:]}"
        if around.kind == "heading" and number == len(parts) - 1:
            text = _ENDS_HEADING.sub(r"\\\g<0>", text)
        result.append((text.replace("|", r"\|") if around.kind == "cell" else text, text))
        begins_line = False
    return result


def _gaps(parts: Sequence[Part]) -> Iterator[str]:
    """What is written behind each part: a blank where two spans of code would become one."""
    for one, other in pairwise([*parts, ""]):
        yield " " if flat((one,)).endswith("`") and flat((other,)).startswith("`") else ""


def _set_apart(parts: Sequence[Part], everywhere: bool = False) -> Iterator[Part]:
    """Parts with blanks where emphasis needs them: outside of it, and beside punctuation that it begins or ends with.

    ``**注意：**请`` is no emphasis to CommonMark, which was made for languages with blanks between words.

    Args:
        parts: Words and marks.
        everywhere: Whether there is a blank outside of all emphasis.
    """
    opens = _openings(parts)
    parts = list(parts)
    outside = set()
    for place, opening in opens.items():
        beside = place + 1 if opening else place - 1
        text = parts[beside] if 0 <= beside < len(parts) else ""
        bare = text if isinstance(text, Mark) else text.lstrip() if opening else text.rstrip()
        if bare != text:
            parts[beside] = bare
            outside.add(place)
    for place, part in enumerate(parts):
        if place not in opens:
            yield part
            continue
        run = _run(opens, place)
        before, after = _neighbour(parts, run[0], -1), _neighbour(parts, run[-1], 1)
        moved = everywhere or not outside.isdisjoint(run)
        if opens[place] and place == run[0]:
            beside_word = _is_word(before) and _is_punctuation(after)
            yield " " if (moved or beside_word) and before.strip() else ""
        yield part
        if not opens[place] and place == run[-1]:
            beside_word = _is_punctuation(before) and _is_word(after)
            yield " " if (moved or beside_word or run[-1] + 1 in opens) and after.strip() else ""


def _openings(parts: Sequence[Part]) -> dict[int, bool]:
    """Where emphasis begins (True) and ends (False)."""
    found = {}
    opened: set[str] = set()
    for place, part in enumerate(parts):
        if isinstance(part, Mark) and _is_delimiter(part):
            found[place] = part.text not in opened
            opened ^= {part.text}
    return found


def _run(opens: Mapping[int, bool], place: int) -> range:
    """The delimiters side by side of which this is one: all open, or all close."""
    start = end = place
    while opens.get(start - 1) is opens[place]:
        start -= 1
    while opens.get(end) is opens[place]:
        end += 1
    return range(start, end)


def _neighbour(parts: Sequence[Part], place: int, step: int) -> str:
    """The next character in a direction; empty at the end."""
    place += step
    while 0 <= place < len(parts):
        text = flat((parts[place],))
        if text:
            return text[0] if step > 0 else text[-1]
        place += step
    return ""


def _wanted(parts: Sequence[Part], around: Surroundings) -> Shape:
    """What the block is to be read as."""
    middle = len(around.lead)
    opens = dict.fromkeys(range(middle), True)
    opens |= {middle + place: opening for place, opening in _openings(parts).items()}
    opens |= {middle + len(parts) + place: False for place in range(len(around.tail))}
    return _shape([*around.lead, *(_within(part, around) for part in parts), *around.tail], opens)


def _read(content: str, around: Surroundings) -> Shape | None:
    """What a block with this content is read as; None: as another block, or several."""
    content = content.strip()
    if around.kind != "cell" and not is_one(content, around.kind):
        return None
    spans = spans_of(content, around.env)
    opens = {place: span.partner > span.start for place, span in enumerate(spans) if span.partner is not None}
    return _shape([span.part for span in spans], opens)


def _shape(parts: Sequence[Part], opens: Mapping[int, bool]) -> Shape:
    """What matters about a text: its marks and words, without blanks and without how emphasis is written."""
    found: Shape = []
    for place, part in enumerate(parts):
        text = _BLANKS.sub("", flat((part,)))
        role = ""
        if _is_delimiter(part):
            role, text = "opens" if opens.get(place) else "closes", text.replace("_", "*")
        elif isinstance(part, Mark) and not _AS_TEXT.fullmatch(text):
            role = "mark"
        if found and found[-1][0] == role != "mark":
            found[-1] = role, found[-1][1] + text
        elif text or role:
            found.append((role, text))
    return found


def _within(part: Part, around: Surroundings) -> Part:
    """A part as it reads within the block."""
    return Mark(around.contents.get(part.text, part.text)) if isinstance(part, Mark) else part


def _trimmed(parts: list[Part]) -> list[Part]:
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return parts


def _is_delimiter(part: Part) -> bool:
    return isinstance(part, Mark) and bool(_DELIMITER.fullmatch(part.text))


def _is_word(character: str) -> bool:
    return bool(character) and not character.isspace() and not _is_punctuation(character)


def _is_punctuation(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in "PS"
