"""Texts and chats as tokens."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from hftoolkit.engines.prompts import Prompt, chat_prompt, text_prompt
from hftoolkit.errors import ModelError, UsageError


@pytest.fixture(scope="module")
def writer(gpt2: Path) -> Any:
    return AutoTokenizer.from_pretrained(str(gpt2))


@pytest.fixture(scope="module")
def answerer(llama: Path) -> Any:
    return AutoTokenizer.from_pretrained(str(llama))


QUESTION = {"role": "user", "content": "Where is it?"}


def test_a_text(writer: Any, answerer: Any) -> None:
    assert answerer.decode(text_prompt(answerer, "Good").tokens) == "<s>Good"
    assert answerer.decode(text_prompt(answerer, "Good", special=False).tokens) == "Good"
    assert writer.decode(text_prompt(writer, "Good").tokens) == "Good"
    assert text_prompt(writer, "") == Prompt([writer.bos_token_id])


def test_nothing_to_begin_with(gpt2: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(gpt2), bos_token=None)
    with pytest.raises(UsageError) as caught:
        text_prompt(tokenizer, "")
    assert str(caught.value) == "an empty prompt: this model has no token that begins a text\n  give it some text"


def test_a_chat_begins_once(answerer: Any) -> None:
    prompt = chat_prompt(answerer, [{"role": "system", "content": "Be brief."}, QUESTION])
    assert answerer.decode(prompt.tokens) == (
        "<s><|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhere is it?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert not prompt.joined


def test_a_turn_that_goes_on(answerer: Any) -> None:
    prompt = chat_prompt(answerer, [QUESTION, {"role": "assistant", "content": "It is"}], goes_on=True)
    assert answerer.decode(prompt.tokens).endswith("<|im_start|>assistant\nIt is")
    assert prompt.joined
    with pytest.raises(UsageError) as caught:
        chat_prompt(answerer, [{"role": "assistant", "content": None}], goes_on=True)
    assert str(caught.value) == ("a turn can be gone on with where its content is a text\n  let it be answered instead")


def test_a_model_that_does_not_answer(writer: Any) -> None:
    with pytest.raises(ModelError) as caught:
        chat_prompt(writer, [QUESTION])
    assert str(caught.value) == (
        "this model has no chat template: it goes on with texts, and does not answer\n"
        "  give it a text, or choose a model that was tuned to answer"
    )


def test_what_a_template_refuses(llama: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(llama))
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(UsageError) as caught:
        chat_prompt(tokenizer, [QUESTION])
    assert str(caught.value) == (
        "the model's chat template does not take these messages: roles must alternate\n"
        '  expected turns such as   {"role": "user", "content": "Hello!"}'
    )
