"""Texts as tokens, cut into windows that a model can read at once."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Kana and Chinese characters: what a tokenizer takes for a word may be a whole clause of them."""


@dataclass(frozen=True)
class Tokens:
    """A text as tokens."""

    ids: list[int]

    starts: list[bool]
    """Whether each begins a word."""

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, begin: int, end: int) -> "Tokens":
        """Some of them."""
        return Tokens(self.ids[begin:end], self.starts[begin:end])


def joined(parts: Iterable[Tokens]) -> Tokens:
    """Several texts, one behind the other."""
    parts = list(parts)
    return Tokens([each for part in parts for each in part.ids], [each for part in parts for each in part.starts])


class Reader:
    """Texts to tokens and windows, with what a tokenizer puts around them.

    Args:
        tokenizer: A checkpoint's, with a token for masks.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        found = tokenizer(tokenizer.mask_token, return_special_tokens_mask=True)
        ids, added = found["input_ids"], found["special_tokens_mask"]
        begin, end = added.index(0), len(added) - added[::-1].index(0)  # some write a blank in front of a mask
        self.front, self.back = _special(ids[:begin]), _special(ids[end:])
        self._alone = {number for token, number in tokenizer.get_vocab().items() if _UNSPACED.search(token)}

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of some texts, nothing around them."""
        if not texts:
            return []
        found = self._encoded(texts)
        return [
            Tokens(ids, self._starts(ids, found.word_ids(place) if self._tokenizer.is_fast else list(range(len(ids)))))
            for place, ids in enumerate(found["input_ids"])
        ]

    def numbers(self, texts: Sequence[str]) -> list[list[int]]:
        """The same as numbers alone, which is quicker."""
        found: list[list[int]] = self._encoded(texts)["input_ids"] if texts else []
        return found

    def _encoded(self, texts: Sequence[str]) -> Any:
        return self._tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)

    def _starts(self, ids: Sequence[int], words: Sequence[int | None]) -> list[bool]:
        return [
            place == 0
            or words[place] is None
            or words[place] != words[place - 1]
            or ids[place] in self._alone
            or ids[place - 1] in self._alone
            for place in range(len(ids))
        ]

    def room(self, limit: int) -> int:
        """Tokens of a text that fit into a window."""
        return max(1, limit - len(self.front) - len(self.back))

    def framed(self, tokens: Tokens) -> Tokens:
        """A window: a text with what stands around it."""
        return joined([self.front, tokens, self.back])


def packed(texts: Iterable[Tokens], between: Tokens) -> tuple[Tokens, list[int]]:
    """Texts one behind the other, parted, and where each begins."""
    parts: list[Tokens] = []
    begins: list[int] = []
    total = 0
    for text in texts:
        if parts:
            parts.append(between)
            total += len(between)
        begins.append(total)
        parts.append(text)
        total += len(text)
    return joined(parts), begins


def cuts(tokens: Tokens, room: int) -> Iterator[tuple[int, int]]:
    """Windows of about equal length, as few as there can be, that begin with a word unless one is longer than that.

    Returns:
        Where each begins and ends.
    """
    total = len(tokens)
    size = math.ceil(total / max(1, math.ceil(total / room)))
    begin = 0
    while begin < total:
        end = min(begin + size, total)
        if end < total and not tokens.starts[end]:
            end = next((place for place in range(end, begin, -1) if tokens.starts[place]), end)
        yield begin, end
        begin = end


def words_of(starts: Sequence[bool]) -> list[int]:
    """The number of each token's word, from 0."""
    found: list[int] = []
    for start in starts:
        found.append(found[-1] + start if found else 0)
    return found


def _special(ids: list[int]) -> Tokens:
    return Tokens(ids, [True] * len(ids))
