"""Scores of predictions equal sklearn's and scipy's, whatever labels rows have; and what a report shows besides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reviews import classification, loaded
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from hftoolkit.reports.sections import Curve, Listing, Matrix, Section, Table
from hftoolkit.scoring import score, scores
from hftoolkit.tasks.classification.problem import Classified

NAMES = ["a", "b", "c"]


def learned(folder: Path, names: list[str], **options: Any) -> Any:
    task = classification(**options)
    role = task.answers[0]
    rows = [{"text": f"{number}", role: name} for number, name in enumerate(names)]
    task.learn(loaded(folder / "rows.jsonl", rows, task))
    return task


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows")


def values(task: Any, predictions: list[Classified], rows: list[dict[str, Any]]) -> dict[str, float]:
    found = score(task, predictions, rows)
    return {measure.name: measure.of(found.counts[measure.name]) for measure in task.measures()}


def sure_of(label: str, confidence: float = 0.8) -> Classified:
    found = np.full(len(NAMES), (1 - confidence) / (len(NAMES) - 1), dtype=np.float32)
    found[NAMES.index(label)] = confidence
    return Classified(found)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([*NAMES, "unknown"])), min_size=1, max_size=30))
def test_one_label(folder: Path, pairs: list[tuple[str, str]]) -> None:
    task = learned(folder, NAMES)
    predicted, true = zip(*pairs, strict=True)
    found = values(task, [sure_of(one) for one in predicted], [{"text": "t", "label": one} for one in true])
    assert found["accuracy"] == pytest.approx(100 * accuracy_score(true, predicted))
    assert found["macro F1"] == pytest.approx(100 * f1_score(true, predicted, average="macro", zero_division=0))
    if len({*predicted, *true}) > 1:  # else sklearn warns
        assert found["MCC"] == pytest.approx(100 * matthews_corrcoef(true, predicted), abs=1e-6)
    right = np.mean([one == other for one, other in pairs])
    assert found["ECE"] == pytest.approx(100 * abs(0.8 - right), abs=1e-4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_of_two_labels_the_second_is_looked_for(folder: Path, pairs: list[tuple[bool, bool]]) -> None:
    task = learned(folder, ["no", "yes"])
    rows = [{"text": "t", "label": "yes" if true else "no"} for _, true in pairs]
    predictions = [Classified(np.array([1 - one, one], dtype=np.float32)) for one, _ in pairs]
    predicted, true = zip(*pairs, strict=True)
    assert values(task, predictions, rows)["F1"] == pytest.approx(100 * f1_score(true, predicted, zero_division=0))
    assert [measure.name for measure in task.measures()] == ["accuracy", "F1", "macro F1", "MCC", "ECE"]


SETS = st.lists(st.booleans(), min_size=3, max_size=3)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(SETS, SETS), min_size=1, max_size=20))
def test_several_labels(folder: Path, pairs: list[tuple[list[bool], list[bool]]]) -> None:
    task = learned(folder, NAMES, problem="multi_label")
    task.problem.threshold = 0.3
    predictions = [Classified(np.array([0.3 if one else 0.29 for one in row], dtype=np.float64)) for row, _ in pairs]
    rows = [
        {"text": "t", "labels": [name for name, right in zip(NAMES, true, strict=True) if right]} for _, true in pairs
    ]
    found = values(task, predictions, rows)
    predicted, true = (np.array(side) for side in zip(*pairs, strict=True))
    for average in ("macro", "micro"):
        expected = 100 * f1_score(true, predicted, average=average, zero_division=0)
        assert found[f"{average} F1"] == pytest.approx(expected)
    assert found["exact match"] == pytest.approx(100 * accuracy_score(true, predicted))


def test_labels_that_the_model_does_not_know_are_never_matched(folder: Path) -> None:
    task = learned(folder, NAMES, problem="multi_label")
    found = values(task, [Classified(np.array([1.0, 0, 0]))], [{"text": "t", "labels": ["a", "unknown"]}])
    assert found["exact match"] == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3, max_size=20))
def test_numbers(folder: Path, pairs: list[tuple[int, int]]) -> None:
    task = learned(folder, ["1", "2"], problem="regression")
    rows = [{"text": "t", "number": str(true)} for _, true in pairs]
    found = values(task, [Classified(np.array([float(one)], dtype=np.float32)) for one, _ in pairs], rows)
    predicted, true = zip(*pairs, strict=True)
    assert found["mean error"] == pytest.approx(np.abs(np.subtract(predicted, true)).mean())
    if len(set(predicted)) > 1 < len(set(true)):
        assert found["Pearson"] == pytest.approx(100 * pearsonr(predicted, true)[0], abs=1e-6)
        assert found["Spearman"] == pytest.approx(100 * spearmanr(predicted, true)[0], abs=1e-6)


def test_every_score_has_an_interval_and_says_what_it_is(folder: Path) -> None:
    task = learned(folder, ["1", "2"], problem="regression")
    rows = [{"text": "t", "number": str(number)} for number in range(30)]
    predictions = [Classified(np.array([number + (number % 7)], dtype=np.float32)) for number in range(30)]
    for one in scores(task, score(task, predictions, rows)):
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.value < one.high
        assert one.higher == (one.name != "mean error")
    names = {measure.name: measure.signature({1}) for measure in learned(folder, NAMES).measures()}
    assert names == {
        "accuracy": "is micro F1 too",
        "macro F1": "mean over the labels that occur",
        "MCC": "Matthews correlation, times 100",
        "ECE": "15 bins, less is better",
    }


# Sections


def sections(task: Any, predictions: list[Classified], rows: list[dict[str, Any]]) -> list[Section]:
    tally = task.tally()
    score(task, predictions, rows, tally)
    return tally.sections()  # type: ignore[no-any-return]


def test_of_one_label(folder: Path) -> None:
    pairs = [("a", "a", 0.9), ("b", "a", 0.6), ("b", "a", 0.7), ("c", "unknown", 0.5), ("b", "b", 0.8)]
    rows = [{"text": f"text {number}", "label": true} for number, (_, true, _) in enumerate(pairs, 1)]
    found = sections(learned(folder, NAMES), [sure_of(one, sure) for one, _, sure in pairs], rows)
    assert found[0] == Table(
        "Label by label",
        ["label", "precision", "recall", "F1", "rows"],
        [
            ["a", 100.0, pytest.approx(100 / 3), 50.0, 3],
            ["b", pytest.approx(100 / 3), 100.0, 50.0, 1],
            ["c", 0, 0, 0, 0],
        ],
    )
    assert found[1] == Matrix(
        "What was taken for what",
        ["a", "b", "c", "(not in training)"],
        [[1, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]],
    )
    assert isinstance(found[2], Curve)
    assert sum(found[2].sizes) == 5
    assert found[2].points[0] == pytest.approx((50, 0), abs=1e-4)
    assert found[3] == Listing(
        "The surest mistakes",
        ["right", "predicted", "text"],
        [
            (3, ["a", "b (70.0 %)", "text 3"]),
            (2, ["a", "b (60.0 %)", "text 2"]),
            (4, ["unknown", "c (50.0 %)", "text 4"]),
        ],
        "Where a model is sure and wrong, it is often the label that is wrong.",
    )


def test_of_many_labels_the_most_frequent_mistakes(folder: Path) -> None:
    names = [f"{number:02}" for number in range(30)]
    task = learned(folder, names)
    rows = [{"text": "t", "label": names[number % 30]} for number in range(90)]
    predictions = []
    for number in range(90):
        wrong = 1 if number % 30 in (0, 1, 2) else number % 30
        predictions.append(Classified(np.eye(30, dtype=np.float32)[wrong]))
    found = sections(task, predictions, rows)
    assert found[1] == Table(
        "What was most often taken for what", ["right", "predicted", "rows"], [["00", "01", 3], ["02", "01", 3]]
    )
    assert len(found[3].items) == 6  # type: ignore[union-attr]


def test_no_mistakes_are_not_listed(folder: Path) -> None:
    found = sections(learned(folder, NAMES), [sure_of("a")], [{"text": "t", "label": "a"}])
    assert [section.kind for section in found] == ["table", "matrix", "curve"]


def test_of_several_labels(folder: Path) -> None:
    task = learned(folder, NAMES, problem="multi_label")
    rows = [{"text": "one", "labels": ["a"]}, {"text": "two", "labels": []}]
    found = sections(task, [Classified(np.array([0.9, 0.8, 0.1])), Classified(np.array([0.4, 0.95, 0.6]))], rows)
    assert found[0].rows == [["a", 100, 100, 100, 1], ["b", 0, 0, 0, 0], ["c", 0, 0, 0, 0]]  # type: ignore[union-attr]
    assert found[1].items == [  # type: ignore[union-attr]
        (2, ["", "b (95.0 %)", "two"]),
        (1, ["a", "b (80.0 %)", "one"]),
        (2, ["", "c (60.0 %)", "two"]),
    ]


def test_of_numbers(folder: Path) -> None:
    task = learned(folder, ["1", "2"], problem="regression")
    rows = [{"text": f"t{number}", "number": str(number)} for number in range(30)]
    (found,) = sections(task, [Classified(np.array([0.0], dtype=np.float32))] * 30, rows)
    assert isinstance(found, Listing)
    assert [row for row, _ in found.items] == list(range(30, 10, -1))
    assert found.items[0] == (30, ["29", "0", "t29"])


def test_only_the_worst_are_kept_and_of_equal_ones_the_first(folder: Path) -> None:
    rows = [{"text": "t", "label": "a"} for _ in range(50)]
    found = sections(learned(folder, NAMES), [sure_of("b")] * 50, rows)
    assert [row for row, _ in found[3].items] == list(range(1, 21))  # type: ignore[union-attr]
