import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import read_all, rows_of, write
from wild_texts import cells, texts

from hftoolkit.errors import DataError


@given(st.lists(st.tuples(cells, cells), max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_tsv_round_trip(pairs: list[tuple[str, str]], end: str) -> None:
    with TemporaryDirectory() as folder:
        text = "".join(f"{a}\t{b}{end}" for a, b in [("source", "target"), *pairs])
        rows = rows_of(source=write(Path(folder) / "t.tsv", text))
    assert rows == [{"source": a, "target": b} for a, b in pairs]


@given(st.lists(st.tuples(texts, texts), max_size=5), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]))
def test_csv_round_trip(pairs: list[tuple[str, str]], delimiter: str, end: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("source", "target"), *pairs])
    with TemporaryDirectory() as folder:
        rows = rows_of(source=write(Path(folder) / "t.csv", out.getvalue()))
    assert rows == [{"source": a, "target": b} for a, b in pairs]


def message(path: Path, text: str, **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(source=write(path, text), **keys)
    return str(caught.value)


@pytest.fixture
def tsv(tmp_path: Path) -> Path:
    return tmp_path / "t.tsv"


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def test_columns_by_name(tsv: Path) -> None:
    text = "id\tzh\ten\n1\t你好\tHi\n"
    rows, _, places = read_all(source=write(tsv, text), columns={"source": "en", "target": "zh"})
    assert rows == [{"source": "Hi", "target": "你好"}]
    assert places == [f"{tsv}: line 2"]


def test_columns_by_number_have_no_header(tsv: Path) -> None:
    rows, _, places = read_all(source=write(tsv, "Hi\t你好\tCC\nRun\t跑\tCC"), columns={"source": 1, "target": 2})
    assert rows == [{"source": "Hi", "target": "你好"}, {"source": "Run", "target": "跑"}]
    assert places == [f"{tsv}: line 1", f"{tsv}: line 2"]


@pytest.mark.parametrize("columns", [{"target": ["r1", "r2"]}, {"source": 1, "target": [2, 3]}])
def test_several_columns_are_several_references_without_the_blank_ones(tsv: Path, columns: dict[str, object]) -> None:
    rows = rows_of(source=write(tsv, "source\tr1\tr2\na\tb\t \nc\td\te\n"), columns=columns)
    assert rows[-2:] == [{"source": "a", "target": ["b"]}, {"source": "c", "target": ["d", "e"]}]


def test_a_quote_in_a_tsv_is_a_quote(tsv: Path) -> None:
    text = 'source\ttarget\n"Hi\tHe said ""yes""\n"a"\tb\n'
    assert rows_of(source=write(tsv, text)) == [
        {"source": '"Hi', "target": 'He said ""yes""'},
        {"source": '"a"', "target": "b"},
    ]


def test_quoted_tabs_are_read_as_csv(tsv: Path) -> None:
    rows, census, _ = read_all(source=write(tsv, 'source\ttarget\n"a\tb"\t"c ""d"""\n'), format="csv")
    assert rows == [{"source": "a\tb", "target": 'c "d"'}]
    assert census.notes == [f"{tsv} is separated by tabs"]


def test_semicolons_are_noted(csv_file: Path) -> None:
    rows, census, _ = read_all(source=write(csv_file, "source;target\na,b;c\n"))
    assert rows == [{"source": "a,b", "target": "c"}]
    assert census.notes == [f"{csv_file} is separated by semicolons"]


def test_a_quoted_field_has_lines_and_rows_are_numbered_by_their_first(csv_file: Path) -> None:
    rows, _, places = read_all(source=write(csv_file, 'source,target\r\n"a\r\nb\nc",d\r\ne,f\r\n'))
    assert rows == [{"source": "a\r\nb\nc", "target": "d"}, {"source": "e", "target": "f"}]
    assert places == [f"{csv_file}: line 2", f"{csv_file}: line 5"]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_blank_lines_are_counted(tmp_path: Path, name: str) -> None:
    separator = "," if name == "t.csv" else "\t"
    text = "\nsource,target\n\na,b\n\n".replace(",", separator)
    rows, census, places = read_all(source=write(tmp_path / name, text))
    assert rows == [{"source": "a", "target": "b"}]
    assert (census.read, census.dropped) == (3, {"blank line": 3})
    assert places == [f"{tmp_path / name}: line 4"]


def test_a_very_long_field(csv_file: Path) -> None:
    rows = rows_of(source=write(csv_file, f"source,target\n{'a' * 200_000},b\n"))
    assert len(rows[0]["source"]) == 200_000


def test_lines_with_another_number_of_columns_are_told_at_once(tsv: Path) -> None:
    assert message(tsv, "source\ttarget\na\na\tb\na\tb\tc\n") == (
        f"{tsv}: 2 lines do not fit\n"
        "  line 2: 1 column, expected 2\n"
        "  line 4: 3 columns, expected 2\n"
        "  a tab separates columns and cannot stand in a text; quoted fields need  format: csv"
    )


def test_a_quote_that_is_never_closed_is_told(csv_file: Path) -> None:
    assert message(csv_file, 'source,target\na,b\n"c,d\ne,f\n') == (
        f"{csv_file}: line 3: not CSV: unexpected end of data\n"
        '  a text with a comma, quote or line end stands in quotes, a quote in it is doubled: ""'
    )


def test_text_after_a_closing_quote_is_told(csv_file: Path) -> None:
    assert "line 2: not CSV: ',' expected after '\"'" in message(csv_file, 'source,target\n"a"b,c\n')


def test_a_missing_column_is_told_with_those_there_are(tsv: Path) -> None:
    assert message(tsv, "id\ten\tzh\n", columns={"source": "en", "target": "zho"}) == (
        f"{tsv}: no column 'zho'; did you mean 'zh'?\n"
        "  the columns are: id, en, zh\n"
        "  say which one holds which role:  columns: {source: en, target: zh}"
    )


def test_a_column_number_too_high(tsv: Path) -> None:
    assert message(tsv, "a\tb\n", columns={"source": 1, "target": 3}) == (
        f"{tsv}: columns: target: no column 3; the first line has 2\n"
        "  columns count from 1; a tab separates them in a TSV, a comma in a CSV"
    )


def test_names_and_numbers_do_not_mix(tsv: Path) -> None:
    assert message(tsv, "a\tb\n", columns={"source": 1}) == (
        f"{tsv}: columns: some by name, some by number\n"
        "  without a header give every role a number:  columns: {source: 1, target: 2}"
    )


def test_two_columns_of_the_same_name(tsv: Path) -> None:
    assert message(tsv, "source\tsource\ttarget\n") == (
        f"{tsv}: 2 columns are named 'source'\n  give each its own name"
    )


@pytest.mark.parametrize("text", ["", "\n\n"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_an_empty_file(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    assert message(path, text) == f"{path}: is empty\n  expected columns for: source, target"


def test_a_header_alone_has_no_rows(tsv: Path) -> None:
    assert rows_of(source=write(tsv, "source\ttarget")) == []


def test_another_encoding(tsv: Path) -> None:
    source = write(tsv, "source\ttarget\nHi\t你好\n", "gb18030")
    assert rows_of(source=source, encoding="gb18030") == [{"source": "Hi", "target": "你好"}]
