"""How BLEU comes about: n-grams of outputs that are in a reference, order by order, and those that are not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU

ORDERS: Final = range(1, 5)

NGram = tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """The n-grams of one length."""

    size: int
    """Tokens of each, n."""

    matched: int
    """N-grams of the outputs that a reference of their row has, each as often as it has it."""

    written: int
    """N-grams of the outputs."""

    precision: float
    """What BLEU is made of: the share of those written that are matched, in percent; smoothed where none is."""

    missed: list[tuple[str, int]]
    """N-grams of the references that the outputs lack, with how many times, the most frequent first; of several
    references of a row, those of the one that shares most with the output."""

    invented: list[tuple[str, int]]
    """The same of n-grams of the outputs that no reference of their row has."""


@dataclass(frozen=True)
class Explanation:
    """All that BLEU is made of."""

    orders: list[Order]

    written: int
    """Tokens of the outputs."""

    closest: int
    """Tokens of the references, of several for a row those of the one closest in length."""

    brevity_penalty: float
    """What BLEU is multiplied by because the outputs are shorter than the references."""

    bleu: float


def explain(metric: "BLEU", rows: Iterable[tuple[str, Sequence[str]]], *, shown: int = 10) -> Explanation:
    """Take BLEU apart.

    Args:
        metric: From `translations.bleu`.
        rows: Each output with its references.
        shown: N-grams listed of every order at most.

    Raises:
        ValueError: If a row has no reference.

    Source:
        Papineni et al., 2002, doi:10.3115/1073083.1073135.
    """
    matched, written, closest = [0] * len(ORDERS), [0] * len(ORDERS), 0
    missed: list[Counter[NGram]] = [Counter() for _ in ORDERS]
    invented: list[Counter[NGram]] = [Counter() for _ in ORDERS]
    for output, references in rows:
        if not references:
            raise ValueError("expected at least one reference, got none")
        tokens = metric._preprocess_segment(output).split()
        others = [metric._preprocess_segment(reference).split() for reference in references]
        closest += min(map(len, others), key=lambda length: (abs(length - len(tokens)), length))
        nearest = max(others, key=lambda other: sum((Counter(other) & Counter(tokens)).values()))
        for place, size in enumerate(ORDERS):
            own = _ngrams(tokens, size)
            known: Counter[NGram] = Counter()
            for other in others:
                known |= _ngrams(other, size)
            matched[place] += sum((own & known).values())
            written[place] += sum(own.values())
            missed[place] += _ngrams(nearest, size) - own
            invented[place] += own - known
    found = metric._compute_score_from_stats([written[0], closest, *matched, *written])
    orders = [
        Order(
            size,
            matched[place],
            written[place],
            found.precisions[place],
            _most(missed[place], shown),
            _most(invented[place], shown),
        )
        for place, size in enumerate(ORDERS)
    ]
    return Explanation(orders, written[0], closest, float(found.bp), float(found.score))


def _ngrams(tokens: Sequence[str], size: int) -> Counter[NGram]:
    return Counter(zip(*(tokens[start:] for start in range(size)), strict=False))


def _most(found: Counter[NGram], shown: int) -> list[tuple[str, int]]:
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [(" ".join(ngram), count) for ngram, count in ordered[:shown]]
