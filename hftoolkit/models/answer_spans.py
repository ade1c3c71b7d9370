"""Which part of a context a model takes for the answer: from the scores of both its ends, over all windows.

What is compared are logits, as SQuAD's baselines and transformers' run_qa.py do, and what is told are probabilities
over all windows together. The pipeline of transformers 4 took every window for itself: one without the answer has to be
sure of something else, and won too often (Clark and Gardner, 2018, arXiv:1710.10723).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class WindowScores:
    """What a model makes of one window, in logits; tokens of the question cannot be the answer and are left out."""

    ends: Floats
    """Of every token of the context to be the answer's first, and its last; ``[2, T]``."""

    none: Floats
    """Of the token in front, which stands for no answer, to be both; ``[2]``."""

    @classmethod
    def of(cls, logits: Floats, begin: int, end: int) -> "WindowScores":
        """Scores of a window.

        Args:
            logits: Of all its tokens, for the first one of the answer and for the last one; ``[2, W]``.
            begin: Its first token of the context.
            end: The token after the last.
        """
        return cls(logits[:, begin:end], logits[:, 0])


@dataclass(frozen=True, eq=False)
class Spans:
    """The best parts of a context, the best first."""

    first: NDArray[np.int64]
    """First token of every part, counted in the context; ``[S]``."""

    last: NDArray[np.int64]
    """Its last token."""

    scores: Floats
    """Log-probability of both ends among all tokens of the context and no answer, in nats; of two windows' the higher.
    For a context of one window they are the logarithms of what transformers 4 gives."""

    none: float
    """The same of no answer, in the window that most likely has one."""


def best_spans(windows: Sequence[WindowScores], begins: Sequence[int], longest: int, number: int) -> Spans:
    """The most probable parts of a context.

    Every part that is not too long is looked at, in every window.

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
    none = min((window.none for window in windows), key=lambda logits: float(logits.sum()))
    total = _total(windows, begins, none)
    return Spans(first[order], last[order], score[order] - np.float32(total), float(none.sum()) - total)


def _total(windows: Sequence[WindowScores], begins: Sequence[int], none: Floats) -> float:
    """Logarithm of the sum over all parts and no answer; every token counts with its best window."""
    size = max(begin + window.ends.shape[1] for window, begin in zip(windows, begins, strict=True))
    logits = np.full((2, size + 1), -np.inf, dtype=np.float32)
    logits[:, size] = none
    for window, begin in zip(windows, begins, strict=True):
        place = logits[:, begin : begin + window.ends.shape[1]]
        np.maximum(place, window.ends, out=place)
    most = logits.max(axis=1, keepdims=True)
    return float((np.log(np.exp(logits - most).sum(axis=1)) + most[:, 0]).sum())


def _in_window(window: WindowScores, longest: int, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """First tokens of the best parts of one window, how many follow the first, and their scores, in no order."""
    start, end = window.ends
    longest = min(longest, len(start))
    if not len(start):
        none = np.zeros(0, dtype=np.int64)
        return none, none, start
    ends = np.concatenate([end, np.full(longest - 1, -np.inf, dtype=np.float32)])
    table = start[:, None] + sliding_window_view(ends, longest)  # [T, longest]
    scores = table.ravel()
    kept = min(number, len(scores))
    places = np.argpartition(scores, len(scores) - kept)[len(scores) - kept :]
    places = places[scores[places] > -np.inf]
    starts, lengths = np.divmod(places, longest)
    return starts, lengths, scores[places]
