"""How well entities are found, as functions of a sum of per-row counts.

The counts of T types have shape ``[3 (T + 1)]``, those of labels in `hftoolkit.metrics.labels`, whose scores are meant
for them too: ``micro_f1``, ``overall``, ``label_scores``, ``macro_f1``. They equal seqeval's. Behind the types come all
those that were not named, so that nothing escapes the scores of all.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from hftoolkit.metrics.tags import Entity

Kind = Literal["boundary", "type", "both", "missed", "invented"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Mistake(NamedTuple):
    """What went wrong about one entity.

    Wrong predictions and entities that were not found are paired, each once, the first of these that applies first,
    and where there is a choice, those that share the most words: ``type``, the same words under another type;
    ``boundary``, words in common and the same type; ``both``, words in common under another type. What is left is
    ``missed`` or ``invented``. So wrong predictions are all but the missed, entities not found all but the invented.
    """

    kind: Kind

    entity: Entity
    """The right one; the prediction where it was invented."""

    predicted: Entity | None
    """What was predicted for it; None where it was missed."""


def entity_counts(predicted: Iterable[Entity], true: Iterable[Entity], types: Sequence[str]) -> NDArray[np.int64]:
    """What one row adds.

    Args:
        predicted: From `tags.lenient_entities`, or, for the score that seqeval calls strict, `tags.strict_entities`.
        true: The right ones.
        types: Those that have a column of their own.

    Returns:
        How many were predicted and true, predicted, true, of each type and of all others; shape ``[3 (T + 1)]``.
    """
    predictions, truths = set(predicted), set(true)
    counts = np.zeros((3, len(types) + 1), dtype=np.int64)
    for line, entities in zip(counts, (predictions & truths, predictions, truths), strict=True):
        for entity in entities:
            line[_column(entity, types)] += 1
    return counts.ravel()


def mistakes(predicted: Iterable[Entity], true: Iterable[Entity]) -> list[Mistake]:
    """What went wrong in one row, in its order. Entities of one side do not overlap."""
    predictions, truths = set(predicted), set(true)
    wrong, unfound = predictions - truths, truths - predictions
    pairs = [(_rank(one, other), one, other) for one in wrong for other in unfound if _shared(one, other) > 0]
    found = []
    for (_, _, kind), one, other in sorted(pairs):
        if one in wrong and other in unfound:
            found.append(Mistake(kind, other, one))
            wrong.remove(one)
            unfound.remove(other)
    found += [Mistake("invented", one, one) for one in wrong]
    found += [Mistake("missed", other, None) for other in unfound]
    return sorted(found, key=lambda mistake: mistake.entity[1:])


def mistake_counts(predicted: Iterable[Entity], true: Iterable[Entity], types: Sequence[str]) -> NDArray[np.int64]:
    """What one row adds to a table of mistakes.

    Returns:
        How often each of `KINDS` happened to each type and to all others; shape ``[5, T + 1]``. The type is that of
        the right entity; of an invented one, its own.
    """
    counts = np.zeros((len(KINDS), len(types) + 1), dtype=np.int64)
    for mistake in mistakes(predicted, true):
        counts[KINDS.index(mistake.kind), _column(mistake.entity, types)] += 1
    return counts


def _column(entity: Entity, types: Sequence[str]) -> int:
    return types.index(entity.type) if entity.type in types else len(types)


def _shared(one: Entity, other: Entity) -> int:
    """Words in common."""
    return min(one.end, other.end) - max(one.start, other.start)


def _rank(one: Entity, other: Entity) -> tuple[int, int, Kind]:
    """What makes a pair come first, and what it is."""
    if one.type == other.type:
        return 1, -_shared(one, other), "boundary"
    if one[1:] == other[1:]:
        return 0, 0, "type"
    return 2, -_shared(one, other), "both"
