from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hftoolkit.data.prepared import RunRows, load_run, load_tests
from hftoolkit.data.rows import Rows
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Data


def written(path: Path, texts: Sequence[str]) -> dict[str, str]:
    lines = "".join(f"{text}\ttranslation of {text}\n" for text in texts)
    path.write_text(f"source\ttarget\n{lines}", encoding="utf-8", newline="")
    return {"source": str(path)}


@pytest.fixture
def train(tmp_path: Path) -> dict[str, str]:
    return written(tmp_path / "train.tsv", [f"text {number}" for number in range(1000)])


@pytest.fixture
def other(tmp_path: Path) -> dict[str, str]:
    return written(tmp_path / "other.tsv", ["text 1", "text 2", "text 2", "unseen", "unseen too"])


def data(train: Any, validation: Any, test: Mapping[str, Any]) -> Data:
    return Data.model_validate({"train": [train], "validation": validation, "test": test})


def loaded(parts: Data, folder: Path, seed: int = 1) -> RunRows:
    return load_run(parts, ["source"], ["target"], folder=folder / "cache", seed=seed)


def sources(rows: Rows) -> set[str]:
    return {row["source"] for row in rows}


def test_splits_share_out_the_training_rows(tmp_path: Path, train: Any) -> None:
    rows = loaded(data(train, {"split": 0.1}, {"one": {"split": 0.1}, "two": {"split": 0.2}}), tmp_path)
    parts = [rows.train, rows.validation, rows.tests["one"], rows.tests["two"]]
    assert sum(map(len, parts)) == 1000
    assert set().union(*map(sources, parts)) == {f"text {number}" for number in range(1000)}
    assert [len(part) for part in parts] == pytest.approx([648, 100, 90, 162], abs=45)
    assert rows.leaks == {"one": 0, "two": 0}


def test_two_splits_of_equal_size_are_different_rows(tmp_path: Path, train: Any) -> None:
    rows = loaded(data(train, {"split": 0.1}, {"test": {"split": 0.1}}), tmp_path)
    assert len(rows.tests["test"]) > 50
    assert not sources(rows.validation) & sources(rows.tests["test"])


def test_the_seed_decides_the_splits(tmp_path: Path, train: Any) -> None:
    parts = data(train, {"split": 0.1}, {"test": {"split": 0.1}})
    one, again, other = (loaded(parts, tmp_path, seed) for seed in (1, 1, 7))
    assert sources(one.validation) == sources(again.validation)
    assert sources(one.tests["test"]) == sources(again.tests["test"])
    assert sources(one.validation) != sources(other.validation)


def test_given_files_are_taken_whole(tmp_path: Path, train: Any, other: Any) -> None:
    rows = loaded(data(train, other, {"test": other}), tmp_path)
    assert len(rows.train) == 1000
    assert len(rows.validation) == len(rows.tests["test"]) == 5  # their duplicates are not filtered
    assert list(rows.tests["test"])[3] == {"source": "unseen", "target": "translation of unseen"}


def test_rows_that_stand_in_the_training_rows_are_counted(tmp_path: Path, train: Any, other: Any) -> None:
    rows = loaded(data(train, {"split": 0.1}, {"test": other}), tmp_path)
    held = sources(rows.validation)
    expected = sum(text in sources(rows.train) for text in ("text 1", "text 2", "text 2"))
    assert rows.leaks == {"test": expected}
    assert expected == 3 - sum(text in held for text in ("text 1", "text 2", "text 2"))


def test_training_rows_are_filtered(tmp_path: Path) -> None:
    train = written(tmp_path / "train.tsv", ["a", "b", "b", " ", "c"])
    other = written(tmp_path / "other.tsv", ["d"])
    rows = loaded(data(train, other, {"test": other}), tmp_path)
    assert [row["source"] for row in rows.train] == ["a", "b", "c"]


