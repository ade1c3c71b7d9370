"""Pairs of which the second text follows the first one in half of all cases.

Source:
    Devlin et al., 2019, BERT, arXiv:1810.04805, appendix A.2. Different from the authors' program, nothing is cut: a
    pair ends with the last sentence that fits; and what follows by chance is as many sentences from within another row,
    so that neither length nor beginning tells it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sentencex  # type: ignore[import-untyped]

from hftoolkit.tasks.pretraining.windows import Tokens, cuts, joined

NEXT, OTHER, ALONE = 0, 1, -100
"""What a second text is, in BERT's numbers: what comes next, another text, or there is none."""

Sentences = list[Tokens]


@dataclass(frozen=True)
class Pair:
    """Two texts that a model reads together."""

    first: Tokens

    second: Tokens
    """Nothing where the first one stands alone."""

    label: int


def sentences_of(text: str, language: str) -> list[str]:
    """The sentences of a text; none goes over the end of a line."""
    found = (sentence.strip() for line in text.split("\n") for sentence in sentencex.segment(language, line))
    return [sentence for sentence in found if sentence]


def pairs_of(number: int, rows: Sequence[Sentences], room: int, seed: int) -> Iterator[Pair]:
    """The pairs of a row.

    A sentence that no other one fits to stands alone, in as many windows as it needs.

    Args:
        number: Which row.
        rows: Sentences of this row and of others, from which another text is taken.
        room: Tokens of both texts together.
        seed: The same one draws the same pairs.
    """
    generator = random.Random(seed)  # noqa: S311
    others = [each for each in range(len(rows)) if each != number and len(rows[each]) > 1]
    sentences, begin = rows[number], 0
    while begin < len(sentences):
        end = begin + 1
        total = len(sentences[begin])
        while end < len(sentences) and total + len(sentences[end]) <= room:
            total += len(sentences[end])
            end += 1
        if end == begin + 1:
            alone = sentences[begin]
            yield from (Pair(alone.part(*cut), Tokens([], []), ALONE) for cut in cuts(alone, room))
            begin = end
            continue
        middle = generator.randrange(begin + 1, end)
        first = joined(sentences[begin:middle])
        if others and generator.random() < 0.5:
            other, count = rows[generator.choice(others)], end - middle
            place = generator.randint(1, max(1, len(other) - count))
            second = joined(other[place : place + count]).part(0, room - len(first))
            yield Pair(first, second, OTHER)
            begin = middle
        else:
            yield Pair(first, joined(sentences[middle:end]), NEXT)
            begin = end
