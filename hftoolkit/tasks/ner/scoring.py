"""What predictions are worth: scores of entities or of tags, what a report shows of them, how they are written."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.metrics import labels
from hftoolkit.metrics.entities import entity_counts
from hftoolkit.metrics.measure import Measure
from hftoolkit.metrics.tags import Entity, lenient_entities, write_tags
from hftoolkit.reports.classes import ClassTally
from hftoolkit.reports.entities import EntityTally, around, one_line
from hftoolkit.tasks.base import Row, Tally
from hftoolkit.tasks.ner.answers import Answers
from hftoolkit.tasks.ner.sentences import Sentence, Tagged
from hftoolkit.tasks.ner.tag_set import TagSet


class Scoring:
    """Compares predictions with what rows say.

    Args:
        rows: Reads what rows say.
        tags: Those of the model.
    """

    def __init__(self, rows: Answers, tags: TagSet) -> None:
        self.rows = rows
        self.tags = tags

    def measures(self) -> list[Measure]:
        """The scores, the deciding one first."""
        accuracy = Measure("accuracy", self._right, _share, lambda _: "words with the right tag")
        if self.rows.plain:
            return [accuracy]
        found = "characters" if self.rows.options.spans else "words"

        def signature(_: set[int]) -> str:
            return f"entities of the right type and {found}|as seqeval reads tags"

        return [
            Measure("F1", self._entities, labels.micro_f1, signature),
            Measure("precision", self._entities, lambda counts: labels.overall(counts).precision, signature),
            Measure("recall", self._entities, lambda counts: labels.overall(counts).recall, signature),
            accuracy,
        ]

    def tally(self) -> Tally:
        """What gathers more than scores."""
        return _PlainTally(self) if self.rows.plain else _EntityTally(self)

    def compared(self, prediction: Tagged, row: Row) -> tuple[list[Entity], list[Entity]]:
        """The entities that were found and those that are right, in words, or in characters where rows have spans."""
        sentence, found = prediction.sentence, lenient_entities(prediction.tags, "IOB2")
        if not self.rows.options.spans:
            return found, self.rows.entities(row, sentence)
        true = [Entity(part.label, *part.place) for part in self.rows.aligned(row, sentence)]
        return [Entity(entity.type, *sentence.place(entity)) for entity in found], true

    def paired(self, prediction: Tagged, row: Row) -> list[tuple[str, str]]:
        """The tag that was found and the one that is right, of every word."""
        found, words = prediction.tags, len(prediction.tags)
        if not self.rows.plain:
            found = write_tags(lenient_entities(found, "IOB2"), words, "IOB2")  # the model may have another scheme
        return list(zip(found, self.rows.tags(row, prediction.sentence), strict=True))

    def _entities(self, prediction: Tagged, row: Row) -> NDArray[np.int64]:
        return entity_counts(*self.compared(prediction, row), ())

    def _right(self, prediction: Tagged, row: Row) -> NDArray[np.int64]:
        both = self.paired(prediction, row)
        return np.array([sum(found == true for found, true in both), len(both)])

    def shown(self, sentence: Sentence, tags: Sequence[str]) -> str:
        """A tagged sentence as one line of text."""
        if self.rows.plain:
            return _listed(sentence.words, tags)
        parts, behind = [], 0
        for entity in lenient_entities(tags, "IOB2"):
            start, end = sentence.place(entity)
            parts += [sentence.text[behind:start], f"[{sentence.text[start:end]} {entity.type}]"]
            behind = end
        return one_line("".join([*parts, sentence.text[behind:]]))

    def shown_answer(self, row: Row, sentence: Sentence) -> str:
        """The right answer as one line of text; tags that cannot be read as they are."""
        if not self.rows.options.spans and self.rows.fault(row["tags"]):
            return _listed(sentence.words, row["tags"])
        return self.shown(sentence, self.rows.tags(row, sentence))

    def record(self, prediction: Tagged) -> dict[str, Any]:
        """A prediction as values that JSON knows; entities as `hftoolkit.data.spans` reads them."""
        sentence = prediction.sentence
        if self.rows.plain:
            return {"tags": prediction.tags, "scores": prediction.scores, "words": sentence.words}
        found = lenient_entities(prediction.tags, "IOB2")
        entities = []
        for entity in found:
            start, end = sentence.place(entity)
            entities.append(
                {
                    "entity_group": entity.type,
                    "score": prediction.score(entity.start, entity.end),
                    "word": sentence.text[start:end],
                    "start": start,
                    "end": end,
                }
            )
        tags = write_tags(found, len(sentence.words), "IOB2")  # in order, whatever the model said
        return {"entities": entities, "tags": tags, "words": sentence.words}


class _EntityTally:
    def __init__(self, scoring: Scoring) -> None:
        self._scoring = scoring
        self._gathered = EntityTally(scoring.tags.types)
        self.sections = self._gathered.sections

    def add(self, number: int, prediction: Tagged, row: Row) -> None:
        sentence = prediction.sentence
        spans = self._scoring.rows.options.spans

        def place(entity: Entity) -> tuple[int, int]:
            return (entity.start, entity.end) if spans else sentence.place(entity)

        def sure(entity: Entity) -> float:
            words = sentence.words_at(entity.start, entity.end) if spans else entity[1:]
            return prediction.score(*words) if words else 0.0

        predicted, true = self._scoring.compared(prediction, row)
        self._gathered.add(number, sentence.text, predicted, true, place, sure)


class _PlainTally:
    def __init__(self, scoring: Scoring) -> None:
        self._scoring = scoring
        self._gathered = ClassTally(scoring.tags.names)
        self.sections = self._gathered.sections

    def add(self, number: int, prediction: Tagged, row: Row) -> None:
        places, sentence = self._scoring.tags.places, prediction.sentence
        for word, (found, true) in enumerate(self._scoring.paired(prediction, row)):
            if found in places:  # else the model could not read the word
                text = f"{sentence.words[word]}: {around(sentence.text, sentence.places[word])}"
                right, sure = places.get(true, len(places)), prediction.scores[word]
                self._gathered.add(number, text, right, true, places[found], sure)


def _listed(words: Sequence[str], tags: Sequence[str]) -> str:
    return one_line(" ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True)))


def _share(counts: NDArray[np.number[Any]]) -> float:
    right, words = counts
    return float(100 * right / words) if words else 0.0
