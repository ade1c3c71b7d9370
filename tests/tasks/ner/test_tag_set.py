"""The tags of a model: found in rows, told by a checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import transformers
from tagged_rows import span_rows, train_rows

from hftoolkit.data.rows import Rows
from hftoolkit.errors import DataError, ModelError
from hftoolkit.tasks.ner.answers import Answers
from hftoolkit.tasks.ner.options import Options
from hftoolkit.tasks.ner.tag_set import TagSet


def tag_set(**options: Any) -> TagSet:
    return TagSet(Answers(Options(**options)))


def learned(rows: Rows, **options: Any) -> tuple[TagSet, list[str]]:
    tags = tag_set(**options)
    return tags, tags.learn(rows)


def config(*names: str) -> Any:
    return transformers.BertConfig(id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)})


def test_tags_are_those_of_the_types_in_iob2(tmp_path: Path) -> None:
    tags, notes = learned(train_rows(tmp_path, "a/S-PER b/B-LOC c/E-LOC d/O", "e/O", "f/O g/S-LOC", "h/O"))
    assert tags.names == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert tags.read == tags.names
    assert tags.types == ["LOC", "PER"]
    assert tags.places["B-PER"] == 3
    assert tags.frequent == "O"
    assert notes == [
        "the tags are BIOES, as the rows tell",
        "3 entities of 2 types: LOC 2, PER 1; 50 % of 4 rows have none",
    ]


def test_a_scheme_that_was_said_is_not_told(tmp_path: Path) -> None:
    _, notes = learned(train_rows(tmp_path, "a/B-PER b/O"), scheme="IOB2")
    assert notes[0] == "the tags are IOB2"


def test_tags_without_a_type(tmp_path: Path) -> None:
    tags, notes = learned(train_rows(tmp_path, "a/B b/M c/E d/S"))
    assert tags.names == ["O", "B", "I"]
    assert notes[-1] == "2 entities of 1 type: _ 2; 0 % of 1 row have none"


def test_plain_tags(tmp_path: Path) -> None:
    tags, notes = learned(train_rows(tmp_path, "a/DET b/NOUN", "c/NOUN d/VERB"))
    assert tags.names == tags.read == ["DET", "NOUN", "VERB"]
    assert tags.types == []
    assert tags.frequent == "NOUN"
    assert notes == ["the tags say nothing of entities: accuracy is what counts", "3 tags: NOUN 2, DET 1, VERB 1"]


def test_a_note_names_the_most_frequent_ones(tmp_path: Path) -> None:
    _, notes = learned(train_rows(tmp_path, *(f"a/S-T{n:02} b/S-T{n % 3:02}" for n in range(10))))
    assert notes[-1].startswith(
        "20 entities of 10 types: T00 5, T01 4, T02 4, T03 1, T04 1, T05 1, T06 1, T07 1 and 2 more"
    )


def test_what_breaks_the_scheme_is_told_with_file_and_line(tmp_path: Path) -> None:
    rows = train_rows(tmp_path, "New/B-LOC York/I-LOC", *["a/B-PER"] * 9, "in/O York/I-LOC", "b/LOC")
    with pytest.raises(DataError) as caught:
        learned(rows)
    assert str(caught.value) == (
        "2 rows do not fit\n"
        f"  {tmp_path}/train.conll: line 22: word 2, 'York': 'I-LOC' follows 'O'; an entity starts with B-\n"
        f"  {tmp_path}/train.conll: line 25: word 1, 'b': 'LOC' is no tag of IOB2; expected O, B-TYPE, I-TYPE\n"
        "  the tags are read as IOB2; where that is wrong, say so:   options: {scheme: IOB1}\n"
        "  correct the others, or have them read all the same:   options: {mend: true}"
    )


def test_what_is_mended_is_counted(tmp_path: Path) -> None:
    rows = train_rows(tmp_path, "New/B-LOC York/I-LOC", *["a/B-PER"] * 9, "in/O York/I-LOC", "b/I-LOC")
    tags, notes = learned(rows, mend=True)
    assert tags.types == ["LOC", "PER"]
    assert notes[:2] == [
        "the tags are IOB2, as the rows tell",
        f"rows with tags that break their scheme, read all the same: 2 (first: {tmp_path}/train.conll: line 22)",
    ]


@pytest.mark.parametrize(
    ("sentences", "what"),
    [(["a/O b/O"] * 3, "3 rows there is no entity"), (["a/X b/X"], "1 row all words have the tag 'X'")],
)
def test_there_must_be_something_to_learn(tmp_path: Path, sentences: list[str], what: str) -> None:
    with pytest.raises(DataError) as caught:
        learned(train_rows(tmp_path, *sentences))
    assert str(caught.value) == f"data.train: in {what}: there is nothing to learn\n  look at data.train.columns"


def test_spans_and_those_that_are_learned_as_other_words(tmp_path: Path) -> None:
    text = "10km to New York"
    rows = span_rows(
        tmp_path,
        train=[(text, [(8, 16, "LOC")]), (text, [(0, 2, "N"), (2, 4, "UNIT")]), (text, [(0, 2, "N")])],
    ).train
    tags, notes = learned(rows, spans=True)
    assert tags.names == ["O", "B-LOC", "I-LOC", "B-N", "I-N"]
    assert notes == [
        "3 entities of 2 types: N 2, LOC 1; 0 % of 3 rows have none",
        f"spans that begin or end inside a word, learned as whole words: 2 (first: {tmp_path}/train.jsonl: line 2)",
        f"spans whose words are in other spans, left out: 1 (first: {tmp_path}/train.jsonl: line 2)",
    ]


# What a checkpoint knows


def test_a_checkpoint_that_gives_every_tag_of_the_rows_is_kept(tmp_path: Path) -> None:
    tags, _ = learned(train_rows(tmp_path, "a/B-LOC b/O", "c/B-PER d/I-PER"))
    assert tags.knows(config("B-LOC", "B-PER", "I-PER", "B-ORG", "O"))  # no row has I-LOC
    assert not tags.knows(config("B-LOC", "B-PER", "O"))
    assert not tags.knows(transformers.BertConfig())
    assert tags.settings() == {
        "id2label": {0: "O", 1: "B-LOC", 2: "I-LOC", 3: "B-PER", 4: "I-PER"},
        "label2id": {"O": 0, "B-LOC": 1, "I-LOC": 2, "B-PER": 3, "I-PER": 4},
    }


def test_its_order_is_the_order(tmp_path: Path) -> None:
    tags, _ = learned(train_rows(tmp_path, "a/B-LOC b/O"))
    tags.take(config("B-LOC", "B-PER", "O"))
    assert tags.names == ["B-LOC", "B-PER", "O"]
    assert tags.places == {"B-LOC": 0, "B-PER": 1, "O": 2}
    assert tags.types == ["LOC", "PER"]


def test_labels_that_are_no_tags_are_read_as_none() -> None:
    tags = tag_set()
    names = config("O", "B-LOC", "I-LOC", "X", "[SEP]")
    tags.fit(names)
    tags.take(names)
    assert tags.read == ["O", "B-LOC", "I-LOC", "O", "O"]
    assert tags.types == ["LOC"]


def test_a_checkpoint_tells_plain_tags() -> None:
    answers = Answers(Options())
    tags = TagSet(answers)
    tags.fit(config("DET", "NOUN"))
    assert answers.plain
    tags.take(config("DET", "NOUN"))
    assert (tags.read, tags.types) == (["DET", "NOUN"], [])


@pytest.mark.parametrize("options", [{"scheme": "IOB2"}, {"spans": True}])
def test_plain_tags_are_no_entities(options: dict[str, Any]) -> None:
    with pytest.raises(ModelError) as caught:
        tag_set(**options).fit(config("DET", "NOUN"))
    assert str(caught.value) == (
        "this model's tags say nothing of entities: DET, NOUN\n  choose another model, or correct the recipe's options"
    )
