"""Questions on contexts as tokens: the question first, then as much of the context as there is room for, in windows.

Every text is read once, however many questions there are on one context; windows are cut from its tokens.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftoolkit.data.token_spans import Offsets
from hftoolkit.data.windows import windows


@dataclass(frozen=True)
class Sizes:
    """How long windows are, in tokens."""

    window: int
    """All of a window: question, special tokens and part of the context."""

    overlap: int
    """What a window shares with the next one."""

    question: int
    """The longest question; it never has more than half of the window."""

    def share(self, frame: "Frame") -> int:
        """Tokens of the longest question in a frame."""
        return max(0, min(self.question, (self.window - len(frame)) // 2))


@dataclass(frozen=True, eq=False)
class Asked:
    """A question on a context, as a model reads it."""

    features: list[dict[str, list[int]]]
    """A feature for every window: ``context`` are its first token of the context and the token after the last;
    ``cut`` in the first one says that the question is longer than its share."""

    begins: list[int]
    """The first token of every window, counted in the context."""

    offsets: Offsets
    """Of all tokens of the context."""


@dataclass(frozen=True)
class Frame:
    """The special tokens around two texts."""

    front: list[int]
    middle: list[int]
    back: list[int]

    types: tuple[list[int], int, list[int], int, list[int]] | None
    """Of which text each token is: those in front, the first text, those between, the second text, those behind. None
    for tokenizers whose models are not told."""

    @classmethod
    def of(cls, tokenizer: Any) -> "Frame":
        """The frame that a tokenizer puts around two texts.

        Args:
            tokenizer: A fast one.
        """
        pair = tokenizer("a", "a")
        sides = pair.sequence_ids(0)
        first, second = sides.index(0), sides.index(1)
        between, behind = first + sides.count(0), second + sides.count(1)
        cuts = [(0, first), (first, between), (between, second), (second, behind), (behind, len(sides))]
        ids = [pair["input_ids"][begin:end] for begin, end in cuts]
        types = None
        if "token_type_ids" in pair:
            front, one, middle, other, back = (pair["token_type_ids"][begin:end] for begin, end in cuts)
            types = front, one[0], middle, other[0], back
        return cls(ids[0], ids[2], ids[4], types)

    def __len__(self) -> int:
        return len(self.front) + len(self.middle) + len(self.back)

    def feature(self, question: list[int], context: list[int]) -> dict[str, list[int]]:
        """What a model reads of a question and a part of a context."""
        begin = len(self.front) + len(question) + len(self.middle)
        feature = {
            "input_ids": [*self.front, *question, *self.middle, *context, *self.back],
            "context": [begin, begin + len(context)],
        }
        if self.types:
            front, one, middle, other, back = self.types
            feature["token_type_ids"] = [*front, *[one] * len(question), *middle, *[other] * len(context), *back]
        return feature


def read_questions(rows: Sequence[Mapping[str, Any]], tokenizer: Any, frame: Frame, sizes: Sizes) -> list[Asked]:
    """Questions as windows of tokens.

    Args:
        rows: Each with a question and a context.
        tokenizer: A fast one.
        frame: Its frame.
        sizes: Of the windows.
    """
    questions = _tokens((row["question"].strip() for row in rows), tokenizer)
    contexts = _tokens((row["context"] for row in rows), tokenizer)
    share = sizes.share(frame)
    found = []
    for row in rows:
        question, _ = questions[row["question"].strip()]
        context, offsets = contexts[row["context"]]
        room = max(1, sizes.window - len(frame) - min(len(question), share))
        cuts = windows(len(context), room, sizes.overlap)
        features = [frame.feature(question[:share], context[begin:end]) for begin, end in cuts]
        if len(question) > share:
            features[0]["cut"] = [1]  # once for the row
        found.append(Asked(features, [begin for begin, _ in cuts], offsets))
    return found


def _tokens(texts: Iterable[str], tokenizer: Any) -> dict[str, tuple[list[int], Offsets]]:
    """Tokens of every text, without special ones, and where each stands."""
    different = list(dict.fromkeys(texts))
    found = tokenizer(
        different,
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        return_offsets_mapping=True,
    )
    return {
        text: (ids, np.array(offsets, dtype=np.int32).reshape(-1, 2))
        for text, ids, offsets in zip(different, found["input_ids"], found["offset_mapping"], strict=True)
    }
