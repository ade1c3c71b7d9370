"""Models that tag words: the head's engine, which says what it could not read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.engines.heads import HeadEngine

Best = tuple[NDArray[np.int64], NDArray[np.float32]]
"""The best label of every token of a feature, and its probability; shapes ``[T]``."""


class TaggingEngine(HeadEngine):
    """A `HeadEngine` for words."""

    unread = 0
    """Words so far that are nothing to the tokenizer."""

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.unread:
            return super().notes
        count = "1 word is" if self.unread == 1 else f"{self.unread:,} words are"
        got = "got no tag" if self.unread == 1 else "got no tags"
        return (*super().notes, f"{count} nothing to the tokenizer, such as control characters, and {got}")


def best_labels(output: Any, lengths: Sequence[int]) -> list[Best]:
    """What is kept of a batch: the best label of every token.

    Args:
        output: Of a token classification model.
        lengths: Tokens of every feature.
    """
    scores, labels = output.logits.float().softmax(-1).max(-1)  # [B, T]
    rows = zip(labels.cpu().numpy(), scores.cpu().numpy(), lengths, strict=True)
    return [(best[:length].copy(), sure[:length].copy()) for best, sure, length in rows]
