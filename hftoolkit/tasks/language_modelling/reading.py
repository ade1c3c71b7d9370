"""Documents as what a model reads: windows to learn from, and overlapping ones to be measured on."""

from collections.abc import Sequence
from typing import Any, Final

from hftoolkit.data.windows import windows
from hftoolkit.errors import ModelError
from hftoolkit.models.decoders import EXAMPLE
from hftoolkit.tasks.base import Feature, Row

FIRST: Final = "first"
"""Under this name a window says which of its tokens is the first that no window before it has."""

_PART: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands for a part of a character."""


class Reading:
    """Reads rows with a checkpoint's tokenizer.

    Args:
        tokenizer: With a token for the end of a text.

    Raises:
        ModelError: If it has none.
    """

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.eos_token_id is None:
            raise ModelError(
                "this model's tokenizer has no token for the end of a text: the model would never end one\n"
                f"  choose a causal language model, such as {EXAMPLE}"
            )
        self._tokenizer = tokenizer
        self._end: int = tokenizer.eos_token_id
        self.begin: int = self._end if tokenizer.bos_token_id is None else tokenizer.bos_token_id
        """What stands before a text."""

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of some texts, nothing around them."""
        if not texts:
            return []
        found = self._tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)
        tokens: list[list[int]] = found["input_ids"]
        return tokens

    def learned(self, rows: Sequence[Row], limit: int) -> list[list[Feature]]:
        """Windows of each row, its end in the last. The first token of a window is the last of the one before, and is
        not learned again: every token is learned once."""
        return [self._cut([self.begin, *ids, self._end], limit) for ids in self.tokens([row["text"] for row in rows])]

    def measured(self, rows: Sequence[Row], window: int) -> list[list[Feature]]:
        """Windows of each row, without its end. They overlap by half: of each only those tokens count that no window
        before has, so that at least half a window, or all of the text, stands before every token."""
        found = []
        for ids in self.tokens([row["text"] for row in rows]):
            whole, seen, features = [self.begin, *ids], 1, []
            for begin, end in windows(len(whole), window, window - window // 2):
                features.append({"input_ids": whole[begin:end], FIRST: [seen - begin]})
                seen = end
            found.append(features)
        return found

    def beginning(self, ids: list[int], most: int) -> list[int]:
        """At most so many tokens of a text, and at most half of them, up to the end of a character."""
        found = ids[: min(most, -(-len(ids) // 2))]
        while self._tokenizer.decode(found).endswith(_PART):
            found = found[:-1]
        return found

    def _cut(self, whole: list[int], limit: int) -> list[Feature]:
        """Windows of about equal length, as few as there can be."""
        targets = len(whole) - 1
        size = -(-targets // -(-targets // (limit - 1)))
        return [{"input_ids": whole[begin : begin + size + 1]} for begin in range(0, targets, size)]
