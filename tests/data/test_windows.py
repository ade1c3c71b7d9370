"""Windows of a long text: they overlap, hold no more than they may, and leave nothing out."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.windows import windows


@pytest.mark.parametrize(
    ("length", "room", "overlap", "expected"),
    [
        (0, 4, 2, [(0, 0)]),
        (4, 4, 2, [(0, 4)]),
        (5, 4, 2, [(0, 4), (2, 5)]),
        (8, 4, 2, [(0, 4), (2, 6), (4, 8)]),
        (9, 4, 0, [(0, 4), (4, 8), (8, 9)]),
        (8, 4, 100, [(0, 4), (1, 5), (2, 6), (3, 7), (4, 8)]),
        (3, 1, 5, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_windows(length: int, room: int, overlap: int, expected: list[tuple[int, int]]) -> None:
    assert windows(length, room, overlap) == expected


@given(length=st.integers(0, 300), room=st.integers(1, 60), overlap=st.integers(0, 80))
def test_every_token_is_in_one_and_neighbours_share_what_they_should(length: int, room: int, overlap: int) -> None:
    found = windows(length, room, overlap)
    assert {token for begin, end in found for token in range(begin, end)} == set(range(length))
    assert all(end - begin <= room for begin, end in found)
    assert all(end - begin == room for begin, end in found[:-1])
    shared = {before[1] - after[0] for before, after in pairwise(found)}
    assert shared <= {min(overlap, 3 * room // 4)}
    assert len(found) == 1 or found[-1][1] > found[-2][1]  # none is within another
