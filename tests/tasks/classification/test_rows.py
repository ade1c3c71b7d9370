"""What is learned from rows before a model is loaded, and what looks wrong about them."""

from pathlib import Path
from typing import Any

import pytest
from reviews import REVIEWS, classification, loaded, run_rows

from hftoolkit.errors import DataError, RecipeError
from hftoolkit.recipe.reader import recipe_from
from hftoolkit.tasks import task_options


def learned(tmp_path: Path, rows: list[dict[str, Any]], **options: Any) -> tuple[Any, list[str]]:
    task = classification(**options)
    return task, task.learn(loaded(tmp_path / "rows.jsonl", rows, task))


def error(tmp_path: Path, rows: list[dict[str, Any]], **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        learned(tmp_path, rows, **options)
    return str(caught.value)


def several(*labels: Any) -> list[dict[str, Any]]:
    return [{"text": f"text {number}", "labels": one} for number, one in enumerate(labels)]


def single(*labels: Any) -> list[dict[str, Any]]:
    return [{"text": f"text {number}", "label": one} for number, one in enumerate(labels)]


# Labels


def test_labels_are_sorted_by_name_and_told_by_frequency(tmp_path: Path) -> None:
    task, notes = learned(tmp_path, single("b", "a", "b", "c"))
    assert task.problem.labels.names == ["a", "b", "c"]
    assert task.problem.labels.shares == [0.25, 0.5, 0.25]
    assert notes == ["3 labels: b 2, a 1, c 1"]
    assert task.trivial_name == "the most frequent label, 'b'"
    assert task.shown(task.trivial({})) == "b"


def test_numbers_are_sorted_by_size(tmp_path: Path) -> None:
    task, notes = learned(tmp_path, single(10, 9, 2, "other", True, 0.5))
    assert task.problem.labels.names == ["2", "9", "10", "0.5", "other", "true"]
    assert notes == ["6 labels: 2 1, 9 1, 10 1, 0.5 1, other 1, true 1"]


def test_many_are_told_in_part(tmp_path: Path) -> None:
    _, notes = learned(tmp_path, single(*range(20)))
    assert notes == ["20 labels: 0 1, 1 1, 2 1, 3 1, 4 1, 5 1, 6 1, 7 1 and 12 more"]


def test_blanks_around_a_label_are_none_of_it(tmp_path: Path) -> None:
    task, _ = learned(tmp_path, single("pro", " pro", "con\n", "con"))
    assert task.problem.labels.names == ["con", "pro"]


def test_names_stand_for_numbers(tmp_path: Path) -> None:
    task, notes = learned(tmp_path, single(1, "0", "good", 1), label_names=["bad", "good", "unseen"])
    assert task.problem.labels.names == ["bad", "good", "unseen"]
    assert task.problem.labels.shares == [0.25, 0.75, 0.0]
    assert notes == ["3 labels: good 3, bad 1"]
    assert task.shown_row({"text": "a", "label": "1"}) == ("a", ["good"])


def test_a_label_without_a_name(tmp_path: Path) -> None:
    names = ["bad", "good"]
    assert error(tmp_path, single(1, 0, 2), label_names=names) == (
        f"{tmp_path / 'rows.jsonl'}: line 3: '2' is none of the 2 labels\n"
        "  a label is a number from 0, or a name in options.label_names"
    )
    assert error(tmp_path, single(1, "goood", 2), label_names=names).startswith("2 rows do not fit\n")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["joy,fear", "joy", ""], ["fear", "joy"]),
        ([["joy", "fear"], ["joy"], []], ["fear", "joy"]),
        ([["joy, fear"], "joy", " , "], ["fear", "joy"]),
        ([[1, 0], 1, []], ["0", "1"]),
    ],
)
def test_several_labels_are_a_list_or_one_text(tmp_path: Path, labels: list[Any], names: list[str]) -> None:
    task, notes = learned(tmp_path, several(*labels), problem="multi_label")
    assert task.problem.labels.names == names
    assert task.problem.labels.shares == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
    assert notes == [f"2 labels: {names[1]} 2, {names[0]} 1"]


def test_the_separator_may_be_another(tmp_path: Path) -> None:
    task, _ = learned(tmp_path, several("a, b;c", "c;c"), problem="multi_label", separator=";")
    assert task.problem.labels.names == ["a, b", "c"]
    assert task.shown_row({"text": "t", "labels": ["c;a, b;c"]}) == ("t", ["c, a, b"])
    assert task.shown_row({"text": "t", "labels": []}) == ("t", ["(none)"])


