"""Windows of a stream, and batches by a budget of tokens."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.engines.batches import token_batches, windows

lengths = st.lists(st.integers(1, 60), max_size=40)


@given(lengths, st.integers(1, 100), st.none() | st.integers(1, 5))
def test_every_row_is_in_one_batch_within_the_budget(rows: list[int], budget: int, most: int | None) -> None:
    batches = list(token_batches(rows, budget, most))
    assert sorted(place for batch in batches for place in batch) == list(range(len(rows)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(rows[place] for place in batch) <= budget
        assert most is None or len(batch) <= most
    ordered = [rows[place] for batch in batches for place in batch]
    assert ordered == sorted(rows, reverse=True)


@given(lengths, st.integers(1, 100))
def test_a_batch_holds_what_it_can(rows: list[int], budget: int) -> None:
    batches = list(token_batches(rows, budget))
    for batch in batches[:-1]:
        assert rows[batch[0]] * (len(batch) + 1) > budget


@given(lengths, st.integers(1, 100), st.integers(1, 20))
def test_lengths_that_round_up_differently_do_not_go_together(rows: list[int], budget: int, step: int) -> None:
    batches = list(token_batches(rows, budget, step=step))
    assert sorted(place for batch in batches for place in batch) == list(range(len(rows)))
    for batch in batches:
        assert len({-(-rows[place] // step) for place in batch}) == 1


@pytest.mark.parametrize(("number", "sizes"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_a_stream_is_read_one_window_at_a_time(number: int, sizes: list[int]) -> None:
    read: list[str] = []

    def stream() -> Iterator[str]:
        for place in range(number):
            read.append(str(place))
            yield str(place)

    seen: list[list[str]] = []
    for window in windows(stream(), 4):
        seen.append(window)
        assert read == [text for one in seen for text in one]
    assert [*map(len, seen)] == sizes
