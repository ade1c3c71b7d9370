from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import texts

from hftoolkit.data.tables import Table, write_table

ROWS: list[dict[str, Any]] = [
    {"source": f"text {i}", "target": [f"a{i}", "b"], "number": i, "ids": list(range(i % 5))} for i in range(200)
]


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    row = st.fixed_dictionaries(
        {
            "text": texts,
            "texts": st.lists(texts, max_size=3),
            "integer": st.integers(-(2**63), 2**63 - 1),
            "integers": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
        }
    )
    few = draw(st.lists(row, min_size=1, max_size=5))
    return [{**few[i % len(few)], "integer": i} for i in range(draw(st.integers(1, 200)))]  # several batches, quickly


KINDS: dict[str, Any] = {"text": "text", "texts": "texts", "integer": "integer", "integers": "integers"}


@given(rows=tables(), data=st.data())
def test_take_in_any_order_equals_list_indexing(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=100))
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        table = write_table(Path(folder) / "t.arrow", rows, KINDS)
        assert table.take(numbers) == [rows[number] for number in numbers]
        assert list(table) == rows
        arrays = table.take_arrays(numbers)
        assert [{**row, "integers": row["integers"].tolist()} for row in arrays] == [rows[n] for n in numbers]
        assert all(row["integers"].dtype == np.int32 for row in arrays)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return write_table(tmp_path / "t.arrow", ROWS)


def test_kinds_are_told_by_the_values(table: Table) -> None:
    assert list(table) == ROWS
    assert table.names == ("source", "target", "number", "ids")


def test_length_is_right_around_a_batch(tmp_path: Path) -> None:
    for length in (1, 63, 64, 65, 128):
        rows = [{"a": str(number)} for number in range(length)]
        table = write_table(tmp_path / "t.arrow", rows)
        assert len(table) == length
        assert list(table) == rows


def test_no_rows(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.arrow", [], {"source": "text"})
    assert len(table) == 0
    assert list(table) == []
    assert table.take([]) == []
    assert table.lengths("source").tolist() == []
    with pytest.raises(IndexError, match="rows 0 to 0 of a table with 0 rows"):
        table.take([0])


def test_column_streams_one_column(table: Table) -> None:
    assert list(table.column("number")) == list(range(200))


def test_lengths_counts_items(table: Table) -> None:
    assert table.lengths("ids").tolist() == [len(row["ids"]) for row in ROWS]
    assert table.lengths("ids").dtype == np.int32


@pytest.mark.parametrize("number", [-1, 200])
def test_a_number_outside_is_refused(table: Table, number: int) -> None:
    with pytest.raises(IndexError, match="of a table with 200 rows"):
        table.take([0, number])


def test_arrays_are_written_like_lists(tmp_path: Path) -> None:
    rows = [{"ids": np.arange(number, dtype=np.int64)} for number in range(70)]
    table = write_table(tmp_path / "t.arrow", rows, {"ids": "integers"})
    assert [row["ids"].tolist() for row in table.take_arrays(range(70))] == [list(range(n)) for n in range(70)]


def test_all_lists_of_a_batch_may_be_empty(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.arrow", [{"ids": []}] * 3, {"ids": "integers"})
    assert [row["ids"].tolist() for row in table.take_arrays([2, 0])] == [[], []]
    assert table.lengths("ids").tolist() == [0, 0, 0]


def test_the_kind_of_empty_lists_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot tell what the column 'ids' holds: all lists are empty; give a schema"):
        write_table(tmp_path / "t.arrow", [{"ids": []}])


def test_the_kind_of_some_columns_may_be_known(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"name": "a", "ids": []}] * 70 + [{"name": "b", "ids": [-1, 3]}]
    known: dict[str, Any] = {"ids": "integers", "texts": "texts"}
    table = write_table(tmp_path / "t.arrow", rows, known=known)
    assert list(table) == rows
    assert len(write_table(tmp_path / "none.arrow", [], known=known)) == 0


def test_a_text_is_no_list_of_texts(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected lists, got text: 'abc'"):
        write_table(tmp_path / "t.arrow", [{"a": ["x"]}, {"a": "abc"}])


def test_a_row_with_other_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected rows with the keys"):
        write_table(tmp_path / "t.arrow", [{"a": "x"}, {"a": "x", "b": "y"}])


def test_an_integer_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OverflowError):
        write_table(tmp_path / "t.arrow", [{"ids": [2**31]}])


def test_a_failed_write_leaves_nothing_and_the_old_file(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield from [{"a": "x"}] * 100
        raise RuntimeError("stop")

    write_table(tmp_path / "t.arrow", [{"a": "old"}])
    with pytest.raises(RuntimeError, match="stop"):
        write_table(tmp_path / "t.arrow", rows())
    assert [path.name for path in tmp_path.iterdir()] == ["t.arrow"]
    assert list(Table(tmp_path / "t.arrow")) == [{"a": "old"}]


def test_the_folder_is_made(tmp_path: Path) -> None:
    assert len(write_table(tmp_path / "a" / "b" / "t.arrow", [{"a": "x"}])) == 1
