"""Windows over the words of a sentence."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.word_windows import Window, word_windows

SIZES = st.lists(st.integers(0, 12), max_size=60)


def test_what_fits_is_one_window() -> None:
    assert word_windows([1, 2, 3], room=6) == [Window(0, 3, (0, 1, 2))]


def test_words_without_tokens_count_nowhere() -> None:
    assert word_windows([1, 0, 2], room=6) == [Window(0, 3, (0, 2))]
    assert word_windows([0, 0], room=6) == []
    assert word_windows([], room=6) == []


def test_neighbours_share_a_quarter_and_each_word_counts_where_more_is_around_it() -> None:
    assert word_windows([1] * 20, room=8) == [
        Window(0, 8, (0, 1, 2, 3, 4, 5, 6)),
        Window(6, 14, (7, 8, 9, 10, 11, 12)),
        Window(12, 20, (13, 14, 15, 16, 17, 18, 19)),
    ]


def test_the_last_window_is_as_full_as_the_others() -> None:
    assert word_windows([1] * 9, room=8) == [Window(0, 8, (0, 1, 2, 3, 4)), Window(1, 9, (5, 6, 7, 8))]


def test_of_a_word_longer_than_a_window_the_first_tokens_are_read() -> None:
    assert word_windows([2, 100, 2], room=8) == [Window(0, 1, (0,)), Window(1, 2, (1,)), Window(2, 3, (2,))]


def test_neighbours_share_less_where_the_next_word_is_long() -> None:
    assert word_windows([1] * 10 + [9], room=10) == [Window(0, 10, tuple(range(10))), Window(9, 11, (10,))]


@given(sizes=SIZES, room=st.integers(1, 40))
def test_every_word_is_counted_once_and_no_window_is_too_long(sizes: list[int], room: int) -> None:
    windows = word_windows(sizes, room)
    counted = [word for window in windows for word in window.counted]
    assert sorted(counted) == [word for word, size in enumerate(sizes) if size]
    for window in windows:
        assert set(window.counted) <= set(range(window.start, window.end))
        assert 0 < sum(min(size, room) for size in sizes[window.start : window.end]) <= room
    for one, other in pairwise(windows):
        assert one.start < other.start
        assert one.end < other.end
    if windows:
        assert (windows[0].start, windows[-1].end) == (0, len(sizes))


@given(sizes=SIZES, room=st.integers(1, 40))
def test_no_window_would_give_a_word_more(sizes: list[int], room: int) -> None:
    """Neighbours in tokens on the poorer side; where the sentence ends, nothing is missing."""
    windows = word_windows(sizes, room)

    def around(window: Window, word: int) -> float:
        before = sum(min(size, room) for size in sizes[window.start : word])
        after = sum(min(size, room) for size in sizes[word + 1 : window.end])
        return min(before if window.start else 1e9, after if window.end < len(sizes) else 1e9)

    for window in windows:
        for word in window.counted:
            assert all(around(window, word) >= around(w, word) for w in windows if w.start <= word < w.end)
