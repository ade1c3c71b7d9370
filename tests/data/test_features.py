import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hftoolkit.data.features import CHUNK, Features, build_features
from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.errors import DataError, OutputError
from hftoolkit.recipe.schema import Source


def loaded(folder: Path, *sources: Sequence[str]) -> Rows:
    """Rows of files with one text a line, which is the target too, reversed."""
    paths = [folder / f"{number}.tsv" for number in range(len(sources))]
    for path, texts in zip(paths, sources, strict=True):
        path.write_text(
            "source\ttarget\n" + "".join(f"{text}\t{text[::-1]}\n" for text in texts), encoding="utf-8", newline=""
        )
    named = [Source(source=str(path)) for path in paths]
    return load_rows(named, ["source"], ["target"], filters=None, folder=folder / "rows")


def letters(rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, list[int]]]]:
    """One feature a row: the letters of both sides, the target with an end."""
    return [[{"ids": [*map(ord, row["source"])], "labels": [*map(ord, row["target"]), 0]}] for row in rows]


class Counted:
    """Encodes, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, list[int]]]]:
        self.asked.append(len(rows))
        return letters(rows)


def built(rows: Rows, folder: Path, encode: Any = letters, **changes: Any) -> Features:
    settings = {"padded": ("ids", "labels"), "max_tokens": 10, "key": ["task", "tokenizer"], **changes}
    return build_features(rows, encode, folder=folder / "features", **settings)


def texts(features: Features) -> list[str]:
    return ["".join(map(chr, row["ids"])) for row in features.table]


def test_features_stand_in_row_order_with_lengths_and_sources(tmp_path: Path) -> None:
    features = built(loaded(tmp_path, ["a", "bcd"], ["ef"]), tmp_path)
    assert texts(features) == ["a", "bcd", "ef"]
    assert features.lengths.tolist() == [[1, 2], [3, 4], [2, 3]]
    assert features.lengths.dtype == np.int32
    assert features.sources.tolist() == [0, 0, 1]
    assert features.too_long == 0
    assert len(features) == 3


def test_they_are_read_by_number_as_arrays(tmp_path: Path) -> None:
    features = built(loaded(tmp_path, ["a", "bcd", "ef"]), tmp_path)
    last, first = features.table.take_arrays([2, 0])
    assert last["ids"].tolist() == [ord("e"), ord("f")]
    assert first["labels"].tolist() == [ord("a"), 0]


@pytest.mark.parametrize("max_tokens", [4, 5])
def test_a_side_that_is_too_long_drops_the_feature_and_is_counted(tmp_path: Path, max_tokens: int) -> None:
    rows = loaded(tmp_path, ["abc", "abcd", "abcde"], ["abcd", "x"])
    features = built(rows, tmp_path, max_tokens=max_tokens)  # labels are one longer
    assert texts(features) == [text for text in ("abc", "abcd", "abcde", "abcd", "x") if len(text) < max_tokens]
    assert features.too_long == 5 - len(features)
    assert built(rows, tmp_path, max_tokens=max_tokens).too_long == features.too_long  # from the cache too


def test_features_of_which_something_was_cut_are_counted(tmp_path: Path) -> None:
    def cutting(rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, list[int]]]]:
        found = letters(rows)
        for (feature,) in found:
            if len(feature["ids"]) > 3:
                feature |= {"ids": feature["ids"][:3], "labels": feature["labels"][:3], "cut": [1]}
        return found

    rows = loaded(tmp_path, ["abcde", "ab"], ["xyz1"])
    for _ in range(2):  # from the cache too
        features = built(rows, tmp_path, cutting)
        assert texts(features) == ["abc", "ab", "xyz"]
        assert (features.cut, features.too_long) == (2, 0)
        assert "cut" not in features.table.names


def test_further_lists_come_along_and_do_not_count(tmp_path: Path) -> None:
    rows = loaded(tmp_path, ["a", "bcd"])
    features = built(rows, tmp_path, padded=("ids",), others=("labels",), max_tokens=3)
    assert features.lengths.tolist() == [[1], [3]]
    assert features.table.take_arrays([1])[0]["labels"].tolist() == [*map(ord, "dcb"), 0]


def test_nothing_is_left(tmp_path: Path) -> None:
    features = built(loaded(tmp_path, ["abcdef", "abcdefg"]), tmp_path, max_tokens=3)
    assert len(features) == 0
    assert features.too_long == 2
    assert features.lengths.shape == (0, 2)


def test_a_row_may_have_several_features_or_none(tmp_path: Path) -> None:
    def windows(rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, list[int]]]]:
        return [[{"ids": [ord(letter)]} for letter in row["source"] if letter != "-"] for row in rows]

    features = built(loaded(tmp_path, ["ab", "-"], ["c-d"]), tmp_path, windows, padded=["ids"])
    assert texts(features) == ["a", "b", "c", "d"]
    assert features.sources.tolist() == [0, 0, 1, 1]
    assert features.lengths.tolist() == [[1]] * 4


def test_only_the_rows_that_count_are_encoded(tmp_path: Path) -> None:
    rows = loaded(tmp_path, ["a", "b", "c"], ["d"]).subset([3, 1])
    features = built(rows, tmp_path)
    assert texts(features) == ["d", "b"]
    assert features.sources.tolist() == [1, 0]


def test_rows_are_encoded_in_chunks(tmp_path: Path) -> None:
    names = [f"{number:x}" for number in range(2 * CHUNK + 1)]
    encode = Counted()
    features = built(loaded(tmp_path, names), tmp_path, encode)
    assert encode.asked == [CHUNK, CHUNK, 1]
    assert texts(features) == names


def test_the_same_rows_are_encoded_once(tmp_path: Path) -> None:
    encode = Counted()
    first, second = (built(loaded(tmp_path, ["a", "b"]), tmp_path, encode) for _ in range(2))
    assert encode.asked == [2]
    assert list(first.table) == list(second.table)
    assert first.key == second.key


@pytest.mark.parametrize(
    "changes",
    [{"max_tokens": 9}, {"key": ["task", "other"]}, {"key": ["tasktokenizer"]}, {"padded": ("labels", "ids")}],
)
def test_whatever_changes_features_encodes_again(tmp_path: Path, changes: dict[str, Any]) -> None:
    encode = Counted()
    rows = loaded(tmp_path, ["a", "b"])
    keys = {built(rows, tmp_path, encode).key, built(rows, tmp_path, encode, **changes).key}
    assert encode.asked == [2, 2]
    assert len(keys) == 2


def test_other_rows_are_encoded_again(tmp_path: Path) -> None:
    encode = Counted()
    one = built(loaded(tmp_path, ["a", "b"]), tmp_path, encode)
    two = built(loaded(tmp_path, ["a", "c"]), tmp_path, encode)
    assert texts(one) == ["a", "b"]
    assert texts(two) == ["a", "c"]


def test_an_encoding_that_broke_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken(rows: Sequence[Mapping[str, Any]]) -> Any:
        raise KeyboardInterrupt

    rows = loaded(tmp_path, ["a"])
    with pytest.raises(KeyboardInterrupt):
        built(rows, tmp_path, broken)
    assert list((tmp_path / "features").iterdir()) == []
    assert texts(built(rows, tmp_path)) == ["a"]


def test_features_whose_facts_are_missing_are_made_again(tmp_path: Path) -> None:
    rows = loaded(tmp_path, ["a", "abcdefghijkl"])
    features = built(rows, tmp_path)
    features.table.path.with_suffix(".json").unlink()  # killed between the two files
    assert built(rows, tmp_path).too_long == 1


@pytest.mark.skipif(sys.platform == "win32", reason="the message of the system differs")
def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        built(loaded(tmp_path, ["a"]), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'features'}: the encoded rows cannot be kept here: File exists\n"
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
    )


def test_no_room_for_features(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="the system has no limit for the size of files")
    rows = loaded(tmp_path, [f"{number:09}" for number in range(2000)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutputError, match=r"the encoded rows cannot be kept here: .*File too large\n  make room"):
            built(rows, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "features").iterdir()) == []
    assert len(built(rows, tmp_path)) == 2000


def test_a_row_that_cannot_be_encoded_is_told_with_its_place(tmp_path: Path) -> None:
    def refuse(rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, list[int]]]]:
        if any(row["source"] == "bad" for row in rows):
            raise DataError("a row is bad\n  leave it out")
        return letters(rows)

    rows = loaded(tmp_path, ["a", "b"], ["c", "bad"])
    with pytest.raises(DataError) as caught:
        built(rows, tmp_path, refuse)
    assert str(caught.value) == f"{tmp_path / '1.tsv'}: line 3: a row is bad\n  leave it out"
