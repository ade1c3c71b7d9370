"""Sentences that are longer than a model as windows that overlap, every word counted in one of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf


@dataclass(frozen=True)
class Window:
    """Neighbouring words that a model reads at once."""

    start: int
    """Number of the first one, from 0."""

    end: int
    """Number of the one after the last."""

    counted: tuple[int, ...]
    """Those that are looked at in this window: in none do they have more neighbours on their poorer side."""


def word_windows(sizes: Sequence[int], room: int) -> list[Window]:
    """Cut a sentence between its words.

    Args:
        sizes: Tokens of every word; a word without tokens counts nowhere. Of a longer one than a window the first
            tokens are read.
        room: Tokens of a window, at least 1; a quarter of it, at most, is what neighbours share.

    Returns:
        The windows, in order; none where no word has tokens.
    """
    ends = [0, *accumulate(min(size, room) for size in sizes)]  # tokens before every word, and of all
    if not ends[-1]:
        return []
    parts = list(_parts(ends, room))
    counted: list[list[int]] = [[] for _ in parts]
    first = 0
    for word, size in enumerate(sizes):
        if not size:
            continue
        while parts[first][1] <= word:
            first += 1
        best, most = first, -1.0
        for number in range(first, len(parts)):
            start, end = parts[number]
            if start > word:
                break
            # Where the sentence begins or ends, nothing is missing.
            before = ends[word] - ends[start] if start else inf
            after = ends[end] - ends[word + 1] if end < len(sizes) else inf
            if min(before, after) > most:
                best, most = number, min(before, after)
        counted[best].append(word)
    return [Window(*part, tuple(words)) for part, words in zip(parts, counted, strict=True)]


def _parts(ends: list[int], room: int) -> list[tuple[int, int]]:
    """First word of every window, and the word after its last."""
    words, total = len(ends) - 1, ends[-1]
    found: list[tuple[int, int]] = []
    start = 0
    while total - ends[start] > room:
        end = bisect_right(ends, ends[start] + room) - 1
        found.append((start, end))
        shared = bisect_left(ends, ends[end] - room // 4)
        fitting = bisect_left(ends, ends[end + 1] - room)  # the next word must have a place
        start = max(shared, fitting, start + 1)
    # The last one reaches as far back as it can.
    found.append((bisect_left(ends, total - room) if found else 0, words))
    return found
