"""A text -> its words, by the places where they stand: every character that can be seen is in one of them.

``fine``
    Runs of letters and digits; every mark and every character of a script without blanks alone. Parts of a text that
    were labelled rarely begin or end inside such a word.
``usual``
    What data in words mostly has: as fine, but ``U.N.``, ``O'Brien``, ``well-known`` and ``1,000`` are one word, and
    ``Germany's`` is two.
``characters``
    Every character alone, combining marks with the one before.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

How = Literal["fine", "usual", "characters"]

_SAME: Final = dict(zip("-\u2010.'\u2019&/@,:", "--.''&&&,,", strict=True))
_JOINERS: Final = "\u00ad\u200c\u200d"
"""Soft hyphen and the two that join letters or keep them apart: they cannot be seen, and stand inside words."""

_SPACELESS: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, kana, Bopomofo, ideographs."""


class _Kinds(dict[int, str]):
    """The kind of every character, found when it is first met: a letter ``w``, a digit ``n``, a mark on the one before
    ``m``, a character of a script without blanks ``c``, what parts words ``s``, signs that may stand inside words, each
    for its like, and all other signs ``p``."""

    def __missing__(self, code: int) -> str:
        self[code] = _kind(chr(code))
        return self[code]


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if character in _SAME:
        return _SAME[character]
    if character == "_" or character in _JOINERS:
        return "w"
    if category[0] == "M":
        return "m"
    if category[0] in "ZC":
        return "s"
    if _SPACELESS.match(character):
        return "c"
    return {"L": "w", "N": "n"}.get(category[0], "p")


_KINDS: Final = _Kinds()
_RUN: Final = "[wn][wnm]*"
_PATTERNS: Final[dict[How, re.Pattern[str]]] = {
    "fine": re.compile(rf"{_RUN}|[^s]m*"),
    "usual": re.compile(
        r"(?:wm*\.){2,}(?![wn])"  # U.N.
        r"|(?<=[wnm.])'w{1,2}(?![wnm])"  # 's, 'll
        rf"|{_RUN}(?:(?:[-.&]|'(?!w{{1,2}}(?![wnm]))|(?<=n),(?=n)){_RUN})*"
        r"|[^s]m*"
    ),
    "characters": re.compile(r"[^s]m*"),
}


def word_places(text: str, how: How) -> list[tuple[int, int]]:
    """Where the words of a text stand.

    Args:
        text: Any.
        how: What a word is.

    Returns:
        First character of every word, and the character after its last, in order.

    Example:
        >>> [text[start:end] for text in ["Paris (75001)."] for start, end in word_places(text, "fine")]
        ['Paris', '(', '75001', ')', '.']
    """
    return [found.span() for found in _PATTERNS[how].finditer(text.translate(_KINDS))]


def joined(words: Sequence[str], between: str) -> tuple[str, list[tuple[int, int]]]:
    """Words as one text, and where they stand in it."""
    places, start = [], 0
    for word in words:
        places.append((start, start + len(word)))
        start += len(word) + len(between)
    return between.join(words), places
