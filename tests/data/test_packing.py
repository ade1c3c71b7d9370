"""Features in rows: each once, none over the end, and never more table than padding takes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.packing import arranged, laid_out

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=60)


def size(lengths: list[int], rows: list[list[int]]) -> int:
    return len(rows) * max(sum(lengths[number] for number in row) for row in rows)


@given(lengths=LENGTHS, most=st.integers(1, 100))
def test_every_feature_stands_in_one_row(lengths: list[int], most: int) -> None:
    rows = arranged(lengths, most)
    assert sorted(number for row in rows for number in row) == list(range(len(lengths)))
    assert all(row for row in rows)


@given(lengths=LENGTHS, most=st.integers(1, 100))
def test_no_row_is_longer_than_it_may_be_unless_it_is_one_feature(lengths: list[int], most: int) -> None:
    for row in arranged(lengths, most):
        assert len(row) == 1 or sum(lengths[number] for number in row) <= max(most, max(lengths))


@given(lengths=LENGTHS, most=st.integers(1, 100))
def test_the_table_is_never_larger_than_with_padding(lengths: list[int], most: int) -> None:
    assert size(lengths, arranged(lengths, most)) <= max(lengths) * len(lengths)


@given(seed=st.integers(0, 1000), shortest=st.integers(1, 30))
def test_short_features_fill_rows_to_their_ends(seed: int, shortest: int) -> None:
    lengths = np.random.default_rng(seed).integers(shortest, 2 * shortest + 20, 64).tolist()
    assert sum(lengths) >= 0.9 * size(lengths, arranged(lengths, 4 * max(lengths)))


def test_known_arrangements() -> None:
    assert arranged([], 10) == []
    assert arranged([5], 10) == [[0]]
    assert arranged([10, 5, 5, 5], 10) == [[0], [1, 3], [2]]
    assert arranged([3, 3, 2, 2, 2], 10) == [[0, 2, 4], [1, 3]]
    assert arranged([4, 4, 4, 4], 16) == [[0], [1], [2], [3]]  # full as it is: the narrowest table
    assert arranged([9, 2], 5) == [[0], [1]]


def test_rows_that_are_full_are_as_narrow_as_the_longest_feature() -> None:
    lengths = [40, *[8] * 95]
    rows = arranged(lengths, 800)
    assert len(rows) == 20
    assert max(sum(lengths[number] for number in row) for row in rows) == 40


@given(
    lists=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=9), min_size=1, max_size=9),
    widest=st.sampled_from([0, 12, 1000]),
)
def test_lists_stand_behind_each_other(lists: list[list[int]], widest: int) -> None:
    rows = arranged([len(each) for each in lists], 20)
    table = laid_out(lists, rows, -1, widest=widest)
    for line, row in zip(table.tolist(), rows, strict=True):
        found = [value for number in row for value in lists[number]]
        assert line == found + [-1] * (len(line) - len(found))
    longest = max(sum(len(lists[number]) for number in row) for row in rows)
    stepped = -(-longest // 4) * 4
    assert table.shape == (len(rows), stepped if stepped <= widest else longest)
