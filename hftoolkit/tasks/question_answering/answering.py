"""What a model makes of the windows of a context -> the parts of it that it takes for the answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.questions import Asked
from hftoolkit.data.token_spans import Offsets, characters_of, whole_words
from hftoolkit.models.answer_spans import Spans, WindowScores, best_spans

LISTED: Final = 20
"""Answers to a question that are kept, as transformers' run_qa.py keeps them."""

_SILENT: Final = 1000.0
"""By how much no answer is more probable where there is no other, in nats: more than models say."""


@dataclass(frozen=True)
class Answer:
    """A part of a context; or no answer, which is an empty text."""

    text: str

    start: int
    """First character in the context, from 0."""

    end: int
    """The character after its last."""

    score: float
    """Probability of its two ends among all tokens of the context, 0 to 1: see `hftoolkit.models.answer_spans`."""


@dataclass(frozen=True, eq=False)
class Answered:
    """What a model says to a question on a context."""

    context: str

    offsets: Offsets
    """Of its tokens."""

    spans: Spans
    """The best parts of it, in tokens."""

    aligned: bool
    """Whether answers are made longer where they begin or end within a word."""

    @classmethod
    def nothing(cls) -> "Answered":
        """No answer, for want of any other."""
        none = np.zeros(0, dtype=np.int64)
        return cls("", np.zeros((0, 2), np.int32), Spans(none, none, np.zeros(0, np.float32), 0.0), False)

    @cached_property
    def best(self) -> Answer | None:
        """The most probable answer; None of a context without words."""
        return next(self.answers(), None)

    @property
    def none(self) -> Answer:
        """No answer, with its probability."""
        return Answer("", 0, 0, float(np.exp(self.spans.none)))

    @property
    def silence(self) -> float:
        """By how much no answer is more probable than the best one, in nats."""
        first = next(self._parts(), None)
        return _SILENT if first is None else self.spans.none - first[2]

    def answers(self) -> Iterator[Answer]:
        """Answers, the most probable first, each once."""
        seen = set()
        for start, end, score in self._parts():
            if (start, end) not in seen:
                seen.add((start, end))
                yield Answer(self.context[start:end], start, end, float(np.exp(score)))

    def _parts(self) -> Iterator[tuple[int, int, float]]:
        """Parts that hold more than blanks, in characters, with the logarithms of their probabilities."""
        spans = self.spans
        for first, last, score in zip(spans.first.tolist(), spans.last.tolist(), spans.scores.tolist(), strict=True):
            start, end = characters_of(self.context, self.offsets, first, last)
            if self.aligned:
                start, end = whole_words(self.context, start, end)
            if start < end:
                yield start, end, score


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
    # More than are wanted: some are the same in characters, and some have none.
    return Answered(context, asked.offsets, best_spans(windows, asked.begins, longest, 2 * number + 10), aligned)
