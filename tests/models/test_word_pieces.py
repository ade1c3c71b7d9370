"""Which tokens belong to which word, for the three ways in which tokenizers treat blanks."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers_of_kinds import tokenizer_of

from hftoolkit.errors import ModelError
from hftoolkit.models.word_pieces import check_pieces, frame, word_pieces


@pytest.fixture(scope="module")
def wordpiece(bert: Path) -> Any:
    return tokenizer_of("words", bert)


@pytest.fixture(scope="module", params=["bytes", "pieces"])
def other(request: pytest.FixtureRequest, bert: Path) -> Any:
    return tokenizer_of(request.param, bert)


def tokens(tokenizer: Any, words: list[str]) -> list[list[str]]:
    return [tokenizer.convert_ids_to_tokens(pieces) for pieces in word_pieces(tokenizer, [words])[0]]


def test_word_pieces_of_bert(wordpiece: Any) -> None:
    assert tokens(wordpiece, ["Good", "U.N.", "food"]) == [["good"], ["u", ".", "n", "."], ["food"]]


def test_a_word_that_is_nothing_to_the_tokenizer_has_no_tokens(wordpiece: Any) -> None:
    assert tokens(wordpiece, ["\ufeff", "good", "\x00", "", "\u3000", "film"]) == [
        [],
        ["good"],
        [],
        [],
        [],
        ["film"],
    ]
    assert tokens(wordpiece, []) == []
    assert word_pieces(wordpiece, []) == []


def test_a_word_may_have_blanks_in_it(wordpiece: Any) -> None:
    assert tokens(wordpiece, ["not very", "good"]) == [["not", "very"], ["good"]]


def test_the_blank_goes_with_the_word_behind_it(bert: Path) -> None:
    assert tokens(tokenizer_of("bytes", bert), ["the", "é"]) == [["t", "h", "e"], ["Ġ", "Ã", "©"]]
    assert tokens(tokenizer_of("pieces", bert), ["the", "cat", "a"]) == [["▁the"], ["▁", "c", "a", "t"], ["▁a"]]
    assert tokens(tokenizer_of("pieces", bert), ["the", "", "a"])[1] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(words=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), max_size=8))
def test_no_token_is_lost_and_none_moves(other: Any, words: list[str]) -> None:
    pieces = word_pieces(other, [words])[0]
    whole = other(" ".join(words), add_special_tokens=False)["input_ids"]
    flat = [token for word in pieces for token in word]
    assert flat == whole[: len(flat)]
    left = other.convert_ids_to_tokens(whole[len(flat) :])
    assert not "".join(left).strip("▁Ġ")


@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), max_size=8))
def test_pieces_of_bert_are_those_of_the_words_alone(wordpiece: Any, words: list[str]) -> None:
    alone = [wordpiece(word, add_special_tokens=False)["input_ids"] for word in words]
    assert word_pieces(wordpiece, [words])[0] == alone


def test_what_stands_around_a_text(wordpiece: Any) -> None:
    names = [wordpiece.convert_ids_to_tokens(part) for part in frame(wordpiece)]
    assert names == [["[CLS]"], ["[SEP]"]]


def test_what_stands_around_a_text_of_other_tokenizers(other: Any) -> None:
    assert frame(other) == ([0], [2])


def test_a_tokenizer_that_does_not_tell_places_is_refused(wordpiece: Any) -> None:
    check_pieces(wordpiece)

    class Slow:
        is_fast = False

    with pytest.raises(ModelError) as caught:
        check_pieces(Slow())
    assert str(caught.value) == (
        "this model's tokenizer (Slow) does not say which tokens belong to which word\n"
        "  choose a model whose folder has a tokenizer.json:   model: {name: google-bert/bert-base-cased}"
    )
