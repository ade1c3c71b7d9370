"""Conversations: the messages of a row, each kept as one text such as ``user What is attention?``."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"

ROLES: Final = (SYSTEM, USER, ASSISTANT)
"""Who speaks: what is said before the conversation, who asks, who answers."""

ADVICE: Final = (
    'a row is {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}, or a prompt '
    "and an answer, perhaps with a system prompt; other names of columns:  columns: {prompt: COLUMN, answer: COLUMN}"
)
"""What to do about rows that are no conversations."""


@dataclass(frozen=True)
class Message:
    """What one side says at once."""

    role: str
    content: str

    def __str__(self) -> str:
        return f"{self.role} {self.content}"


def messages_of(row: Mapping[str, Any]) -> list[Message]:
    """The messages of a row, from the texts that they are kept as."""
    return [Message(role, content) for role, _, content in (text.partition(" ") for text in row["messages"])]


def read_conversation(row: Mapping[str, Any]) -> list[Message]:
    """The messages of a row as files have it.

    Args:
        row: With ``messages``, a list of mappings with ``role`` and ``content``; or with ``prompt`` and ``answer``,
            perhaps ``system``.

    Raises:
        ValueError: If it has neither, or nothing can be learned from what it has.
    """
    if row.get("messages") is not None:
        messages = _listed(row["messages"])
    elif row.get("prompt") is not None or row.get("answer") is not None:
        system = row.get("system")
        told = system is not None and not (isinstance(system, str) and not system.strip())
        messages = [Message(SYSTEM, _text("system", system))] if told else []
        messages.append(Message(USER, _text("prompt", row.get("prompt"))))
        messages.append(Message(ASSISTANT, _text("answer", row.get("answer"))))
    else:
        raise ValueError("no messages, and no prompt with its answer")
    _check_order(messages)
    return messages


def _listed(value: Any) -> list[Message]:
    if not isinstance(value, list):
        raise ValueError(f"messages: expected a list, got {_shown(value)}")
    found = []
    for number, each in enumerate(value):
        place = f"messages[{number}]"
        if not isinstance(each, Mapping) or not {"role", "content"} <= each.keys():
            raise ValueError(f"{place}: expected an object with role and content, got {_shown(each)}")
        if each["role"] not in ROLES:
            raise ValueError(f"{place}.role: expected system, user or assistant, got {_shown(each['role'])}")
        found.append(Message(each["role"], _text(f"{place}.content", each["content"])))
    return found


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{place}: expected a text, got {_shown(value)}")
    if not value.strip():
        raise ValueError(f"{place}: is empty")
    return value


def _check_order(messages: Sequence[Message]) -> None:
    roles = [message.role for message in messages]
    if ASSISTANT not in roles:
        raise ValueError("messages: the assistant says nothing: there is nothing to learn")
    if SYSTEM in roles[1:]:
        raise ValueError(f"messages[{roles.index(SYSTEM, 1)}]: a system prompt stands before all other messages")
    if USER not in roles[: roles.index(ASSISTANT)]:
        raise ValueError(f"messages[{roles.index(ASSISTANT)}]: the assistant answers before the user has asked")


def _shown(value: Any) -> str:
    return f"{json.dumps(value, ensure_ascii=False, default=str):.60}"
