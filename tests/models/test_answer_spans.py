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
    """Every part with its score."""
    found: dict[tuple[int, int], float] = {}
    for window, begin in zip(windows, begins, strict=True):
        for first in range(len(window.start)):
            for last in range(first, min(first + longest, len(window.start))):
                part = first + begin, last + begin
                found[part] = max(found.get(part, -np.inf), float(window.start[first] + window.end[last]))
    return found


@settings(deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 12), longest=st.integers(1, 15), number=st.integers(1, 90))
def test_it_finds_what_trying_everything_finds(seed: int, size: int, longest: int, number: int) -> None:
    windows, begins = scores_of(seed, size, size), [0, size // 2]
    found = best_spans(windows, begins, longest, number)
    expected = sorted(tried(windows, begins, longest).items(), key=lambda item: -item[1])[:number]
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == [part for part, _ in expected]
    assert found.scores.tolist() == pytest.approx([score for _, score in expected])


def test_probabilities_are_those_of_transformers_4() -> None:
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


def test_a_window_that_says_it_has_no_answer_stands_behind() -> None:
    """Its tokens score higher, but its own first token higher still: what counts is how sure a window is."""
    sure = np.array([[0, 0, 6, 0, 0], [0, 0, 0, 6, 0]], dtype=np.float32)
    without = np.array([[20, 0, 9, 0, 0], [20, 0, 0, 9, 0]], dtype=np.float32)
    windows = [WindowScores.of(one, 1, 4) for one in (without, sure)]
    found = best_spans(windows, [0, 50], 3, 2)
    assert (found.first[0], found.last[0]) == (51, 52)
    assert found.none == windows[1].none  # that of the window that most likely has one


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