def test_the_order_of_tests_is_the_recipes(tmp_path: Path, train: Any, other: Any) -> None:
    rows = loaded(data(train, other, {"z": other, "a": {"split": 0.1}, "m": other}), tmp_path)
    assert list(rows.tests) == ["z", "a", "m"]


@pytest.mark.parametrize("second", [{"split": 0.1}, None])
def test_the_tests_alone_are_those_of_the_run(tmp_path: Path, train: Any, other: Any, second: Any) -> None:
    parts = data(train, {"split": 0.1}, {"first": other, "second": second or other})
    run = loaded(parts, tmp_path)
    alone = load_tests(parts, ["source"], ["target"], folder=tmp_path / "elsewhere", seed=1)
    assert {name: list(rows) for name, rows in alone.items()} == {name: list(rows) for name, rows in run.tests.items()}


def test_the_tests_alone_need_no_training_rows(tmp_path: Path, other: Any) -> None:
    parts = data({"source": str(tmp_path / "missing.tsv")}, {"split": 0.1}, {"test": other})
    assert len(load_tests(parts, ["source"], ["target"], folder=tmp_path / "cache", seed=1)["test"]) == 5


def test_splits_by_file(tmp_path: Path, other: Any) -> None:
    (tmp_path / "many").mkdir()
    for number in range(40):
        written(tmp_path / "many" / f"{number}.tsv", [f"{number} of {index}" for index in range(10)])
    train = {"source": str(tmp_path / "many")}
    by_file = {"split": 0.1, "by": "file"}
    rows = loaded(data(train, by_file, {"one": by_file, "two": {"split": 0.5}, "three": other}), tmp_path)
    numbers = [{text.split()[0] for text in sources(part)} for part in (rows.validation, rows.tests["one"], rows.train)]
    assert [len(part) for part in (rows.validation, rows.tests["one"])] == [40, 40]
    assert not numbers[0] & numbers[1]
    assert not (numbers[0] | numbers[1]) & numbers[2]
    alone = load_tests(data(train, by_file, {"one": by_file}), ["source"], ["target"], folder=tmp_path / "c", seed=1)
    assert list(alone["one"]) == list(rows.tests["one"])


def test_equal_inputs_in_two_files_are_counted(tmp_path: Path, other: Any) -> None:
    (tmp_path / "many").mkdir()
    for number in range(4):
        lines = f"source\ttarget\ntext {number}\tx\nin all\ttranslation {number}\n"
        (tmp_path / "many" / f"{number}.tsv").write_text(lines, encoding="utf-8")
    rows = loaded(data({"source": str(tmp_path / "many")}, other, {"test": {"split": 0.25, "by": "file"}}), tmp_path)
    assert (len(rows.tests["test"]), rows.leaks) == (2, {"test": 1})


def test_the_languages_of_the_recipe_are_those_of_its_files(tmp_path: Path) -> None:
    tmx = '<tmx><tu><tuv lang="en"><seg>a</seg></tuv><tuv lang="zh"><seg>中</seg></tuv></tu></tmx>'
    (tmp_path / "m.tmx").write_text(tmx, encoding="utf-8")
    source = {"source": str(tmp_path / "m.tmx")}
    parts = Data.model_validate(
        {"train": source, "validation": source, "test": source, "languages": {"source": "zh", "target": "en"}}
    )
    rows = loaded(parts, tmp_path)
    expected = [{"source": "中", "target": "a"}]
    assert [list(part) for part in (rows.train, rows.validation, rows.tests["test"])] == [expected] * 3
    alone = load_tests(parts, ["source"], ["target"], folder=tmp_path / "cache", seed=1)
    assert list(alone["test"]) == expected


def test_an_empty_split_is_an_error(tmp_path: Path, other: Any) -> None:
    train = written(tmp_path / "train.tsv", ["only one"])
    with pytest.raises(DataError, match=r"train\.tsv: split: 0\.1 of 1 rows: no row is held out"):
        loaded(data(train, {"split": 0.1}, {"test": other}), tmp_path)
