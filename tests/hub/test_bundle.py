"""A bundle brings what is locked into the cache of another machine; whatever else a tar file may hold leads nowhere."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_server import COMMIT, Hub, allowed, serve

from hftoolkit.errors import HftoolkitError, HubError, OutputError
from hftoolkit.hub import resolve, using
from hftoolkit.hub.bundle import unbundle, write_bundle
from hftoolkit.hub.locking import lock_of, lock_text

DAMAGED = "  copy it again from where it was made"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    model, rows = tmp_path / "model", tmp_path / "rows"
    for folder, names in ((model, ("config.json", "tokenizer.json", "model.safetensors")), (rows, ("a/train.csv",))):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{name} of {folder.name}", encoding="utf-8")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with (
        allowed(tmp_path / "home", monkeypatch),
        serve(models={"acme/tiny": model}, datasets={"acme/rows": rows}) as running,
    ):
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


@pytest.fixture
def bundle(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Made with one cache; from now on there is another, and no network."""
    found = []
    for name, kind in (("acme/tiny", "model"), ("acme/rows", "dataset")):
        folder = resolve(name, kind=kind)  # type: ignore[arg-type]
        found.append((lock_of(kind, name, "main", folder, None), folder))
    path = tmp_path / "all.tar"
    write_bundle(path, lock_text([entry for entry, _ in found]), found)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "another"))
    hub.refusals["/"] = (500, "")
    return path


def changed(bundle: Path, change: Callable[[list[tuple[str, bytes, bytes]]], list[tuple[str, bytes, bytes]]]) -> Path:
    """The bundle with other members: name, content, type."""
    with tarfile.open(bundle) as tar:
        members = [(one.name, tar.extractfile(one).read(), one.type) for one in tar]  # type: ignore[union-attr]
    path = bundle.with_name("changed.tar")
    with tarfile.open(path, "w") as tar:
        for name, content, kind in change(members):
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            tar.addfile(info, io.BytesIO(content))
    return path


def refusal(path: Path, kind: type[HftoolkitError] = HubError) -> str:
    with pytest.raises(kind) as caught:
        unbundle(path)
    return str(caught.value)


def everything(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def test_what_was_packed_is_there_without_a_network(bundle: Path, tmp_path: Path) -> None:
    entries = unbundle(bundle)
    assert [one.name for one in entries] == ["acme/rows", "acme/tiny"]
    with using(offline=True):
        model, rows = resolve("acme/tiny"), resolve("acme/rows", kind="dataset")
    assert model.name == rows.name == COMMIT
    assert model.is_relative_to(tmp_path / "another")
    assert (model / "model.safetensors").read_text(encoding="utf-8") == "model.safetensors of model"
    assert (rows / "a" / "train.csv").read_text(encoding="utf-8") == "a/train.csv of rows"
    assert Path("hftoolkit.lock").is_file()
    assert not list((tmp_path / "another").rglob(".unbundle-*"))


def test_twice_is_as_good_as_once(bundle: Path) -> None:
    assert unbundle(bundle) == unbundle(bundle)


def test_a_file_that_was_damaged_is_replaced(bundle: Path) -> None:
    unbundle(bundle)
    file = resolve("acme/tiny") / "config.json"
    file.write_text("damaged", encoding="utf-8")
    unbundle(bundle)
    assert file.read_text(encoding="utf-8") == "config.json of model"


def test_no_such_file(tmp_path: Path) -> None:
    path = tmp_path / "none.tar"
    assert refusal(path) == (
        f"{path}: no such file\n  make it where there is a network:   hftoolkit prefetch RECIPE --bundle FILE.tar"
    )


@pytest.mark.parametrize("content", [b"", b"no tar file at all", b"\0" * 10240])
def test_what_is_no_bundle(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.tar"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: no bundle")


def test_cut_short(bundle: Path, tmp_path: Path) -> None:
    content = bundle.read_bytes()
    with tarfile.open(bundle) as tar:
        last = tar.getmembers()[-1]
    for length in range(0, last.offset_data + last.size, 700):
        path = tmp_path / "cut.tar"
        path.write_bytes(content[:length])
        assert refusal(path).startswith(f"{path}: ")
        assert not list((tmp_path / "another").rglob("snapshots"))


def test_a_missing_content(bundle: Path) -> None:
    path = changed(bundle, lambda members: members[:-1])
    assert refusal(path).endswith(f"is missing: the bundle was cut short\n{DAMAGED}")


def test_a_damaged_content(bundle: Path, tmp_path: Path) -> None:
    path = changed(bundle, lambda members: [*members[:-1], (members[-1][0], members[-1][1][::-1], members[-1][2])])
    said = refusal(path)
    assert said == f"{path}: {said.split()[1]} is damaged: its content has another SHA-256\n{DAMAGED}"
    assert not list((tmp_path / "another").rglob("snapshots"))


@pytest.mark.parametrize(
    "name", ["../../evil", "/evil", "files/../../evil", "files/" + "0" * 64, "listings/999.json", "hftoolkit.lock"]
)
def test_members_that_the_lock_does_not_name(bundle: Path, name: str, tmp_path: Path) -> None:
    before = everything(tmp_path)
    path = changed(bundle, lambda members: [*members, (name, b"evil", tarfile.REGTYPE)])
    assert refusal(path) == f"{path}: {name!r} is not what its lock says: this is no bundle\n{DAMAGED}"
    assert [one for one in everything(tmp_path) if one not in before and "another" not in one] == [str(path)]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE]
)
def test_links_and_devices_are_refused(bundle: Path, kind: bytes) -> None:
    path = changed(bundle, lambda members: [*members, ("files/x", b"", kind)])
    assert refusal(path) == f"{path}: 'files/x' is no plain file: this is no bundle\n{DAMAGED}"


def test_a_size_that_leads_back_is_refused(bundle: Path) -> None:
    """Python's tarfile would read the same member for ever (CVE-2025-8194)."""
    content = bundle.read_bytes()
    with tarfile.open(bundle) as tar:
        second = tar.getmembers()[1]
    header = bytearray(content[second.offset : second.offset + 512])
    header[124:136] = b"\xff" * 10 + (-512).to_bytes(2, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    path = bundle.with_name("changed.tar")
    path.write_bytes(content[: second.offset] + header + content[second.offset + 512 :])
    assert refusal(path).startswith(f"{path}: ")


def test_a_bundle_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: cannot be read: Is a directory\n{DAMAGED}"


def test_a_lock_that_leads_elsewhere(bundle: Path, tmp_path: Path) -> None:
    def elsewhere(members: list[tuple[str, bytes, bytes]]) -> list[tuple[str, bytes, bytes]]:
        lock = json.loads(members[0][1])
        files = lock["artefacts"][0]["files"]
        files["../../../../evil"] = files.pop("a/train.csv")
        return [("hftoolkit.lock", json.dumps(lock).encode(), tarfile.REGTYPE), *members[1:]]

    path = changed(bundle, elsewhere)
    assert refusal(path).startswith(f"{path}: hftoolkit.lock: damaged: ValueError: file '../../../../evil'")
    assert not (tmp_path / "evil").exists()


def test_another_lock_is_not_replaced(bundle: Path) -> None:
    Path("hftoolkit.lock").write_text("mine", encoding="utf-8")
    assert refusal(bundle, OutputError) == (
        "hftoolkit.lock: another lock is in this folder\n  move it away, or go to another folder first"
    )
    assert Path("hftoolkit.lock").read_text(encoding="utf-8") == "mine"
