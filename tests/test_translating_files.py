"""Documents are translated into the same documents, whole or not at all, and what looks wrong is listed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS

from hftoolkit import sentencewise, translating
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError, OutputError, UsageError
from hftoolkit.translating import Translator, Wishes, open_translator
from hftoolkit.translating_files import Tally, check_written, translate_file

SETTINGS = Settings("en", "zh")
TEXT = "".join(f"  - {source}\r\n\r\n" for source, _ in PAIRS)
TRANSLATED = "".join(f"  - {target}\r\n\r\n" for _, target in PAIRS)


@pytest.fixture(scope="module")
def translator(marian: Path) -> Translator:
    return open_translator(str(marian), engine="torch", device="cpu")


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_bytes(TEXT.encode())
    return path


def run(translator: Translator, source: Path, output: Path, **settings: Any) -> Tally:
    return translate_file(translator, source, output, Wishes(), settings=SETTINGS, **settings)


def test_a_document_comes_out_as_it_went_in(translator: Translator, letter: Path, tmp_path: Path) -> None:
    tally = run(translator, letter, tmp_path / "out.txt")

    assert (tmp_path / "out.txt").read_bytes().decode() == TRANSLATED
    assert tally == Tally(len(PAIRS), 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.txt", "out.txt"]


def test_chosen_columns_are_translated(translator: Translator, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "en": "Good night!", "other": "Good night!"}\n', encoding="utf-8")

    translate_file(
        translator,
        tmp_path / "rows.jsonl",
        tmp_path / "out.jsonl",
        Wishes(),
        settings=Settings("en", "zh", ("en",)),
    )

    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == (
        '{"id": 1, "en": "晚安！", "other": "Good night!"}\n'
    )


def test_sentences_that_look_wrong_are_listed(
    translator: Translator, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentencewise, "suspicions", lambda source, *_: ["strange"] if source == "Good night!" else [])

    tally = run(translator, letter, tmp_path / "out.txt", report=tmp_path / "flagged.jsonl")

    assert tally.suspicious == 1
    (line,) = (tmp_path / "flagged.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) | {"score": None} == {
        "where": "line 3",
        "source": "Good night!",
        "translation": "晚安！",
        "score": None,
        "suspicious": ["strange"],
    }


def test_all_sentences_are_listed_with_scores_and_alternatives(
    translator: Translator, letter: Path, tmp_path: Path
) -> None:
    translate_file(
        translator,
        letter,
        tmp_path / "out.txt",
        Wishes(alternatives=2),
        settings=SETTINGS,
        report=tmp_path / "all.jsonl",
        listed=lambda _: True,
    )

    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["translation"] for line in lines] == [target for _, target in PAIRS]
    assert all(line["score"] < 0 for line in lines)
    assert [line["alternatives"][0]["text"] for line in lines] == [target for _, target in PAIRS]
    assert {len(line["alternatives"]) for line in lines} == {2}


class PowerFailure(Exception):
    pass


def test_an_interrupted_translation_is_gone_on_with(
    translator: Translator, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translating, "_WINDOW", 8)
    asked: list[str] = []
    generate = translator.engine.hypotheses

    def failing(sources: Iterator[str], *arguments: Any, **settings: Any) -> Any:
        batch = list(sources)
        asked.extend(batch)
        if len(asked) in range(7, 11):
            raise PowerFailure
        return generate(batch, *arguments, **settings)

    monkeypatch.setattr(translator.engine, "hypotheses", failing)
    with pytest.raises(PowerFailure):
        run(translator, letter, tmp_path / "out.txt")
    assert not (tmp_path / "out.txt").exists()
    done = len(asked)

    with pytest.raises(OutputError, match="was begun and interrupted"):
        run(translator, letter, tmp_path / "out.txt")
    asked.extend([""] * 100)
    run(translator, letter, tmp_path / "out.txt", resume=True)

    assert (tmp_path / "out.txt").read_bytes().decode() == TRANSLATED
    assert len(asked) - 100 < done + len(PAIRS)  # what was written is not translated again


def test_what_was_interrupted_is_not_gone_on_with_for_another_text(
    translator: Translator, letter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translating, "_WINDOW", 8)
    letter.write_bytes(TEXT.encode() + b"\xff\n")
    with pytest.raises(DataError, match="is not UTF-8"):
        run(translator, letter, tmp_path / "out.txt")
    letter.write_bytes(TEXT.encode())

    with pytest.raises(OutputError, match="what was begun here was of another file, model or setting"):
        run(translator, letter, tmp_path / "out.txt", resume=True)


@pytest.mark.parametrize("name", ["output", "report"])
def test_a_document_is_not_written_while_it_is_read(
    name: str, translator: Translator, letter: Path, tmp_path: Path
) -> None:
    paths = {"output": tmp_path / "out.txt", "report": tmp_path / "report.jsonl", name: tmp_path / "." / "letter.txt"}

    with pytest.raises(UsageError) as caught:
        run(translator, letter, paths["output"], report=paths["report"], overwrite=True)

    assert str(caught.value) == (
        f"{letter}: would be written while it is read\n  choose another name for what is written"
    )
    assert letter.read_bytes() == TEXT.encode()


def test_nor_under_another_name_of_the_same_file(letter: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").hardlink_to(letter)
    with pytest.raises(UsageError, match=r"other\.txt: would be written while it is read"):
        check_written([tmp_path / "other.txt"], [letter])


def test_two_files_are_not_written_under_one_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check_written([tmp_path / "out.txt", tmp_path / "x" / ".." / "out.txt"], [])
    assert str(caught.value) == f"{tmp_path}/x/../out.txt: would be written twice\n  choose two names"
