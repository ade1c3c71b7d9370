"""Runs that tag words, from recipe to report: what is learned, said, saved, and read back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from running import QUICK, recipe_on, values, write_jsonl
from tagged_rows import write_conll
from tagger import write_tagger

from hftoolkit.checking import check
from hftoolkit.errors import DataError
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.models.saved import Saved, read_saved
from hftoolkit.pipelines import load
from hftoolkit.reports.files import read_report

pytestmark = pytest.mark.usefixtures("no_pictures")

FILLERS = ["it was the", "i like the", "we hate a", "not very", "is a", "the", "we like it ,", "good , the"]
SENTENCES = [
    f"{' '.join(f'{word}/O' for word in filler.split())} {named}"
    for filler in FILLERS
    for named in ("great/B-ORG film/E-ORG ./O", "food/S-LOC !/O", "story/S-PER", "bad/O")
]
"""In BIOES; what a word is can be known by heart."""


@pytest.fixture
def recipe(bert: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A recipe for sentences; other parts replace its own."""

    def make(sentences: Sequence[str] = SENTENCES, **parts: Any) -> dict[str, Any]:
        usual = recipe_on(write_conll(tmp_path / "rows.conll", sentences), "ner", bert)
        training = QUICK | {"epochs": 40} | parts.pop("training", {})
        return usual | {"training": training, "evaluation": {"every": 60}} | parts

    return make


def test_entities(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe())
    assert values(report) == {"F1": 100, "precision": 100, "recall": 100, "accuracy": 100}
    assert values(report, before=True) == {"F1": 0, "precision": 0, "recall": 0, "accuracy": 77.143}
    assert report.notes[:3] == [
        "the tags are BIOES, as the rows tell",
        "24 entities of 3 types: LOC 8, ORG 8, PER 8; 25 % of 32 rows have none",
        "a new head: classifier, 119 weights: there is no model to compare with, so the baseline is no entity at all",
    ]
    assert report.decoding == "torch|float32"
    (test,) = report.tests
    assert [section.title for section in test.sections] == [
        "Type by type",
        "What went wrong",
        "What was taken for what",
        "How sure, and how often right",
    ]
    assert test.sections[2].names == ["LOC", "ORG", "PER", "(none)"]
    assert test.row_score == "accuracy"
    assert report.verdict().startswith(
        "There was no model to compare with; against no entity at all, F1 rose from 0.0 to 100.0"
    )
    assert read_report(tmp_path / "run") == report
    assert "## What went wrong on 'test'" in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    saved = Saved("ner", state={"options": report.recipe["options"], "frequent": "O"})
    assert read_saved(tmp_path / "run") == saved
    lines = (tmp_path / "run" / "predictions" / "test.after.txt").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["it was the [great film ORG] .", "it was the [food LOC] !"]
    assert load(str(tmp_path / "run"))("a great film", aggregation_strategy="simple")[0]["word"] == "great film"


def test_what_is_evaluated_later_is_what_was_reported_whatever_the_scheme(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe(training={"max_steps": 12}))
    assert evaluate(tmp_path / "run").tests["test"] == report.tests[0].after
    other = [sentence.replace("/S-", "/B-").replace("/E-", "/I-") for sentence in SENTENCES]
    found = evaluate(tmp_path / "run", data=write_conll(tmp_path / "other.conll", other))
    assert found.tests["other.conll"] == report.tests[0].after


def test_an_adapter_brings_its_head(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe(adapter={"rank": 4, "targets": ["query", "value", "dense"]}))
    assert values(report)["F1"] == 100
    assert (tmp_path / "run" / "adapter_config.json").is_file()
    assert evaluate(tmp_path / "run").tests["test"] == report.tests[0].after


def test_a_model_that_knows_the_tags_is_compared_with(recipe: Any, bert: Path, tmp_path: Path) -> None:
    tagger = write_tagger(bert, tmp_path / "tagger")
    report = finetune(recipe(model={"name": str(tagger)}, training={"max_steps": 1, "learning_rate": 1e-6}))
    assert values(report, before=True)["F1"] == values(report)["F1"] == 100
    assert report.tests[0].baseline == "the untouched model"


def test_plain_tags(recipe: Any, tmp_path: Path) -> None:
    plain = [" ".join(f"{part.split('/')[0]}/{len(part.split('/')[0])}" for part in s.split()) for s in SENTENCES]
    report = finetune(recipe(plain))
    assert values(report) == {"accuracy": 100}
    assert report.notes[0] == "the tags say nothing of entities: accuracy is what counts"
    assert report.tests[0].baseline == "the tag '1' everywhere"
    assert [section.title for section in report.tests[0].sections][:2] == ["Label by label", "What was taken for what"]
    assert evaluate(tmp_path / "run").tests["test"] == report.tests[0].after


def test_spans(recipe: Any, tmp_path: Path) -> None:
    texts = [f"{filler} (great film)." for filler in FILLERS] + [f"{filler} food" for filler in FILLERS]
    rows = []
    for text in texts:
        found = [(word, label, text.find(word)) for word, label in (("great film", "ORG"), ("food", "LOC"))]
        rows.append({"text": text, "spans": [[at, at + len(word), label] for word, label, at in found if at >= 0]})
    source = {"source": str(write_jsonl(tmp_path / "rows.jsonl", rows))}
    data = {"train": source, "validation": source, "test": source}
    report = finetune(recipe(data=data, options={"spans": True}))
    assert values(report)["F1"] == 100
    found = load(str(tmp_path / "run"))("a  great film!", aggregation_strategy="simple")
    assert [(one["entity_group"], one["start"], one["end"]) for one in found] == [("ORG", 3, 13)]


def test_long_sentences_are_learned_whole(recipe: Any) -> None:
    """The model has 48 positions."""
    long = [" ".join(SENTENCES[number : number + 12]) for number in range(20)]
    report = finetune(recipe(long, training={"max_tokens": 24}))
    assert values(report)["F1"] > 90
    assert not any("24 tokens" in note for note in report.notes)  # nothing is left out


def test_tags_that_break_their_scheme_stop_a_run_before_it_begins(recipe: Any, tmp_path: Path) -> None:
    made = recipe([*SENTENCES, "the/O film/E-ORG"])
    with pytest.raises(DataError, match=r"rows\.conll: line 173: word 2, 'film': 'E-ORG' follows 'O'"):
        finetune(made)
    found = check(made)
    assert found.exit_code == 1
    assert any("rows.conll: line 173: word 2, 'film'" in finding.message for finding in found.findings)
    report = finetune(recipe([*SENTENCES, "the/O film/E-ORG"], options={"mend": True}, training={"max_steps": 1}))
    assert report.notes[1] == (
        f"rows with tags that break their scheme, read all the same: 1 (first: {tmp_path}/rows.conll: line 173)"
    )
