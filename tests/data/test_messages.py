"""Conversations: what rows may look like, and what is said of those that are none."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.messages import Message, messages_of, read_conversation

ASKED, ANSWERED = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}
CONTENTS = st.text(min_size=1).filter(str.strip)


def read(*messages: Any) -> list[tuple[str, str]]:
    return [(one.role, one.content) for one in read_conversation({"messages": list(messages)})]


def test_messages() -> None:
    told = {"role": "system", "content": "Be brief."}
    assert read(told, ASKED, {**ANSWERED, "name": "bot"}, ASKED) == [
        ("system", "Be brief."),
        ("user", "Why?"),
        ("assistant", "So."),
        ("user", "Why?"),
    ]


@pytest.mark.parametrize("system", [None, "", " \n"])
def test_a_prompt_and_its_answer(system: str | None) -> None:
    row = {"prompt": "Why?", "answer": " So.\n", "system": system}
    assert read_conversation(row) == [Message("user", "Why?"), Message("assistant", " So.\n")]
    assert read_conversation({"messages": None, **row, "system": "Be brief."}) == [
        Message("system", "Be brief."),
        Message("user", "Why?"),
        Message("assistant", " So.\n"),
    ]


def test_messages_go_before_a_prompt() -> None:
    row = {"messages": [ASKED, ANSWERED], "prompt": "something else", "answer": None}
    assert read_conversation(row) == [Message("user", "Why?"), Message("assistant", "So.")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "no messages, and no prompt with its answer"),
        ({"messages": None, "prompt": None, "answer": None}, "no messages, and no prompt with its answer"),
        ({"messages": "user: Why?"}, 'messages: expected a list, got "user: Why?"'),
        ({"messages": []}, "messages: the assistant says nothing: there is nothing to learn"),
        ({"messages": [ASKED]}, "messages: the assistant says nothing: there is nothing to learn"),
        (
            {"messages": [ASKED, "So."]},
            'messages[1]: expected an object with role and content, got "So."',
        ),
        (
            {"messages": [{"from": "human", "value": "Why?"}]},
            'messages[0]: expected an object with role and content, got {"from": "human", "value": "Why?"}',
        ),
        (
            {"messages": [ASKED, {"role": "tool", "content": "5"}, ANSWERED]},
            'messages[1].role: expected system, user or assistant, got "tool"',
        ),
        (
            {"messages": [{"role": ["user"], "content": "Why?"}]},
            'messages[0].role: expected system, user or assistant, got ["user"]',
        ),
        ({"messages": [ASKED, {**ANSWERED, "content": 5}]}, "messages[1].content: expected a text, got 5"),
        ({"messages": [ASKED, {**ANSWERED, "content": None}]}, "messages[1].content: expected a text, got null"),
        ({"messages": [ASKED, {**ANSWERED, "content": " \n"}]}, "messages[1].content: is empty"),
        (
            {"messages": [ASKED, {"role": "system", "content": "Be brief."}, ANSWERED]},
            "messages[1]: a system prompt stands before all other messages",
        ),
        ({"messages": [ANSWERED, ASKED]}, "messages[0]: the assistant answers before the user has asked"),
        ({"prompt": "Why?", "answer": None}, "answer: expected a text, got null"),
        ({"prompt": "", "answer": "So."}, "prompt: is empty"),
        ({"prompt": "Why?", "answer": "So.", "system": 1}, "system: expected a text, got 1"),
    ],
)
def test_rows_that_are_no_conversations(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_conversation(row)


@given(st.lists(st.tuples(CONTENTS, CONTENTS), min_size=1))
def test_they_come_back_from_the_texts_that_they_are_kept_as(turns: list[tuple[str, str]]) -> None:
    messages = [
        {"role": role, "content": content}
        for turn in turns
        for role, content in zip(("user", "assistant"), turn, strict=True)
    ]
    found = read_conversation({"messages": messages})
    assert messages_of({"messages": [str(message) for message in found]}) == found


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.sampled_from(["role", "content", "x"]), each),
    )
)
def test_whatever_stands_there_it_is_read_or_told(value: Any) -> None:
    with suppress(ValueError):  # any other error fails
        assert json.dumps([vars(message) for message in read_conversation({"messages": value, "prompt": value})])
