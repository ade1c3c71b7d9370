"""Values of more than a text come out in one form, from whatever file: JSON lines here, Parquet, CSV and the hub."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from source_reading import read_all, write

from hftoolkit.errors import DataError

QA = ("question", "context", "answers", "starts")
CONTEXT = "Normandy is in France."


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.jsonl"


def rows_in(path: Path, roles: tuple[str, ...], *records: dict[str, Any], **keys: Any) -> list[dict[str, Any]]:
    return read_all(roles, source=write(path, lines(*records)), **keys)[0]


def message(path: Path, roles: tuple[str, ...], *records: dict[str, Any], **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_in(path, roles, *records, **keys)
    return str(caught.value)


def test_words_and_tags(path: Path) -> None:
    record = {"tokens": ["EU", "", "\u2028"], "tags": ["B-ORG", "O", "O"]}
    rows = rows_in(path, ("words", "tags"), record, {"tokens": [], "tags": []}, columns={"words": "tokens"})
    assert rows == [{"words": record["tokens"], "tags": record["tags"]}, {"words": [], "tags": []}]


def test_tags_may_be_numbers_of_labels(path: Path) -> None:
    assert rows_in(path, ("words", "tags"), {"words": ["a", "b"], "tags": [0, 3]})[0]["tags"] == ["0", "3"]


def test_tags_that_are_not_known(path: Path) -> None:
    assert rows_in(path, ("words", "tags"), {"words": ["a"], "tags": None}) == [{"words": ["a"], "tags": None}]


def test_words_and_tags_that_do_not_fit_are_told_at_once(path: Path) -> None:
    records = [
        {"words": ["a", "b"], "tags": ["O"]},
        {"words": ["a"], "tags": ["O"]},
        {"words": "a b", "tags": ["O", "O"]},
        {"words": ["a", 1], "tags": ["O", "O"]},
        {"words": ["a"], "tags": [None]},
        {"words": ["a"], "tags": [True]},
        {"words": ["a"], "tags": "O"},
    ]
    assert message(path, ("words", "tags"), *records) == (
        "6 rows do not fit\n"
        f"  {path}: line 1: 2 words, but 1 tags\n"
        f"  {path}: line 3: words: expected a list of texts, got 'a b'\n"
        f"  {path}: line 4: words: expected texts, got 1\n"
        f"  {path}: line 5: tags: expected texts, got None\n"
        f"  {path}: line 6: tags: expected texts, got True\n"
        "  and 1 more\n"
        '  words and tags are lists of equal length:  {"words": ["Paris", "."], "tags": ["B-LOC", "O"]}'
    )


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        ({"text": "EU rejects", "spans": [{"start": 0, "end": 2, "label": "ORG"}]}, {}),
        ({"id": 3, "text": "EU rejects", "label": [[0, 2, "ORG"]], "Comments": []}, {"spans": "label"}),
        (
            {"text": "EU rejects", "entities": [{"id": 1, "label": "ORG", "start_offset": 0, "end_offset": 2}]},
            {"spans": "entities"},
        ),
        ({"data": "EU rejects", "meta": {"entities": [[0, 2, "ORG"]]}}, {"text": "data", "spans": "meta.entities"}),
    ],
)
def test_text_with_spans(path: Path, record: dict[str, Any], columns: dict[str, str]) -> None:
    rows = rows_in(path, ("text", "spans"), record, columns=columns)
    assert rows == [{"text": "EU rejects", "spans": ["0 2 ORG"]}]
    assert rows_in(path, ("text", "spans"), *rows) == rows


def test_spans_that_stand_twice_are_one_and_counted(path: Path) -> None:
    record = {"text": "EU rejects", "spans": [[0, 2, "ORG"], [0, 2, "ORG"]]}
    rows, census, _ = read_all(("text", "spans"), source=write(path, lines({"text": "a", "spans": []}, record)))
    assert rows == [{"text": "a", "spans": []}, {"text": "EU rejects", "spans": ["0 2 ORG"]}]
    assert census.notes == [f"rows in which a span stands twice: 1 (the first: {path}: line 2)"]


def test_spans_that_do_not_fit_are_told_at_once(path: Path) -> None:
    records = [
        {"text": "EU rejects", "spans": [[0, 2, "ORG"], [1, 4, "LOC"]]},
        {"text": "EU", "spans": None},
        {"text": "EU", "spans": [[0, 3, "ORG"]]},
    ]
    assert message(path, ("text", "spans"), *records) == (
        "2 rows do not fit\n"
        f"  {path}: line 1: spans: 'ORG' from 0 to 2 overlaps 'LOC' from 1 to 4\n"
        f"  {path}: line 3: spans: 'ORG' from 0 to 3 lies outside the text, which has 2 characters\n"
        '  a span is {"start": 0, "end": 5, "label": "ORG"} or [0, 5, "ORG"], in characters from 0, the end not'
        " included; spans do not overlap"
    )


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        ({"answers": {"text": ["France"], "answer_start": [15]}}, {}),
        ({"answers": [{"text": "France", "start": 15}]}, {}),
        ({"answers": ["France"], "starts": [15]}, {}),
        ({"answers": ["France"], "at": [15]}, {"starts": "at"}),
        ({"answers": "France"}, {}),
        ({"gold": {"text": ["France"], "where": [15]}}, {"answers": "gold.text", "starts": "gold.where"}),
    ],
)
def test_answers(path: Path, record: dict[str, Any], columns: dict[str, str]) -> None:
    record = {"question": "Where?", "context": CONTEXT, **record}
    rows = rows_in(path, QA, record, columns=columns)
    assert rows == [{"question": "Where?", "context": CONTEXT, "answers": ["France"], "starts": [15]}]
    assert rows_in(path, QA, *rows) == rows
    assert rows_in(path, QA[:3], record, columns={k: v for k, v in columns.items() if k != "starts"}) == [
        {role: rows[0][role] for role in QA[:3]}
    ]


def test_no_answer_and_answers_that_are_not_known(path: Path) -> None:
    asked = {"question": "Where?", "context": CONTEXT}
    rows = rows_in(path, QA, {**asked, "answers": {"text": [], "answer_start": []}}, {**asked, "answers": None})
    assert [(row["answers"], row["starts"]) for row in rows] == [([], []), (None, None)]


def test_positions_in_some_lines_only(path: Path) -> None:
    asked = {"question": "Where?", "context": "France, France", "answers": ["France"]}
    rows = rows_in(path, QA, asked, {**asked, "starts": [8]})
    assert [row["starts"] for row in rows] == [[0], [8]]


def test_a_column_of_positions_that_is_named_must_be_there(path: Path) -> None:
    asked = {"question": "Where?", "context": CONTEXT, "answers": ["France"]}
    assert message(path, QA, asked, columns={"starts": "at"}).startswith(f"{path}: no column 'at'\n")


@pytest.mark.parametrize("header", ["question,context,answers,starts", "question,context,answers", None])
def test_answers_in_a_table(tmp_path: Path, header: str | None) -> None:
    cells = f"Where?,{CONTEXT},France,15"
    number = 3 if header and "starts" not in header else 4
    text = (f"{header}\n" if header else "") + ",".join(cells.split(",")[:number]) + "\n"
    columns = {} if header else {"question": 1, "context": 2, "answers": 3}
    rows, _, _ = read_all(QA, source=write(tmp_path / "t.csv", text), columns=columns)
    assert rows == [{"question": "Where?", "context": CONTEXT, "answers": ["France"], "starts": [15]}]


@pytest.mark.parametrize("separate", [True, False])
def test_answers_in_parquet(tmp_path: Path, separate: bool) -> None:
    answers: dict[str, list[Any]] = {"answers": [{"text": ["France"], "answer_start": [15]}]}
    if separate:
        answers = {"answers": [["France"]], "starts": [[15]]}
    table = pa.table({"id": ["x"], "question": ["Where?"], "context": [CONTEXT], **answers})
    parquet.write_table(table, tmp_path / "t.parquet")
    rows, census, _ = read_all(QA, source=str(tmp_path / "t.parquet"))
    assert rows == [{"question": "Where?", "context": CONTEXT, "answers": ["France"], "starts": [15]}]
    assert census.notes == []
