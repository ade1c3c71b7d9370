"""Which part of a context a model takes for the answer: from the scores of both its ends, over all windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class WindowScores:
    """What a model makes of one window, by the probability it gives to places in it, in nats."""

    start: Floats
    """Log-probability of every token of the context to be the answer's first; ``[T]``."""

    end: Floats
    """The same for its last."""

    none: float
    """Log-probability that this window has no answer."""

    @classmethod
    def of(cls, logits: Floats, begin: int, end: int) -> "WindowScores":
        """Scores of a window.

        Args:
            logits: Of all its tokens, for the first one of the answer and for the last one; ``[2, W]``. The first token
                stands for no answer.
            begin: Its first token of the context.
            end: The token after the last.
        """
        # Other tokens, those of the question among them, cannot be the answer and have no share.
        chosen = np.concatenate([logits[:, :1], logits[:, begin:end]], axis=1).astype(np.float32)
        chosen -= chosen.max(axis=1, keepdims=True)
        chosen -= np.log(np.exp(chosen).sum(axis=1, keepdims=True))
        return cls(chosen[0, 1:], chosen[1, 1:], float(chosen[:, 0].sum()))


@dataclass(frozen=True, eq=False)
class Spans:
    """The best parts of a context, the best first."""

    first: NDArray[np.int64]
    """First token of every part, counted in the context; ``[S]``."""

    last: NDArray[np.int64]
    """Its last token."""

    scores: Floats
    """Log-probability of both ends in their window, in nats; of two windows' the higher."""

    none: float
    """Log-probability that no window has an answer: that of the window which most likely has one."""


def best_spans(windows: Sequence[WindowScores], begins: Sequence[int], longest: int, number: int) -> Spans:
    """The most probable parts of a context.

    Every part that is not too long is looked at, in every window. What is compared are probabilities within windows:
    a window that holds no answer gives most of its own to having none, so that its parts stand behind.

    Args:
        windows: All windows of the context.
        begins: The first token of each, counted in the context.
        longest: Tokens of the longest part.
        number: How many are wanted, at least 1.
    """
    firsts, lasts, scores = [], [], []
    for window, begin in zip(windows, begins, strict=True):
        start, length, found = _in_window(window, longest, number)
        firsts.append(start + begin)
        lasts.append(start + begin + length)
        scores.append(found)
    first, last, score = (np.concatenate(parts) for parts in (firsts, lasts, scores))
    order = np.argsort(-score, kind="stable")
    if len(windows) > 1:  # neighbours share parts
        ends = np.stack([first, last])[:, order]
        order = order[np.sort(np.unique(ends, axis=1, return_index=True)[1])]
    order = order[:number]
    return Spans(first[order], last[order], score[order], min(window.none for window in windows))


def _in_window(window: WindowScores, longest: int, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """First tokens of the best parts of one window, how many follow the first, and their scores, in no order."""
    size = len(window.start)
    longest = min(longest, size)
    if not size:
        none = np.zeros(0, dtype=np.int64)
        return none, none, window.start
    ends = np.concatenate([window.end, np.full(longest - 1, -np.inf, dtype=np.float32)])
    table = window.start[:, None] + sliding_window_view(ends, longest)  # [T, longest]
    scores = table.ravel()
    kept = min(number, len(scores))
    places = np.argpartition(scores, len(scores) - kept)[len(scores) - kept :]
    places = places[scores[places] > -np.inf]
    starts, lengths = np.divmod(places, longest)
    return starts, lengths, scores[places]
