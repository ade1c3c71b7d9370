"""Masks: the shares asked for, never a special token, whole words, and the same from the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hftoolkit.tasks.pretraining.masking import IGNORED, Masking

MASK, SIZE, SPECIAL = 4, 60, (0, 1, 2, 3, 4)
MASKING = Masking.of(0.15, MASK, SIZE, SPECIAL)

tables = st.tuples(st.integers(1, 6), st.integers(1, 30)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, SIZE - 1), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


def drawn(
    ids: NDArray[np.int64], seed: int = 1, masking: Masking = MASKING, words: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return masking.draw(ids, np.random.default_rng(seed), words)


def test_of_long_texts_the_shares_are_those_asked_for() -> None:
    ids = np.random.default_rng(5).integers(5, SIZE, (100, 1000))
    read, labels = drawn(ids)
    chosen = labels != IGNORED
    assert chosen.mean() == pytest.approx(0.15, abs=0.005)
    hidden, stayed = read[chosen] == MASK, read[chosen] == ids[chosen]
    assert hidden.mean() == pytest.approx(0.8, abs=0.01)
    # One of the 55 others is the same by chance.
    assert stayed.mean() == pytest.approx(0.1 + 0.1 / 55, abs=0.01)
    replaced = read[chosen][~hidden & ~stayed]
    assert np.bincount(replaced, minlength=SIZE)[5:].min() > 0
    assert chosen.mean(axis=0).std() < 0.05  # no place is preferred
    assert drawn(ids, masking=Masking.of(0.4, MASK, SIZE, SPECIAL))[1].__ne__(IGNORED).mean() == pytest.approx(
        0.4, abs=0.005
    )


@given(rows=tables, seed=st.integers(0, 2**63 - 1), share=st.floats(0.01, 0.99))
def test_special_tokens_are_neither_guessed_nor_put_in_and_one_token_of_every_row_is_guessed(
    rows: list[list[int]], seed: int, share: float
) -> None:
    ids = np.array(rows)
    read, labels = drawn(ids, seed, Masking.of(share, MASK, SIZE, SPECIAL))
    chosen = labels != IGNORED
    special = np.isin(ids, SPECIAL)
    assert not chosen[special].any()
    assert (labels[chosen] == ids[chosen]).all()
    assert (read[~chosen] == ids[~chosen]).all()
    assert not np.isin(read[chosen], [number for number in SPECIAL if number != MASK]).any()
    assert (chosen.any(axis=1) == ~special.all(axis=1)).all()


@given(rows=tables, seed=st.integers(0, 2**32))
def test_the_same_seed_draws_the_same_masks(rows: list[list[int]], seed: int) -> None:
    for one, other in zip(drawn(np.array(rows), seed), drawn(np.array(rows), seed), strict=True):
        assert (one == other).all()


def test_another_seed_draws_others() -> None:
    ids = np.full((4, 200), 7)
    assert (drawn(ids, 1)[1] != drawn(ids, 2)[1]).any()


@given(rows=tables, seed=st.integers(0, 2**32), data=st.data())
def test_a_word_is_guessed_as_a_whole(rows: list[list[int]], seed: int, data: st.DataObject) -> None:
    ids = np.array(rows)
    steps = st.lists(st.integers(0, 1), min_size=ids.shape[1], max_size=ids.shape[1])
    words = np.array([np.cumsum([0, *data.draw(steps)[1:]]) for _ in rows])
    chosen = drawn(ids, seed, words=words)[1] != IGNORED
    special = np.isin(ids, SPECIAL)
    for row in range(len(ids)):
        for word in set(words[row].tolist()):
            assert len(set(chosen[row][(words[row] == word) & ~special[row]].tolist())) <= 1


def test_of_whole_words_the_share_is_the_same() -> None:
    ids = np.full((200, 500), 9)
    words = np.sort(np.random.default_rng(3).integers(0, 200, (200, 500)), axis=1)
    labels = drawn(ids, words=words)[1]
    assert (labels != IGNORED).mean() == pytest.approx(0.15, abs=0.01)
