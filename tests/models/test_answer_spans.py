"""The best parts of a context: those that trying all of them finds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hftoolkit.models.answer_spans import WindowScores, best_spans


def scores_of(seed: int, *sizes: int) -> list[WindowScores]:
    """Random windows with two tokens in front of the context, and one behind."""
    random = np.random.default_rng(seed)
    return [WindowScores.of(random.normal(size=(2, size + 3)).astype(np.float32) * 3, 2, size + 2) for size in sizes]


def tried(windows: list[WindowScores], begins: list[int], longest: int) -> dict[tuple[int, int], float]:
    """Every part with the sum of its logits, as run_qa.py ranks them."""
    found: dict[tuple[int, int], float] = {}
    for window, begin in zip(windows, begins, strict=True):
        start, end = window.ends
        for first in range(len(start)):
            for last in range(first, min(first + longest, len(start))):
                part = first + begin, last + begin
                found[part] = max(found.get(part, -np.inf), float(start[first] + end[last]))
    return found


@settings(deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 12), longest=st.integers(1, 15), number=st.integers(1, 90))
def test_it_finds_what_trying_everything_finds(seed: int, size: int, longest: int, number: int) -> None:
    windows, begins = scores_of(seed, size, size), [0, size // 2]
    found = best_spans(windows, begins, longest, number)
    expected = sorted(tried(windows, begins, longest).items(), key=lambda item: -item[1])[:number]
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == [part for part, _ in expected]
    falls = np.array([score for _, score in expected]) - expected[0][1]
    assert (found.scores - found.scores[0]).tolist() == pytest.approx(falls.tolist(), abs=1e-4)


def test_probabilities_of_one_window_are_those_of_transformers_4() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 9)).astype(np.float32) * 3
    windows = [WindowScores.of(logits, 3, 8)]
    found = best_spans(windows, [0], 3, 4)
    starts, ends, scores, none = transformers_4(logits, [0, 3, 4, 5, 6, 7], longest=3, number=4)
    assert (found.first + 3).tolist() == starts.tolist()
    assert (found.last + 3).tolist() == ends.tolist()
    assert np.exp(found.scores).tolist() == pytest.approx(scores.tolist(), rel=1e-5)
    assert np.exp(found.none) == pytest.approx(none, rel=1e-5)


def transformers_4(
    logits: NDArray[Any], possible: list[int], longest: int, number: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], float]:
    """What its pipeline does: products of two softmaxes over what is possible, the first place among it."""
    masked = np.full_like(logits, -10000.0)
    masked[:, possible] = logits[:, possible]
    start, end = np.exp(masked - masked.max(axis=1, keepdims=True))
    start, end = start / start.sum(), end / end.sum()
    none = float(start[0] * end[0])
    start[0] = end[0] = 0.0
    table = np.tril(np.triu(np.outer(start, end)), longest - 1)
    order = np.argsort(-table, axis=None)[:number]
    starts, ends = np.unravel_index(order, table.shape)
    return starts, ends, table[starts, ends], none


def test_probabilities_are_over_all_windows() -> None:
    """One that holds nothing is sure of something, but of less than one that holds the answer."""
    holding = np.array([[0, 0, 9, 5, 0], [0, 0, 5, 9, 0]], dtype=np.float32)
    nothing = np.array([[0, 6, 0, 0, 0], [0, 6, 0, 0, 0]], dtype=np.float32)
    windows = [WindowScores.of(one, 1, 4) for one in (nothing, holding)]
    alone = [np.exp(best_spans([window], [0], 3, 1).scores[0]) for window in windows]
    assert alone[0] > alone[1]
    found = best_spans(windows, [0, 50], 3, 1)
    assert (found.first[0], found.last[0]) == (51, 52)
    assert found.scores[0] < np.log(alone[1])


def test_probabilities_of_all_parts_and_none_add_up_to_one() -> None:
    """With parts of any length, and those whose end is in front of their beginning or in another window left out."""
    (window,) = scores_of(3, 6)
    found = best_spans([window], [0], 6, 1000)
    logits = np.concatenate([window.ends, window.none[:, None]], axis=1).astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)  # [2, T + 1]
    assert np.exp(found.none) == pytest.approx(shares[:, 6].prod(), rel=1e-5)
    for first, last, score in zip(found.first, found.last, found.scores, strict=True):
        assert np.exp(score) == pytest.approx(shares[0, first] * shares[1, last], rel=1e-4)


def test_a_token_in_two_windows_counts_once() -> None:
    (window,) = scores_of(2, 6)
    one = best_spans([window], [4], 6, 50)
    two = best_spans([window, window], [4, 4], 6, 50)
    assert one.scores.tolist() == pytest.approx(two.scores.tolist())
    assert one.none == two.none


def test_no_answer_is_as_probable_as_in_the_window_that_most_likely_has_one() -> None:
    """As SQuAD 2.0's baselines have it: other windows cannot know."""
    logits = np.array([[9, 0, 0], [9, 0, 0]], dtype=np.float32)
    sure = np.array([[-3, 8, 0], [-3, 8, 0]], dtype=np.float32)
    windows = [WindowScores.of(one, 1, 3) for one in (logits, sure, logits)]
    found = best_spans(windows, [0, 2, 4], 2, 1)
    assert found.first[0] == 2
    assert found.none - float(found.scores[0]) == pytest.approx(-6 - 16, abs=1e-3)


def test_parts_that_two_windows_share_are_one() -> None:
    windows = scores_of(1, 6, 6)
    found = best_spans(windows, [0, 3], 6, 1000)
    parts = list(zip(found.first.tolist(), found.last.tolist(), strict=True))
    assert len(parts) == len(set(parts)) == 21 + 21 - 6
    assert (np.diff(found.scores) <= 0).all()


def test_a_context_without_tokens_has_no_part() -> None:
    (window,) = scores_of(1, 0)
    found = best_spans([window], [0], 30, 5)
    assert len(found.first) == len(found.last) == len(found.scores) == 0
    assert found.none == pytest.approx(0.0, abs=1e-6)


def test_impossible_places_are_never_chosen() -> None:
    logits = np.array([[0, 5, -np.inf, 1], [0, 5, -np.inf, 1]], dtype=np.float32)
    found = best_spans([WindowScores.of(logits, 1, 4)], [0], 3, 9)
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == [(0, 0), (0, 2), (2, 2)]
