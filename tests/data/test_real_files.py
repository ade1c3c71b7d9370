"""Counts of public data sets in their original formats."""

import os
from pathlib import Path
from typing import Any

import pytest

from hftoolkit.data.census import Census
from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.data.splitting import leakage
from hftoolkit.recipe.schema import Filters, Source

SHARED = os.environ.get("HFTOOLKIT_SHARED")
DATA = Path(SHARED or "") / "data"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SHARED, reason="HFTOOLKIT_SHARED names no folder")]


def load(folder: Path, filters: Filters | None = None, **keys: Any) -> Rows:
    return load_rows([Source.model_validate(keys)], ["source"], ["target"], filters=filters, folder=folder)


def counts(rows: Rows) -> tuple[int, int, dict[str, int]]:
    (census,) = rows.census
    assert isinstance(census, Census)
    assert census.kept == len(rows) == sum(1 for _ in rows)
    assert census.read == census.kept + sum(census.dropped.values())
    return census.read, census.kept, census.dropped


@pytest.mark.parametrize(
    ("name", "read", "dropped"),
    [
        ("tatoeba-cmn-eng/cmn.txt", 28_447, {}),
        ("tatoeba-fra-eng/fra.txt", 167_130, {"source equals target": 1}),
    ],
)
def test_tsv_without_header(tmp_path: Path, name: str, read: int, dropped: dict[str, int]) -> None:
    path = str(DATA / "translation" / name)
    rows = load(tmp_path, Filters(), source=path, format="tsv", columns={"source": 1, "target": 2})
    assert counts(rows) == (read, read - sum(dropped.values()), dropped)


@pytest.mark.parametrize(
    ("prefix", "source", "target", "read", "dropped"),
    [
        ("3am-en-zh/train.", "en", "zh", 23_931, {"duplicate": 9}),
        ("3am-en-zh/test.", "en", "zh", 1_000, {"duplicate": 3}),
        ("multi30k/train.", "en", "de", 29_000, {"duplicate": 3}),
    ],
)
def test_parallel_text(
    tmp_path: Path, prefix: str, source: str, target: str, read: int, dropped: dict[str, int]
) -> None:
    path = str(DATA / "translation" / prefix)
    rows = load(tmp_path, Filters(), files={"source": path + source, "target": path + target})
    assert counts(rows) == (read, read - sum(dropped.values()), dropped)


def test_rows_of_a_test_set_that_stand_in_its_own_training_set(tmp_path: Path) -> None:
    path = str(DATA / "translation" / "3am-en-zh")
    train, val, test = (
        load(tmp_path, files={"source": f"{path}/{split}.en", "target": f"{path}/{split}.zh"})
        for split in ("train", "val", "test")
    )
    assert leakage(train, test) == 99
    assert leakage(train, val) == 3


def test_flores_with_two_references(tmp_path: Path) -> None:
    folder = DATA / "translation" / "flores200"
    references = [str(folder / "deu_Latn.devtest"), str(folder / "fra_Latn.devtest")]
    rows = load(tmp_path, files={"source": str(folder / "eng_Latn.devtest"), "target": references})
    assert counts(rows) == (1_012, 1_012, {})
    assert all(len(row["target"]) == 2 for row in rows)


def test_python_docs_in_chinese(tmp_path: Path) -> None:
    rows = load(tmp_path, Filters(), source=str(DATA / "translation" / "python-docs-zh_CN-po"))
    dropped = {"untranslated": 384, "source equals target": 8_588, "over 2000 characters": 44, "duplicate": 1_707}
    assert counts(rows) == (51_986, 41_263, dropped)


def test_python_docs_in_portuguese(tmp_path: Path) -> None:
    source = str(DATA / "translation" / "python-docs-pt_BR-po")
    filters = Filters(max_characters=100_000, duplicates=False)
    dropped = {"untranslated": 12_720, "source equals target": 5_917}
    assert counts(load(tmp_path, filters, source=source)) == (46_318, 27_681, dropped)


@pytest.mark.parametrize(
    ("language", "kept", "dropped", "plurals"),
    [("de", 29, {"untranslated": 4, "fuzzy": 3}, 2), ("fr", 36, {}, 4), ("zh", 32, {"fuzzy": 3, "untranslated": 1}, 3)],
)
def test_plural_and_fuzzy_entries(
    tmp_path: Path, language: str, kept: int, dropped: dict[str, int], plurals: int
) -> None:
    rows = load(tmp_path, source=str(DATA / "translation" / "wtforms-po" / language / "wtforms.po"))
    assert counts(rows) == (36, kept, dropped)
    assert rows.census[0].notes == [f"{plurals} entries have plural forms: only the singular is used"]


def test_csv_with_lines_in_quotes(tmp_path: Path) -> None:
    path = str(DATA / "classification" / "banking77" / "train.csv")
    rows = load_rows([Source(source=path)], ["text"], ["category"], filters=None, folder=tmp_path)
    assert counts(rows) == (10_003, 10_003, {})


def test_tsv_with_unbalanced_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    folder = DATA / "classification" / "mrpc"
    for name, read in (("msr_paraphrase_train.txt", 4_076), ("msr_paraphrase_test.txt", 1_725)):
        columns = {"one": "#1 String", "two": "#2 String", "label": "Quality"}
        source = Source(source=str(folder / name), format="tsv", columns=columns)
        rows = load_rows([source], ["one", "two"], ["label"], filters=None, folder=tmp_path)
        assert counts(rows) == (read, read, {})
        assert len(rows.census[0].notes) == 1
