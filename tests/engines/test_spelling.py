"""Tokens as text, whole and as it grows: the same text, in pieces that nothing takes back."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.decoders import Metaspace
from tokenizers.models import WordLevel
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from hftoolkit.engines.spelling import Growing, Spelling, cut


@pytest.fixture(scope="session")
def tokenizer(gpt2: Path) -> Any:
    return AutoTokenizer.from_pretrained(str(gpt2))


def shown(tokenizer: Any, tokens: list[int], before: list[int], stops: tuple[str, ...] = ()) -> list[str]:
    pieces: list[str] = []
    spelling = Spelling(tokenizer, before)
    growing = Growing(spelling, stops, pieces.append)
    for token in tokens:
        growing.add(token)
    growing.end(cut(spelling(tokens), stops))
    return pieces


@given(st.text(), st.text(max_size=12))
@example("图书馆👩‍👩‍👧 e\u0301", "图")
@example("half \ufffd of it\ufffd", "")
def test_pieces_are_whole_characters(tokenizer: Any, text: str, before: str) -> None:
    tokens = tokenizer(text)["input_ids"]
    pieces = shown(tokenizer, tokens, tokenizer(before)["input_ids"])
    assert "".join(pieces) == text
    assert sum(piece.count("\ufffd") for piece in pieces) == text.count("\ufffd")


@given(st.lists(st.integers(0, 286), max_size=40), st.lists(st.integers(0, 286), max_size=12))
def test_any_tokens_at_all(tokenizer: Any, tokens: list[int], before: list[int]) -> None:
    """What a model writes need not be characters; what is settled is not changed by what follows."""
    pieces = shown(tokenizer, tokens, before)
    assert "".join(pieces) == Spelling(tokenizer, before)(tokens)


@given(st.text("ab", max_size=20), st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3))
def test_nothing_of_a_stop_is_shown(tokenizer: Any, text: str, stops: list[str]) -> None:
    pieces = shown(tokenizer, tokenizer(text)["input_ids"], [], tuple(stops))
    first = next((text[:size] for size in range(len(text) + 1) if any(stop in text[:size] for stop in stops)), None)
    expected = text if first is None else min((first.split(stop)[0] for stop in stops), key=len)
    assert "".join(pieces) == expected


def test_a_character_is_shown_with_its_last_byte(tokenizer: Any) -> None:
    pieces: list[str] = []
    growing = Growing(Spelling(tokenizer), (), pieces.append)
    after = []
    for token in tokenizer("a👍b")["input_ids"]:
        growing.add(token)
        after.append("".join(pieces))
    assert after == ["a", "a", "a", "a", "a👍", "a👍b"]


def test_the_blank_of_a_first_word_stays_where_a_text_goes_on() -> None:
    """Tokenizers of Llama's kind take the first blank for their own."""
    words = {"▁Lily": 0, "▁was": 1, "▁a": 2}
    made = Tokenizer(WordLevel(words, "▁a"))
    made.decoder = Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made)
    assert tokenizer.decode([1, 2]) == "was a"
    assert Spelling(tokenizer, [0])([1, 2]) == " was a"
    assert Spelling(tokenizer)([1, 2]) == "was a"
    assert shown(tokenizer, [1, 2], [0]) == [" was", " a"]
