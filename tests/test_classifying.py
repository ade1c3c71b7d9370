"""Runs that classify, from recipe to report: what is learned, said, saved, and read back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reviews import REVIEWS
from running import QUICK, hftoolkit, recipe_on, values, write_jsonl

from hftoolkit.checking import check
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.models.saved import Saved, read_saved
from hftoolkit.pipelines import load
from hftoolkit.reports.files import read_report

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def recipe(bert: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A recipe for rows; other parts replace its own."""

    def make(rows: list[dict[str, Any]] = REVIEWS, **parts: Any) -> dict[str, Any]:
        usual = recipe_on(write_jsonl(tmp_path / "rows.jsonl", rows), "classification", bert)
        training = QUICK | {"epochs": 30} | parts.pop("training", {})
        return usual | {"training": training, "evaluation": {"every": 60}} | parts

    return make


def test_one_label(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe())
    assert values(report) | {"ECE": 0} == {"accuracy": 100, "F1": 100, "macro F1": 100, "MCC": 100, "ECE": 0}
    assert values(report, before=True)["accuracy"] == 50
    assert report.notes[:2] == [
        "2 labels: con 16, pro 16",
        "a new head: classifier, 34 weights: there is no model to compare with, so the baseline is the most frequent "
        "label, 'con'",
    ]
    assert report.decoding == "torch|float32"
    (test,) = report.tests
    assert [section.title for section in test.sections] == [
        "Label by label",
        "What was taken for what",
        "How sure, and how often right",
    ]
    assert test.sections[1].counts == [[16, 0], [0, 16]]
    assert report.verdict().startswith(
        "There was no model to compare with; against the most frequent label, 'con', accuracy rose from 50.0 to 100.0"
    )
    assert read_report(tmp_path / "run") == report
    assert "## What was taken for what on 'test'" in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert read_saved(tmp_path / "run") == Saved("classification", state={"options": report.recipe["options"]})
    config = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert config["id2label"] == {"0": "con", "1": "pro"}
    assert config["problem_type"] == "single_label_classification"
    lines = (tmp_path / "run" / "predictions" / "test.after.txt").read_text(encoding="utf-8").split()
    assert lines == [row["label"] for row in REVIEWS]


def test_an_adapter_is_as_good_and_brings_its_head(recipe: Any, bert: Path, tmp_path: Path) -> None:
    report = finetune(recipe(adapter={"rank": 4, "targets": ["query", "value", "dense"]}))
    assert values(report)["accuracy"] == 100
    assert report.model.trainable < report.model.parameters
    assert (tmp_path / "run" / "adapter_config.json").is_file()
    assert not (tmp_path / "run" / "model.safetensors").exists()
    found = evaluate(tmp_path / "run")
    assert {score.name: round(score.value, 3) for score in found.tests["test"]} == values(report)
    assert load(str(tmp_path / "run"))(REVIEWS[0]["text"])[0]["label"] == "pro"


def test_what_is_evaluated_later_is_what_was_reported(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe(training={"max_steps": 6}))
    found = evaluate(tmp_path / "run")
    assert found.decoding == report.decoding
    assert found.tests["test"] == report.tests[0].after
    moved = shutil.move(tmp_path / "run", tmp_path / "elsewhere")
    assert evaluate(moved).tests["test"] == report.tests[0].after


def test_a_run_on_the_result_of_another_is_compared_with_it(recipe: Any, tmp_path: Path) -> None:
    first = finetune(recipe(training={"max_steps": 6}))
    again = finetune(
        recipe(model={"name": str(tmp_path / "run")}, training={"max_steps": 2}, output=str(tmp_path / "again"))
    )
    assert again.notes == ["2 labels: con 16, pro 16"]
    assert again.tests[0].before == first.tests[0].after
    assert again.tests[0].baseline == "the untouched model"
    assert again.verdict().startswith("accuracy ")


def test_several_labels_with_a_threshold(recipe: Any, tmp_path: Path) -> None:
    rows = [
        {
            "text": row["text"],
            "labels": [name for name in ("pro", "food") if name in (row["label"], *row["text"].split())],
        }
        for row in REVIEWS
    ]
    report = finetune(recipe(rows, options={"problem": "multi_label"}, training={"epochs": 20}))
    assert values(report)["macro F1"] > 60 > values(report, before=True)["macro F1"]
    saved = read_saved(tmp_path / "run")
    assert saved is not None
    threshold = saved.state["threshold"]
    assert report.tests[0].after[0].signature == f"threshold {threshold:.3f}"
    assert report.notes[-1].startswith(f"a label is predicted from a probability of {threshold:.3f} on, which gives ")
    assert evaluate(tmp_path / "run").tests["test"] == report.tests[0].after
    more = {"problem": "multi_label", "class_weights": {"food": 9.0}}  # food seems likelier then: another threshold
    start, output = {"name": str(tmp_path / "run")}, str(tmp_path / "again")
    again = finetune(recipe(rows, model=start, options=more, training={"max_steps": 6}, output=output))
    assert again.tests[0].before == report.tests[0].after
    assert again.tests[0].after[0].signature not in (f"threshold {threshold:.3f}", "threshold 0.500")


