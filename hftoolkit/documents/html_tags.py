"""HTML as it stands in a file -> tags, text and what is neither, each with its place; what is broken is text.

The standard library's parser tells where a tag begins, but not where its attributes do, makes other things of broken
HTML in other versions of Python, and raises an AssertionError on some of it, such as ``<![x[``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Literal

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
"""Elements without an end."""

_RAW = frozenset(("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"))
"""Elements in which no tag begins."""

_B = r"[ \t\n\r\f]"
_ATTRIBUTE = (
    r"(?P<name>[^ \t\n\r\f/>][^ \t\n\r\f/>=]*+)"
    rf"(?:{_B}*+={_B}*+(?P<value>\"[^\"]*+\"|'[^']*+'|(?![\"'])[^ \t\n\r\f>]++))?+"
)
_TOKEN = re.compile(
    rf"""
      (?P<other> <!--(?:-?>|.*?(?:--!?>|\Z)) | <!\[CDATA\[.*?(?:\]\]>|\Z)
               | <\?(?:php|=).*?(?:\?>|\Z) | <%.{{0,2000}}?%> | <[!?][^>]*+>?+ | </[^A-Za-z][^>]*+>?+ )
    | <(?P<close>/?)(?P<tag>[A-Za-z][^ \t\n\r\f/>]*+)
      (?:[ \t\n\r\f/]*+{re.sub("[(][?]P<(name|value)>", "(?:", _ATTRIBUTE)})*+
      (?P<tail>[ \t\n\r\f/]*+)>
    """,
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTES = re.compile(rf"[ \t\n\r\f/]*+{_ATTRIBUTE}")


@dataclass(frozen=True)
class Token:
    """A stretch of HTML."""

    start: int
    end: int

    kind: Literal["text", "open", "close", "empty", "other", "kept"]
    """``empty``: a tag of an element that has no end; ``other``: comments, declarations, instructions."""

    name: str = ""
    """Of a tag, in small letters."""


@dataclass(frozen=True)
class Attribute:
    """An attribute of a tag."""

    name: str
    """In small letters."""

    value: str
    """Entities resolved."""

    start: int
    end: int
    """Of the value with its quotes."""


def tokens(source: str) -> Iterator[Token]:
    """All of a document, piece by piece."""
    at = 0
    while found := _TOKEN.search(source, at):
        if found.start() > at:
            yield Token(at, found.start(), "text")
        at = found.end()
        if found["other"]:
            yield Token(found.start(), at, "other")
            continue
        name = found["tag"].lower()
        if found["close"]:
            yield Token(found.start(), at, "close", name)
        elif name in _VOID or found["tail"].endswith("/"):
            yield Token(found.start(), at, "empty", name)
        else:
            yield Token(found.start(), at, "open", name)
            end = _end_of_raw(source, at, name) if name in _RAW else at
            if end > at:
                yield Token(at, end, "text")
            at = end
    if at < len(source):
        yield Token(at, len(source), "text")


def attributes(source: str, tag: Token) -> Iterator[Attribute]:
    """The attributes of a tag that have a value."""
    at = tag.start + 1 + len(tag.name)
    while (found := _ATTRIBUTES.match(source, at)) and found.end() < tag.end:
        at = found.end()
        if found["value"] is not None:
            value = found["value"]
            bare = value[1:-1] if value[0] in "\"'" else value
            yield Attribute(found["name"].lower(), unescape(bare), found.start("value"), at)


def _end_of_raw(source: str, at: int, name: str) -> int:
    """Where such an element ends; a title that never does is taken for one that is empty, not for all of the page."""
    found = re.compile(rf"</{name}(?=[ \t\n\r\f/>])", re.IGNORECASE).search(source, at)
    if found:
        return found.start()
    return at if name == "title" else len(source)
