"""Tokens with scores -> entities, by the strategies that transformers has for it.

Source:
    ``TokenClassificationPipeline`` of transformers 5: the same answers, its quirks included.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Strategy = Literal["none", "simple", "first", "average", "max"]
STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)

Answer = dict[str, Any]


@dataclass(frozen=True)
class Token:
    """A token, or a word that was made of several."""

    word: str

    scores: NDArray[np.float32]
    """Probability of every label; shape ``[L]``."""

    start: int
    end: int
    """First character in the text, and the one after the last."""

    index: int
    """Place among the tokens of its window."""

    inner: bool
    """Whether it goes on a word."""

    @property
    def best(self) -> int:
        """Number of the likeliest label."""
        return int(self.scores.argmax())


@dataclass(frozen=True)
class Labels:
    """What a strategy must know of a model."""

    names: Mapping[int, str]
    """Of the labels, by number."""

    joined: Callable[[list[str]], str]
    """Makes a text of tokens."""


def aggregate(tokens: Sequence[Token], strategy: Strategy, labels: Labels) -> list[Answer]:
    """The tokens of a window, each or those of an entity together.

    Args:
        tokens: In order.
        strategy: ``none``: each as it is; ``simple``: neighbours of one type are an entity; ``first``, ``average`` and
            ``max``: the same for words, whose tokens agree on the label of their first one, on the best of the mean,
            or on that of the surest one.
        labels: The model's.
    """
    if strategy == "none":
        return [
            {
                "entity": labels.names[token.best],
                "score": float(token.scores[token.best]),
                "index": token.index,
                "word": token.word,
                "start": token.start,
                "end": token.end,
            }
            for token in tokens
        ]
    parts = tokens if strategy == "simple" else [_agreed(word, strategy, labels) for word in _words(tokens)]
    return [_entity(group, labels) for group in _groups(parts, labels)]


def without_overlaps(answers: Sequence[Answer]) -> list[Answer]:
    """The entities of all windows of a text: of two that begin within each other the longer one, or the surer one."""
    kept: list[Answer] = []
    for answer in sorted(answers, key=lambda answer: int(answer["start"])):
        if not kept or not kept[-1]["start"] <= answer["start"] < kept[-1]["end"]:
            kept.append(answer)
        elif _weight(answer) > _weight(kept[-1]):
            kept[-1] = answer
    return kept


def _weight(answer: Answer) -> tuple[int, float]:
    return answer["end"] - answer["start"], answer["score"]


def _words(tokens: Sequence[Token]) -> list[list[Token]]:
    words: list[list[Token]] = []
    for token in tokens:
        if words and token.inner:
            words[-1].append(token)
        else:
            words.append([token])
    return words


def _agreed(word: list[Token], strategy: Strategy, labels: Labels) -> Token:
    """A word with one opinion."""
    if strategy == "first":
        scores = word[0].scores
    elif strategy == "max":
        scores = max(word, key=lambda token: float(token.scores.max())).scores
    else:
        scores = np.mean([token.scores for token in word], axis=0)
    text = labels.joined([token.word for token in word])
    return Token(text, scores, word[0].start, word[-1].end, word[0].index, inner=False)


def _groups(parts: Sequence[Token], labels: Labels) -> list[list[Token]]:
    """Neighbours of one type; one that begins with B- begins another entity."""
    groups: list[list[Token]] = []
    last = ""
    for part in parts:
        begins, type_ = _read(labels.names[part.best])
        if groups and type_ == last and not begins:
            groups[-1].append(part)
        else:
            groups.append([part])
        last = type_
    return groups


def _read(name: str) -> tuple[bool, str]:
    return name.startswith("B-"), name[2:] if name.startswith(("B-", "I-")) else name


def _entity(group: Sequence[Token], labels: Labels) -> Answer:
    return {
        "entity_group": labels.names[group[0].best].split("-", 1)[-1],
        "score": float(np.mean([part.scores[part.best] for part in group])),
        "word": labels.joined([part.word for part in group]),
        "start": group[0].start,
        "end": group[-1].end,
    }
