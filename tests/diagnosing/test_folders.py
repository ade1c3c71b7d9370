"""Caches and the current folder: what is in them, what room there is, whether they can be written."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import allowed

from hftoolkit.diagnosing import folders as module
from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.folders import folders
from hftoolkit.errors import OutputError


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path / "ours"))
    monkeypatch.setattr(module, "_LITTLE", 0)
    monkeypatch.setattr(module.shutil, "disk_usage", Room)
    with allowed(tmp_path / "home", monkeypatch):
        yield


class Room:
    """Always the same, whatever disk the tests run on."""

    free = 5 << 30

    def __init__(self, path: Path) -> None:
        assert path.exists()


def found() -> dict[str, Finding]:
    return {finding.name: finding for finding in folders()}


def write(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_folders_with_what_is_in_them(tmp_path: Path) -> None:
    hub = tmp_path / "home" / "hub"
    write(hub / "models--acme--one" / "blobs" / "abc", 3 << 20)
    (hub / "models--acme--one" / "snapshots").mkdir()
    os.symlink("../blobs/abc", hub / "models--acme--one" / "snapshots" / "model.bin")
    write(hub / "models--acme--two" / "blobs" / "def", 1 << 20)
    write(hub / "datasets--acme--rows" / "blobs" / "ghi", 1 << 20)
    write(tmp_path / "ours" / "rows" / "a", 2 << 20)
    assert found() == {
        "hub cache": Finding("hub cache", f"{hub}, 2 models, 1 data set, 5 MiB, 5.0 GiB free"),
        "current folder": Finding("current folder", f"{tmp_path}, 5.0 GiB free"),
        "own cache": Finding("own cache", f"{tmp_path / 'ours'}, 2 MiB, 5.0 GiB free"),
    }


def test_nothing_is_left_in_them(tmp_path: Path) -> None:
    found()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ours"]


def test_a_cache_that_is_not_there_yet(tmp_path: Path) -> None:
    assert found()["hub cache"] == Finding("hub cache", f"{tmp_path / 'home' / 'hub'}, nothing there yet, 5.0 GiB free")


def test_a_large_cache_is_not_counted_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", -1.0)
    write(tmp_path / "home" / "hub" / "models--acme--one" / "blobs" / "abc", 10)
    assert found()["hub cache"].text.split(", ")[3] == "over 0 MiB"


def test_little_room_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LITTLE", 6 << 30)
    here = found()
    assert {finding.state for finding in here.values()} == {"note"}
    assert here["own cache"].text.endswith(", 5.0 GiB free, which is little")


@pytest.mark.parametrize("offline", [False, True])
def test_a_hub_cache_that_cannot_be_written(offline: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "file", 0)
    cache, why = tmp_path / "file" / "hub", os.strerror(errno.ENOTDIR)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    if offline:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert found()["hub cache"] == Finding(
        "hub cache",
        f"{cache}, nothing there yet, 5.0 GiB free; cannot be written: {why}",
        "note" if offline else "problem",
        "let this user write there, or name another one:  HF_HOME=FOLDER hftoolkit ...",
    )


def test_an_own_cache_that_cannot_be_made_is_told_as_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "file", 0)
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path / "file" / "cache"))
    looked = folders()
    assert [next(looked).name, next(looked).name] == ["hub cache", "current folder"]
    with pytest.raises(OutputError, match="the cache cannot be kept here"):
        next(looked)


def test_a_full_disk_is_found_by_writing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.tempfile, "TemporaryFile", full)
    here = found()
    assert [finding.state for finding in here.values()] == ["problem", "note", "problem"]
    assert here["own cache"].text.endswith(f"; cannot be written: {os.strerror(errno.ENOSPC)}")
    assert here["current folder"].advice == "let this user write there"
