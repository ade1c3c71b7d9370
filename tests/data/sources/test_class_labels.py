"""Names of labels in the place of their numbers, as Parquet files and the cards of data sets on the hub say them."""

import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import ClassLabel, List, Value
from source_reading import read_all

from hftoolkit.data.sources.class_labels import features_in, has_names, with_names

FEATURES = {
    "tokens": List(Value("string")),
    "ner_tags": List(ClassLabel(names=["O", "B-ORG"])),
    "label": ClassLabel(names=["bad", "good"]),
    "entities": [{"start": Value("int32"), "end": Value("int32"), "label": ClassLabel(names=["ORG"])}],
    "text": Value("string"),
}
ROW = {
    "tokens": ["EU", "rejects"],
    "ner_tags": [1, 0],
    "label": 1,
    "entities": [{"start": 0, "end": 2, "label": 0}],
    "text": "EU rejects",
}
UNKNOWN = {**ROW, "ner_tags": [-1, -1], "label": -1}
CARD = """---
dataset_info:
  features:
  - name: tokens
    sequence: string
  - name: ner_tags
    sequence:
      class_label:
        names:
          '0': O
          '1': B-ORG
  - name: label
    dtype:
      class_label:
        names:
          '0': bad
          '1': good
---
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A Parquet file as `datasets` writes it."""
    datasets.disable_progress_bars()
    made = datasets.Dataset.from_list([ROW, UNKNOWN], features=datasets.Features(FEATURES))
    made.to_parquet(tmp_path / "train.parquet")
    return str(tmp_path / "train.parquet")


def rows_of(roles: tuple[str, ...], source: str, **columns: str) -> list[dict[str, Any]]:
    return read_all(roles, source=source, columns=columns)[0]


def test_a_parquet_file_knows_the_names(path: str) -> None:
    rows = rows_of(("words", "tags"), path, words="tokens", tags="ner_tags")
    assert rows == [{"words": ["EU", "rejects"], "tags": tags} for tags in (["B-ORG", "O"], None)]
    assert [row["label"] for row in rows_of(("label",), path)] == ["good", None]
    assert rows_of(("text", "spans"), path, spans="entities")[0]["spans"] == ["0 2 ORG"]


def test_the_hub_reads_the_same(path: str) -> None:
    folder = str(Path(path).parent)
    assert rows_of(("words", "tags"), folder, words="tokens", tags="ner_tags")[0]["tags"] == ["B-ORG", "O"]


@pytest.mark.parametrize("name", ["train.jsonl", "train.csv", "train.json"])
def test_a_card_knows_the_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "README.md").write_text(CARD, encoding="utf-8")
    text = {
        "train.jsonl": json.dumps(ROW) + "\n" + json.dumps(UNKNOWN) + "\n",
        "train.csv": "tokens,ner_tags,label\na,b,1\na,b,-1\n",
        "train.json": json.dumps(
            [{key: row[key] for key in ("tokens", "ner_tags", "label")} for row in (ROW, UNKNOWN)]
        ),
    }[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [row["label"] for row in rows_of(("label",), str(tmp_path))] == ["good", None]
    if name != "train.csv":
        rows = rows_of(("words", "tags"), str(tmp_path), words="tokens", tags="ner_tags")
        assert [row["tags"] for row in rows] == [["B-ORG", "O"], None]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (0, "bad"),
        (1, "good"),
        ("1", "good"),
        ("good", "good"),
        (2, 2),
        (-1, None),
        ("-1", None),
        (None, None),
        (True, True),
    ],
)
def test_what_may_stand_for_a_label(value: Any, named: Any) -> None:
    features = {"label": {"_type": "ClassLabel", "names": ["bad", "good"]}}
    assert with_names({"y": value}, {"y": "label"}, features) == {"y": named}


def test_digits_that_are_names_stay() -> None:
    features = {"stars": {"_type": "ClassLabel", "names": ["1", "2"]}}
    assert with_names({"y": "1"}, {"y": "stars"}, features) == {"y": "1"}


def test_columns_within_columns() -> None:
    features = {"a.b": {"_type": "ClassLabel", "names": ["x"]}, "c": {"d": {"_type": "ClassLabel", "names": ["y"]}}}
    columns: dict[str, Any] = {"one": "a.b", "two": "c.d", "three": "c", "four": ["c.d"], "five": "none"}
    row = {"one": 0, "two": 0, "three": {"d": 0, "e": 0}, "four": [0], "five": 0}
    expected = {"one": "x", "two": "y", "three": {"d": "y", "e": 0}, "four": [0], "five": 0}
    assert with_names(row, columns, features) == expected


def test_a_sequence_of_mappings_as_it_was_once_kept() -> None:
    label = {"_type": "ClassLabel", "names": ["x", "y"]}
    features = {"entities": {"_type": "Sequence", "feature": {"label": label, "text": {"_type": "Value"}}}}
    row = {"spans": {"label": [1, 0], "text": ["a", "b"]}}
    assert with_names(row, {"spans": "entities"}, features) == {"spans": {"label": ["y", "x"], "text": ["a", "b"]}}


def test_files_that_say_nothing() -> None:
    for metadata in (None, {}, {b"huggingface": b"{"}, {b"huggingface": b"[]"}, {b"huggingface": b'{"info": null}'}):
        assert features_in(metadata) == {}
    assert features_in({b"huggingface": b'{"info": {"features": []}}'}) == {}
    assert not has_names({"a": {"_type": "Value"}})
    assert has_names({"a": {"feature": {"b": {"_type": "ClassLabel"}}}})
