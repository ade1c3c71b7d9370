"""Scores of predictions: those of seqeval, in every scheme; spans by their characters; tags by words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import seqeval.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from tagged_rows import as_row

from hftoolkit.metrics.tags import Scheme, convert, lenient_entities, write_tags
from hftoolkit.reports.sections import Listing, Matrix, Section, Table
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.ner import Ner
from hftoolkit.tasks.ner.sentences import Tagged

ENTITY_TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def task_of(names: Sequence[str] = ENTITY_TAGS, **options: Any) -> Ner:
    task = Ner(options, None)
    task.tags.take(_Config(names))
    return task


class _Config:
    def __init__(self, names: Sequence[str]) -> None:
        self.id2label = dict(enumerate(names))
        self.num_labels = len(names)


def tagged(task: Ner, row: Row, tags: Sequence[str], scores: Sequence[float] = ()) -> Tagged:
    return Tagged(task.sentence(row), list(tags), list(scores) or [0.9] * len(tags))


def scores(task: Ner, rows: Sequence[Row], predictions: Sequence[Tagged]) -> dict[str, float]:
    pairs = list(zip(predictions, rows, strict=True))
    return {m.name: m.of(np.stack([m.counts(one, row) for one, row in pairs])) for m in task.measures()}


TAGGED = st.lists(st.sampled_from(ENTITY_TAGS), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), scheme=st.sampled_from(["IOB1", "IOB2", "BIOES", "BMES"]))
def test_scores_are_those_of_seqeval(data: st.DataObject, scheme: Scheme) -> None:
    """The rows in any scheme, the predictions however a model may tag."""
    true = [convert(tags, "IOB2", "IOB2") for tags in data.draw(st.lists(TAGGED, min_size=1, max_size=5))]
    found = [data.draw(st.lists(st.sampled_from(ENTITY_TAGS), min_size=len(tags), max_size=len(tags))) for tags in true]
    rows = [{"words": ["x"] * len(tags), "tags": convert(tags, "IOB2", scheme)} for tags in true]
    task = task_of(scheme=scheme)
    got = scores(task, rows, [tagged(task, row, tags) for row, tags in zip(rows, found, strict=True)])
    for name in ("f1", "precision", "recall"):
        theirs = getattr(seqeval.metrics, f"{name}_score")(true, found, zero_division=0)
        assert got[{"f1": "F1"}.get(name, name)] == pytest.approx(100 * theirs)
    mended = [write_tags(lenient_entities(tags, "IOB2"), len(tags), "IOB2") for tags in found]
    assert got["accuracy"] == pytest.approx(100 * seqeval.metrics.accuracy_score(true, mended))


def test_what_scores_are_of() -> None:
    assert [m.name for m in task_of().measures()] == ["F1", "precision", "recall", "accuracy"]
    assert [m.signature({1}) for m in task_of().measures()[::3]] == [
        "entities of the right type and words|as seqeval reads tags",
        "words with the right tag",
    ]
    assert task_of(spans=True).measures()[0].signature({1}) == (
        "entities of the right type and characters|as seqeval reads tags"
    )
    plain = task_of(["DET", "NOUN"], scheme="none")
    assert [m.name for m in plain.measures()] == [plain.goal] == ["accuracy"]


def test_tags_of_models_in_other_schemes_count_as_what_they_mean() -> None:
    task = task_of(["O", "B-LOC", "M-LOC", "E-LOC", "S-LOC"])
    row = as_row("a/B-LOC b/I-LOC c/O d/B-LOC")
    assert scores(task, [row], [tagged(task, row, ["B-LOC", "E-LOC", "O", "S-LOC"])]) == {
        "F1": 100,
        "precision": 100,
        "recall": 100,
        "accuracy": 100,
    }


def test_plain_tags_count_word_by_word() -> None:
    task = task_of(["DET", "NOUN"], scheme="none")
    rows = [as_row("a/DET b/NOUN c/NOUN"), as_row("d/X")]
    predictions = [tagged(task, rows[0], ["DET", "NOUN", "DET"]), tagged(task, rows[1], ["NOUN"])]
    assert scores(task, rows, predictions) == {"accuracy": 50}


def test_spans_count_by_their_characters() -> None:
    task = task_of(spans=True)
    row = {"text": "to New York, 10km", "spans": ["3 11 LOC", "13 15 PER"]}
    exact = tagged(task, row, ["O", "B-LOC", "I-LOC", "O", "O"])
    assert scores(task, [row], [exact]) == {
        "F1": pytest.approx(200 / 3),
        "precision": 100,
        "recall": 50,
        "accuracy": 80,
    }
    whole_word = tagged(task, row, ["O", "O", "O", "O", "B-PER"])
    assert scores(task, [row], [whole_word])["F1"] == 0
    assert scores(task, [row], [whole_word])["accuracy"] == 60


def test_a_baseline_finds_nothing() -> None:
    task = task_of()
    rows = [as_row("a/B-LOC b/O c/O d/O")]
    assert task.trivial_name == "no entity at all"
    assert scores(task, rows, [task.trivial(rows[0])]) == {"F1": 0, "precision": 0, "recall": 0, "accuracy": 75}


# What else is shown


def sections(task: Ner, rows: Sequence[Row], predictions: Sequence[Tagged]) -> dict[str, Section]:
    tally = task.tally()
    for number, (row, prediction) in enumerate(zip(rows, predictions, strict=True), 1):
        tally.add(number, prediction, row)
    return {section.title: section for section in tally.sections()}


def test_what_a_report_shows_of_entities() -> None:
    task = task_of()
    rows = [as_row("in/O New/B-LOC York/I-LOC with/O Ann/B-PER"), as_row("Bob/B-PER sat/O")]
    found = sections(
        task,
        rows,
        [
            tagged(task, rows[0], ["O", "B-LOC", "O", "O", "B-LOC"], [1, 0.8, 0.4, 1, 0.7]),
            tagged(task, rows[1], ["O", "O"], [0.6, 1]),
        ],
    )
    kinds = found["What went wrong"]
    assert isinstance(kinds, Table)
    assert kinds.header == ["type", "right", "boundary", "type", "both", "missed", "invented"]
    assert kinds.rows == [["LOC", 0, 1, 0, 0, 0, 0], ["PER", 0, 0, 1, 0, 1, 0], ["all", 0, 1, 1, 0, 1, 0]]
    listed = found["The surest mistakes"]
    assert isinstance(listed, Listing)
    assert listed.items == [
        (1, ["boundary", "New York (LOC)", "New (LOC), 80.0 %", "in New York with Ann"]),
        (1, ["type", "Ann (PER)", "Ann (LOC), 70.0 %", "in New York with Ann"]),
        (2, ["missed", "Bob (PER)", "(none), 60.0 %", "Bob sat"]),
    ]


def test_what_a_report_shows_of_spans() -> None:
    task = task_of(spans=True)
    row = {"text": "to New York", "spans": ["3 11 LOC"]}
    found = sections(task, [row], [tagged(task, row, ["B-PER", "B-LOC", "I-LOC"], [0.6, 0.9, 0.7])])
    listed = found["The surest mistakes"]
    assert isinstance(listed, Listing)
    assert listed.items == [(1, ["invented", "(none)", "to (PER), 60.0 %", "to New York"])]


def test_what_a_report_shows_of_plain_tags() -> None:
    task = task_of(["DET", "NOUN"], scheme="none")
    row = as_row("a/DET b/NOUN c/X d/NOUN")
    prediction = tagged(task, row, ["DET", "DET", "NOUN", "O"], [1, 0.9, 0.5, 0.0])  # the model could not read d
    found = sections(task, [row], [prediction])
    matrix = found["What was taken for what"]
    assert isinstance(matrix, Matrix)
    assert matrix.names == ["DET", "NOUN", "(not in training)"]
    assert matrix.counts == [[1, 0, 0], [1, 0, 0], [0, 1, 0]]
    listed = found["The surest mistakes"]
    assert isinstance(listed, Listing)
    assert listed.items == [(1, ["NOUN", "DET (90.0 %)", "b: a b c d"]), (1, ["X", "NOUN (50.0 %)", "c: a b c d"])]


# What is written


def test_a_prediction_is_shown_in_its_text() -> None:
    task = task_of(spans=True)
    row = {"text": "to New\nYork, Ann!", "spans": ["3 11 LOC"]}
    prediction = tagged(task, row, ["O", "B-LOC", "I-LOC", "O", "B-PER", "O"])
    assert task.shown(prediction) == "to [New York LOC], [Ann PER]!"
    assert task.shown_row(row) == ("to New York, Ann!", ["to [New York LOC], Ann!"])


def test_plain_tags_are_shown_beside_their_words() -> None:
    task = task_of(["DET", "NOUN"], scheme="none")
    row = as_row("a/DET b/NOUN")
    assert task.shown(tagged(task, row, ["DET", "DET"])) == "a/DET b/DET"
    assert task.shown_row(row) == ("a b", ["a/DET b/NOUN"])


def test_tags_that_cannot_be_read_are_shown_as_they_are() -> None:
    assert task_of(scheme="IOB2").shown_row(as_row("a/O b/I-LOC")) == ("a b", ["a/O b/I-LOC"])


def test_a_record_has_entities_that_can_be_read_again() -> None:
    from hftoolkit.data.spans import read_spans

    task = task_of()
    row = as_row("in/O New/B-LOC York/I-LOC")
    record = task.record(tagged(task, row, ["O", "B-LOC", "I-LOC"], [1, 0.5, 1]))
    assert record == {
        "entities": [{"entity_group": "LOC", "score": 0.75, "word": "New York", "start": 3, "end": 11}],
        "tags": ["O", "B-LOC", "I-LOC"],
        "words": ["in", "New", "York"],
    }
    assert [str(span) for span in read_spans(record["entities"], "in New York")] == ["3 11 LOC"]


def test_tags_of_a_record_keep_to_the_scheme() -> None:
    task = task_of()
    row = as_row("in/O New/B-LOC York/I-LOC")
    assert task.record(tagged(task, row, ["O", "I-LOC", "I-PER"]))["tags"] == ["O", "B-LOC", "B-PER"]


def test_a_record_of_plain_tags() -> None:
    task = task_of(["DET", "NOUN"], scheme="none")
    row = as_row("a/DET b/NOUN")
    assert task.record(tagged(task, row, ["DET", "DET"], [1, 0.5])) == {
        "tags": ["DET", "DET"],
        "scores": [1, 0.5],
        "words": ["a", "b"],
    }
