"""What a report shows of entities besides scores: by type, what went wrong, one for another, how sure, the surest."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from hftoolkit.metrics import calibration, labels
from hftoolkit.metrics.entities import KINDS, Mistake, entity_counts, mistakes
from hftoolkit.metrics.tags import Entity
from hftoolkit.reports.classes import UNKNOWN, Mistakes, reliability
from hftoolkit.reports.sections import Listing, Matrix, Section, Table

_SQUARE: Final = 20
"""Types up to which all of what was taken for what is shown as a square; of more, the most frequent mistakes."""

_SHOWN: Final = 20
"""Rows of a table of mistakes."""

_AROUND: Final = 60
"""Characters shown before an entity and behind it."""

NOTHING: Final = "(none)"
"""What stands for no entity."""


class EntityTally:
    """Gathers sentences with their entities.

    Args:
        types: Those that the model knows.
    """

    def __init__(self, types: Sequence[str]) -> None:
        self.types = list(types)
        self._names = [*self.types, UNKNOWN]
        self._counts = np.zeros(3 * len(self._names), dtype=np.int64)
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._sure = np.zeros(3 * calibration.BINS)
        self._mistakes = Mistakes()

    def add(
        self,
        number: int,
        text: str,
        predicted: Sequence[Entity],
        true: Sequence[Entity],
        place: Callable[[Entity], tuple[int, int]],
        sure: Callable[[Entity], float],
    ) -> None:
        """Take a sentence in.

        Args:
            number: Of its row, from 1.
            text: The sentence.
            predicted: What the model found.
            true: What is right.
            place: Where an entity stands in the text: its first character, and the one after its last.
            sure: The probability that the model gave to what it predicts where an entity stands; 0 to 1.
        """
        self._counts += entity_counts(predicted, true, self.types)
        right = set(true)
        for entity in predicted:
            self._sure += calibration.counts(sure(entity), entity in right)
        for entity in right.intersection(predicted):
            self._pairs[self._name(entity), self._name(entity)] += 1
        for mistake in mistakes(predicted, true):
            self._kinds[self._name(mistake.entity), mistake.kind] += 1
            self._pairs[self._pair(mistake)] += 1
            found = mistake.predicted or mistake.entity
            wanted = NOTHING if mistake.kind == "invented" else _told(text, place(mistake.entity), mistake.entity.type)
            given = NOTHING if mistake.predicted is None else _told(text, place(found), found.type)
            texts = [mistake.kind, wanted, f"{given}, {100 * sure(found):.1f} %", around(text, place(found))]
            self._mistakes.add(sure(found), number, texts)

    def sections(self) -> list[Section]:
        """What was gathered."""
        return [
            self._by_type(),
            self._by_kind(),
            *self._confusions(),
            reliability(self._sure),
            *self._listed(),
        ]

    def _name(self, entity: Entity) -> str:
        return entity.type if entity.type in self.types else UNKNOWN

    def _pair(self, mistake: Mistake) -> tuple[str, str]:
        right = NOTHING if mistake.kind == "invented" else self._name(mistake.entity)
        return right, NOTHING if mistake.predicted is None else self._name(mistake.predicted)

    def _by_type(self) -> Table:
        scores = [*labels.label_scores(self._counts), labels.overall(self._counts)]
        rows: list[list[str | int | float]] = [
            [name, score.precision, score.recall, score.f1, score.true]
            for name, score in zip([*self._names, "all"], scores, strict=True)
            if name != UNKNOWN or score.true
        ]
        return Table("Type by type", ["type", "precision", "recall", "F1", "entities"], rows)

    def _by_kind(self) -> Table:
        used = [name for name in self._names if name != UNKNOWN or any(self._kinds[name, kind] for kind in KINDS)]
        rows: list[list[str | int | float]] = [
            [name, self._pairs_right(name), *(self._kinds[name, kind] for kind in KINDS)] for name in used
        ]
        sums = [sum(int(row[column]) for row in rows) for column in range(1, len(KINDS) + 2)]
        note = (
            "boundary: of the right type, with words too many or too few; type: the right words under another type; "
            "both: some of the words, under another type; missed: no word of it was found; invented: there is none."
        )
        return Table("What went wrong", ["type", "right", *KINDS], [*rows, ["all", *sums]], note)

    def _pairs_right(self, name: str) -> int:
        """Entities of a type that were found as they are."""
        return int(self._counts[self._names.index(name)])

    def _confusions(self) -> list[Section]:
        note = "An entity found with words too many or too few counts as found."
        if len(self.types) <= _SQUARE:
            names = [name for name in self._names if name != UNKNOWN or any(name in pair for pair in self._pairs)]
            names.append(NOTHING)
            counts = [[self._pairs[true, found] for found in names] for true in names]
            return [Matrix("What was taken for what", names, counts, note)]
        wrong = Counter({pair: times for pair, times in self._pairs.items() if pair[0] != pair[1]})
        rows: list[list[str | int | float]] = [[*pair, times] for pair, times in wrong.most_common(_SHOWN)]
        header = ["right", "predicted", "entities"]
        return [Table("What was most often taken for what", header, rows, note)] if rows else []

    def _listed(self) -> list[Section]:
        note = "Where a model is sure and wrong, it is often the data that is wrong."
        header = ["mistake", "right", "predicted", "text"]
        items = self._mistakes.items()
        return [Listing("The surest mistakes", header, items, note)] if items else []


def _told(text: str, place: tuple[int, int], type_: str) -> str:
    return f"{one_line(text[slice(*place)])} ({type_})"


def around(text: str, place: tuple[int, int]) -> str:
    """A part of a text with what stands beside it."""
    start, end = place
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    return f"{'…' * (first > 0)}{one_line(text[first:last])}{'…' * (last < len(text))}"


def one_line(text: str) -> str:
    """A text without line breaks."""
    return re.sub(r"\s", " ", text)
