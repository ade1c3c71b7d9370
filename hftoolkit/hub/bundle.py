"""A bundle: one tar file with a lock and all that it names, and how it comes into the cache of another machine.

    hftoolkit.lock           first, so that everything behind it is known
    listings/NUMBER.json     what the repository of that place in the lock has, as huggingface_hub notes it
    files/SHA256             contents

A member's name never becomes a path: contents go where the lock says, and the lock is read strictly.
"""

import io
import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from hftoolkit.errors import HubError, OutputError
from hftoolkit.hub.cached import remember_revision, repository_folder
from hftoolkit.hub.folders import hub_cache
from hftoolkit.hub.hashes import sha256
from hftoolkit.hub.locking import LARGEST, NAME, Locked, parse_lock, write_lock

_DAMAGED: Final = "  copy it again from where it was made"


def write_bundle(path: Path, lock: str, found: Sequence[tuple[Locked, Path]]) -> None:
    """Pack a lock and what it names.

    Args:
        path: File to write or replace.
        lock: Text of the lock.
        found: Its entries, each with its snapshot in the cache.

    Raises:
        OutputError: If it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.part")
    written: set[str] = set()
    ordered = {(one.kind, one.name, one.revision): (one, folder) for one, folder in found}
    try:
        with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, NAME, lock.encode())
            for number, one in enumerate(parse_lock(lock.encode(), NAME)):
                entry, folder = ordered[one.kind, one.name, one.revision]
                listing = folder.parent.parent / "trees" / f"{entry.commit}.json"
                if listing.is_file():
                    _add(tar, f"listings/{number}.json", listing.read_bytes())
                for file, facts in sorted(entry.files.items()):
                    if facts.sha256 not in written:
                        written.add(facts.sha256)
                        with open(folder / file, "rb") as content:
                            info = tarfile.TarInfo(f"files/{facts.sha256}")
                            info.size = facts.size
                            tar.addfile(info, content)
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}\n  make room, or name another file"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def unbundle(path: str | Path) -> tuple[Locked, ...]:
    """Put what a bundle holds into the hub's cache, and its lock into the current folder.

    Every content is compared with its hash before anything is put in its place.

    Args:
        path: A file of `hftoolkit.prefetch`.

    Returns:
        What is there now.

    Raises:
        HubError: If it is no bundle, damaged, or lacks something.
        OutputError: If the cache cannot be written, or another lock is in the current folder.
    """
    path = Path(path)
    cache = hub_cache()
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        if not path.exists():
            raise HubError(
                f"{path}: no such file\n"
                "  make it where there is a network:   hftoolkit prefetch RECIPE --bundle FILE.tar"
            ) from error
        raise HubError(f"{path}: cannot be read: {error.strerror}\n{_DAMAGED}") from error
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (
            tarfile.open(path, "r:") as tar,
            TemporaryDirectory(dir=cache, prefix=".unbundle-") as made,
        ):
            members = iter(tar)
            lock = _lock_in(tar, next(members, None), path)
            entries = parse_lock(lock, f"{path}: {NAME}")
            _check_free(lock)
            contents = Path(made)
            _unpack(tar, members, entries, contents, path)
            lost = [
                file for one in entries for file, facts in one.files.items() if not (contents / facts.sha256).is_file()
            ]
            if lost:
                raise HubError(f"{path}: {lost[0]} is missing: the bundle was cut short\n{_DAMAGED}")
            for number, entry in enumerate(entries):
                _place(entry, contents, contents / f"{number}.json")
    except (tarfile.TarError, EOFError) as error:
        raise HubError(f"{path}: no bundle, or damaged: {error}\n{_DAMAGED}") from error
    except OSError as error:
        raise OutputError(
            f"{cache}: cannot be written: {error.strerror or error}\n  make room, or name another folder in HF_HOME"
        ) from error
    write_lock(lock.decode("utf-8"), Path(NAME))
    return entries


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _lock_in(tar: tarfile.TarFile, first: tarfile.TarInfo | None, path: Path) -> bytes:
    if first is None or first.name != NAME or not first.isfile() or not 0 <= first.size <= LARGEST:
        raise HubError(f"{path}: no bundle: it does not begin with {NAME}\n{_DAMAGED}")
    return _open(tar, first).read()


def _check_free(lock: bytes) -> None:
    try:
        there = Path(NAME).read_bytes()
    except OSError:
        return
    if there != lock:
        raise OutputError(f"{NAME}: another lock is in this folder\n  move it away, or go to another folder first")


def _unpack(
    tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo], entries: Sequence[Locked], folder: Path, path: Path
) -> None:
    """Contents and listings into a folder, each under a name of ours; what the lock does not name is left."""
    sizes = {facts.sha256: facts.size for one in entries for facts in one.files.values()}
    end = 0
    for member in members:
        content = re.fullmatch(r"files/([0-9a-f]{64})", member.name)
        listing = re.fullmatch(r"listings/([0-9]{1,6})\.json", member.name)
        # A crafted size leads Python's tarfile back to where it has been, and a sparse file out of all bounds.
        if not member.isfile() or member.issparse() or member.size < 0 or member.offset < end:
            raise HubError(f"{path}: {member.name!r} is no plain file: this is no bundle\n{_DAMAGED}")
        end = member.offset_data + member.size
        if content and sizes.get(content[1]) == member.size:
            target = folder / content[1]
            with open(target, "wb") as file:
                shutil.copyfileobj(_open(tar, member), file, 1 << 20)
            if sha256(target) != content[1]:
                raise HubError(f"{path}: {member.name} is damaged: its content has another SHA-256\n{_DAMAGED}")
        elif listing and int(listing[1]) < len(entries) and member.size <= LARGEST:
            (folder / f"{int(listing[1])}.json").write_bytes(_open(tar, member).read())
        else:
            raise HubError(f"{path}: {member.name!r} is not what its lock says: this is no bundle\n{_DAMAGED}")


def _open(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name!r} is no plain file")
    return content


def _place(entry: Locked, contents: Path, listing: Path) -> None:
    """Contents into a snapshot; files that are there already with this content stay."""
    repository = repository_folder(entry.name, entry.kind)
    snapshot = repository / "snapshots" / entry.commit
    for file, facts in entry.files.items():
        target = snapshot / file
        if target.is_file() and target.stat().st_size == facts.size and sha256(target) == facts.sha256:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = target.with_name(f".{target.name}.part")
        shutil.copyfile(contents / facts.sha256, copy)
        os.replace(copy, target)
    if listing.is_file():
        noted = repository / "trees" / f"{entry.commit}.json"
        noted.parent.mkdir(parents=True, exist_ok=True)
        os.replace(listing, noted)
    remember_revision(entry.name, entry.revision, entry.kind, entry.commit)
