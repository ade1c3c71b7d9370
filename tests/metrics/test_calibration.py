"""Expected calibration error and its bins."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hftoolkit.metrics import calibration
from hftoolkit.metrics.calibration import BINS, Bin

CONFIDENCES = st.floats(0, 1) | st.integers(0, 100).map(lambda number: number / 100)
ROWS = st.lists(st.tuples(CONFIDENCES, st.booleans()), min_size=1, max_size=50)


def summed(rows):
    return np.sum([calibration.counts(*row) for row in rows], axis=0)


def by_the_paper(rows):
    """Equations 2 and 3 of Guo et al., bin by bin: those above m/15 and at most (m+1)/15."""
    error, edges = 0.0, np.linspace(0, 1, 16)
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = [(sure, right) for sure, right in rows if low < sure <= high or (number == 0 and sure == 0)]
        if inside:
            confidence, accuracy = np.mean(inside, axis=0)
            error += len(inside) / len(rows) * abs(accuracy - confidence)
    return 100 * error


@given(rows=ROWS)
@settings(max_examples=200, deadline=None)
def test_the_error_is_that_of_the_paper(rows):
    assert calibration.total(summed(rows)) == pytest.approx(by_the_paper(rows), abs=1e-9)


def test_who_says_90_and_is_right_60_times_is_30_off():
    counts = summed([(0.9, True)] * 6 + [(0.9, False)] * 4)

    assert calibration.total(counts) == pytest.approx(30)
    assert calibration.bins(counts) == [
        Bin(pytest.approx(100 * 13 / 15), pytest.approx(100 * 14 / 15), 10, pytest.approx(90), pytest.approx(60))
    ]


def test_an_edge_belongs_to_the_bin_below_it():
    counts = summed([(0.0, False), (1.0, True)])

    assert [(found.low, found.high) for found in calibration.bins(counts)] == [
        (0, pytest.approx(100 / BINS)),
        (pytest.approx(100 * (BINS - 1) / BINS), 100),
    ]


def test_no_rows_have_no_error():
    assert calibration.total(np.zeros(3 * BINS)) == 0
    assert calibration.bins(np.zeros(3 * BINS)) == []


@pytest.mark.parametrize("confidence", [-0.1, 1.5, float("nan")])
def test_what_is_no_probability_is_refused(confidence):
    with pytest.raises(ValueError, match=rf"^expected a probability from 0 to 1, got {confidence}$"):
        calibration.counts(confidence, True)
