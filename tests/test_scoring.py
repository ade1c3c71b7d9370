"""Scores of one system, kept and given back, and before against after."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import PAIRS
from running import SWAPPED, write_pairs

from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.recipe.schema import Languages, Source
from hftoolkit.reports.scores import TestSet
from hftoolkit.scoring import SHOWN, Scored, compared, score, score_trivial, scores
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
