"""What looks wrong about the tags or spans of rows, each with its place in the recipe, file and line."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from hftoolkit.data.label_doubts import doubts_about_labels
from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.ner.answers import Answers, fault_in
from hftoolkit.tasks.ner.options import Options
from hftoolkit.tasks.ner.sentences import sentence_of

_SHOWN: Final = 5
"""Rows or words that are named."""

_MISSED: Final = 0.02
"""Untagged words among those that are nearly always part of entities, as a share of all entities, above which a user
hears of it: CoNLL-2003 has 0.0016, WNUT17 0.0005."""

_OFTEN: Final = 20
_NEARLY: Final = 0.9
"""What nearly always means: of at least so many occurrences, this share."""

_EMPTY: Final = 0.9
"""Share of rows without an entity above which a user hears of it."""


def doubts_about_tags(rows: RunRows, options: Options) -> Iterator[str]:
    """Sentences about answers that look wrong.

    Args:
        rows: The rows of a run.
        options: The recipe's.
    """
    answers = Answers(options)
    answers.find_scheme(rows.train)
    held = {"data.validation": rows.validation, **{f"data.test.{name}": part for name, part in rows.tests.items()}}
    if options.spans:
        for place, part in held.items():
            yield from _misaligned(place, part, answers)
    else:
        for place, part in held.items():
            yield from _faults(place, part, answers)
        if any(answers.fault(row["tags"]) for part in (rows.train, *held.values()) for row in part):
            return  # those of the training rows are an error, which is told elsewhere
    yield from doubts_about_labels(rows, lambda row: _names(row, answers))
    if answers.plain and all(tag.isdecimal() for row in rows.train for tag in row["tags"]):
        tag = next(iter(rows.train))["tags"][0]
        yield (
            f"data.train: the tags are numbers, such as {tag}: they are learned as they are, and no entity is seen in "
            "them\n  write their names in their place"
        )
    if not answers.plain:
        yield from _untagged(rows.train, answers)


def _faults(place: str, part: Rows, answers: Answers) -> Iterator[str]:
    """Rows whose tags are refused."""
    wrong = [(number, fault_in(row, fault)) for number, row in enumerate(part) if (fault := answers.fault(row["tags"]))]
    if wrong:
        lines = part.places([number for number, _ in wrong[:_SHOWN]])
        shown = [f"{line}: {fault}" for line, (_, fault) in zip(lines, wrong, strict=False)]
        more = [f"and {len(wrong) - _SHOWN:,} more"] if len(wrong) > _SHOWN else []
        have = "row has" if len(wrong) == 1 else "rows have"
        told = "\n  ".join([*shown, *more, answers.advice])
        yield f"{place}: {len(wrong):,} {have} tags that break their scheme: a run will stop at them\n  {told}"


def _misaligned(place: str, part: Rows, answers: Answers) -> Iterator[str]:
    """Spans that no prediction can equal."""
    found: list[tuple[int, str]] = []
    for number, row in enumerate(part):
        wrong = [one for one in answers.aligned(row, sentence_of(row, answers.options)) if not one.exact]
        found += [(number, row["text"][slice(*one.place)]) for one in wrong]
    if found:
        number, text = found[0]
        are = "span begins or ends" if len(found) == 1 else "spans begin or end"
        yield (
            f"{place}: {len(found):,} {are} inside a word: no model can find them exactly; the first is '{text:.60}' "
            f"({part.places([number])[0]})\n  correct their places"
        )


def _names(row: Row, answers: Answers) -> frozenset[str]:
    """Types of a row's entities, or its tags."""
    sentence = sentence_of(row, answers.options)
    if answers.plain:
        return frozenset(answers.tags(row, sentence))
    return frozenset(entity.type for entity in answers.entities(row, sentence))


def _untagged(rows: Rows, answers: Answers) -> Iterator[str]:
    """Entities that may have been overlooked, and rows without any."""
    times: Counter[str] = Counter()
    named: Counter[str] = Counter()
    entities = empty = 0
    for words, inside, number in _words_of(rows, answers):
        times.update(words)
        named.update(words[place] for place in inside)
        entities += number
        empty += not number
    if empty > _EMPTY * len(rows):
        yield (
            f"data.train: {empty:,} of {len(rows):,} rows have no entity: a model may learn to find none\n"
            "  leave some of them out, or see that the column is the right one"
        )
    # A single character of Chinese says little by itself.
    often = [word for word in named if len(word) > 1 and times[word] >= _OFTEN]
    sure = {word for word in often if named[word] >= _NEARLY * times[word]}
    missed = sum(times[word] - named[word] for word in sure)
    if missed <= _MISSED * entities:
        return
    first: dict[str, int] = {}
    for row, (words, inside, _) in enumerate(_words_of(rows, answers)):
        for place, word in enumerate(words):
            if word in sure and place not in inside:
                first.setdefault(word, row)
    shown = sorted(first, key=lambda word: named[word] - times[word])[:_SHOWN]
    lines = rows.places([first[word] for word in shown])
    told = ", ".join(
        f"'{word:.60}' {times[word] - named[word]:,} of {times[word]:,} times ({line})"
        for word, line in zip(shown, lines, strict=True)
    )
    yield (
        f"data.train: words that are nearly always part of an entity stand outside of one {missed:,} times: {told}\n"
        "  entities may have been overlooked: look at these rows"
    )


def _words_of(rows: Rows, answers: Answers) -> Iterator[tuple[list[str], set[int], int]]:
    """The words of every row, which of them are part of an entity, and how many entities there are."""
    for row in rows:
        sentence = sentence_of(row, answers.options)
        entities = answers.entities(row, sentence)
        inside = {word for entity in entities for word in range(entity.start, entity.end)}
        yield sentence.words, inside, len(entities)
