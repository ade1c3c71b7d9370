"""Files of rows in, files of predictions out: one for each, in order, whole or not there."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from finder import write_finder
from hypothesis import given, settings
from hypothesis import strategies as st
from tagger import write_tagger
from tiny_models import tiny_classifier
from wild_texts import texts

from hftoolkit.errors import DataError, OutputError, UsageError
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.predicting import Opened, answered, open_task
from hftoolkit.predicting_files import Account, Wishes, predict_file, predictions

TEXTS = ["good film", "not very good", "", "i hate it"]


@pytest.fixture(scope="module")
def opened(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    made = tiny_classifier(bert, tmp_path_factory.mktemp("one"), 3, "single_label_classification")
    return open_task(str(made), "classification", device="cpu")


@pytest.fixture(scope="module")
def paired(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    made = tiny_classifier(bert, tmp_path_factory.mktemp("pair"), 3, "single_label_classification")
    write_saved(Saved("classification", state={"options": {"pair": True}}), made)
    return open_task(str(made), "classification", device="cpu")


def expected(opened: Opened, rows: Sequence[Any]) -> list[dict[str, Any]]:
    task = opened.task
    return [task.record(one) for one in task.predict(opened.engine, rows)]


def written(opened: Opened, file: Path, name: str = "out.jsonl", **wishes: Any) -> tuple[str, Account]:
    output = file.parent / name
    account = predict_file(opened, file, output, Wishes(**wishes))
    return output.read_text(encoding="utf-8"), account


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# What goes in


def test_a_text_a_line(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    text, account = written(opened, file)
    found = expected(opened, [{"text": one} for one in TEXTS])
    assert records(text) == [{"text": one, **record} for one, record in zip(TEXTS, found, strict=True)]
    assert (account.rows, account.blank) == (4, 1)
    assert account.notes == ["1 row is blank: what is predicted there means nothing"]


def test_a_kept_column_may_have_another_name(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": "good", "label": ["a", 1], "score": null}\n', encoding="utf-8")
    (found,) = expected(opened, [{"text": "good"}])
    text, _ = written(opened, file, keep=["gold=label"])
    assert records(text) == [{"gold": ["a", 1], "text": "good", **found}]
    with pytest.raises(UsageError) as caught:
        written(opened, file, "other.jsonl", keep=["score"])
    assert str(caught.value) == (
        "--keep: predictions have a column 'score' of their own\n"
        "  give that of the file another name:   --keep given_score=score"
    )
    assert not (tmp_path / "other.jsonl").exists()
    file = tmp_path / "in.tsv"
    file.write_text("good\tpro\n", encoding="utf-8")
    text, _ = written(opened, file, "third.jsonl", columns={"text": 1}, keep=["gold=2"])
    assert records(text) == [{"gold": "pro", "text": "good", **found}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"review\ngood\n",
            "no column 'text'\n  the columns are: review\n"
            "  name it here:   --column ROLE=COLUMN, as in --column text=sentence",
        ),
        (b"text\ncaf\xe9\n", "byte 9 (line 2): 0xE9 is not UTF-8 here\n  save it as UTF-8 first"),
        (b'text\n"a\n', "line 2: not CSV: unexpected end of data\n"),
    ],
)
def test_what_to_do_is_said_as_no_recipe_would(opened: Opened, tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "in.csv"
    file.write_bytes(content)
    with pytest.raises(DataError) as caught:
        written(opened, file)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_a_file_of_lines_in_another_encoding(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_bytes(b"caf\xe9\n")
    with pytest.raises(DataError, match=r"is not UTF-8 here\n  save it as UTF-8 first$"):
        written(opened, file)


def test_half_a_character_is_refused(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": "good"}\n{"text": "bad \\ud83d"}\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        written(opened, file)
    assert str(caught.value) == (
        f"{file}: line 2: half of a surrogate pair is no character\n  write the character itself, or both halves"
    )


def test_a_file_of_another_name_is_taken_for_lines(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "README.gz"
    file.write_bytes(gzip.compress("\ufeffgood\r\nbad".encode()))
    text, account = written(opened, file)
    assert [record["text"] for record in records(text)] == ["good", "bad"]
    assert account.notes == [f"{file} begins with a byte order mark: read as UTF-8"]


@pytest.mark.parametrize("name", ["in.tsv", "in.csv", "in.jsonl"])
def test_a_table_with_its_columns_named(opened: Opened, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    content = {
        "in.tsv": "id\tsentence\n1\tgood film\n2\tbad\n",
        "in.csv": 'id,sentence\n1,"good film"\n2,bad\n',
        "in.jsonl": '{"id": 1, "sentence": "good film"}\n{"id": 2, "sentence": "bad"}\n',
    }
    file.write_text(content[name], encoding="utf-8")
    text, account = written(opened, file, columns={"text": "sentence"}, keep=["id"])
    found = expected(opened, [{"text": "good film"}, {"text": "bad"}])
    numbers: list[Any] = [1, 2] if name == "in.jsonl" else ["1", "2"]
    assert records(text) == [
        {"id": number, "text": one, **record}
        for number, one, record in zip(numbers, ["good film", "bad"], found, strict=True)
    ]
    assert account.notes == []


def test_columns_by_number(paired: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.tsv"
    file.write_text("good\tx\tbad\ngreat\tx\tawful\n", encoding="utf-8")
    text, _ = written(paired, file, columns={"text": 1, "pair": 3})
    pairs = [{"text": "good", "pair": "bad"}, {"text": "great", "pair": "awful"}]
    assert records(text) == [{**pair, **record} for pair, record in zip(pairs, expected(paired, pairs), strict=True)]


def test_a_format_may_be_named(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("text\tn\ngood\t1\n", encoding="utf-8")
    assert [one["text"] for one in records(written(opened, file, format="tsv")[0])] == ["good"]
    file = tmp_path / "in.tsv"
    file.write_text("text\tn\n", encoding="utf-8")
    assert [one["text"] for one in records(written(opened, file, name="b.jsonl", format="text")[0])] == ["text\tn"]


def test_null_is_blank_and_blank_lines_are_no_rows(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": null}\n\n{"text": "good"}\n', encoding="utf-8")
    text, account = written(opened, file)
    assert [record["text"] for record in records(text)] == ["", "good"]
    assert account.notes == [
        f"{file}: left out: 1 blank line",
        "1 row is blank: what is predicted there means nothing",
    ]


# What comes out


def test_tables(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    wild = ['a "quoted", text', "two\nlines\tand a tab", "好"]
    file.write_text("".join(json.dumps({"text": one}) + "\n" for one in wild), encoding="utf-8")
    found = expected(opened, [{"text": one} for one in wild])
    rows = list(csv.reader(io.StringIO(written(opened, file, "out.csv")[0], newline="")))
    assert rows == [["text", "label", "score"]] + [
        [one, record["label"], str(record["score"])] for one, record in zip(wild, found, strict=True)
    ]
    lines = written(opened, file, "out.tsv")[0].splitlines()
    assert [line.split("\t") for line in lines] == [["text", "label", "score"]] + [
        [" ".join(one.split()), record["label"], str(record["score"])] for one, record in zip(wild, found, strict=True)
    ]


def test_several_answers(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("good\n", encoding="utf-8")
    (record,) = records(written(opened, file, top_k=2)[0])
    assert record["top"][0]["label"] == record["label"]
    assert len(record["top"]) == 2
    line = written(opened, file, "out.csv", top_k=2)[0].splitlines()[1]
    assert json.loads(next(csv.reader([line]))[3]) == record["top"]


def test_no_rows_give_an_empty_file(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.touch()
    for name in ("out.csv", "out.jsonl"):
        assert written(opened, file, name) == ("", Account())


def test_folders_are_made(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\n", encoding="utf-8")
    predict_file(opened, tmp_path / "in.txt", tmp_path / "a" / "b" / "out.jsonl", Wishes())
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["out.jsonl"]


@settings(max_examples=25, deadline=None)
@given(st.lists(texts, max_size=6))
def test_wild_texts_keep_their_rows(opened: Opened, tmp_path_factory: pytest.TempPathFactory, wild: list[str]) -> None:
    folder = tmp_path_factory.mktemp("wild")
    file = folder / "in.jsonl"
    file.write_text("".join(json.dumps({"text": one}) + "\n" for one in wild), encoding="utf-8")
    for name in ("out.jsonl", "out.csv", "out.tsv"):
        text, account = written(opened, file, name)
        assert account.rows == len(wild)
        if name == "out.jsonl":
            assert [json.loads(line)["text"] for line in text.split("\n")[:-1]] == wild
        elif name == "out.tsv" and wild:
            assert [line.count("\t") for line in text.split("\n")] == [2] * (len(wild) + 1) + [0]


# In constant memory, whole or not there


def test_rows_are_read_as_they_are_predicted(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.engines.heads.WINDOW", 2)
    monkeypatch.setattr("hftoolkit.engines.heads.CHUNK", 2)
    read: list[int] = []

    def rows() -> Any:
        for number in range(100):
            read.append(number)
            yield {"text": "good", "id": number}

    found = answered(opened, rows())
    assert next(found)[0] == {"text": "good", "id": 0}
    assert len(read) == 2
    assert [row["id"] for row, _ in found] == list(range(1, 100))


def test_nothing_is_left_where_a_row_cannot_be_read(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": "good"}\n{"text": 3}\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        written(opened, file)
    assert str(caught.value) == (
        f"{file}: line 2: text: expected text, got 3\n  put it in quotes, or map another column"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_what_is_there_is_kept_unless_it_may_be_replaced(opened: Opened, tmp_path: Path) -> None:
    file, output = tmp_path / "in.txt", tmp_path / "out.jsonl"
    file.write_text("good\n", encoding="utf-8")
    output.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        predict_file(opened, file, output, Wishes())
    assert str(caught.value) == f"{output}: exists already\n  choose another name, or replace it:  --overwrite"
    assert output.read_text(encoding="utf-8") == "mine"
    predict_file(opened, file, output, Wishes(), overwrite=True)
    assert records(output.read_text(encoding="utf-8"))[0]["text"] == "good"


def test_a_file_is_not_written_over_itself(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": "good"}\n', encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        predict_file(opened, file, file, Wishes(), overwrite=True)
    assert str(caught.value) == (
        f"{file}: would be written while it is read\n  choose another name for what is written"
    )


def test_a_full_disk(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\n", encoding="utf-8")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        predict_file(opened, tmp_path / "in.txt", tmp_path / "file" / "out.jsonl", Wishes())
    assert str(caught.value).endswith("\n  free some space, or write elsewhere")


# What is refused


@pytest.mark.parametrize("name", ["out.txt", "out", "out.json"])
def test_an_ending_that_is_not_known(opened: Opened, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.txt").write_text("good\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        written(opened, tmp_path / "in.txt", name)
    assert str(caught.value) == (
        f"{tmp_path / name}: expected a name that ends in .jsonl, .csv, .tsv\n  choose one of them"
    )


def test_lines_for_a_model_that_reads_pairs(paired: Opened, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(predictions(paired, tmp_path / "in.txt", Wishes(), Account()))
    assert str(caught.value) == (
        f"{tmp_path / 'in.txt'}: has a text a line, but this model reads text and pair\n"
        "  give a table that has them as columns: .jsonl, .csv or .tsv"
    )


def test_a_role_that_the_model_does_not_have(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text("text\ngood\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        written(opened, tmp_path / "in.tsv", columns={"sentence": "text"})
    assert str(caught.value) == "--column: this model has no role 'sentence'\n  it reads: text"


def test_a_file_that_is_not_there(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        written(opened, tmp_path / "in.txt")


# Answers to questions


@pytest.fixture(scope="module")
def finder(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return open_task(str(write_finder(bert, tmp_path_factory.mktemp("finder"))), "question_answering", device="cpu")


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    asked = [{"id": f"q{number}", "question": "what?"} for number in range(2)]
    paragraphs = [
        {"context": "the film was “awful”", "qas": asked[:1]},
        {"context": "we like a great\nold film", "qas": asked[1:]},
    ]
    file = tmp_path / "dev.json"
    file.write_text(json.dumps({"version": "1.1", "data": [{"title": "A", "paragraphs": paragraphs}]}), "utf-8")
    return file


def test_answers_as_lines(finder: Opened, squad: Path) -> None:
    text, account = written(finder, squad, keep=["id"])
    one, other = records(text)
    assert list(one) == ["id", "question", "context", "answer", "score", "start", "end"]
    assert (one["id"], one["answer"], one["start"], one["end"]) == ("q0", "awful", 14, 19)
    assert (other["id"], other["answer"]) == ("q1", "great\nold film")
    assert other["context"][other["start"] : other["end"]] == other["answer"]
    assert account.rows == 2


def test_answers_by_id_for_the_scripts_of_squad(finder: Opened, squad: Path, tmp_path: Path) -> None:
    text, account = written(finder, squad, "out.json")
    assert text == '{\n  "q0": "awful",\n  "q1": "great\\nold film"\n}\n'
    assert account.rows == 2
    empty = tmp_path / "none.jsonl"
    empty.touch()
    assert json.loads(written(finder, empty, "none.json")[0]) == {}


def test_answers_by_id_need_ids(finder: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps({"question": "what?", "context": "awful"}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column 'id'"):
        written(finder, file, "out.json")
    with pytest.raises(UsageError, match=r"expected a name that ends in \.jsonl, \.csv, \.tsv, \.json\n"):
        written(finder, file, "out.txt")


# Tagged words


@pytest.fixture(scope="module")
def tagger(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return open_task(str(write_tagger(bert, tmp_path_factory.mktemp("tagger"))), "ner", device="cpu")


def test_words_of_columns_get_their_tags(tagger: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.conll"
    file.write_text("great X\nfilm X\n\nU.N. X\nfood X\n", encoding="utf-8")
    text, account = written(tagger, file, "out.conll")
    assert text == "great\tB-ORG\nfilm\tI-ORG\n\nU.N.\tO\nfood\tB-LOC\n\n"
    assert (account.rows, account.blank) == (2, 0)
    one, other = records(written(tagger, file)[0])
    assert list(one) == ["words", "entities", "tags"]
    assert one["entities"][0] | {"score": 1} == {
        "entity_group": "ORG",
        "score": 1,
        "word": "great film",
        "start": 0,
        "end": 10,
    }
    assert other["tags"] == ["O", "B-LOC"]


def test_words_of_lists_get_their_tags(tagger: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"tokens": ["great", "film"]}\n{"tokens": []}\n{"tokens": null}\n', encoding="utf-8")
    text, account = written(tagger, file, columns={"words": "tokens"})
    assert [record["tags"] for record in records(text)] == [["B-ORG", "I-ORG"], [], []]
    assert (account.rows, account.blank) == (3, 2)
    file.write_text('{"tokens": "great film"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="words: expected a list of texts, got 'great film'"):
        written(tagger, file, "other.jsonl", columns={"words": "tokens"})


def test_texts_are_tagged_in_their_places(tagger: Opened, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("(great film)\n", encoding="utf-8")
    (record,) = records(written(tagger, file)[0])
    assert list(record) == ["text", "entities", "tags", "words"]
    assert [(one["word"], one["start"], one["end"]) for one in record["entities"]] == [("great film", 1, 11)]
    assert written(tagger, file, "out.conll")[0] == "(\tO\ngreat\tB-ORG\nfilm\tI-ORG\n)\tO\n\n"


def test_only_words_are_written_as_words(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"expected a name that ends in \.jsonl, \.csv, \.tsv\n"):
        written(opened, tmp_path / "in.txt", "out.conll")
