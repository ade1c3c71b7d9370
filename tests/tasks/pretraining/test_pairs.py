"""Pairs of texts: half of them true, nothing cut, nothing given away by length."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.tasks.pretraining.pairs import ALONE, NEXT, OTHER, Pair, pairs_of, sentences_of
from hftoolkit.tasks.pretraining.windows import Tokens

rows = st.lists(st.lists(st.integers(1, 12), max_size=8), min_size=1, max_size=4)


def numbered(lengths: list[list[int]]) -> list[list[Tokens]]:
    """Sentences of these lengths, of tokens that are all different."""
    number = iter(range(10**9))
    return [[Tokens([next(number) for _ in range(length)], [True] * length) for length in row] for row in lengths]


def all_pairs(texts: list[list[Tokens]], room: int, seed: int) -> list[list[Pair]]:
    return [list(pairs_of(place, texts, room, seed + place)) for place in range(len(texts))]


def test_sentences_end_at_marks_and_at_lines() -> None:
    text = "Dr. Smith came. He saw\nit all! \n\n 我喜欢。你呢？"
    assert sentences_of(text, "en") == ["Dr. Smith came.", "He saw", "it all!", "我喜欢。", "你呢？"]
    assert sentences_of(" \n", "en") == []


@given(lengths=rows, room=st.integers(2, 30), seed=st.integers(0, 2**63))
def test_every_token_of_a_row_is_read_once_and_no_pair_is_too_long(
    lengths: list[list[int]], room: int, seed: int
) -> None:
    texts = numbered(lengths)
    for own, pairs in zip(texts, all_pairs(texts, room, seed), strict=True):
        read = []
        for pair in pairs:
            assert 0 < len(pair.first) <= room
            assert len(pair.first) + len(pair.second) <= room
            assert (pair.label == ALONE) == (not pair.second.ids)
            read += pair.first.ids + (pair.second.ids if pair.label == NEXT else [])
        assert read == [token for sentence in own for token in sentence.ids]


@given(lengths=rows, room=st.integers(2, 30), seed=st.integers(0, 2**63))
def test_another_text_is_from_within_another_row(lengths: list[list[int]], room: int, seed: int) -> None:
    texts = numbered(lengths)
    for place, pairs in enumerate(all_pairs(texts, room, seed)):
        beginnings = {sentence.ids[0] for other, row in enumerate(texts) if other != place for sentence in row[1:]}
        assert all(pair.second.ids[0] in beginnings for pair in pairs if pair.label == OTHER)


def test_half_of_the_pairs_are_true_and_both_kinds_are_as_long() -> None:
    texts = numbered([[1 + (place + number) % 7 for number in range(3 + place % 9)] for place in range(400)])
    pairs = [pair for found in all_pairs(texts, 24, 1) for pair in found]
    counts = Counter(pair.label for pair in pairs)
    assert counts[NEXT] / (counts[NEXT] + counts[OTHER]) == pytest.approx(0.5, abs=0.05)
    mean = {
        label: sum(len(pair.second) for pair in pairs if pair.label == label) / counts[label] for label in (NEXT, OTHER)
    }
    assert mean[NEXT] == pytest.approx(mean[OTHER], rel=0.15)


def test_without_another_row_of_several_sentences_all_pairs_are_true() -> None:
    texts = numbered([[3, 3, 3, 3, 3, 3], [4], []])
    found = all_pairs(texts, 8, 1)
    assert {pair.label for pair in found[0]} == {NEXT}
    assert [pair.label for pair in found[1]] == [ALONE]
    assert found[2] == []


def test_a_long_sentence_stands_alone_in_several_windows() -> None:
    (pairs,) = all_pairs(numbered([[2, 25, 2]]), 10, 1)
    assert [len(pair.first) for pair in pairs] == [2, 9, 9, 7, 2]
    assert {pair.label for pair in pairs} == {ALONE}


@given(lengths=rows, seed=st.integers(0, 2**63))
def test_the_same_seed_draws_the_same_pairs(lengths: list[list[int]], seed: int) -> None:
    texts = numbered(lengths)
    assert all_pairs(texts, 12, seed) == all_pairs(texts, 12, seed)