def test_a_number_from_a_pair(recipe: Any, tmp_path: Path) -> None:
    rows = [
        {"text": row["text"], "pair": other, "number": 2.0 * (row["label"] == "pro") + (other == "great")}
        for row in REVIEWS
        for other in ("great", "awful")
    ]
    report = finetune(recipe(rows, options={"problem": "regression", "pair": True}))
    found = values(report)
    assert found["Pearson"] > 95
    assert found["Spearman"] > 90
    assert found["mean error"] < 0.3
    assert values(report, before=True) == {"Pearson": 0, "Spearman": 0, "mean error": 1}
    assert [section.title for section in report.tests[0].sections] == ["The largest mistakes"]
    assert report.tests[0].row_score == "mean error"
    assert all(win.change > 0 for win in report.tests[0].best_wins)
    assert {score.name: score.value for score in evaluate(tmp_path / "run").tests["test"]} == pytest.approx(
        {score.name: score.value for score in report.tests[0].after}
    )


def test_layers_may_learn_at_falling_rates(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe(training={"layer_decay": 0.5, "max_steps": 2}))
    assert report.steps == 2
    slow, fast = tmp_path / "run", tmp_path / "fast"
    finetune(recipe(training={"max_steps": 2}, output=str(fast)))
    from safetensors.torch import load_file

    start = load_file(Path(recipe()["model"]["name"]) / "model.safetensors")
    moved = {}
    for folder in (slow, fast):
        end = load_file(folder / "model.safetensors")
        moved[folder] = {
            name: float((end[f"bert.{name}"] - start[name]).abs().max())
            for name in ("embeddings.LayerNorm.weight", "encoder.layer.1.output.LayerNorm.weight")
        }
    low, high = (moved[slow][name] / moved[fast][name] for name in moved[slow])
    assert low == pytest.approx(0.5**3, rel=0.2)
    assert high == pytest.approx(0.5, rel=0.2)


def test_cut_rows_are_counted_and_said(recipe: Any) -> None:
    rows = [*REVIEWS, {"text": "good " * 30, "label": "pro"}]
    report = finetune(recipe(rows, training={"max_tokens": 12, "max_steps": 1}))
    assert "1 training row has more than 12 tokens and was cut" in report.notes
    assert "1 validation row has more than 12 tokens and was cut" in report.notes


def test_check_says_how_many_would_be_cut(recipe: Any, tmp_path: Path) -> None:
    rows = [*REVIEWS, {"text": "good " * 30, "label": "pro"}, {"text": "bad " * 30, "label": "con"}]
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe(rows, training={"max_tokens": 12})), encoding="utf-8")
    found = hftoolkit("check", file)
    assert "2 of 34 rows are cut: over 12 tokens" in found.out
    assert (
        "warning: training.max_tokens: 2 of 34 training rows are longer than 12 tokens, and are cut: what stands at "
        "their ends is not learned from\n  raise it if the model has more positions\n"
    ) in found.out


def test_check_looks_at_it(recipe: Any, tmp_path: Path) -> None:
    rows = [*REVIEWS, {**REVIEWS[0], "label": "con"}]
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe(rows)), encoding="utf-8")
    found = hftoolkit("check", file)
    assert found.code == 0, found.err
    assert "2 labels: con 17, pro 16" in found.out
    assert "a new head: classifier, 34 weights" in found.out
    assert "data.train: 1 row has the input of another row, and another label: " in found.out
    assert found.out.endswith("warnings\n")


def test_check_shows_a_text_of_several_lines_in_one(recipe: Any) -> None:
    rows = [{"text": f"it was\n\t{word} ", "label": label} for word in ("good", "bad") for label in ("pro", "con")]
    assert check(recipe(rows)).example == {"text": "it was bad", "label": "pro"}


def test_the_command_says_how_to_use_it(recipe: Any, tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe(training={"max_steps": 1})), encoding="utf-8")
    found = hftoolkit("finetune", file)
    assert found.code == 0, found.err
    assert found.out.endswith(f'  use it:   hftoolkit predict --model {tmp_path / "run"} "..."\n')
