"""Intervals and paired tests: the same as sacrebleu's."""

import re
from functools import partial

import numpy as np
import pytest
from sacrebleu.significance import PairedTest

from hftoolkit.metrics.correlations import spearman
from hftoolkit.metrics.significance import PairedResult, bootstrap, paired_test, resampled
from hftoolkit.metrics.translations import bleu, chrf, sentence_counts, total

REFERENCES = [
    f"the {animal} sat on the {place} in the year {year}"
    for animal in ("cat", "dog", "owl")
    for place in ("mat", "tree")
    for year in range(2000, 2010)
]
BEFORE = [text.replace("sat on", "sits at") if number % 3 else text for number, text in enumerate(REFERENCES)]
AFTER = [text.replace("the cat", "a cat") if number % 2 else text for number, text in enumerate(REFERENCES)]


def counted(metric, hypotheses):
    rows = zip(hypotheses, REFERENCES, strict=True)
    return np.stack([sentence_counts(metric, hypothesis, reference) for hypothesis, reference in rows])


def mean(counts):
    return float(counts[0] / counts[1])


@pytest.mark.parametrize("metric", [bleu("en"), chrf()], ids=["bleu", "chrf"])
@pytest.mark.parametrize("systems", [(BEFORE, AFTER), (AFTER, BEFORE), (AFTER, [*AFTER[:-1], BEFORE[-1]])])
def test_p_and_interval_are_those_of_sacrebleu(metric, systems):
    before, after = systems
    named = [("before", before), ("after", after)]
    _, scores = PairedTest(named, {"it": metric}, [REFERENCES], test_type="bs", n_samples=200)()
    theirs = next(results[1] for name, results in scores.items() if name != "System")

    ours = paired_test(counted(metric, before), counted(metric, after), partial(total, metric), samples=200)
    interval = bootstrap(counted(metric, after), partial(total, metric), samples=200)

    assert ours.p == theirs.p_value
    # sacrebleu resamples in float32
    assert (interval.high - interval.low) / 2 == pytest.approx(theirs.ci, rel=1e-4)
    mean_score = resampled(counted(metric, after), partial(total, metric), 200).mean()
    assert mean_score == pytest.approx(theirs.mean, rel=1e-5)


def test_equal_systems_are_not_called_different():
    counts = np.array([[1, 2], [2, 2], [0, 2]])

    assert paired_test(counts, counts, mean) == PairedResult(0.0, 0.0, 0.0, 1.0)


def test_the_sign_says_which_way_it_went():
    worse, better = np.array([[0, 1]] * 9 + [[1, 1]]), np.array([[1, 1]] * 9 + [[0, 1]])

    up, down = paired_test(worse, better, mean), paired_test(better, worse, mean)

    assert up.difference == pytest.approx(0.8)
    assert (down.difference, down.low, down.high) == (-up.difference, -up.high, -up.low)
    assert up.low <= up.difference <= up.high


def test_the_rows_drawn_do_not_depend_on_how_many_are_drawn_at_once():
    rows = 2**21 // 3 + 1  # two samples at a time
    counts = np.zeros((rows, 2))
    counts[:, 0], counts[:, 1] = np.arange(rows) % 7, 1
    generator = np.random.default_rng(12345)

    expected = [counts[drawn].sum(axis=0) for drawn in generator.choice(rows, size=(5, rows))]

    assert resampled(counts, mean, samples=5).tolist() == [mean(sums) for sums in expected]


def test_a_score_of_all_rows_is_drawn_as_one_of_their_sum_is():
    counts = np.random.default_rng(1).integers(0, 5, size=(40, 2))
    other = np.random.default_rng(2).integers(0, 5, size=(40, 2))

    def whole(rows):
        return mean(rows.sum(axis=0))

    def unused(_):
        raise AssertionError("the sum was asked for")

    assert resampled(counts, unused, 50, whole=whole).tolist() == resampled(counts, mean, 50).tolist()
    assert bootstrap(counts, unused, 50, whole=whole) == bootstrap(counts, mean, 50)
    assert paired_test(counts, other, unused, 50, whole=whole) == paired_test(counts, other, mean, 50)


def test_a_score_that_is_no_function_of_a_sum():
    pairs = np.random.default_rng(1).normal(size=(60, 2))
    pairs[:, 1] += 2 * pairs[:, 0]

    interval = bootstrap(pairs, lambda _: 0.0, 200, whole=lambda rows: float(np.corrcoef(rows.T)[0, 1]))

    assert 0.7 < interval.low < float(np.corrcoef(pairs.T)[0, 1]) < interval.high < 1


def test_one_row_has_an_interval_of_one_point():
    assert bootstrap(np.array([[3, 4]]), mean).low == bootstrap(np.array([[3, 4]]), mean).high == 0.75


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match=r"with at least one row, got \(0, 2\)$"):
        bootstrap(np.zeros((0, 2)), mean)


def test_counts_of_different_rows_are_refused():
    expected = "expected counts of the same rows, got shapes (2, 2) and (3, 2)"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        paired_test(np.ones((2, 2)), np.ones((3, 2)), mean)


def unused(counts):
    raise AssertionError("the score of all rows is no function of their sum")


def test_a_score_of_all_rows_sees_the_rows_that_a_score_of_their_sum_sees():
    generator = np.random.default_rng(5)
    before, after = (generator.integers(1, 9, size=(40, 2)) for _ in range(2))

    def whole(rows):
        return mean(rows.sum(axis=0))

    assert resampled(after, unused, 50, whole=whole) == pytest.approx(resampled(after, mean, 50))
    assert bootstrap(after, unused, whole=whole).high == pytest.approx(bootstrap(after, mean).high)
    paired = paired_test(before, after, unused, whole=whole)
    assert paired.difference == pytest.approx(paired_test(before, after, mean).difference)
    assert paired.p == paired_test(before, after, mean).p


def test_a_rank_correlation_has_an_interval():
    true = np.arange(60.0)
    wild = true + np.random.default_rng(5).normal(0, 20, size=60)
    before, after = np.stack([wild, true], axis=1), np.stack([true**3, true], axis=1)

    interval = bootstrap(before, unused, whole=spearman)
    paired = paired_test(before, after, unused, whole=spearman)

    assert interval.low < spearman(before) < interval.high < 95
    assert paired.difference == pytest.approx(100 - spearman(before))
    assert paired.low > 0
