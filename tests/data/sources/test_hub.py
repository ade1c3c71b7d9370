import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from source_reading import read_all, rows_of

from hftoolkit.data.sources import files_of
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source

COLUMNS = {"source": "translation.en", "target": "translation.fr"}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A folder as a snapshot of the hub lays it out: two splits, the first in two files."""
    for number, name in enumerate(["train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"]):
        pairs = [{"en": f"en {number} {i}", "fr": f"fr {number} {i}"} for i in range(3)]
        (tmp_path / "data").mkdir(exist_ok=True)
        parquet.write_table(pa.table({"id": ["x"] * 3, "translation": pairs}), tmp_path / "data" / f"{name}.parquet")
    return tmp_path


def message(**keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(**keys)
    return str(caught.value)


def test_all_files_of_a_split_in_order(dataset: Path) -> None:
    rows, _, places = read_all(source=str(dataset), split="train", columns=COLUMNS)
    assert rows == [{"source": f"en {n} {i}", "target": f"fr {n} {i}"} for n in (0, 1) for i in range(3)]
    assert places[3] == f"{dataset / 'data' / 'train-00001-of-00002.parquet'}: row 1"


def test_the_split_must_be_named_where_there_are_several(dataset: Path) -> None:
    assert message(source=str(dataset)) == (
        f"{dataset}: has 2 splits\n  the splits are: train, test\n  choose one:  split: train"
    )


def test_an_unknown_split_is_told_with_the_near_one(dataset: Path) -> None:
    assert message(source=str(dataset), split="tset") == (
        f"{dataset}: no split 'tset'; did you mean 'test'?\n  the splits are: train, test"
    )


def test_an_unknown_subset(dataset: Path) -> None:
    assert message(source=str(dataset), subset="en-fr", split="test") == (
        f"{dataset}: no subset 'en-fr'\n  the subsets are: default"
    )


def test_subsets_as_the_card_describes_them(tmp_path: Path) -> None:
    card = "---\nconfigs:\n" + "".join(
        f"- config_name: {name}\n  data_files:\n  - {{split: train, path: {name}.jsonl}}\n" for name in ("fr", "de")
    )
    (tmp_path / "README.md").write_text(card + "---\n", encoding="utf-8")
    for name in ("fr", "de"):
        row = json.dumps({"source": "a\u2028", "target": name}, ensure_ascii=False)
        (tmp_path / f"{name}.jsonl").write_text(row + "\n", encoding="utf-8")
    assert rows_of(source=str(tmp_path), subset="de") == [{"source": "a\u2028", "target": "de"}]
    assert message(source=str(tmp_path)) == (
        f"{tmp_path}: has 2 subsets\n  the subsets are: fr, de\n  choose one:  subset: fr"
    )


def test_csv_on_the_hub_keeps_words_that_pandas_takes_for_missing_values(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('source,target\n"NA,\nb",null\n007,1.50\n', encoding="utf-8")
    assert rows_of(source=str(tmp_path)) == [
        {"source": "NA,\nb", "target": "null"},
        {"source": "007", "target": "1.50"},
    ]


def test_tsv_on_the_hub_has_quotes(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text('source\ttarget\n"a\tb"\tc\n', encoding="utf-8")
    assert rows_of(source=str(tmp_path)) == [{"source": "a\tb", "target": "c"}]


def test_a_dialect_that_the_card_asks_for_is_read_by_datasets(tmp_path: Path) -> None:
    card = "---\nconfigs:\n- config_name: default\n  data_files: a.csv\n  sep: '|'\n  skiprows: 1\n---\n"
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    (tmp_path / "a.csv").write_text("a comment\nsource|target\na|b\n", encoding="utf-8")
    assert rows_of(source=str(tmp_path)) == [{"source": "a", "target": "b"}]


def test_what_datasets_leaves_lies_in_our_cache(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    own, theirs = tmp_path_factory.mktemp("own"), tmp_path_factory.mktemp("theirs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HFTOOLKIT_CACHE", str(own))
        patch.setattr("datasets.config.HF_DATASETS_CACHE", str(theirs))
        rows_of(source=str(dataset), split="train", columns=COLUMNS)
    assert [*own.rglob("*.lock")]
    assert not [*theirs.iterdir()]


def test_other_formats_are_read_by_datasets(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('[{"source": "a", "target": "b"}]', encoding="utf-8")
    assert rows_of(source=str(tmp_path)) == [{"source": "a", "target": "b"}]
    assert message(source=str(tmp_path), columns={"source": "sorce"}) == (
        f"{tmp_path}: no column 'sorce'; did you mean 'source'?\n"
        "  the columns are: source, target\n"
        "  say which one holds which role:  columns: {source: source, target: target}"
    )


def test_a_broken_file_that_datasets_reads(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('[{"source": "a",,]', encoding="utf-8")
    assert message(source=str(tmp_path)).startswith(f"{tmp_path}: row 1: cannot be read: ")


def test_a_folder_without_data(tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    assert message(source=str(tmp_path)).startswith(f"{tmp_path}: not a data set that can be read: ")


def test_files_of_a_data_set_are_all_but_hidden_ones(dataset: Path) -> None:
    (dataset / ".cache").mkdir()
    (dataset / ".cache" / "x").touch()
    assert [path.name for path in files_of(Source(source=str(dataset)))] == [
        "test-00000-of-00001.parquet",
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]


def card(folder: Path, configs: str) -> str:
    """A data set whose card says of its subsets what is given; returns its name."""
    (folder / "README.md").write_text(f"---\nconfigs:{configs}\n---\n# A set\n", encoding="utf-8")
    (folder / "train.csv").write_text("source,target\na,b\n", encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize(
    "configs",
    ["\n- config_name: all\n  data_files:", " [", "\n- 1", " x\n- y", "\n- config_name: all\n  data_files: {train: 1}"],
)
def test_a_card_that_says_nothing_is_no_bug(tmp_path: Path, configs: str) -> None:
    name = card(tmp_path, configs)
    assert message(source=name, split="train").startswith(f"{name}: not a data set that can be read: ")


@pytest.mark.parametrize(
    "file",
    ["../secrets.csv", "a/../../secrets.csv", "/etc/passwd", "~/.netrc", "https://example.org/a.csv", "hf://a/b.csv"],
)
@pytest.mark.parametrize("key", ["data_files", "data_dir"])
def test_a_card_chooses_no_files_elsewhere(tmp_path: Path, key: str, file: str) -> None:
    name = card(tmp_path, f"\n- config_name: all\n  {key}: {file}")
    assert message(source=name, split="train") == (
        f"{name}: its card names {file!r}, which lies outside of the data set and is not read\n"
        "  name the file itself as a source, if it is meant"
    )
