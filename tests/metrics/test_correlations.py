"""Correlations: the same as scipy's."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hftoolkit.metrics import correlations
from hftoolkit.metrics.correlations import pearson, spearman

NUMBERS = st.integers(-3, 3).map(float) | st.floats(-5, 5).map(lambda number: round(number, 3))  # some are equal
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40)


def theirs(correlate, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return pytest.approx(100 * np.nan_to_num(correlate(*zip(*rows, strict=True)).statistic), abs=1e-6)


@given(rows=ROWS)
@settings(max_examples=1000, deadline=None)
def test_correlations_are_those_of_scipy(rows):
    assert pearson(np.sum([correlations.counts(*row) for row in rows], axis=0)) == theirs(stats.pearsonr, rows)
    assert spearman(np.stack([correlations.pair(*row) for row in rows])) == theirs(stats.spearmanr, rows)


def test_equal_numbers_correlate_with_nothing():
    rows = [(0.1, 1.0), (0.1, 2.0), (0.1, 3.0)]

    assert pearson(np.sum([correlations.counts(*row) for row in rows], axis=0)) == 0
    assert spearman(np.stack([correlations.pair(*row) for row in rows])) == 0


def test_ranks_see_only_the_order():
    rows = [(1, 1), (2, 10), (3, 100), (4, 1000)]

    assert spearman(np.array(rows)) == 100
    assert pearson(np.sum([correlations.counts(*row) for row in rows], axis=0)) < 90


def test_a_perfect_correlation_is_not_more_than_perfect():
    rows = [(number / 3, 0.1 + 7 * number / 3) for number in range(50)]

    assert pearson(np.sum([correlations.counts(*row) for row in rows], axis=0)) <= 100
