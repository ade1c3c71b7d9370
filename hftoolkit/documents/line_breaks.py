"""A subtitle on one line or two."""

from collections.abc import Iterator, Sequence

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

_NO_PAUSE = 6
"""A line end after a pause is worth as much as lines that are more even by this many characters."""


def in_lines(text: Sequence[Part], target: str) -> list[list[Part]]:
    """A text on one line, or on two if it is longer than a line of the target language may be.

    Args:
        text: Without line ends.
        target: The language it is in.
    """
    limit = _LONGEST_WIDE if target.partition("-")[0] in _WIDE else _LONGEST
    seen = "".join(part for part in text if isinstance(part, str))
    places = list(_places(seen)) if len(seen) > limit else []
    if not places:
        return [list(text)]
    return _broken(text, min(places, key=lambda place: _badness(seen, place, limit)))


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


def _badness(text: str, place: int, limit: int) -> float:
    first, second = len(text[:place].rstrip()), len(text[place:].lstrip())
    over = max(first - limit, 0) + max(second - limit, 0)
    return 10 * over + abs(first - second) / 2 + (0 if text[:place].rstrip()[-1] in _PAUSES else _NO_PAUSE)


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
        if tail:
            second.append(tail if any(isinstance(each, str) for each in second) else tail.lstrip(" "))
    return [first, second]
