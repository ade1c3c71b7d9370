"""Which tokens belong to which word, for the three ways in which tokenizers treat blanks."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from hftoolkit.errors import ModelError
from hftoolkit.models.word_pieces import check_pieces, frame, word_pieces

TEXTS = ["the good film was not very good", "we like the food", "great story, great film", "我在北京 住"]

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}


def byte_level() -> Any:
    """As RoBERTa has it: a blank is part of the word behind it, and the first word has none."""
    inner = Tokenizer(models.BPE(unk_token=None))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator(TEXTS, trainer)
    inner.post_processor = processors.RobertaProcessing(
        ("</s>", 1), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    return PreTrainedTokenizerFast(tokenizer_object=inner, **SPECIAL)


def metaspace() -> Any:
    """As XLM-R and DeBERTa have it: blanks are characters, which may be tokens of their own."""
    pieces = [("<s>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("▁", -3.0), ("▁good", -4.0), ("▁the", -4.0), ("京", -5.0)]
    pieces += [(letter, -6.0) for letter in "abcdefghijklmnopqrstuvwxyz"]
    inner = Tokenizer(models.Unigram(pieces, unk_id=2))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    inner.decoder = decoders.Metaspace(prepend_scheme="always")
    inner.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=inner, **SPECIAL, unk_token="<unk>")  # noqa: S106


@pytest.fixture(scope="module")
def wordpiece(bert: Path) -> Any:
    return AutoTokenizer.from_pretrained(str(bert))


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


def test_words_of_byte_level_tokenizers_have_their_blank() -> None:
    assert tokens(byte_level(), ["the", "good", "film"]) == [["the"], ["Ġgood"], ["Ġfilm"]]


def test_a_blank_that_is_a_token_goes_with_the_word_behind_it() -> None:
    assert tokens(metaspace(), ["good", "京", "the"]) == [["▁good"], ["▁", "京"], ["▁the"]]


@pytest.mark.parametrize("tokenizer", [byte_level(), metaspace()], ids=["byte-level", "metaspace"])
@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), max_size=8))
def test_no_token_is_lost_and_none_moves(tokenizer: Any, words: list[str]) -> None:
    pieces = word_pieces(tokenizer, [words])[0]
    whole = tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
    flat = [token for word in pieces for token in word]
    assert flat == whole[: len(flat)]
    assert not tokenizer.decode(whole[len(flat) :]).strip(" ")


@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), max_size=8))
def test_pieces_of_bert_are_those_of_the_words_alone(wordpiece: Any, words: list[str]) -> None:
    alone = [wordpiece(word, add_special_tokens=False)["input_ids"] for word in words]
    assert word_pieces(wordpiece, [words])[0] == alone


def test_what_stands_around_a_text(wordpiece: Any) -> None:
    names = [wordpiece.convert_ids_to_tokens(part) for part in frame(wordpiece)]
    assert names == [["[CLS]"], ["[SEP]"]]
    assert frame(byte_level()) == ([0], [1])
    assert frame(metaspace()) == ([0], [1])


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
