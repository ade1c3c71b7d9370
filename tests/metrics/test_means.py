"""Means of what every row scores."""

import numpy as np
import pytest

from hftoolkit.metrics import means
from hftoolkit.metrics.significance import bootstrap


def test_the_total_is_the_mean():
    assert means.total(sum(means.counts(score) for score in (100, 0, 50, 0.5))) == pytest.approx(37.625)


def test_no_rows_score_nothing():
    assert means.total(np.zeros(2)) == 0


def test_a_mean_has_an_interval():
    interval = bootstrap(np.stack([means.counts(100 * right) for right in [True] * 80 + [False] * 20]), means.total)

    assert interval.low < 80 < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 4, abs=2)  # of a binomial: 4 points
