"""A JSON list, object by object, whatever pieces it is read in."""

import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import read_all, rows_of, write
from wild_texts import texts

from hftoolkit.data.sources import json_lists
from hftoolkit.errors import DataError

PAIRS = st.lists(st.tuples(texts, texts), max_size=5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.json"


def message(path: Path, text: str, **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(source=write(path, text), **keys)
    return str(caught.value)


@given(
    pairs=PAIRS,
    indent=st.sampled_from([None, 2]),
    ascii_only=st.booleans(),
    piece=st.sampled_from([1, 2, 7, 1 << 16]),
    mark=st.sampled_from(["", "\ufeff", " \r\n"]),
)
def test_round_trip(pairs: list[tuple[str, str]], indent: int | None, ascii_only: bool, piece: int, mark: str) -> None:
    rows = [{"source": a, "target": b} for a, b in pairs]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lists, "_PIECE", piece)
        text = mark + json.dumps(rows, indent=indent, ensure_ascii=ascii_only) + "\n"
        found = rows_of(source=write(Path(folder) / "rows.json", text), format="json")
    assert found == rows


def test_its_beginning_tells_it_and_its_places_are_numbers(path: Path) -> None:
    rows = [{"source": "a", "target": "b"}, {"source": "c", "target": "d"}]
    found, _, places = read_all(source=write(path, json.dumps(rows, indent=4)))
    assert found == rows
    assert places == [f"{path}: [0]", f"{path}: [1]"]


def test_a_compressed_list(tmp_path: Path) -> None:
    path = tmp_path / "rows.json.gz"
    path.write_bytes(gzip.compress(b'[{"source": "a", "target": "b"}]'))
    assert rows_of(source=str(path)) == [{"source": "a", "target": "b"}]


def test_columns_are_named(path: Path) -> None:
    text = '[{"translation": {"en": "a", "fr": "b"}}]'
    columns = {"source": "translation.en", "target": "translation.fr"}
    assert rows_of(source=write(path, text), columns=columns) == [{"source": "a", "target": "b"}]
    assert message(path, '[{"text": "a", "target": "b"}]', columns={"source": "test"}) == (
        f"{path}: no column 'test'; did you mean 'text'?\n"
        "  the columns are: text, target\n"
        "  say which one holds which role:  columns: {source: text, target: target}"
    )


def test_rows_that_do_not_fit_are_told_together(path: Path) -> None:
    assert message(path, '[{"source": "a", "target": "b"}, 3, {"source": "c"}]') == (
        "2 rows do not fit\n"
        f"  {path}: [1]: expected an object in braces, got 3\n"
        f"  {path}: [2]: no 'target'\n"
        "  expected objects in braces with a value for every role, null where there is none"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "expected a list in brackets, got ''"),
        ('{"a": 1}', "expected a list in brackets, got '{\"a\": 1}'"),
        ('[{"source": "a", "target": "b"} {', "behind [0]: expected a comma or the end of the list, got '{'"),
        ('[{"source": "a", "target": "b"}', "behind [0]: expected a comma or the end of the list, got ''"),
        ('[{"source": "a", "target": "b"},]', "[1]: Expecting value at ']'"),
        ('[{"source": "a', "[0]: Unterminated string starting at '\"a'"),
        ("[] x", "expected nothing behind the list, got 'x'"),
    ],
)
def test_what_is_no_list(path: Path, text: str, found: str) -> None:
    assert message(path, text, format="json") == (
        f"{path}: not a JSON list: {found}\n  copy the file again, or say:  format: jsonl"
    )


@given(texts)
def test_wild_files_raise_nothing_else(text: str) -> None:
    with TemporaryDirectory() as folder:
        source = write(Path(folder) / "wild.json", "[" + text)
        try:
            rows_of(source=source, format="json")
        except DataError:
            return


def test_poems_are_texts_of_several_parts(path: Path) -> None:
    poems = [
        {"title": "洛陽陌", "paragraphs": ["白玉誰家郎，回車渡天津。", "看花東上陌，驚動洛陽人。"]},
        {"title": "", "paragraphs": ["近清明。"]},
    ]
    source = write(path, json.dumps(poems))
    rows, census, _ = read_all(("text",), source=source, columns={"text": "paragraphs"})
    assert rows == [{"text": "白玉誰家郎，回車渡天津。\n看花東上陌，驚動洛陽人。"}, {"text": "近清明。"}]
    assert census.notes == [f"texts of several parts, which become lines: 2 (the first: {path}: [0])"]
    rows = rows_of(("text",), source=source, columns={"text": ["title", "paragraphs"]})
    assert rows == [
        {"text": "洛陽陌\n白玉誰家郎，回車渡天津。\n看花東上陌，驚動洛陽人。"},
        {"text": "近清明。"},
    ]


def test_values_too_deep_to_be_searched(path: Path) -> None:
    deep = '[{"source": "a", "target": "b"}, {"source": ' + "[" * 300 + "]" * 300 + "}]"
    assert message(path, deep, format="json").startswith(
        f"{path}: not a JSON list: [1]: more than 100 lists and objects inside each other\n"
    )
