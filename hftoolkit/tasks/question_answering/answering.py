"""What a model makes of the windows of a context -> the parts of it that it takes for the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.questions import Asked
from hftoolkit.data.token_spans import characters_of, whole_words
from hftoolkit.models.answer_spans import WindowScores, best_spans

_SILENT: Final = 1000.0
"""By how much no answer is more probable where there is no other, in nats: more than models say."""


@dataclass(frozen=True)
class Answer:
    """A part of a context; or no answer, which is an empty text."""

    text: str

    start: int
    """First character in the context, from 0."""

    end: int
    """The character after the last."""

    score: float
    """Probability of its two ends among the tokens of their window; 0 to 1. As in transformers 4."""


@dataclass(frozen=True)
class Answered:
    """What a model says to a question."""

    answers: tuple[Answer, ...]
    """The most probable ones, the best first."""

    none: Answer
    """No answer, with its probability."""

    silence: float
    """By how much no answer is more probable than the best one, in nats."""

    @classmethod
    def nothing(cls, score: float = 1.0) -> "Answered":
        """No answer, for want of any other."""
        return cls((), Answer("", 0, 0, score), _SILENT)


def logits_of(output: Any, lengths: Sequence[int]) -> list[NDArray[np.float32]]:
    """What is kept of a model's output: scores of every window's tokens to be the first and the last, ``[2, W]``."""
    import torch

    logits = torch.stack([output.start_logits, output.end_logits], dim=1).float().cpu().numpy()  # [B, 2, W]
    return [one[:, :length] for one, length in zip(logits, lengths, strict=True)]


def answers_of(
    context: str, asked: Asked, logits: Sequence[NDArray[np.float32]], *, longest: int, number: int, aligned: bool
) -> Answered:
    """The most probable answers.

    Args:
        context: What was read.
        asked: How it was read.
        logits: Of every window, from `logits_of`.
        longest: Tokens of the longest answer.
        number: How many answers are wanted.
        aligned: Make answers longer where they begin or end within a word.
    """
    windows = [WindowScores.of(one, *f["context"]) for one, f in zip(logits, asked.features, strict=True)]
    # Some are the same in characters, and some have none.
    spans = best_spans(windows, asked.begins, longest, 2 * number + 10)
    found: dict[tuple[int, int], Answer] = {}
    for first, last, score in zip(spans.first, spans.last, spans.scores, strict=True):
        start, end = characters_of(context, asked.offsets, int(first), int(last))
        if aligned:
            start, end = whole_words(context, start, end)
        if start < end and len(found) < number:
            found.setdefault((start, end), Answer(context[start:end], start, end, float(np.exp(score))))
    none = float(np.exp(spans.none))
    if not found:
        return Answered.nothing(none)
    return Answered(tuple(found.values()), Answer("", 0, 0, none), spans.none - float(spans.scores[0]))
