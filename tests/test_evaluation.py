"""Scores of one model, before against after, and what cannot be evaluated."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import PAIRS
from running import SWAPPED, write_pairs, write_recipe

from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.errors import DataError, OutputError, UsageError
from hftoolkit.evaluation import SHOWN, Evaluated, Scored, compared, evaluate, score, score_trivial, scores
from hftoolkit.recipe.schema import Languages, Source
from hftoolkit.reports.run import Score, TestSet
from hftoolkit.tasks.translation import Translated, Translation

TARGETS = [target for _, target in PAIRS]


@pytest.fixture(scope="module")
def task() -> Translation:
    return Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    file = write_pairs(tmp_path / "rows.tsv", PAIRS)
    source = Source(source=str(file), columns={"source": "en", "target": "zh"})
    return load_rows([source], ("source",), ("target",), filters=None, folder=tmp_path / "rows")


def scored(task: Translation, rows: Rows, texts: Sequence[str]) -> Scored:
    return score(task, map(Translated, texts), rows)


def test_scores_are_those_of_sacrebleu(task: Translation, rows: Rows) -> None:
    import sacrebleu

    written = [target.replace("图书馆", "食堂") for target in TARGETS]
    found = {one.name: one for one in scores(task, scored(task, rows, written))}
    assert found["BLEU"].value == sacrebleu.corpus_bleu(written, [TARGETS], tokenize="zh", force=True).score
    assert found["chrF2"].value == sacrebleu.corpus_chrf(written, [TARGETS]).score
    for one in found.values():
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.value < one.high


def test_a_prediction_for_every_row_is_needed(task: Translation, rows: Rows) -> None:
    with pytest.raises(ValueError, match="longer"):
        scored(task, rows, TARGETS[:-1])


def test_what_was_scored_survives_being_kept(task: Translation, rows: Rows) -> None:
    first = scored(task, rows, [target for _, target in SWAPPED])
    again = Scored.from_json(first.to_json())
    assert (again.shown, again.signatures) == (first.shown, first.signatures)
    for name, counts in first.counts.items():
        assert np.array_equal(again.counts[name], counts)
    assert scores(task, again) == scores(task, first)


def test_the_trivial_baseline_of_translation_copies_the_source(task: Translation, rows: Rows) -> None:
    assert score_trivial(task, rows).shown == [source for source, _ in PAIRS]


# Before against after


def comparison(task: Translation, rows: Rows, before: Sequence[str], after: Sequence[str]) -> TestSet:
    return compared(task, "t", rows, scored(task, rows, before), scored(task, rows, after), "b", leakage=2)


def test_wins_are_ranked_by_what_the_row_gained(task: Translation, rows: Rows) -> None:
    before = list(TARGETS)
    before[3], before[8], before[15] = "", "我在图书", "非常"
    found = comparison(task, rows, before, TARGETS)
    assert [one.row for one in found.best_wins] == [4, 16, 9]
    assert found.worst_regressions == []
    first = found.best_wins[0]
    assert (first.source, first.references) == ("Where is the canteen?", ["食堂在哪里？"])
    assert (first.before, first.after, first.change) == ("", "食堂在哪里？", 100.0)


def test_regressions_are_the_same_the_other_way_round(task: Translation, rows: Rows) -> None:
    after = list(TARGETS)
    after[3], after[8], after[15] = "", "我在图书", "非常"
    found = comparison(task, rows, TARGETS, after)
    assert [one.row for one in found.worst_regressions] == [4, 16, 9]
    assert found.worst_regressions[0].change == -100.0
    assert found.best_wins == []


def test_only_some_are_listed(task: Translation, rows: Rows) -> None:
    found = comparison(task, rows, ["" for _ in rows], TARGETS)
    assert len(found.best_wins) == SHOWN < len(rows)


def test_the_change_is_the_difference_of_the_two_scores(task: Translation, rows: Rows) -> None:
    found = comparison(task, rows, [target for _, target in SWAPPED], TARGETS)
    for before, after in zip(found.before, found.after, strict=True):
        change = found.changes[before.name]
        assert change.difference == after.value - before.value > 0
        assert change.significant
    assert (found.rows, found.leakage, found.baseline, found.row_score) == (16, 2, "b", "chrF2")


def test_the_same_twice_is_no_change(task: Translation, rows: Rows) -> None:
    found = comparison(task, rows, TARGETS, TARGETS)
    assert {(change.difference, change.p, change.significant) for change in found.changes.values()} == {
        (0.0, 1.0, False)
    }
    assert found.best_wins == found.worst_regressions == []


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


def test_a_model_is_bound_to_the_recipes_task(recipe: Path, tmp_path: Path, marian: Path) -> None:
    found = evaluate(recipe, model=str(marian))
    assert (found.model, found.notes) == (str(marian), ())
    assert found.tests["old"][0].value > 99.9
