"""Texts to tokens and windows: nothing is lost, words stay whole where they can."""

from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import tiny_bert
from tokenizers_of_kinds import tokenizer_of

from hftoolkit.tasks.pretraining.windows import Reader, Tokens, cuts, packed, words_of


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("bert")
    tiny_bert(folder, characters="图书馆")
    return transformers.AutoTokenizer.from_pretrained(str(folder))


def shown(reader: Reader, tokenizer: Any, text: str) -> list[str]:
    """Words of a text, their pieces parted by a stroke."""
    (tokens,) = reader.tokens([text])
    pieces = tokenizer.convert_ids_to_tokens(tokens.ids)
    words: list[list[str]] = []
    for piece, start in zip(pieces, tokens.starts, strict=True):
        words = [*words, [piece]] if start else [*words[:-1], [*words[-1], piece]]
    return ["|".join(word) for word in words]


def test_pieces_belong_to_words_and_chinese_characters_are_words(tokenizer: Any) -> None:
    reader = Reader(tokenizer)
    assert shown(reader, tokenizer, "Good fog, 图书馆!") == ["good", "f|##o|##g", ",", "图", "书", "馆", "!"]
    assert reader.tokens([]) == []
    assert reader.tokens(["", "good"]) == [Tokens([], []), Tokens(tokenizer("good")["input_ids"][1:2], [True])]


def test_a_blank_in_front_of_the_mask_does_not_stand_around_windows(bert: Path) -> None:
    tokenizer = tokenizer_of("pieces", bert)
    tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    reader = Reader(tokenizer)
    assert (reader.front.ids, reader.back.ids) == ([tokenizer.vocab["[CLS]"]], [tokenizer.vocab["[SEP]"]])


@pytest.mark.parametrize("kind", ["bytes", "pieces"])
def test_words_of_other_tokenizers(kind: str, bert: Path) -> None:
    tokenizer = tokenizer_of(kind, bert)
    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    reader = Reader(tokenizer)
    words = ["".join(word.split("|")) for word in shown(reader, tokenizer, "abc de")]
    assert [word.strip("▁Ġ") for word in words] == ["abc", "de"]
    ids = tokenizer("abc de")["input_ids"]
    assert reader.framed(reader.tokens(["abc de"])[0]).ids == ids


def test_a_clause_without_blanks_is_no_word(bert: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    pieces = [("<unk>", 0.0), ("▁", -2.0), ("图书", -1.0), ("馆", -1.0), ("ab", -1.0), ("c", -1.0), ("<mask>", 0.0)]
    made = Tokenizer(models.Unigram(pieces, unk_id=0))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, mask_token="<mask>")  # noqa: S106
    assert shown(Reader(tokenizer), tokenizer, "图书馆abc") == ["图书", "馆", "ab|c"]


def test_what_stands_around_a_window(tokenizer: Any) -> None:
    reader = Reader(tokenizer)
    (tokens,) = reader.tokens(["good film"])
    assert reader.framed(tokens).ids == tokenizer("good film")["input_ids"]
    assert reader.framed(tokens).starts == [True] * 4
    assert reader.room(10) == 8


@given(starts=st.lists(st.booleans(), max_size=60), room=st.integers(1, 20))
def test_windows_are_the_text_none_too_long_and_few_words_are_cut(starts: list[bool], room: int) -> None:
    tokens = Tokens(list(range(len(starts))), starts)
    found = list(cuts(tokens, room))
    assert [token for begin, end in found for token in range(begin, end)] == tokens.ids
    assert all(begin < end <= begin + room for begin, end in found)
    for (begin, _), (before, _) in zip(found[1:], found, strict=False):
        assert starts[begin] or not any(starts[before + 1 : begin + 1])  # cut within a word: it fills a window


def test_windows_are_of_about_equal_length() -> None:
    assert list(cuts(Tokens(list(range(11)), [True] * 11), 10)) == [(0, 6), (6, 11)]


def test_texts_are_packed_with_separators() -> None:
    texts = [Tokens([1, 2], [True, False]), Tokens([], []), Tokens([3], [True])]
    whole, begins = packed(texts, Tokens([9], [True]))
    assert whole == Tokens([1, 2, 9, 9, 3], [True, False, True, True, True])
    assert begins == [0, 3, 4]
    assert packed([], Tokens([9], [True])) == (Tokens([], []), [])


def test_words_have_numbers() -> None:
    assert words_of([True, True, False, True]) == [0, 1, 1, 2]
    assert words_of([False, False, True]) == [0, 0, 1]
