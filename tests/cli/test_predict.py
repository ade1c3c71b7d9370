"""`hftoolkit predict`: text, files and standard input."""

import json
from pathlib import Path

import pytest
from finder import write_finder
from running import TERMINAL, hftoolkit
from tiny_models import tiny_classifier

from hftoolkit.models.saved import Saved, write_saved


@pytest.fixture(scope="module")
def model(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_classifier(bert, tmp_path_factory.mktemp("model"), 3, "single_label_classification")


def test_a_text(model: Path) -> None:
    found = hftoolkit("predict", "--model", model, "good film")
    assert (found.code, found.err) == (0, "")
    record = json.loads(found.out)
    assert list(record) == ["text", "label", "score"]
    assert record["text"] == "good film"
    again = json.loads(hftoolkit("predict", "--model", model, "--top-k", "2", "good film").out)
    assert again["top"][0] == {"label": record["label"], "score": record["score"]}


def test_a_model_that_writes_tells_how_likely_texts_are(gpt2: Path, tmp_path: Path) -> None:
    found = hftoolkit("predict", "--model", gpt2, "The library is open.")
    assert found.code == 0
    assert found.err == (
        "note: this model writes: how likely it finds texts is told; hftoolkit generate shows its own\n"
    )
    record = json.loads(found.out)
    assert list(record) == ["text", "bits_per_byte", "perplexity", "tokens"]
    file, output = tmp_path / "texts.txt", tmp_path / "likely.tsv"
    file.write_text("The library is open.\nGood\n", encoding="utf-8")
    assert hftoolkit("predict", "--model", gpt2, "--file", file, "--output", output).code == 0
    header, first, _ = (line.split("\t") for line in output.read_text(encoding="utf-8").splitlines())
    assert header == list(record)
    assert float(first[1]) == pytest.approx(record["bits_per_byte"], rel=1e-4)


def test_a_pair(bert: Path, tmp_path: Path) -> None:
    tiny_classifier(bert, tmp_path, 3, "single_label_classification")
    write_saved(Saved("classification", state={"options": {"pair": True}}), tmp_path)
    found = hftoolkit("predict", "--model", tmp_path, "good", "bad")
    assert list(json.loads(found.out)) == ["text", "pair", "label", "score"]
    found = hftoolkit("predict", "--model", tmp_path, "good")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: this model reads text and pair: give 2, got 1\n")
    found = hftoolkit("predict", "--model", tmp_path, stdin=b"good\n")
    assert found.err.startswith("error: this model reads text and pair: give a --file that has them\n")


def test_standard_input(model: Path) -> None:
    found = hftoolkit("predict", "--model", model, stdin="good\r\n\n好\n".encode())
    assert [json.loads(line)["text"] for line in found.out.splitlines()] == ["good", "", "好"]
    assert found.err == "note: 1 row is blank: what is predicted there means nothing\n"


def test_standard_input_begins_with_a_mark_or_is_not_utf_8(model: Path) -> None:
    found = hftoolkit("predict", "--model", model, stdin="\ufeffgood\nbad\ufeff".encode())
    assert [json.loads(line)["text"] for line in found.out.splitlines()] == ["good", "bad\ufeff"]
    found = hftoolkit("predict", "--model", model, stdin=b"good\ncaf\xe9\n")
    assert (found.code, found.err) == (
        1,
        "error: standard input: line 2: byte 4 is not UTF-8\n  save the text as UTF-8 first\n",
    )


def test_a_text_that_the_terminal_could_not_read(model: Path) -> None:
    found = hftoolkit("predict", "--model", model, "caf\udce9")
    assert (found.code, found.out) == (2, "")
    message = "error: a text holds what is no character in the terminal's encoding: give a --file\n"
    assert found.err.startswith(message)


def test_what_was_cut_is_said(model: Path) -> None:
    found = hftoolkit("predict", "--model", model, "good " * 100)
    assert found.err == "note: 1 row is longer than the model's 48 tokens and was cut\n"


def test_a_file(model: Path, tmp_path: Path) -> None:
    file, output = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text("id,sentence\n1,good\n\n2,bad\n", encoding="utf-8")
    arguments = ["predict", "--model", model, "--file", file, "--column", "text=sentence", "--keep", "id"]
    found = hftoolkit(*arguments, "--output", output)
    assert (found.code, found.out) == (0, "")
    assert found.err == f"note: {file}: left out: 1 blank line\n"
    assert output.read_text(encoding="utf-8").splitlines()[0] == "id,text,label,score"
    found = hftoolkit(*arguments)
    assert [json.loads(line)["id"] for line in found.out.splitlines()] == ["1", "2"]
    assert hftoolkit(*arguments, "--output", output).code == 1
    assert hftoolkit(*arguments, "--output", output, "--overwrite").code == 0


def test_what_is_wrong_is_said_before_a_model_is_loaded() -> None:
    model = ["predict", "--model", "./nothing"]
    for arguments, message in (
        ([*model, "a", "--file", "b"], "give texts or --file, not both"),
        (
            [*model, "a", "--output", "b.csv"],
            "--output, --format, --column and --keep are about a file: give --file too",
        ),
        ([*model, "--file", "a", "--format", "doc"], "--format: unknown format 'doc'; known: jsonl, json, csv, "),
        (["predict", "a"], "Missing option '--model'."),
    ):
        found = hftoolkit(*arguments)
        assert found.code == 2
        assert found.err.startswith(f"error: {message}")
    found = hftoolkit(*model, stdin=TERMINAL)
    assert found.err.startswith(
        'error: nothing to predict from: give a text, as in: hftoolkit predict --model RUN "A text."\n'
    )


def test_a_column_without_a_role(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a\nb\n", encoding="utf-8")
    found = hftoolkit("predict", "--model", model, "--file", tmp_path / "in.csv", "--column", "text")
    assert found.code == 2
    assert found.err.startswith("error: --column text: expected ROLE=COLUMN, as in --column text=sentence\n")


def test_a_model_that_translates(marian: Path) -> None:
    found = hftoolkit("predict", "--model", marian, "Good morning!")
    assert found.code == 2
    assert found.err.startswith(f"error: '{marian}' translates: use hftoolkit translate\n")


def test_a_question_and_its_context(bert: Path, tmp_path: Path) -> None:
    model = write_finder(bert, tmp_path)
    found = hftoolkit("predict", "--model", model, "what was it?", "the film was awful")
    assert (found.code, found.err) == (0, "")
    record = json.loads(found.out)
    assert list(record) == ["question", "context", "answer", "score", "start", "end"]
    assert (record["answer"], record["start"], record["end"]) == ("awful", 13, 18)
    again = json.loads(hftoolkit("predict", "--model", model, "--top-k", "3", "what?", "a great awful film").out)
    best, *others = [one["answer"] for one in again["top"]]
    assert best == "great awful film"
    assert sorted(others) == ["awful film", "great awful"]  # as likely as each other
