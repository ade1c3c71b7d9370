"""Marks within a text: whether one stands for a word, opens or closes something, or ends a line."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import unescape

from hftoolkit.documents.pieces import Mark, Part, Text

_TAG = re.compile(r"<!--.*?-->|<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL)
_OPENING_ROLE = re.compile(r"(?::[\w:+.-]+:)?`")
_CLOSING_ROLE = re.compile(r"\s*<[^<>]*>`_{0,2}")

_ELEMENT = re.compile(r"<(/?)(?:[\w.-]+:)?([\w.-]+)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")
_ATTRIBUTE = re.compile(r"\b(i|rid|startRef|id)\s*=\s*[\"']([^\"']*)")
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
_OPENERS = ("bpt", "bx", "sc", "sm")
_CLOSERS = ("ept", "ex", "ec", "em")
_TOGGLE = re.compile(r"([*_~^=+])\1*")

_BREAK = re.compile(r"(?:<|&lt;)(?:br|lb)\b|\"(?:x-?)?lb\"|line_break|(?: {2}|\\)\r?\n", re.IGNORECASE)

OPEN, CLOSE, ALONE = "open", "close", "alone"


def joined(parts: Iterable[Part]) -> Text:
    """Parts as one text: no empty stretch, no two side by side."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part:
            found.append(part)
    return tuple(found)


@lru_cache(maxsize=1 << 14)
def is_word(mark: str) -> bool:
    """Whether a mark stands where a word could stand, as a placeholder or an address does, and a tag does not.

    Args:
        mark: Its text.
    """
    if mark.startswith(("{%", "{#", "{:", "{.", "%%", "](", "][")) or _OPENING_ROLE.fullmatch(mark):
        return False
    if mark.startswith(("{", "%", "$", "#", "@")):
        return True
    left = _TAG.sub("", mark)
    if "&" in left:
        left = _TAG.sub("", unescape(left))
    return any(character.isalnum() for character in left)


@lru_cache(maxsize=1 << 14)
def ends_line(mark: str) -> bool:
    """Whether a mark is a line break, such as ``<br>``; what stands on its two sides are two sentences."""
    return bool(_BREAK.search(mark)) and not is_word(mark)


def roles(marks: Iterable[Mark]) -> list[tuple[str, str]]:
    """What every mark of a text does, ``open``, ``close`` or ``alone``, and the name of what it opens or closes."""
    found: list[tuple[str, str]] = []
    opened: list[str] = []
    for mark in marks:
        role, name = _role(mark.text)
        if role == "toggle":
            role = CLOSE if name in opened else OPEN
        if role == OPEN:
            opened.append(name)
        elif role == CLOSE and name in opened:
            opened.remove(name)
        found.append((role, name))
    return found


def partners(marks: Sequence[Mark]) -> list[int | None]:
    """For every mark the number of the one that it is closed by, or closes."""
    found: list[int | None] = [None] * len(marks)
    opened: dict[str, list[int]] = {}
    for number, (role, name) in enumerate(roles(marks)):
        if role == OPEN:
            opened.setdefault(name, []).append(number)
        elif role == CLOSE and opened.get(name):
            other = opened[name].pop()
            found[number], found[other] = other, number
    return found


def in_order(marks: Sequence[Mark], rearranged: Sequence[Mark]) -> bool:
    """Whether marks are paired in another order as they are in their own: nested, and with the same ones left over.

    Where the marks overlap in their own order, as those of TMX and XLIFF may, all that is asked for is that what opens
    comes before what closes it.
    """
    nested = _left_over(marks)
    if nested is not None:
        return _left_over(rearranged) == nested
    return _by_name(marks) == _by_name(rearranged)


def _left_over(marks: Sequence[Mark]) -> tuple[list[str], list[str]] | None:
    """What closes without being opened, and what is not closed; None: the marks are not nested."""
    closers: list[str] = []
    opened: list[tuple[str, str]] = []
    for mark, (role, name) in zip(marks, roles(marks), strict=True):
        if role == OPEN:
            opened.append((name, mark.text))
        elif role == CLOSE:
            if opened and opened[-1][0] == name:
                opened.pop()
            elif opened:
                return None
            else:
                closers.append(mark.text)
    return closers, [text for _, text in opened]


def _by_name(marks: Sequence[Mark]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for role, name in roles(marks):
        if role != ALONE:
            found.setdefault(name, []).append(role)
    return found


@lru_cache(maxsize=1 << 14)
def _role(mark: str) -> tuple[str, str]:
    if mark in ("[", "!["):
        return OPEN, "["
    if mark == "]" or mark.startswith(("](", "][")):
        return CLOSE, "["
    if _TOGGLE.fullmatch(mark):
        return "toggle", mark
    if _OPENING_ROLE.fullmatch(mark):
        return OPEN, "`"
    if _CLOSING_ROLE.fullmatch(mark):
        return CLOSE, "`"
    tag = _ELEMENT.match(mark)
    if tag is None:
        return ALONE, ""
    closing, name, attributes, empty = tag.groups()
    if name in _OPENERS or name in _CLOSERS:  # pairs of codes, tied by a number
        said = dict(_ATTRIBUTE.findall(attributes))
        number = said.get("i") or said.get("rid") or said.get("startRef") or said.get("id") or ""
        if not closing and (empty or tag.end() < len(mark)):
            return OPEN if name in _OPENERS else CLOSE, f"{'m' if name in ('sm', 'em') else 'code'} {number}"
    if tag.end() < len(mark) or empty or name.lower() in _VOID:
        return ALONE, ""
    return CLOSE if closing else OPEN, name.lower()
