"""The chat template of a checkpoint: conversations as the model reads them, and which parts of them are answers."""

import re
from collections.abc import Sequence
from typing import Any, Final

from jinja2 import TemplateError

from hftoolkit.data.messages import ASSISTANT, USER, Message
from hftoolkit.errors import DataError, ModelError
from hftoolkit.models.decoders import EXAMPLE

_CHATML: Final = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + eos_token + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""Turns end with the token that ends texts: a checkpoint that never saw a conversation stops at it already."""

_MARKS: Final = re.compile(r"\{%-?\s*generation\s*-?%\}")
"""What stands before an answer in templates that say themselves which parts are answers."""

_TRIAL: Final = [Message(role, f"{role} {number}.") for number in (1, 2) for role in (USER, ASSISTANT)]

_ADVICE: Final = "  choose another model, or give it another template:   options: {template: chatml}"

_SHOWN: Final = 60
"""Characters of a conversation in messages."""


def give_chatml(tokenizer: Any) -> bool:
    """Give a tokenizer the template `chatml`, in the place of its own if it has one.

    Returns:
        Whether it had another one.

    Raises:
        ModelError: If it has no token to end a turn with.
    """
    if tokenizer.eos_token is None:
        raise ModelError(
            "this model's tokenizer has no token for the end of a text: the model would never end an answer\n"
            f"  choose a causal language model, such as {EXAMPLE}"
        )
    begins = tokenizer.bos_token_id is not None and tokenizer("")["input_ids"][:1] == [tokenizer.bos_token_id]
    before, tokenizer.chat_template = tokenizer.chat_template, ("{{ bos_token }}" if begins else "") + _CHATML
    return before not in (None, tokenizer.chat_template)


class Template:
    """Writes conversations with a checkpoint's tokenizer, which has a chat template.

    Args:
        tokenizer: The checkpoint's.

    Raises:
        ModelError: If it has no template, or one by which answers cannot be told from the rest.
    """

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.chat_template is None:
            raise ModelError(
                "this model has no chat template: nothing says how it is to read a conversation\n"
                f"  give it one:   options: {{template: chatml}}   or choose a model that has one, such as {EXAMPLE}"
            )
        self._tokenizer = tokenizer
        self._marks = _MARKS.search(str(tokenizer.chat_template)) is not None
        self._added = {number: token.content for number, token in tokenizer.added_tokens_decoder.items()}
        try:
            if self._marks:
                ids, runs = self._runs(_TRIAL)
                self._marks_ends = any(ids[place] in self._added for place in range(*runs[0]))
            ((ids, learned),) = self.read([_TRIAL])
        except DataError as error:
            raise ModelError(f"{str(error).partition(chr(10))[0]}\n{_ADVICE}") from error
        self.end = ids[-1]
        """The token that ends an answer."""
        if not learned[-1] or self.end not in self._added:
            raise ModelError(
                "this model's chat template ends an answer with no token of its own: the model would never end one\n"
                f"{_ADVICE}"
            )

    def read(self, conversations: Sequence[Sequence[Message]]) -> list[tuple[list[int], list[bool]]]:
        """Tokens of conversations up to the end of their last answers, each with whether it is of an answer.

        Raises:
            DataError: If the template does not take a conversation.
            ModelError: If it does not tell what of it are the answers.
        """
        if self._marks:
            return [self._marked(messages) for messages in conversations]
        return self._tokenized([self._spans(messages) for messages in conversations])

    def question(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of a conversation that the model is to go on with by an answer."""
        return self._tokens([self._written(messages, asks=True)])[0]

    def asked(self, messages: Sequence[Message]) -> str:
        """The same as text, special tokens spelled out."""
        return self._written(messages, asks=True)

    def _spans(self, messages: Sequence[Message]) -> tuple[str, list[int]]:
        """A conversation as text, and where answers begin and end in it, in turn; the last ends it."""
        borders: list[int] = []
        whole = self._written(messages)
        for number, message in enumerate(messages):
            if message.role != ASSISTANT:
                continue
            before = self._written(messages[:number], asks=True)
            behind = self._written(messages[: number + 1])
            if not (behind.startswith(before) and whole.startswith(behind)):
                raise ModelError(
                    "this model's chat template writes the beginning of a conversation otherwise than the whole of it: "
                    f"what of it are answers cannot be told\n  it was told of:   {beginning(messages)}\n{_ADVICE}"
                )
            borders += [len(before), len(before) + self._length(behind[len(before) :], message.content.strip())]
        return whole[: borders[-1]], borders

    def _length(self, written: str, content: str) -> int:
        """Characters of an answer with the token that ends it; what a template writes behind that is none of it."""
        start = written.find(content) + len(content) if content in written else 0
        ends = [(place, -len(token)) for token in self._added.values() if (place := written.find(token, start)) >= 0]
        if not ends:
            return len(written)
        place, length = min(ends)
        return place - length

    def _tokenized(self, found: Sequence[tuple[str, list[int]]]) -> list[tuple[list[int], list[bool]]]:
        """Tokens of texts: those that the text up to a border has alone are those before the border, as the model meets
        them when it answers. Where a token would reach over a border, the parts are tokenized each on its own."""
        beginnings = iter(self._tokens([text[:border] for text, borders in found for border in borders]))
        read = []
        for text, borders in found:
            until = [next(beginnings) for _ in borders]
            ids = until[-1]
            if all(ids[: len(each)] == each for each in until):
                lengths = [0, *map(len, until)]
            else:
                places = [0, *borders]
                parts = self._tokens([text[a:b] for a, b in zip(places, borders, strict=False)])
                ids = [number for part in parts for number in part]
                lengths = [sum(map(len, parts[:number])) for number in range(len(parts) + 1)]
            learned = [False] * len(ids)
            for begin, end in zip(lengths[1::2], lengths[2::2], strict=True):
                learned[begin:end] = [True] * (end - begin)
            read.append((ids, learned))
        return read

    def _marked(self, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
        """The same by a template that marks answers itself, with or without the tokens that end them."""
        ids, runs = self._runs(messages)
        learned = [False] * len(ids)
        for begin, end in runs:
            if self._marks_ends:  # what stands behind the last one, such as a line end, is none of the answer
                end = 1 + max((place for place in range(begin, end) if ids[place] in self._added), default=end - 1)
            elif end < len(ids) and ids[end] in self._added:
                end += 1
            learned[begin:end] = [True] * (end - begin)
        last = max(place for place, one in enumerate(learned) if one)
        return ids[: last + 1], learned[: last + 1]

    def _runs(self, messages: Sequence[Message]) -> tuple[list[int], list[tuple[int, int]]]:
        """Tokens of a conversation, and where runs of marked ones begin and end."""
        found = self._applied(messages, return_dict=True, return_assistant_tokens_mask=True)
        marks = [0, *found["assistant_masks"], 0]
        edges = [place for place in range(len(marks) - 1) if marks[place] != marks[place + 1]]
        if not edges:
            raise ModelError(f"this model's chat template marks no answer, though it has marks\n{_ADVICE}")
        return found["input_ids"], list(zip(edges[::2], edges[1::2], strict=True))

    def _written(self, messages: Sequence[Message], *, asks: bool = False) -> str:
        return str(self._applied(messages, tokenize=False, add_generation_prompt=asks))

    def _applied(self, messages: Sequence[Message], **how: Any) -> Any:
        try:
            return self._tokenizer.apply_chat_template([vars(message) for message in messages], **how)
        except (TemplateError, ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"the model's chat template does not take these messages: {error}\n  they are:   {beginning(messages)}"
            ) from error

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        found = self._tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False) if texts else {}
        ids: list[list[int]] = found.get("input_ids", [])
        return ids


def beginning(messages: Sequence[Message]) -> str:
    """A conversation for a message, as far as one line goes."""
    text = " / ".join(" ".join(str(message).split()) for message in messages)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
