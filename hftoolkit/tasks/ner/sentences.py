"""Rows as words that stand in a text, and what is predicted of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from hftoolkit.data.spans import Span
from hftoolkit.data.words import How, joined, word_places
from hftoolkit.metrics.tags import Entity
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.ner.options import Options


@dataclass(frozen=True)
class Sentence:
    """Words, and the text they stand in."""

    text: str
    words: list[str]

    places: list[tuple[int, int]]
    """First character of every word in the text, and the one after its last."""

    def place(self, entity: Entity) -> tuple[int, int]:
        """Where some words stand in the text."""
        return self.places[entity.start][0], self.places[entity.end - 1][1]

    def words_at(self, start: int, end: int) -> tuple[int, int] | None:
        """The words that a part of the text touches: the first, and the one after the last; None: it touches none."""
        first = bisect_right(self.places, start, key=itemgetter(1))
        behind = bisect_left(self.places, end, key=itemgetter(0))
        return (first, behind) if first < behind else None


@dataclass(frozen=True)
class Tagged:
    """What was predicted for a sentence."""

    sentence: Sentence
    tags: list[str]

    scores: list[float]
    """The probability of every word's tag, 0 to 1; 0 for words that the model cannot read."""

    def score(self, start: int, end: int) -> float:
        """Mean probability of the tags of some words."""
        return sum(self.scores[start:end]) / (end - start)


def sentence_of(row: Row, options: Options) -> Sentence:
    """The words of a row; where it has a text, they are found in it."""
    if "words" in row:
        words = list(row["words"])
        text, places = joined(words, "" if options.characters else " ")
        return Sentence(text, words, places)
    text = row["text"]
    how: How = "characters" if options.characters else "fine" if options.spans else "usual"
    places = word_places(text, how)
    return Sentence(text, [text[start:end] for start, end in places], places)


class Aligned(NamedTuple):
    """A labelled part of a text, in words."""

    label: str

    entity: Entity | None
    """The words that stand for it when it is learned; None where they are taken, or there are none."""

    place: tuple[int, int]
    """Where it stands in the text: its first character, and the one after its last; without white space around it."""

    exact: bool
    """Whether it begins and ends where words do."""


def aligned(spans: Iterable[Span], sentence: Sentence) -> list[Aligned]:
    """The words of labelled parts of a text.

    A part that begins or ends inside a word is learned as the whole word; one that shares a word with the part before
    it has the rest.

    Args:
        spans: In order, not overlapping.
        sentence: The text with its words.
    """
    found = []
    free = 0
    for span in spans:
        words = sentence.words_at(span.start, span.end)
        if words is None:
            found.append(Aligned(span.label, None, (span.start, span.end), exact=False))
            continue
        start, end = sentence.place(Entity(span.label, *words))
        exact = span.start <= start and end <= span.end
        place = (start, end) if exact else (span.start, span.end)
        left = max(words[0], free), words[1]
        found.append(Aligned(span.label, Entity(span.label, *left) if left[0] < left[1] else None, place, exact))
        free = words[1]
    return found
