"""Rows as what a model reads: windows of tokens, in training and for predictions."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hftoolkit.data.keys import content_of, key_of
from hftoolkit.tasks.base import Feature, Row
from hftoolkit.tasks.pretraining.filling import UNKNOWN, filled_in
from hftoolkit.tasks.pretraining.masking import IGNORED, Masking
from hftoolkit.tasks.pretraining.options import Options
from hftoolkit.tasks.pretraining.pairs import ALONE, Pair, pairs_of, sentences_of
from hftoolkit.tasks.pretraining.windows import Reader, Tokens, cuts, joined, packed, words_of

NEXT_SENTENCE = "next_sentence"
"""Under this name a feature says what its second text is."""

WRITTEN = "written"
"""A row with this in it has the masks that a user wrote, or none."""


class Reading:
    """Reads rows with a checkpoint's tokenizer.

    Args:
        tokenizer: With tokens for masks and padding.
        options: The task's.
    """

    def __init__(self, tokenizer: Any, options: Options) -> None:
        self._options = options
        self._reader = Reader(tokenizer)
        self._mask: str = tokenizer.mask_token
        self.size = len(tokenizer)
        """Tokens that there are."""
        self.masking = Masking.of(options.mask, tokenizer.mask_token_id, self.size, tokenizer.all_special_ids)
        words = ("words",) if options.whole_words else ()
        self.others = (*words, "token_type_ids", NEXT_SENTENCE) if options.next_sentence else words
        """What features hold besides tokens."""

    def features(self, rows: Sequence[Row], limit: int) -> list[list[Feature]]:
        """What is learned from rows, masks not drawn yet."""
        found = self._packed(rows, limit) if self._options.packed else self._features(rows, limit)
        ordinary = set(self.masking.ordinary.tolist())
        return [[each for each in features if not ordinary.isdisjoint(each["input_ids"])] for features in found]

    def masked(self, rows: Sequence[Row], limit: int) -> list[list[Feature]]:
        """Rows with masks, those that are written in them, or else some that depend on the row alone; and under
        ``labels`` what is to be guessed."""
        return [
            self._written(row, limit) if self.is_written(row) else self._drawn(row, features)
            for row, features in zip(rows, self._features(rows, limit), strict=True)
        ]

    def is_written(self, row: Row) -> bool:
        """Whether the masks of a row are those that are written in it."""
        return WRITTEN in row or self._mask in row["text"]

    def filled_in(self, row: Row, guesses: Sequence[str]) -> str:
        """A row's text with what fills its masks."""
        return filled_in(row["text"], self._mask, guesses)

    def numbers(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of the tokens of some texts, nothing around them."""
        return self._reader.numbers(texts)

    def _features(self, rows: Sequence[Row], limit: int) -> list[list[Feature]]:
        if self._options.next_sentence:
            return self._pairs(rows, limit)
        return [self._windows(tokens, limit) for tokens in self._reader.tokens([row["text"] for row in rows])]

    def _windows(self, tokens: Tokens, limit: int) -> list[Feature]:
        return [self._feature(tokens.part(*cut)) for cut in cuts(tokens, self._reader.room(limit))]

    def _packed(self, rows: Sequence[Row], limit: int) -> list[list[Feature]]:
        """Every window under the row in which it begins."""
        whole, begins = packed(self._reader.tokens([row["text"] for row in rows]), self._reader.back)
        found: list[list[Feature]] = [[] for _ in rows]
        between = set(self._reader.back.ids)
        for begin, end in cuts(whole, self._reader.room(limit)):
            row = bisect_right(begins, begin) - 1
            while begin < end and whole.ids[begin] in between:
                begin += 1
            while begin < end and whole.ids[end - 1] in between:
                end -= 1
            found[row].append(self._feature(whole.part(begin, end)))
        return found

    def _pairs(self, rows: Sequence[Row], limit: int) -> list[list[Feature]]:
        sentences = [sentences_of(row["text"], self._options.language) for row in rows]
        tokens = iter(self._reader.tokens([each for some in sentences for each in some]))
        of_rows = [[found for _ in some if len(found := next(tokens))] for some in sentences]
        room = max(2, self._reader.room(limit) - len(self._reader.back))
        return [
            [self._pair(pair) for pair in pairs_of(number, of_rows, room, _seed(row))]
            for number, row in enumerate(rows)
        ]

    def _pair(self, pair: Pair) -> Feature:
        front = self._reader.framed(pair.first)
        if pair.label == ALONE:
            return self._feature(pair.first) | {"token_type_ids": [0] * len(front), NEXT_SENTENCE: [ALONE]}
        feature = self._feature(joined([pair.first, self._reader.back, pair.second]))
        behind = len(feature["input_ids"]) - len(front)
        return feature | {"token_type_ids": [0] * len(front) + [1] * behind, NEXT_SENTENCE: [pair.label]}

    def _feature(self, tokens: Tokens) -> Feature:
        framed = self._reader.framed(tokens)
        return {"input_ids": framed.ids} | ({"words": words_of(framed.starts)} if self._options.whole_words else {})

    def _written(self, row: Row, limit: int) -> list[Feature]:
        (tokens,) = self._reader.tokens([row["text"]])
        return [
            feature | {"labels": [UNKNOWN if each == self.masking.mask else IGNORED for each in feature["input_ids"]]}
            for feature in self._windows(tokens, limit)
        ]

    def _drawn(self, row: Row, features: Sequence[Feature]) -> list[Feature]:
        found = []
        for number, feature in enumerate(features):
            generator = np.random.default_rng([_seed(row), number])
            words = np.array([feature["words"]]) if "words" in feature else None
            read, labels = self.masking.draw(np.array([feature["input_ids"]]), generator, words)
            found.append(feature | {"input_ids": read[0].tolist(), "labels": labels[0].tolist()})
        return found


def _seed(row: Mapping[str, Any]) -> int:
    return key_of(content_of([row["text"]]))
