import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import read_all, rows_of, write
from wild_texts import texts

from hftoolkit.errors import DataError


@given(st.lists(st.tuples(texts, texts), max_size=5), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_round_trip(pairs: list[tuple[str, str]], ascii_only: bool, end: str) -> None:
    rows = [{"source": a, "target": b} for a, b in pairs]
    with TemporaryDirectory() as folder:
        text = "".join(json.dumps(row, ensure_ascii=ascii_only) + end for row in rows)
        assert rows_of(source=write(Path(folder) / "t.jsonl", text)) == rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.jsonl"


def message(path: Path, text: str, **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(source=write(path, text), **keys)
    return str(caught.value)


def test_columns_may_be_dotted_paths(path: Path) -> None:
    text = '{"id": 1, "translation": {"en": "a", "fr": "b"}}\n'
    columns = {"source": "translation.en", "target": "translation.fr"}
    assert rows_of(source=write(path, text), columns=columns) == [{"source": "a", "target": "b"}]


def test_a_key_with_a_dot_goes_before_a_path(path: Path) -> None:
    text = '{"a.b": "key", "a": {"b": "path"}, "target": "t"}\n'
    assert rows_of(source=write(path, text), columns={"source": "a.b"}) == [{"source": "key", "target": "t"}]


def test_a_list_is_several_references(path: Path) -> None:
    row = {"source": "a", "target": ["b", "c"]}
    assert rows_of(source=write(path, json.dumps(row))) == [row]


def test_several_columns_are_several_references_without_the_blank_ones(path: Path) -> None:
    text = '{"source": "a", "r1": "b", "r2": null}\n{"source": "c", "r1": " ", "r2": "d"}\n'
    rows = rows_of(source=write(path, text), columns={"target": ["r1", "r2"]})
    assert rows == [{"source": "a", "target": ["b"]}, {"source": "c", "target": ["d"]}]


def test_blank_lines_are_counted_and_lines_numbered_with_them(path: Path) -> None:
    rows, census, places = read_all(source=write(path, '\n{"source": "a", "target": "b"}\n  \n'))
    assert len(rows) == 1
    assert (census.read, census.dropped) == (2, {"blank line": 2})
    assert places == [f"{path}: line 2"]


def test_a_missing_column_is_told_with_those_there_are(path: Path) -> None:
    assert message(path, '{"sorce": "a", "translation": {"en": "b", "zh": "c"}}\n') == (
        f"{path}: no column 'source'; did you mean 'sorce'?\n"
        "  the columns are: sorce, translation.en, translation.zh\n"
        "  say which one holds which role:  columns: {source: sorce, target: ...}"
    )


def test_a_key_missing_later_is_told_with_its_line(path: Path) -> None:
    assert message(path, '{"source": "a", "target": "b"}\n{"source": "a"}\n') == (
        f"{path}: line 2: no 'target'\n"
        "  expected one JSON object a line with a value for every role, null where there is none"
    )


def test_all_bad_lines_at_once(path: Path) -> None:
    good = '{"source": "a", "target": "b"}\n'
    assert message(path, good + "{\n" + good + '["x"]\n' + "nonsense\n" + "1\n" * 4) == (
        f"{path}: 7 lines do not fit\n"
        "  line 2: not JSON: Expecting property name enclosed in double quotes at character 3\n"
        '  line 4: expected an object in braces, got ["x"]\n'
        "  line 5: not JSON: Expecting value at character 1\n"
        "  line 6: expected an object in braces, got 1\n"
        "  line 7: expected an object in braces, got 1\n"
        "  and 2 more\n"
        "  expected one JSON object a line with a value for every role, null where there is none"
    )


def test_too_deep_and_too_long_are_bad_lines_not_crashes(path: Path) -> None:
    assert "2 lines do not fit" in message(path, "[" * 200_000 + "\n" + "9" * 5000 + "\n")


def test_numbers_are_no_columns(path: Path) -> None:
    assert message(path, "{}", columns={"source": 1, "target": 2}) == (
        f"{path}: columns: source: 1 is a number, but columns have names in this format\n"
        "  give the name:  columns: {source: NAME}"
    )


def test_values_too_deep_to_be_searched(path: Path) -> None:
    deep = '{"source": ' + "[" * 300 + "]" * 300 + "}"
    assert message(path, deep) == (
        f"{path}: line 1: not JSON: more than 100 lists and objects inside each other\n"
        "  expected one JSON object a line with a value for every role, null where there is none"
    )
