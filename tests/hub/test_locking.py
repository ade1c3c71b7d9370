"""A lock names what recipes need by commit and hash; anything else is an error, and a damaged one leads nowhere."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import COMMIT, Hub, allowed, serve
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.errors import HubError
from hftoolkit.hub import resolve, unlocked
from hftoolkit.hub.locking import Locked, lock_of, lock_text, locked, parse_lock, write_lock

FILES = ("config.json", "tokenizer.json", "model.safetensors")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "served"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(name, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with allowed(tmp_path / "home", monkeypatch), serve(models={"acme/tiny": folder}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


@pytest.fixture
def entry(hub: Hub) -> Locked:
    """Written into the current folder."""
    found = lock_of("model", "acme/tiny", "main", resolve("acme/tiny"), None)
    write_lock(lock_text([found]), Path("hftoolkit.lock"))
    return found


def test_it_reads_as_it_was_written(entry: Locked) -> None:
    assert locked("acme/tiny", "main", "model") == entry
    assert entry.commit == COMMIT
    assert sorted(entry.files) == sorted(FILES)
    assert locked("acme/tiny", "v2", "model") is None
    assert locked("acme/tiny", "main", "dataset") is None
    with unlocked():
        assert locked("acme/tiny", "main", "model") is None


def test_a_locked_commit_is_taken_though_the_branch_has_moved(entry: Locked, hub: Hub) -> None:
    refs = next((Path("home") / "hub").rglob("refs"))
    (refs / "main").write_text("f" * 40, encoding="utf-8")
    assert resolve("acme/tiny").name == COMMIT


def test_what_is_not_here_is_fetched_at_its_commit(entry: Locked, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", "another")
    hub.requests.clear()
    assert resolve("acme/tiny").name == COMMIT
    assert hub.requests[0] == f"GET /api/models/acme/tiny/revision/{COMMIT}"


def test_another_content_is_an_error(entry: Locked) -> None:
    file = resolve("acme/tiny") / "model.safetensors"
    file.write_text("MODEL.safetensors", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    with pytest.raises(HubError) as caught:
        resolve("acme/tiny")
    assert str(caught.value) == (
        f"'acme/tiny': {file} is not what hftoolkit.lock says: it was changed, or is damaged\n"
        "  to fetch it again, delete that file (and what it is a link to)\n"
        "  if that is meant, write it anew:   hftoolkit prefetch RECIPE"
    )


def test_what_the_hub_has_changed_is_an_error(entry: Locked, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same commit with another content."""
    (hub.models["acme/tiny"] / "config.json").write_text("CONFIG.json", encoding="utf-8")
    monkeypatch.setenv("HF_HOME", "another")
    with pytest.raises(HubError, match=r"'acme/tiny': .*config\.json is not what hftoolkit\.lock says"):
        resolve("acme/tiny")


def test_a_file_that_the_lock_does_not_know(entry: Locked) -> None:
    (resolve("acme/tiny") / "added_tokens.json").write_text("{}", encoding="utf-8")
    with pytest.raises(HubError, match=r"'acme/tiny': added_tokens\.json is not in hftoolkit\.lock, which names this"):
        resolve("acme/tiny")


def test_a_file_that_is_missing(entry: Locked, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    (hub.models["acme/tiny"] / "tokenizer.json").unlink()
    monkeypatch.setenv("HF_HOME", "another")
    with pytest.raises(HubError, match=r"'acme/tiny': tokenizer\.json is missing, which hftoolkit\.lock names\n"):
        resolve("acme/tiny")


def test_a_lock_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hftoolkit.lock").mkdir()
    with pytest.raises(HubError, match=r"hftoolkit\.lock: cannot be read: Is a directory\n"):
        resolve("acme/tiny")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format 2, expected 1\n  use the version that wrote it"),
        ({"artefacts": 3}, "damaged: TypeError"),
        ({"artefacts": [{"kind": "model"}]}, "damaged: KeyError: 'name'"),
    ],
)
def test_a_damaged_lock(change: dict[str, object], said: str) -> None:
    content = json.dumps({"format": 1, "artefacts": []} | change).encode()
    with pytest.raises(HubError) as caught:
        parse_lock(content, "hftoolkit.lock")
    assert str(caught.value).startswith(f"hftoolkit.lock: {said}")


GOOD = {
    "kind": "model",
    "name": "a/b",
    "revision": "main",
    "commit": "0" * 40,
    "files": {"config.json": {"size": 2, "sha256": "0" * 64}},
}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../../evil"},
        {"name": "a/b/../../c"},
        {"kind": "space"},
        {"revision": "../x"},
        {"commit": "../../x"},
        {"files": {"../../evil": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"/etc/passwd": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"C:\\evil": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"config.json": {"size": 1, "sha256": "../x"}}},
        {"files": {"config.json": {"size": -1, "sha256": "0" * 64}}},
        {"files": {".": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"a//b": {"size": 1, "sha256": "0" * 64}}},
    ],
)
def test_names_that_lead_elsewhere_are_refused(change: dict[str, object]) -> None:
    assert parse_lock(json.dumps({"format": 1, "artefacts": [GOOD]}).encode(), "x")
    with pytest.raises(HubError, match="x: damaged: ValueError"):
        parse_lock(json.dumps({"format": 1, "artefacts": [GOOD | change]}).encode(), "x")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"format": 1, "artefacts": [GOOD]}).encode("utf-16"),
        json.dumps({"format": 1, "artefacts": [GOOD]}).replace('"size": 2', '"size": 1e999').encode(),
    ],
)
def test_what_is_not_written_as_a_lock_is(content: bytes) -> None:
    with pytest.raises(HubError, match="x: damaged: "):
        parse_lock(content, "x")


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_whatever_it_holds_it_is_read_or_refused(content: bytes) -> None:
    with pytest.raises(HubError, match=r"^x: "):
        parse_lock(content, "x")
