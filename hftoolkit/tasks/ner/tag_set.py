"""The tags that a model gives: found in training rows or told by a checkpoint, in the model's order."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from hftoolkit.data.rows import Rows
from hftoolkit.data.sources.reading import BadRows
from hftoolkit.errors import DataError, ModelError
from hftoolkit.metrics.schemes import SchemeFinder
from hftoolkit.metrics.tags import Entity, entity_types, write_tags
from hftoolkit.reports.wording import counted
from hftoolkit.tasks.ner.answers import Answers, fault_in, is_tag
from hftoolkit.tasks.ner.sentences import sentence_of

OUTSIDE: Final = "O"

_TOLD: Final = 8
"""Tags or types that a note names."""


class TagSet:
    """Tags; those of entities are IOB2, whatever the rows have.

    Args:
        answers: Reads the rows.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.names: list[str] = []
        """In the model's order."""
        self.places: dict[str, int] = {}
        """Number of every tag, from 0."""
        self.read: list[str] = []
        """The same as they are read: what is no tag, such as X or [SEP] in some checkpoints, as none."""
        self.types: list[str] = []
        """Of entities; none where tags say nothing of them."""
        self.frequent = OUTSIDE
        """What a baseline tags all words with."""
        self._used: set[str] = set()

    def learn(self, rows: Rows) -> list[str]:
        """Find the tags of training rows.

        Returns:
            What they are.

        Raises:
            DataError: If they break their scheme, or if there is nothing to learn.
        """
        answers = self._answers
        notes = [] if answers.options.spans else self._scheme(rows)
        tags: Counter[str] = Counter()
        types: Counter[str] = Counter()
        empty = 0
        for row in rows:
            sentence = sentence_of(row, answers.options)
            tags.update(answers.tags(row, sentence))
            entities = [] if answers.plain else answers.entities(row, sentence)
            types.update(entity.type for entity in entities)
            empty += not entities
        self._used = set(tags)
        if answers.plain:
            self._set(sorted(tags))
            self.frequent = min(tags, key=lambda tag: (-tags[tag], tag))
        else:
            of_type = {type_: write_tags([Entity(type_, 0, 2)], 2, "IOB2") for type_ in sorted(types)}
            self._set([OUTSIDE, *(tag for pair in of_type.values() for tag in pair)])
        if len(self.names) < 2:
            what = f"all words have the tag '{self.frequent}'" if answers.plain else "there is no entity"
            raise DataError(
                f"data.train: in {counted(len(rows), 'row')} {what}: there is nothing to learn\n"
                "  look at data.train.columns"
            )
        if answers.plain:
            return [*notes, f"{len(tags)} tags: {_most(tags)}"]
        share = f"{100 * empty / len(rows):.0f} % of {counted(len(rows), 'row')} have none"
        notes.append(f"{types.total():,} entities of {counted(len(types), 'type')}: {_most(types)}; {share}")
        return [*notes, *self._unaligned(rows)]

    def _scheme(self, rows: Rows) -> list[str]:
        answers = self._answers
        answers.find_scheme(rows)
        if answers.plain:
            return ["the tags say nothing of entities: accuracy is what counts"]
        bad = BadRows(answers.advice)
        mended = []
        for number, row in enumerate(rows):
            if fault := answers.fault(row["tags"]):
                bad.add(rows.places([number])[0], fault_in(row, fault))
            elif answers.faults(row["tags"]):
                mended.append(number)
        bad.check()
        notes = [f"the tags are {answers.scheme}" + ("" if answers.options.scheme else ", as the rows tell")]
        if mended:
            first = rows.places(mended[:1])[0]
            notes.append(f"rows with tags that break their scheme, read all the same: {len(mended):,} (first: {first})")
        return notes

    def _unaligned(self, rows: Rows) -> list[str]:
        """Spans that are learned as other words than they hold."""
        if not self._answers.options.spans:
            return []
        told = {
            True: "spans that begin or end inside a word, learned as whole words",
            False: "spans whose words are in other spans, left out",
        }
        times: Counter[bool] = Counter()
        first: dict[bool, int] = {}
        for number, row in enumerate(rows):
            sentence = sentence_of(row, self._answers.options)
            for part in self._answers.aligned(row, sentence):
                kept = part.entity is not None
                if part.entity is None or sentence.place(part.entity) != part.place:
                    times[kept] += 1
                    first.setdefault(kept, number)
        return [
            f"{text}: {times[kept]:,} (first: {rows.places([first[kept]])[0]})"
            for kept, text in told.items()
            if times[kept]
        ]

    def knows(self, config: Any) -> bool:
        """Whether a checkpoint gives every tag of the rows."""
        return self._used <= set(config.label2id)

    def settings(self) -> Mapping[str, Any]:
        """The tags as a configuration says them."""
        return {"id2label": dict(enumerate(self.names)), "label2id": dict(self.places)}

    def fit(self, config: Any) -> None:
        """Tell by a checkpoint's tags whether they are of entities, where neither the recipe nor the rows did.

        Raises:
            ModelError: If they are not, though the recipe says so.
        """
        names, answers = _names_in(config), self._answers
        finder = SchemeFinder()
        finder.add(names)
        if finder.scheme() != "none":
            return
        if answers.scheme is None and not answers.options.spans:
            answers.scheme = "none"
        if not answers.plain:
            raise ModelError(
                f"this model's tags say nothing of entities: {', '.join(names[:_TOLD])}\n"
                "  choose another model, or correct the recipe's options"
            )

    def take(self, config: Any) -> None:
        """Put the tags into the order of a checkpoint, which may know more of them."""
        self._set(_names_in(config))

    def _set(self, names: list[str]) -> None:
        self.names = names
        self.places = {name: place for place, name in enumerate(names)}
        plain = self._answers.plain
        self.read = [name if plain or is_tag(name) else OUTSIDE for name in names]
        self.types = [] if plain else entity_types(self.read, "IOB2")


def _names_in(config: Any) -> list[str]:
    return [config.id2label[number] for number in range(config.num_labels)]


def _most(times: Counter[str]) -> str:
    named = sorted(times, key=lambda name: (-times[name], name))
    more = f" and {len(named) - _TOLD} more" if len(named) > _TOLD else ""
    return ", ".join(f"{name} {times[name]:,}" for name in named[:_TOLD]) + more
