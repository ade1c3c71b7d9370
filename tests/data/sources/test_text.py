from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import read_all, rows_of, write
from wild_texts import lines

from hftoolkit.errors import DataError


@given(st.lists(st.tuples(lines, lines), max_size=5), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_round_trip(pairs: list[tuple[str, str]], end: str, last_end: bool) -> None:
    pairs = [("first", "line"), *pairs, ("last", "line")]  # the first cannot begin with a byte order mark, then
    with TemporaryDirectory() as folder:
        files = {}
        for role, texts in zip(("source", "target"), zip(*pairs, strict=True), strict=True):
            files[role] = write(Path(folder) / role, end.join(texts) + (end if last_end else ""))
        rows = rows_of(files=files)
    assert rows == [{"source": a, "target": b} for a, b in pairs]


def test_several_files_are_several_references_without_the_blank_ones(tmp_path: Path) -> None:
    source = write(tmp_path / "s", "a\nb\n")
    references = [write(tmp_path / "r1", "1\n\n"), write(tmp_path / "r2", "2\n3\n")]
    assert rows_of(files={"source": source, "target": references}) == [
        {"source": "a", "target": ["1", "2"]},
        {"source": "b", "target": ["3"]},
    ]


def test_places_are_lines_of_the_first_file(tmp_path: Path) -> None:
    files = {"source": write(tmp_path / "s", "a\n"), "target": write(tmp_path / "t", "b\n")}
    assert read_all(files=files)[2] == [f"{tmp_path / 's'}: line 1"]


def test_blank_lines_are_rows_so_that_the_files_stay_parallel(tmp_path: Path) -> None:
    files = {"source": write(tmp_path / "s", "a\n\nb\n"), "target": write(tmp_path / "t", "1\n2\n3\n")}
    assert [row["source"] for row in rows_of(files=files)] == ["a", "", "b"]


def test_unequal_numbers_of_lines(tmp_path: Path) -> None:
    files = {"source": write(tmp_path / "s", "a\nb\nc\nd"), "target": write(tmp_path / "t", "1\n2\n")}
    with pytest.raises(DataError) as caught:
        rows_of(files=files)
    assert str(caught.value) == (
        f"{tmp_path / 's'}: parallel files need equally many lines: {tmp_path / 's'} has 4, {tmp_path / 't'} has 2\n"
        "  line N of each file must be the same row; the missing lines are not always at the end"
    )


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        rows_of(files={"source": write(tmp_path / "s", "a\n"), "target": str(tmp_path / "t")})


def test_a_role_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        rows_of(files={"source": str(tmp_path / "s")})
    assert str(caught.value) == (
        f"{tmp_path / 's'}: files: none for the role 'target'\n"
        "  name one file per role:  files: {source: FILE, target: FILE}"
    )


def test_with_a_single_role_blank_lines_part_documents(tmp_path: Path) -> None:
    name = write(tmp_path / "corpus.txt", "\n\nOne.\nTwo.\r\n \t\r\n\nThree.\n\n\nFour.\nFive.")
    rows, census, places = read_all(("text",), files={"text": name})
    assert rows == [{"text": "One.\nTwo."}, {"text": "Three."}, {"text": "Four.\nFive."}]
    assert places == [f"{name}: line {number}" for number in (3, 7, 10)]
    assert census.notes == [f"{name} has blank lines: what stands between two of them is one row"]


@pytest.mark.parametrize("text", ["One.\nTwo.\n", "\nOne.\nTwo.\n\n \n", "One.\nTwo."])
def test_without_blank_lines_between_others_every_line_is_a_row(text: str, tmp_path: Path) -> None:
    rows, census, _ = read_all(("text",), files={"text": write(tmp_path / "corpus.txt", text)})
    assert [row["text"] for row in rows if row["text"].strip()] == ["One.", "Two."]
    assert census.notes == []


@given(st.lists(st.lists(lines.filter(lambda line: line and not line.isspace()), min_size=1), min_size=2))
def test_documents_round_trip(documents: list[list[str]]) -> None:
    documents = [["first"], *documents]  # which cannot begin with a byte order mark, then
    with TemporaryDirectory() as folder:
        text = "\n\n".join("\n".join(document) for document in documents)
        rows = rows_of(("text",), files={"text": write(Path(folder) / "corpus.txt", text)})
    assert [row["text"] for row in rows] == ["\n".join(document) for document in documents]
