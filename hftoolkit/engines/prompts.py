"""Texts and chats -> the tokens that a decoder-only model goes on with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from hftoolkit.errors import ModelError, UsageError

Message = Mapping[str, Any]
"""A turn of a chat: ``role`` and ``content``."""


@dataclass(frozen=True)
class Prompt:
    """What a model goes on with."""

    tokens: Sequence[int]

    joined: bool = True
    """Whether what is written goes on with a text; an answer begins one."""


def text_prompt(tokenizer: Any, text: str, *, special: bool | None = None) -> Prompt:
    """A text to go on with.

    Args:
        tokenizer: Of the model.
        text: The text; where it is empty, the model begins one.
        special: Whether the tokenizer adds its begin token; None: as it does by itself.

    Raises:
        UsageError: If it is empty, and the model has no token to begin with.
    """
    tokens = tokenizer(text, **({} if special is None else {"add_special_tokens": special}))["input_ids"]
    if not tokens and tokenizer.bos_token_id is None:
        raise UsageError("an empty prompt: this model has no token that begins a text\n  give it some text")
    return Prompt(tokens or [tokenizer.bos_token_id])


def chat_prompt(tokenizer: Any, messages: Sequence[Message], *, goes_on: bool = False, **template: Any) -> Prompt:
    """A chat to answer, in the form that the model was trained with.

    Args:
        tokenizer: Of the model.
        messages: Its turns.
        goes_on: Whether the last turn is gone on with, instead of being answered.
        template: What else the chat template asks for, such as ``tools``.

    Raises:
        ModelError: If the model has no chat template.
        UsageError: If the template does not take these messages.
    """
    if tokenizer.chat_template is None:
        raise ModelError(
            "this model has no chat template: it goes on with texts, and does not answer\n"
            "  give it a text, or choose a model that was tuned to answer"
        )
    if goes_on and not isinstance(messages[-1].get("content"), str):
        raise UsageError("a turn can be gone on with where its content is a text\n  let it be answered instead")
    try:
        found = tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            add_generation_prompt=not goes_on,
            continue_final_message=goes_on,
            return_dict=True,
            **template,
        )
    except (TemplateError, ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"the model's chat template does not take these messages: {error}\n"
            '  expected turns such as   {"role": "user", "content": "Hello!"}'
        ) from error
    return Prompt(found["input_ids"], joined=goes_on)
