from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from source_reading import read_all, rows_of

from hftoolkit.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.parquet"


def write(path: Path, columns: dict[str, list[object]]) -> str:
    parquet.write_table(pa.table(columns), path)
    return str(path)


def test_columns_by_name_over_several_batches(path: Path) -> None:
    source = write(path, {"id": list(range(1200)), "en": [f"a\n{i}" for i in range(1200)], "zh": ["中"] * 1200})
    rows, _, places = read_all(source=source, columns={"source": "en", "target": "zh"})
    assert rows == [{"source": f"a\n{i}", "target": "中"} for i in range(1200)]
    assert places[-1] == f"{path}: row 1200"


def test_columns_may_be_dotted_paths(path: Path) -> None:
    source = write(path, {"translation": [{"en": "a", "fr": "b"}, {"en": None, "fr": "d"}]})
    rows = rows_of(source=source, columns={"source": "translation.en", "target": "translation.fr"})
    assert rows == [{"source": "a", "target": "b"}, {"source": None, "target": "d"}]


def test_a_list_is_several_references(path: Path) -> None:
    source = write(path, {"source": ["a"], "target": [["b", "c"]]})
    assert rows_of(source=source) == [{"source": "a", "target": ["b", "c"]}]


def test_several_columns_are_several_references(path: Path) -> None:
    source = write(path, {"source": ["a"], "r1": ["b"], "r2": ["c"]})
    assert rows_of(source=source, columns={"target": ["r1", "r2"]}) == [{"source": "a", "target": ["b", "c"]}]


def test_a_missing_column_is_told_with_those_there_are(path: Path) -> None:
    source = write(path, {"translation": [{"en": "a"}], "refs": [["b"]]})
    with pytest.raises(DataError) as caught:
        rows_of(source=source, columns={"source": "translation.en"})
    assert str(caught.value) == (
        f"{path}: no column 'target'\n"
        "  the columns are: translation.en, refs\n"
        "  say which one holds which role:  columns: {source: translation.en, target: ...}"
    )


def test_a_file_that_is_not_parquet(path: Path) -> None:
    path.write_bytes(b"source,target\n")
    with pytest.raises(DataError, match=r"cannot be read as Parquet: .*\n  copy or convert the file again"):
        rows_of(source=str(path))


def test_a_missing_file(path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.parquet: no such file"):
        rows_of(source=str(path))


def test_a_record_that_is_null_is_told_with_its_row(path: Path) -> None:
    source = write(path, {"translation": [{"en": "a", "fr": "b"}, None]})
    with pytest.raises(DataError) as caught:
        rows_of(source=source, columns={"source": "translation.en", "target": "translation.fr"})
    assert str(caught.value) == (
        f"{path}: row 2: no 'translation.en'\n  expected a value for every role, null where there is none"
    )


def test_text_that_is_none(path: Path) -> None:
    latin = pa.array([b"caf\xe9"], pa.binary()).view(pa.string())
    parquet.write_table(pa.table({"source": latin, "target": ["b"]}), path)
    with pytest.raises(DataError, match=r"t\.parquet: cannot be read as Parquet: 'utf-8' codec can't decode"):
        rows_of(source=str(path))
