"""F1 and Matthews correlation: the same as sklearn's, from counts added up row by row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, matthews_corrcoef, precision_recall_fscore_support

from hftoolkit.metrics.labels import (
    LabelScore,
    best_threshold,
    class_counts,
    label_f1,
    label_scores,
    label_set_counts,
    macro_f1,
    macro_f1_of_all,
    matthews,
    micro_f1,
    overall,
    weighted_f1,
)

CLASSES = 6
NUMBERS = st.integers(0, CLASSES - 1)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=40)
"""Of predicted and right class; few rows have not all classes."""

LABELS = 4
SET = st.lists(st.booleans(), min_size=LABELS, max_size=LABELS)
SETS = st.lists(st.tuples(SET, SET), min_size=1, max_size=30)
PROBABILITIES = st.sampled_from([0.0, 0.125, 0.25, 0.3, 0.5, 0.7, 0.875, 1.0])  # many are equal
PROBABLE = st.lists(st.tuples(st.lists(PROBABILITIES, min_size=LABELS, max_size=LABELS), SET), min_size=1, max_size=12)


def summed(rows):
    return np.sum([class_counts(predicted, true, CLASSES) for predicted, true in rows], axis=0)


def summed_sets(rows):
    return np.sum([label_set_counts(np.array(predicted), np.array(true)) for predicted, true in rows], axis=0)


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(rows=ROWS)
@settings(max_examples=1000, deadline=None)
def test_scores_of_classes_are_those_of_sklearn(rows):
    predicted, true = zip(*rows, strict=True)
    counts = summed(rows)
    by_class = precision_recall_fscore_support(true, predicted, labels=range(CLASSES), zero_division=0)

    for label, score in enumerate(label_scores(counts)):
        precision, recall, f1, support = (column[label] for column in by_class)
        assert score == (pytest.approx(100 * precision), pytest.approx(100 * recall), pytest.approx(100 * f1), support)
        assert label_f1(label, counts) == score.f1
    assert macro_f1(counts) == pytest.approx(100 * f1_score(true, predicted, average="macro", zero_division=0))
    assert weighted_f1(counts) == pytest.approx(100 * np.average(by_class[2], weights=by_class[3]))
    assert matthews(counts) == pytest.approx(100 * matthews_corrcoef(true, predicted))
    assert micro_f1(counts) == pytest.approx(100 * np.mean(np.equal(predicted, true)))


@given(rows=SETS)
@settings(max_examples=1000, deadline=None)
def test_scores_of_label_sets_are_those_of_sklearn(rows):
    predicted, true = (np.array(column) for column in zip(*rows, strict=True))
    counts = summed_sets(rows)
    by_label = f1_score(true, predicted, average=None, zero_division=0)

    assert [score.f1 for score in label_scores(counts)] == pytest.approx(100 * by_label)
    assert macro_f1_of_all(counts) == pytest.approx(100 * by_label.mean())
    assert micro_f1(counts) == pytest.approx(100 * f1_score(true, predicted, average="micro", zero_division=0))


def test_classes_that_do_not_occur_count_only_where_rows_have_sets_of_labels():
    counts = summed([(0, 0), (1, 1)])

    assert macro_f1(counts) == 100
    assert macro_f1_of_all(counts) == pytest.approx(100 * 2 / CLASSES)


def test_a_table_of_known_scores():
    # the confusion matrix, a line per right class:  4 1 / 2 3
    counts = summed([(0, 0)] * 4 + [(1, 0)] + [(0, 1)] * 2 + [(1, 1)] * 3)

    first, second, *absent = label_scores(counts)

    assert first == (pytest.approx(200 / 3), 80, pytest.approx(800 / 11), 5)
    assert second == (75, 60, pytest.approx(200 / 3), 5)
    assert absent == [LabelScore(0, 0, 0, 0)] * (CLASSES - 2)
    assert overall(counts) == (70, 70, 70, 10)
    assert matthews(counts) == pytest.approx(100 * (4 * 3 - 1 * 2) / (6 * 4 * 5 * 5) ** 0.5)


def test_no_rows_score_nothing():
    nothing = np.zeros(3 * CLASSES)

    for score in (micro_f1, macro_f1, macro_f1_of_all, weighted_f1, matthews):
        assert score(nothing) == 0


@pytest.mark.parametrize(("predicted", "true", "wrong"), [(-1, 0, -1), (0, 6, 6)])
def test_a_class_that_there_is_not_is_refused(predicted, true, wrong):
    with pytest.raises(ValueError, match=rf"^expected a class from 0 to 5, got {wrong}$"):
        class_counts(predicted, true, CLASSES)


def macro_at(threshold, probabilities, true):
    predicted = probabilities >= threshold
    return macro_f1_of_all(summed_sets(zip(predicted, true, strict=True)))


@given(rows=PROBABLE, number=st.sampled_from([np.float32, np.float64]))
@settings(max_examples=300, deadline=None)
def test_no_threshold_is_better_than_the_best(rows, number):
    probabilities, true = (np.array(column) for column in zip(*rows, strict=True))
    probabilities = probabilities.astype(number)

    best = macro_at(best_threshold(probabilities, true), probabilities, true)

    for threshold in np.unique(probabilities):
        assert best >= macro_at(threshold, probabilities, true) - 1e-9


def test_the_threshold_lies_halfway():
    probabilities, true = np.array([[0.8], [0.6], [0.2], [0.1]]), np.array([[True], [True], [False], [False]])

    assert best_threshold(probabilities, true) == pytest.approx(0.4)
    assert best_threshold(probabilities, ~true) == pytest.approx(0.05)  # all is the best that can be done


@pytest.mark.parametrize("high", [np.float32(0.5), np.float32(0.49999997)])  # halfway is rounded up, or down
def test_the_threshold_tells_neighbouring_numbers_apart(high):
    low = np.nextafter(high, np.float32(0))
    probabilities = np.array([[high], [low]])

    assert (probabilities >= best_threshold(probabilities, np.array([[True], [False]]))).tolist() == [[True], [False]]


def test_without_a_right_label_the_threshold_is_one_half():
    assert best_threshold(np.array([[0.9, 0.2]]), np.array([[False, False]])) == 0.5
