"""Hashes that are remembered, and never taken for those of other content."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from hftoolkit.engines.fingerprints import fingerprint, fingerprint_of_all
from hftoolkit.hub import cache_folder


def settled(path: Path, content: bytes) -> Path:
    """A file that was written long ago: its memory of the change may be trusted."""
    path.write_bytes(content)
    return path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour from now."""
    now = time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: now() + 3_600_000_000_000)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read as a whole."""
    names: list[str] = []
    real = hashlib.file_digest

    def digest(file: object, kind: str) -> object:
        names.append(Path(file.name).name)  # type: ignore[attr-defined]
        return real(file, kind)  # type: ignore[arg-type]

    monkeypatch.setattr("hashlib.file_digest", digest)
    return names


def test_it_is_the_sha256_of_the_content(tmp_path: Path) -> None:
    path = settled(tmp_path / "weights", b"abc")
    assert fingerprint(path) == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.usefixtures("later")
def test_a_file_is_read_once(tmp_path: Path, hashed: list[str]) -> None:
    path = settled(tmp_path / "weights", b"abc")
    assert fingerprint(path) == fingerprint(path)
    assert hashed == ["weights"]


def test_what_was_just_written_is_not_remembered(tmp_path: Path, hashed: list[str]) -> None:
    path = settled(tmp_path / "weights", b"abc")
    assert fingerprint(path) == fingerprint(path)
    assert hashed == ["weights"] * 2


@pytest.mark.usefixtures("later")
def test_content_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path = settled(tmp_path / "weights", b"abc")
    times = path.stat()
    assert fingerprint(path) == hashlib.sha256(b"abc").hexdigest()
    time.sleep(0.02)  # a tick of the file system's clock
    path.write_bytes(b"xyz")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint(path) == hashlib.sha256(b"xyz").hexdigest()


@pytest.mark.usefixtures("later")
def test_a_file_put_in_place_of_another_is_noticed(tmp_path: Path) -> None:
    path = settled(tmp_path / "weights", b"abc")
    fingerprint(path)
    other = settled(tmp_path / "other", b"xyz")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    os.replace(other, path)
    assert fingerprint(path) == hashlib.sha256(b"xyz").hexdigest()


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("damage", ["", "{}", "[]", "{"])
def test_a_damaged_memory_is_made_anew(tmp_path: Path, damage: str, hashed: list[str]) -> None:
    path = settled(tmp_path / "weights", b"abc")
    fingerprint(path)
    (note,) = (cache_folder() / "fingerprints").iterdir()
    note.write_text(damage, encoding="utf-8")
    assert fingerprint(path) == hashlib.sha256(b"abc").hexdigest()
    assert json.loads(note.read_text(encoding="utf-8"))["path"] == str(path)


@pytest.mark.usefixtures("later")
def test_where_nothing_can_be_remembered_it_works_all_the_same(tmp_path: Path) -> None:
    (cache_folder() / "fingerprints").write_text("in the way", encoding="utf-8")
    assert fingerprint(settled(tmp_path / "weights", b"abc")) == hashlib.sha256(b"abc").hexdigest()


def test_of_several_folders_names_and_contents_count(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    names = ["a", "b"]
    seen = [fingerprint_of_all([one, two], names)]
    for path, content in (
        (one / "a", b"1"),
        (two / "a", b"1"),
        (one / "a", b"2"),
        (one / "b", b"1"),
        (one / "c", b"1"),
    ):
        path.write_bytes(content)
        seen.append(fingerprint_of_all([one, two], names))
    assert len(set(seen)) == 5
    assert seen[-1] == seen[-2]  # a file that was not named
    assert fingerprint_of_all([one, two], names, "more") != seen[-1]
    assert fingerprint_of_all([two, one], names) != seen[-1]
