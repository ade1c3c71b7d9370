"""A subtitle on one line or two."""

from collections.abc import Iterator, Sequence
from unicodedata import east_asian_width

from hftoolkit.documents.pieces import Mark, Part
from hftoolkit.documents.spans import WITHOUT_BLANKS

_LONGEST = 42
"""Characters of a line, as most style guides for subtitles have it."""

_LONGEST_WIDE = 20
"""Characters of a line in Chinese, Japanese and Korean."""

_WIDE = ("zh", "ja", "ko", "yue", "wuu")

_CLOSING = "。！？…，、；：”’」』）》〉】.,;:!?)]}\"'々ー～—"
_OPENING = "“‘「『（《〈【([{"
_PAUSES = "。！？…，、；：.!?,;:"

_NO_PAUSE = 12
_WITHIN_WORDS = 20
"""How much more even, in characters, lines must be to end without a pause, or between characters without a blank."""


def in_lines(text: Sequence[Part], target: str) -> list[list[Part]]:
    """A text on one line, or on two if it is longer than a line of the target language may be.

    Args:
        text: Without line ends.
        target: The language it is in.
    """
    wide = target.partition("-")[0] in _WIDE
    limit = _LONGEST_WIDE if wide else _LONGEST
    seen = "".join(part for part in text if isinstance(part, str))
    places = list(_places(seen)) if _length(seen, wide) > limit else []
    if not places:
        return [list(text)]
    return _broken(text, min(places, key=lambda place: _badness(seen, place, limit, wide)))


def _length(text: str, wide: bool) -> float:
    """Characters of a text; among wide ones the others are half as wide."""
    return sum(0.5 if wide and east_asian_width(each) not in "WF" else 1 for each in text)


def _places(text: str) -> Iterator[int]:
    """Where a line may end: before a blank, and between most characters of Chinese and Japanese."""
    for at in range(1, len(text)):
        before, after = text[at - 1], text[at]
        if after == " ":
            if text[:at].strip() and text[at:].strip():
                yield at
        elif (
            before != " "
            and after not in _CLOSING
            and before not in _OPENING
            and (WITHOUT_BLANKS.match(before) or WITHOUT_BLANKS.match(after))
        ):
            yield at


def _badness(text: str, place: int, limit: int, wide: bool) -> float:
    before, after = text[:place].rstrip(), text[place:].lstrip()
    first, second = _length(before, wide), _length(after, wide)
    over = max(first - limit, 0) + max(second - limit, 0)
    ending = 0 if before[-1] in _PAUSES else _NO_PAUSE if text[place] == " " else _WITHIN_WORDS
    return 10 * over + (abs(first - second) + ending) / 2


def _broken(text: Sequence[Part], place: int) -> list[list[Part]]:
    first: list[Part] = []
    second: list[Part] = []
    done = 0
    for part in text:
        if isinstance(part, Mark):
            # A mark at the break stays with what it follows if that is where it closes.
            (first if done < place or (part.text.startswith("</") and not second) else second).append(part)
            continue
        head = part[: max(place - done, 0)]
        tail = part[len(head) :]
        done += len(part)
        if head:
            first.append(head)
        if tail and not any(isinstance(each, str) for each in second):
            tail = tail.lstrip(" ")
        if tail:
            second.append(tail)
    return [first, second]
