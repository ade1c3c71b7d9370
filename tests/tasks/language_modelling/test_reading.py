"""Documents as windows: every token is learned once, and counted once with enough before it."""

from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import texts as wild

from hftoolkit.errors import ModelError
from hftoolkit.tasks.language_modelling.reading import FIRST, Reading


class Numbers:
    """A tokenizer of numbers, one a token: 1 begins a text, 2 ends it."""

    bos_token_id: int | None = 1
    eos_token_id: int | None = 2

    def __call__(self, texts: list[str], **_: Any) -> Any:
        return {"input_ids": [[int(word) for word in text.split()] for text in texts]}

    def decode(self, ids: list[int]) -> str:
        return "".join("\ufffd" if each == 9 else "a" for each in ids)


def document(length: int) -> tuple[dict[str, Any], list[int]]:
    ids = list(range(10, 10 + length))
    return {"text": " ".join(map(str, ids))}, ids


def windows(found: list[dict[str, list[int]]]) -> list[list[int]]:
    return [one["input_ids"] for one in found]


def test_known_windows_to_learn_from() -> None:
    reading = Reading(Numbers())
    row, _ = document(6)
    assert windows(reading.learned([row], 99)[0]) == [[1, 10, 11, 12, 13, 14, 15, 2]]
    assert windows(reading.learned([row], 5)[0]) == [[1, 10, 11, 12, 13], [13, 14, 15, 2]]
    assert windows(reading.learned([{"text": ""}], 5)[0]) == [[1, 2]]
    assert reading.learned([], 5) == []


@given(length=st.integers(0, 60), limit=st.integers(4, 20))
def test_every_token_is_learned_once_and_the_end_too(length: int, limit: int) -> None:
    row, ids = document(length)
    (found,) = Reading(Numbers()).learned([row], limit)
    assert all(2 <= len(one) <= limit for one in windows(found))
    assert [token for one in windows(found) for token in one[1:]] == [*ids, 2]
    begins = [one[0] for one in windows(found)]
    assert begins == [1, *(one[-1] for one in windows(found)[:-1])]


def test_known_windows_to_be_measured_on() -> None:
    reading = Reading(Numbers())
    row, _ = document(7)
    assert reading.measured([row], 99)[0] == [{"input_ids": [1, 10, 11, 12, 13, 14, 15, 16], FIRST: [1]}]
    assert reading.measured([row], 4)[0] == [
        {"input_ids": [1, 10, 11, 12], FIRST: [1]},
        {"input_ids": [11, 12, 13, 14], FIRST: [2]},
        {"input_ids": [13, 14, 15, 16], FIRST: [2]},
    ]
    assert reading.measured([{"text": ""}], 4)[0] == [{"input_ids": [1], FIRST: [1]}]


@given(length=st.integers(0, 100), window=st.integers(4, 33))
def test_every_token_is_counted_once_with_half_a_window_before_it(length: int, window: int) -> None:
    row, ids = document(length)
    (found,) = Reading(Numbers()).measured([row], window)
    counted = [token for one in found for token in one["input_ids"][one[FIRST][0] :]]
    assert counted == ids
    whole = [1, *ids]
    for one in found:
        first = one[FIRST][0]
        assert len(one["input_ids"]) <= window
        place = whole.index(one["input_ids"][0])
        assert one["input_ids"] == whole[place : place + len(one["input_ids"])]
        assert place == 0 or first >= window // 2


def test_texts_begin_with_the_end_where_there_is_no_begin(gpt2: Path, llama: Path) -> None:
    for folder, begin, end in ((gpt2, "<|endoftext|>", "<|endoftext|>"), (llama, "<s>", "</s>")):
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
        tokenizer.bos_token = begin if folder == llama else None
        ((one,),) = Reading(tokenizer).learned([{"text": "The library"}], 99)
        assert tokenizer.convert_ids_to_tokens(one["input_ids"])[:: len(one["input_ids"]) - 1] == [begin, end]
        assert tokenizer.decode(one["input_ids"][1:-1]) == "The library"


def test_a_tokenizer_without_an_end_is_refused() -> None:
    tokenizer = Numbers()
    tokenizer.eos_token_id = None
    with pytest.raises(ModelError) as caught:
        Reading(tokenizer)
    assert str(caught.value) == (
        "this model's tokenizer has no token for the end of a text: the model would never end one\n"
        "  choose a causal language model, such as HuggingFaceTB/SmolLM2-135M-Instruct"
    )


def test_the_beginning_of_a_text_ends_with_a_character() -> None:
    reading = Reading(Numbers())
    assert reading.beginning([5, 5, 5, 5, 5, 5], 2) == [5, 5]
    assert reading.beginning([5, 5, 5, 5, 5], 9) == [5, 5, 5]
    assert reading.beginning([5, 9, 9, 9, 9], 9) == [5]
    assert reading.beginning([9, 9], 9) == []
    assert reading.beginning([], 9) == []


@given(text=wild)
def test_the_beginning_of_any_text_is_one_of_its(llama_tokenizer: Any, text: str) -> None:
    reading = Reading(llama_tokenizer)
    (ids,) = reading.tokens([text])
    found = reading.beginning(ids, 6)
    assert text.startswith(llama_tokenizer.decode(found))


@pytest.fixture(scope="module")
def llama_tokenizer(llama: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(str(llama))
