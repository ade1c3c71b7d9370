"""Writing of text beside transformers' own pipeline, input by input; and what is refused."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import transformers

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.pipelines import load, pipeline
from hftoolkit.pipelines.text_generation import TextGenerationPipeline

TEXTS = ["The library is open.", "Good", "图书", "x", "", "The teacher is in the canteen. " * 2, "?!"]
QUESTION = [{"role": "user", "content": "Where is it?"}]
CHATS = [
    QUESTION,
    [{"role": "system", "content": "Be brief."}, *QUESTION],
    [*QUESTION, {"role": "assistant", "content": "It is"}],
]


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def pipe(folder: Path) -> TextGenerationPipeline:
    found = pipeline("text-generation", model=str(folder), device="cpu")
    assert isinstance(found, TextGenerationPipeline)
    return found


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("text-generation", model=str(folder), device="cpu")


@pytest.fixture(scope="module")
def answering(llama: Path) -> TextGenerationPipeline:
    return pipeline("text-generation", model=str(llama), device="cpu")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def theirs_answering(llama: Path) -> Any:
    return transformers.pipeline("text-generation", model=str(llama), device="cpu")


SETTINGS: list[dict[str, Any]] = [
    {"max_new_tokens": 20},
    {"max_new_tokens": 20, "return_full_text": False},
    {"max_new_tokens": 20, "return_full_text": True},
    {"max_new_tokens": 20, "return_tensors": True},
    {"max_new_tokens": 20, "skip_special_tokens": False, "return_full_text": False},
    {"max_new_tokens": 20, "add_special_tokens": True},
    {"max_length": 70},
    {"max_new_tokens": 20, "num_beams": 3, "num_return_sequences": 2},
    {"max_new_tokens": 20, "repetition_penalty": 1.3},
    {"max_new_tokens": 20, "min_new_tokens": 9, "no_repeat_ngram_size": 2},
    {"max_new_tokens": 20, "batch_size": 4},
    {"max_new_tokens": 20, "temperature": 0.3, "top_k": 7},
]


@pytest.mark.filterwarnings("ignore:.*was requested. .*length_penalty:UserWarning")
@pytest.mark.parametrize("settings", SETTINGS)
def test_texts(pipe: TextGenerationPipeline, theirs: Any, settings: dict[str, Any]) -> None:
    # transformers takes the token that begins an empty text for one that was written.
    texts = [text for text in TEXTS if text or settings.get("skip_special_tokens", True)]
    found = pipe(texts, do_sample=False, **settings)
    expected = [theirs(text, do_sample=False, **(settings | {"batch_size": 1})) for text in texts]
    assert found == expected
    assert pipe(TEXTS[0], do_sample=False, **settings) == expected[0]


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize(
    "settings", [{}, {"return_full_text": False}, {"continue_final_message": False}, {"return_tensors": True}]
)
def test_chats(
    answering: TextGenerationPipeline, theirs_answering: Any, chat: list[dict[str, str]], settings: dict[str, Any]
) -> None:
    settings = {"max_new_tokens": 16, "do_sample": False} | settings
    assert answering(chat, **settings) == theirs_answering(chat, **settings)
    assert answering(CHATS, **settings)[CHATS.index(chat)] == theirs_answering(chat, **settings)


def test_what_a_template_is_given(llama: Path) -> None:
    pipe = pipeline("text-generation", model=str(llama), device="cpu", do_sample=False, max_new_tokens=4)
    pipe.tokenizer.chat_template = "{{ tools }}{{ documents }}{{ mood }}{{ messages[0]['content'] }}"
    settings = {"tools": [{"a": 1}], "documents": [{"b": 2}], "tokenizer_encode_kwargs": {"mood": "mild"}}
    ((plain,), (told,)) = (pipe(QUESTION, return_tensors=True, **each) for each in ({}, settings))
    text = pipe.tokenizer.decode(told["generated_token_ids"][:-4])
    assert text == "[{'a': 1}][{'b': 2}]mildWhere is it?"
    assert len(plain["generated_token_ids"]) < len(told["generated_token_ids"])


def test_a_stop_stays_in_the_text(pipe: TextGenerationPipeline, theirs: Any) -> None:
    ((whole,),) = [pipe(TEXTS[0], do_sample=False, max_new_tokens=20, return_full_text=False)]
    stop = next(letter for letter in whole["generated_text"][4:] if letter.isascii() and letter.isprintable())
    settings = {"do_sample": False, "max_new_tokens": 20, "return_full_text": False}
    expected = theirs(TEXTS[0], stop_sequence=stop, **settings)
    assert len(expected[0]["generated_text"]) < len(whole["generated_text"])
    assert pipe(TEXTS[0], stop_sequence=stop, **settings) == expected
    assert pipe(TEXTS[0], stop_sequence=["never", stop], **settings) == expected


def test_any_other_iterable_is_read_as_it_is_answered(pipe: TextGenerationPipeline) -> None:
    given: list[str] = []

    def texts() -> Iterator[str]:
        while True:
            given.append("Good")
            yield "Good"

    settings = {"do_sample": False, "max_new_tokens": 3}
    answers = pipe(texts(), **settings)
    assert given == []
    assert next(answers) == pipe("Good", **settings)
    assert list(pipe(iter(TEXTS[:2]), **settings)) == pipe(TEXTS[:2], **settings)
    assert pipe([]) == pipe(()) == list(pipe(iter([]))) == []


def test_samples(pipe: TextGenerationPipeline) -> None:
    settings = {"num_return_sequences": 3, "max_new_tokens": 12, "top_k": 0, "temperature": 1.0}
    found = pipe(TEXTS, **settings)
    assert found == [pipe(text, batch_size=1, **settings) for text in TEXTS]
    assert [len(each) for each in found] == [3] * len(TEXTS)
    assert len({answer["generated_text"] for answer in found[0]}) == 3
    assert pipe(TEXTS, seed=2, **settings) != found
    assert pipe("Good", do_sample=True, top_k=1, max_new_tokens=9) == pipe("Good", do_sample=False, max_new_tokens=9)


def test_settings_for_every_call(folder: Path, pipe: TextGenerationPipeline) -> None:
    own = pipeline("text-generation", model=str(folder), device="cpu", do_sample=False, max_new_tokens=5)
    assert own("Good") == pipe("Good", do_sample=False, max_new_tokens=5)
    assert own("Good", max_new_tokens=6) == pipe("Good", do_sample=False, max_new_tokens=6)


def test_the_lengths_of_a_checkpoint(folder: Path) -> None:
    own = pipeline("text-generation", model=str(folder), device="cpu", do_sample=False, return_full_text=False)
    rows = [pipe_length(own, {}), pipe_length(own, {"max_length": 30}), pipe_length(own, {"max_new_tokens": 7})]
    assert rows[1] <= 30 - len(own.tokenizer("The library is open.")["input_ids"])
    assert rows[2] == 7
    own.model.generation_config.max_length = 30
    assert pipe_length(own, {}) == rows[1]
    assert pipe_length(own, {"max_new_tokens": 7}) == 7
    assert pipe_length(own, {"max_new_tokens": 7, "max_length": 30}) == 7


def pipe_length(pipe: TextGenerationPipeline, settings: dict[str, Any]) -> int:
    """Tokens written."""
    text = "The library is open."
    ids = pipe(text, **{"return_full_text": None, "return_tensors": True} | settings)[0]["generated_token_ids"]
    return len(ids) - len(pipe.tokenizer(text)["input_ids"])


def test_texts_without_room_are_told(pipe: TextGenerationPipeline, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        pipe(["x?!" * 30, "x?!" * 31, "x"], do_sample=False, max_new_tokens=20)
    assert caplog.messages == ["2 texts end unfinished: the model has 96 tokens for prompt and text together"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_token": 5}, "unknown setting 'max_token'\n  known: add_special_tokens, bad_words_ids,"),
        ({"num_return_sequences": 0}, "num_return_sequences: expected a whole number from 1, got 0"),
        ({"batch_size": 2.0}, "batch_size: expected a whole number from 1, got 2.0"),
        ({"max_new_tokens": 0}, "max_new_tokens: expected a whole number from 1, got 0"),
        ({"temperature": -1}, "temperature: expected a number from 0, got -1"),
        ({"stop_sequence": ""}, "stop_sequence: expected a text or a list of texts, got ''"),
        ({"stop_sequence": [1]}, "stop_sequence: expected a text or a list of texts, got [1]"),
        (
            {"return_tensors": True, "return_full_text": False},
            "return_tensors: tokens are returned with the prompt\n  leave out return_full_text",
        ),
        ({"do_sample": True, "num_beams": 2}, "num_beams: beams find the likeliest text\n"),
        ({"do_sample": False, "num_return_sequences": 2}, "num_return_sequences: the likeliest text is one, 2 were"),
    ],
)
def test_settings_that_are_refused(pipe: TextGenerationPipeline, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        pipe("Good", **settings)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "expected a text, a chat, or several of them, got int"),
        ({"role": "user", "content": "x"}, "expected a text, a chat, or several of them, got dict"),
        (
            [{"role": "user"}],
            "expected a text or a chat, got dict\n"
            '  a chat is a list of messages such as   {"role": "user", "content": "Hello!"}',
        ),
        (["Good", None], "expected a text or a chat, got NoneType\n  a chat is a list of messages such as"),
    ],
)
def test_inputs_that_are_refused(pipe: TextGenerationPipeline, given: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        pipe(given)
    assert str(caught.value).startswith(message)


def test_a_model_that_does_not_answer(gpt2: Path) -> None:
    with pytest.raises(ModelError, match=r"^this model has no chat template: it goes on with texts, and does not"):
        pipeline("text-generation", model=str(gpt2), device="cpu")(QUESTION)


def test_a_model_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        pipeline("text-generation")
    assert str(caught.value) == (
        'text-generation: which model?\n  name one:   pipeline("text-generation", model="runs/mine")'
    )


def test_a_checkpoint_knows_that_it_writes(folder: Path) -> None:
    assert isinstance(load(str(folder), device="cpu"), TextGenerationPipeline)


def test_another_kind_of_model(bert: Path) -> None:
    with pytest.raises(
        ModelError, match=r": this model was not trained for this task: 'cls\.predictions\.bias' is not"
    ):
        pipeline("text-generation", model=str(bert), device="cpu")
