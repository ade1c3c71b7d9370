"""What an evaluation says of a checkpoint, and what cannot be evaluated."""

from pathlib import Path

import pytest
from conftest import PAIRS
from guesser import write_guesser
from running import recipe_on, write_jsonl, write_recipe
from tiny_models import tiny_classifier

from hftoolkit.errors import DataError, ModelError, OutputError, UsageError
from hftoolkit.evaluation import Evaluated, evaluate
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.reports.scores import Score

TARGETS = [target for _, target in PAIRS]


# The table


def test_the_table_names_model_decoding_and_every_score() -> None:
    found = Evaluated(
        "runs/mine",
        "torch|float32|beams:4",
        {
            "mine": [Score("BLEU", 41.178, 39.46, 42.91, "nrefs:1"), Score("comet.mean", 0.8126, None, None, "")],
            "general": [Score("BLEU", 9.5, 8.04, 10.96, "nrefs:2")],
        },
        {},
        (),
    )
    assert str(found) == (
        "runs/mine  (torch|float32|beams:4)\n"
        "  mine     BLEU        41.18  [39.5, 42.9]  nrefs:1\n"
        "           comet.mean   0.81\n"
        "  general  BLEU         9.50  [8.0, 11.0]  nrefs:2"
    )


# What cannot be evaluated


@pytest.fixture
def recipe(marian: Path, tmp_path: Path) -> Path:
    return write_recipe(tmp_path / "recipe.yaml", f"{{name: {marian}}}")


def test_a_mapping_is_a_recipe_too(recipe: Path, marian: Path, tmp_path: Path) -> None:
    rows = {"source": f"{tmp_path}/old.tsv", "columns": {"source": "en", "target": "zh"}}
    data = {"train": rows, "validation": rows, "test": rows, "languages": {"source": "en", "target": "zh-Hans"}}
    found = evaluate({"task": "translation", "model": {"name": str(marian)}, "data": data, "output": "nowhere"})
    assert found.predictions == {"test": TARGETS}


def test_overrides_change_the_recipe(recipe: Path) -> None:
    assert "|beams:1|" in evaluate(recipe, overrides=["evaluation.beams=1"]).decoding


def test_overrides_need_a_file_to_change() -> None:
    with pytest.raises(UsageError) as refusal:
        evaluate({"task": "translation"}, overrides=["evaluation.beams=1"])
    assert str(refusal.value) == ("overrides change a recipe's file; this recipe was made in Python\n  change it there")


def test_a_recipe_from_scratch_has_no_model_yet(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        evaluate(recipe, overrides=["model={scratch: {}}", "output=runs/x"])
    assert str(refusal.value) == (
        "this recipe starts from scratch: there is no model to evaluate yet\n"
        "  train it first:   hftoolkit finetune ..., then evaluate runs/x\n"
        "  or name a model:   --model FOLDER"
    )


def test_a_run_that_is_not_finished_has_no_result_yet(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError) as refusal:
        evaluate(tmp_path)
    assert str(refusal.value) == (
        f"{tmp_path}: this run is not finished: there is no result to evaluate yet\n"
        f"  finish it:           hftoolkit finetune {tmp_path}/recipe.yaml\n"
        "  or name a model:     --model FOLDER"
    )


def test_a_run_that_is_not_finished_has_test_sets_all_the_same(recipe: Path, tmp_path: Path, marian: Path) -> None:
    assert evaluate(tmp_path, model=str(marian)).predictions["old"] == TARGETS


def test_a_file_that_is_not_there_counts_from_the_current_folder(recipe: Path) -> None:
    with pytest.raises(DataError) as refusal:
        evaluate(recipe, data="nowhere.tsv")
    assert str(refusal.value) == "nowhere.tsv: no such file\n  --data counts from the current folder"


def test_a_file_has_the_columns_of_the_test_set(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("english,chinese\nGood night!,晚安！\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column 'en'"):
        evaluate(recipe, data=tmp_path / "other.csv")


def test_a_model_that_was_tuned_for_something_else(bert: Path, tmp_path: Path) -> None:
    rows = write_jsonl(tmp_path / "rows.jsonl", [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}])
    write_saved(Saved("ner"), tiny_classifier(bert, tmp_path / "other", 2, None))
    with pytest.raises(ModelError) as refusal:
        evaluate(recipe_on(rows, "classification", tmp_path / "other"))
    assert str(refusal.value) == (
        f"{tmp_path / 'other'}: this model was tuned for ner, not for classification\n"
        "  choose another model, or a recipe of its task"
    )


def test_a_file_is_read_as_the_test_set_is_where_its_name_does_not_tell(bert: Path, tmp_path: Path) -> None:
    tiny_classifier(bert, tmp_path / "model", 2, "single_label_classification")
    rows = "".join(f"{word}|label {number % 2}\n" for number, word in enumerate(["good", "b\xe4d", "great"]))
    for name, between in (("mine.txt", "\t"), ("more.dat", "\t"), ("more.csv", ",")):
        (tmp_path / name).write_text(rows.replace("|", between), encoding="latin-1")
    source = {"source": str(tmp_path / "mine.txt"), "format": "tsv", "columns": {"text": 1, "label": 2}}
    recipe = recipe_on(tmp_path / "mine.txt", "classification", tmp_path / "model")
    recipe["data"] = {"train": source, "validation": source, "test": source | {"encoding": "latin-1"}}
    expected = evaluate(recipe).tests["test"]
    assert evaluate(recipe, data=tmp_path / "more.dat").tests == {"more.dat": expected}
    assert evaluate(recipe, data=tmp_path / "more.csv").tests == {"more.csv": expected}


def test_a_file_of_lines_is_read_where_the_test_set_is_one(bert: Path, tmp_path: Path) -> None:
    model = write_guesser(bert, tmp_path / "model")
    for name in ("mine.txt", "more.txt"):
        (tmp_path / name).write_text("the film was good\nwe like the food\n" * 5, encoding="utf-8")
    recipe = recipe_on(tmp_path / "mine.txt", "pretraining", model)
    lines = {"files": {"text": str(tmp_path / "mine.txt")}}
    recipe["data"] = {"train": lines, "validation": lines, "test": lines}
    assert evaluate(recipe, data=tmp_path / "more.txt").tests["more.txt"] == evaluate(recipe).tests["test"]


def test_a_model_is_bound_to_the_recipes_task(recipe: Path, tmp_path: Path, marian: Path) -> None:
    found = evaluate(recipe, model=str(marian))
    assert (found.model, found.notes) == (str(marian), ())
    assert found.tests["old"][0].value > 99.9