def test_nothing_to_learn(tmp_path: Path) -> None:
    assert error(tmp_path, single("x", "x")) == (
        "data.train: all 2 rows have the label 'x': there is nothing to learn\n"
        "  look at data.train.columns, or add rows with other labels"
    )
    assert error(tmp_path, several("", []), problem="multi_label").startswith("data.train: all 2 rows have no label: ")
    assert learned(tmp_path, several("x", []), problem="multi_label")[1] == ["1 label: x 1"]


def test_a_label_of_all_rows_counts_in_balance_too(tmp_path: Path) -> None:
    task, _ = learned(tmp_path, several("x,y", "x"), problem="multi_label", class_weights="balanced")
    assert task.problem.labels.weights(lambda share: (1 - share) / share) == [1.0, 1.0]
    task, _ = learned(tmp_path, several("x,y", "x", "x", "x"), problem="multi_label", class_weights="balanced")
    assert task.problem.labels.weights(lambda share: (1 - share) / share) == [1.0, 3.0]


def test_a_weight_for_a_label_that_is_not_there(tmp_path: Path) -> None:
    assert error(tmp_path, single("pro", "con"), class_weights={"por": 2.0, "con": 1.0}) == (
        "options.class_weights: no training row has the label 'por'\n  the labels are: con, pro"
    )


def test_numbers(tmp_path: Path) -> None:
    rows = [{"text": f"t{number}", "number": number} for number in (1, 2.5, "4.0", " -1 ")]
    task, notes = learned(tmp_path, rows, problem="regression")
    assert notes == []
    assert task.trivial_name == "the mean of the training rows, 1.625"
    assert task.shown(task.trivial({})) == "1.625"
    assert task.shown_row({"text": "t", "number": "4.0"}) == ("t", ["4.0"])
    learned(tmp_path, [{"text": "t", "number": 3.4e38}, {"text": "u", "number": -3.4e38}], problem="regression")


@pytest.mark.parametrize("wrong", ["much", "nan", "inf", True, [1], "1,5", 1e39, "-4e38"])
def test_what_is_no_number(tmp_path: Path, wrong: Any) -> None:
    rows = [{"text": "t", "number": 1}, {"text": "t", "number": wrong}]
    assert error(tmp_path, rows, problem="regression") == (
        f"{tmp_path / 'rows.jsonl'}: line 2: number: expected a number, got {wrong!r}\n"
        "  map the column that has a number in every row:  columns: {number: COLUMN}"
    )


@pytest.mark.parametrize("wrong", [{"a": 1}, ["pro", "con"], float("nan")])
def test_what_is_no_label(tmp_path: Path, wrong: Any) -> None:
    assert error(tmp_path, single("pro", wrong)) == (
        f"{tmp_path / 'rows.jsonl'}: line 2: label: expected a text or a number, got {wrong!r}\n"
        "  a label is a text or a number; several of one text are a list:  columns: {labels: COLUMN}"
    )


def test_rows_whose_label_is_not_known_are_left_out(tmp_path: Path) -> None:
    task = classification()
    rows = loaded(tmp_path / "rows.jsonl", single("a", None, "", "b"), task)
    assert [row["label"] for row in rows] == ["a", "b"]
    assert rows.census[0].dropped == {"empty side": 2}
    task = classification(problem="multi_label")
    rows = loaded(tmp_path / "rows.jsonl", several(["a"], None, ""), task)
    assert [row["labels"] for row in rows] == [["a"], []]


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"problem": "multi"}, "options.problem: expected 'single_label', 'multi_label' or 'regression', got 'multi'"),
        ({"problem": "regression", "class_weights": "balanced"}, "a number has no labels: leave 'class_weights'"),
        ({"label_names": ["a", "b", "a"]}, "a name stands twice in 'label_names'"),
        ({"class_weights": {"a": 0.0}}, "1 problem in this recipe\n  options.class_weights.a: expected more than 0"),
        ({"class_weights": "equal"}, "options.class_weights: expected 'none' or 'balanced', got 'equal'"),
        ({"pairs": True}, "options.pairs: unknown key; did you mean 'pair'?"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    recipe = {
        "task": "classification",
        "model": {"name": "acme/bert"},
        "data": {"train": {"source": "a.tsv"}, "validation": {"split": 0.1}, "test": {"source": "b.tsv"}},
        "options": options,
        "output": "runs/a",
    }
    with pytest.raises(RecipeError) as caught:
        recipe_from(recipe, tasks=task_options())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "inputs", "answers", "goal"),
    [
        ({}, ("text",), ("label",), "accuracy"),
        ({"pair": True}, ("text", "pair"), ("label",), "accuracy"),
        ({"class_weights": "balanced"}, ("text",), ("label",), "macro F1"),
        ({"problem": "multi_label"}, ("text",), ("labels",), "macro F1"),
        ({"problem": "regression", "pair": True}, ("text", "pair"), ("number",), "Pearson"),
    ],
)
def test_they_decide_what_rows_have_and_which_score_decides(
    options: dict[str, Any], inputs: tuple[str, ...], answers: tuple[str, ...], goal: str
) -> None:
    task = classification(**options)
    assert (task.inputs, task.answers, task.goal) == (inputs, answers, goal)
    measures = task.measures()
    assert measures[0].name == goal
    assert measures[0].higher
    assert task.ranking in [measure.name for measure in measures]


