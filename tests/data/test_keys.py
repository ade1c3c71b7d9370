import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import texts

from hftoolkit.data.keys import content_of, first_occurrences, key_of, standing_in

few = st.lists(st.integers(0, 20), max_size=60).map(lambda keys: np.array(keys, dtype=np.uint64))
values = st.lists(st.one_of(texts, st.lists(texts, max_size=3)), min_size=2, max_size=2)


@given(few)
def test_first_occurrences_equals_a_set(keys: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> None:
    seen: set[int] = set()
    expected = []
    for key in keys.tolist():
        expected.append(key not in seen)
        seen.add(key)
    assert first_occurrences(keys).tolist() == expected


def test_first_occurrences_over_several_chunks() -> None:
    keys = np.tile(np.arange(50_000, dtype=np.uint64), 3)
    assert np.flatnonzero(first_occurrences(keys)).tolist() == list(range(50_000))


@given(few, few)
def test_standing_in_equals_a_set(
    keys: np.ndarray[tuple[int], np.dtype[np.uint64]], others: np.ndarray[tuple[int], np.dtype[np.uint64]]
) -> None:
    assert standing_in(keys, others).tolist() == [key in set(others.tolist()) for key in keys.tolist()]


@given(values, values)
def test_different_texts_have_different_contents(one: list[str | list[str]], other: list[str | list[str]]) -> None:
    assert (content_of(one) == content_of(other)) == (one == other)


def test_keys_are_the_same_in_every_run() -> None:
    assert key_of(content_of(["Hello", ["你好", "您好"]])) == 14990244022073771328


def test_numbers_have_contents_too() -> None:
    contents = [content_of([items]) for items in ([], [1], [-1], [1, 1], [11])]
    assert len(set(contents)) == 5


def test_half_a_surrogate_pair_has_no_content() -> None:
    with pytest.raises(UnicodeEncodeError):
        content_of(["\ud83d"])
