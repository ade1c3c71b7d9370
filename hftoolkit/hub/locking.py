"""``hftoolkit.lock``: what recipes need from the hub, by commit and hash, so that it is the same everywhere."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hftoolkit.errors import HubError, OutputError
from hftoolkit.hub.choice import choose
from hftoolkit.hub.hashes import sha256
from hftoolkit.hub.names import is_commit, is_hub_id, is_revision, stays_inside

NAME: Final = "hftoolkit.lock"
"""Looked for in the current folder."""

FORMAT: Final = 1
LARGEST: Final = 50_000_000
"""Bytes of a lock; what is larger is none."""

_AGAIN = "  if that is meant, write it anew:   hftoolkit prefetch RECIPE"


@dataclass(frozen=True)
class LockedFile:
    """A file of a repository."""

    size: int
    """Bytes."""

    sha256: str
    """In hex."""


@dataclass(frozen=True)
class Locked:
    """A repository as it was when the lock was written."""

    kind: str
    """`model` or `dataset`."""

    name: str
    """Hub id."""

    revision: str
    """Branch, tag or commit, as recipes say it."""

    commit: str
    """What that stood for."""

    files: dict[str, LockedFile]
    """Path in the repository to what lies there; those that are used."""


_ignored = False


@contextmanager
def unlocked() -> Iterator[None]:
    """The lock in the current folder does not count until the block ends, at which a new one may be written."""
    global _ignored
    before, _ignored = _ignored, True
    try:
        yield
    finally:
        _ignored = before


def locked(name: str, revision: str, kind: str) -> Locked | None:
    """What the lock in the current folder says of a repository; None where there is no lock, or nothing in it.

    Raises:
        HubError: If the lock is damaged.
    """
    try:
        changed = os.stat(NAME)
    except OSError:
        return None
    if _ignored:
        return None
    found = _read(os.path.abspath(NAME), changed.st_mtime_ns, changed.st_size)
    return next((one for one in found if (one.kind, one.name, one.revision) == (kind, name, revision)), None)


@lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> tuple[Locked, ...]:
    if size > LARGEST:
        raise HubError(f"{NAME}: {size:,} bytes, too many for a lock\n{_AGAIN}")
    try:
        with open(path, "rb") as file:
            return parse_lock(file.read(), NAME)
    except OSError as error:
        raise HubError(f"{NAME}: cannot be read: {error.strerror}\n{_AGAIN}") from error


def parse_lock(content: bytes, name: str) -> tuple[Locked, ...]:
    """The entries of a lock.

    Args:
        content: Its bytes.
        name: What errors call it.

    Raises:
        HubError: If it is damaged, or names what could lead out of the cache.
    """
    try:
        value = json.loads(content.decode("utf-8"))
        if value["format"] != FORMAT:
            raise HubError(f"{name}: format {value['format']}, expected {FORMAT}\n  use the version that wrote it")
        return tuple(_entry(one) for one in value["artefacts"])
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise HubError(f"{name}: damaged: {type(error).__name__}: {error}\n{_AGAIN}") from error


def lock_text(entries: Sequence[Locked]) -> str:
    """A lock as it is written: one line a file, in order, so that two can be compared."""
    artefacts = [
        {
            "kind": one.kind,
            "name": one.name,
            "revision": one.revision,
            "commit": one.commit,
            "files": {path: {"size": file.size, "sha256": file.sha256} for path, file in sorted(one.files.items())},
        }
        for one in sorted(entries, key=lambda one: (one.kind, one.name, one.revision))
    ]
    return json.dumps({"format": FORMAT, "artefacts": artefacts}, indent=1, ensure_ascii=False) + "\n"


def write_lock(text: str, path: Path) -> None:
    """Write a lock, whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror}\n  go to another folder first") from error


def lock_of(kind: str, name: str, revision: str, folder: Path, patterns: Sequence[str] | None) -> Locked:
    """What a lock says of a repository in the cache.

    Args:
        kind: `model` or `dataset`.
        name: Hub id.
        revision: Branch, tag or commit.
        folder: Its snapshot.
        patterns: Of the files that are used; None: those that are always.
    """
    files = {
        path: LockedFile((folder / path).stat().st_size, sha256(folder / path))
        for path in _used(folder, kind, patterns)
    }
    return Locked(kind, name, revision, folder.name, files)


def check_locked(entry: Locked, folder: Path, patterns: Sequence[str] | None) -> None:
    """Compare a repository in the cache with the lock.

    Raises:
        HubError: If a file that is used has another content or is missing, or the lock does not know it.
    """
    for path in choose(entry.files, entry.kind, patterns):
        if not (folder / path).is_file():
            raise HubError(f"{entry.name!r}: {path} is missing, which {NAME} names\n{_AGAIN}")
    for path in _used(folder, entry.kind, patterns):
        file, promised = folder / path, entry.files.get(path)
        if promised is None:
            raise HubError(f"{entry.name!r}: {path} is not in {NAME}, which names this {entry.kind}\n{_AGAIN}")
        facts = file.stat()
        if facts.st_size != promised.size or _hash(file, facts.st_mtime_ns) != promised.sha256:
            raise HubError(
                f"{entry.name!r}: {file} is not what {NAME} says: it was changed, or is damaged\n"
                f"  to fetch it again, delete that file (and what it is a link to)\n{_AGAIN}"
            )


@lru_cache(maxsize=1024)
def _hash(path: Path, changed: int) -> str:
    return sha256(path)


def _used(folder: Path, kind: str, patterns: Sequence[str] | None) -> list[str]:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return choose(there, kind, patterns)


def _entry(value: dict[str, Any]) -> Locked:
    kind, name, revision, commit = (str(value[key]) for key in ("kind", "name", "revision", "commit"))
    if kind not in ("model", "dataset") or not is_hub_id(name) or not is_revision(revision):
        raise ValueError(f"{kind} {name!r} at {revision!r}")
    if not is_commit(commit):
        raise ValueError(f"commit {commit!r}")
    files = {path: LockedFile(int(one["size"]), str(one["sha256"])) for path, one in value["files"].items()}
    for path, file in files.items():
        if not stays_inside(path) or not re.fullmatch(r"[0-9a-f]{64}", file.sha256) or file.size < 0:
            raise ValueError(f"file {path!r}")
    return Locked(kind, name, revision, commit, files)