# Doubts


def doubts(tmp_path: Path, task: Any = None, **parts: Any) -> list[str]:
    task = task or classification()
    return task.doubts_among(run_rows(tmp_path, task, **({"validation": REVIEWS[:4], "test": REVIEWS[:4]} | parts)))


def test_good_rows_leave_no_doubt(tmp_path: Path) -> None:
    assert doubts(tmp_path, train=REVIEWS) == []


def test_a_label_in_one_row_alone(tmp_path: Path) -> None:
    odd = {"text": "so so", "label": "prro"}
    assert doubts(tmp_path, train=[*REVIEWS, odd]) == [
        f"data.train: the label 'prro' ({tmp_path / 'train.jsonl'}: line 33) occurs in one row alone: nobody can learn "
        "it from that\n  add rows, correct the label, or take it out"
    ]
    more = [{"text": str(number), "label": f"x{number}"} for number in range(7)]
    (found,) = doubts(tmp_path, train=[*REVIEWS, *more])
    assert found.startswith("data.train: 7 labels, 'x0' (")
    assert "'x4' (" in found
    assert "line 37) and 2 more, occur in one row alone" in found


def test_a_label_that_training_rows_lack(tmp_path: Path) -> None:
    odd = [*REVIEWS[:4], {"text": "so so", "label": "mid"}]
    expected = (
        "the label 'mid' ({}: line 5) is in no training row, and will never be predicted\n"
        "  add training rows, or correct the label"
    )
    assert doubts(tmp_path, train=REVIEWS, validation=odd, test=odd) == [
        "data.validation: " + expected.format(tmp_path / "validation.jsonl"),
        "data.test.test: " + expected.format(tmp_path / "test.jsonl"),
    ]


def test_another_label_for_the_same_text(tmp_path: Path) -> None:
    twice = [*REVIEWS, {**REVIEWS[0], "label": "con"}, REVIEWS[1]]
    file = tmp_path / "train.jsonl"
    assert doubts(tmp_path, train=twice) == [
        f"data.train: 1 row has the input of another row, and another label: {file}: line 1 and {file}: line 33\n"
        "  one of the two may be wrong: correct it, or take it out"
    ]


def test_the_same_labels_in_another_order_do_not_contradict(tmp_path: Path) -> None:
    rows = [{"text": f"t{number % 4}", "labels": labels} for number, labels in enumerate([["a", "b"], ["b", "a"]] * 4)]
    task = classification(problem="multi_label")
    assert doubts(tmp_path, task, train=rows, validation=rows[:2], test=rows[:2]) == []


def test_columns_that_are_swapped(tmp_path: Path) -> None:
    swapped = [{"text": row["label"], "label": row["text"]} for row in REVIEWS]
    assert doubts(tmp_path, train=swapped) == [
        "data.train: 32 different labels in 32 rows: the column may hold something else\n"
        "  look at data.train.columns; the first is 'the film is good'"
    ]


def test_numbers_have_no_labels_to_doubt(tmp_path: Path) -> None:
    task = classification(problem="regression")
    rows = [{"text": str(number), "number": number} for number in range(5)]
    assert doubts(tmp_path, task, train=rows, validation=rows, test=rows) == []
