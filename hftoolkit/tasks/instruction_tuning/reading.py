"""Conversations as what a model reads: tokens, and which of them are learned; windows of them to be measured on."""

from collections.abc import Sequence
from typing import Any, Final

from hftoolkit.data.messages import ASSISTANT, Message, messages_of
from hftoolkit.data.windows import windows
from hftoolkit.errors import DataError
from hftoolkit.tasks.base import Feature, Row
from hftoolkit.tasks.instruction_tuning.options import TooLong
from hftoolkit.tasks.instruction_tuning.template import Template, beginning

PLACES: Final = "places"
"""Under this name a window says which of its tokens count: those of answers that no window before it has."""


class Reading:
    """Reads rows with a checkpoint's tokenizer.

    Args:
        tokenizer: With a chat template.
        too_long: What becomes of conversations that are too long to be learned at once.

    Raises:
        ModelError: If answers cannot be told from the rest by the template.
    """

    def __init__(self, tokenizer: Any, too_long: TooLong) -> None:
        self.template = Template(tokenizer)
        self._too_long = too_long

    def learned(self, rows: Sequence[Row], limit: int) -> list[list[Feature]]:
        """Tokens of each row, with labels for those of its answers.

        Raises:
            DataError: If a row is too long, and is to be told of.
        """
        return [[self._cut(row, *each, limit)] for row, each in zip(rows, self.tokens(rows), strict=True)]

    def measured(self, rows: Sequence[Row], window: int) -> list[list[Feature]]:
        """Windows of each row. They overlap by half: every token of an answer counts once, with at least half a window,
        or all of the conversation, before it."""
        found = []
        for ids, learned in self.tokens(rows):
            seen, features = 1, []
            for begin, end in windows(len(ids), window, window - window // 2):
                places = [place - begin for place in range(seen, end) if learned[place]]
                features += [{"input_ids": ids[begin:end], PLACES: places}] if places else []
                seen = end
            found.append(features)
        return found

    def tokens(self, rows: Sequence[Row]) -> list[tuple[list[int], list[bool]]]:
        """Tokens of each row, and whether they are of an answer."""
        return self.template.read([_answered(messages_of(row)) for row in rows])

    def question(self, row: Row) -> tuple[str, list[int]]:
        """What stands before the first answer of a row, as text and as tokens."""
        messages = messages_of(row)
        first = next(number for number, message in enumerate(messages) if message.role == ASSISTANT)
        asked = messages[:first]
        return "\n".join(message.content for message in asked), self.template.question(asked)

    def _cut(self, row: Row, ids: list[int], learned: list[bool], limit: int) -> Feature:
        from hftoolkit.training.next_tokens import IGNORED

        labels = [number if one else IGNORED for number, one in zip(ids, learned, strict=True)]
        whole = {"input_ids": ids, "labels": labels}
        if len(ids) <= limit or self._too_long == "drop":
            return whole
        if self._too_long == "error":
            raise DataError(
                f"a conversation has {len(ids):,} tokens: at most {limit:,} are learned from\n"
                f"  it is:   {beginning(messages_of(row))}\n"
                "  leave such rows out, or cut them:   options: {too_long: drop}   or left, or right"
            )
        part = slice(-limit, None) if self._too_long == "left" else slice(limit)
        if not any(learned[part][1:]):
            return whole  # no answer is left: it is dropped for its length, and counted
        return {"input_ids": ids[part], "labels": labels[part], "cut": [1]}


def _answered(messages: list[Message]) -> list[Message]:
    """A conversation up to its last answer: nothing is learned of what stands behind it."""
    while messages[-1].role != ASSISTANT:
        messages = messages[:-1]
    return messages
