"""The name of a model or data set -> a folder on disk."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hftoolkit.errors import HubError, UsageError
from hftoolkit.hub.builtin import NAME as BUILTIN
from hftoolkit.hub.builtin import builtin_folder
from hftoolkit.hub.cached import cached_snapshot
from hftoolkit.hub.folders import cache_folder, writing_cache
from hftoolkit.hub.locking import check_locked, locked, unlocked
from hftoolkit.hub.names import is_commit, is_hub_id, is_revision
from hftoolkit.hub.packages import package_folder
from hftoolkit.hub.settings import endpoint, of_recipe, offline, shown, tell_nobody, to_be_asked_again, using

__all__ = [
    "BUILTIN",
    "cache_folder",
    "endpoint",
    "find",
    "in_cache",
    "of_recipe",
    "offline",
    "resolve",
    "shown",
    "unlocked",
    "using",
    "writing_cache",
]

Kind = Literal["model", "dataset"]


def resolve(
    name: str,
    revision: str = "main",
    kind: Kind = "model",
    *,
    files: Sequence[str] | None = None,
    timeout: float = 3.5,
) -> Path:
    """Find the folder that holds a model or data set, downloading it only where it is nowhere on this machine.

    In this order: ``demo``, the built-in model; ``package:NAME/FOLDER``; an existing folder; a complete copy in the
    hub's cache, which is used without any connection; the endpoint (``HF_ENDPOINT``, otherwise https://huggingface.co),
    which is asked once before anything is downloaded. What ``hftoolkit.lock`` in the current folder names has to be
    what it says.

    Args:
        name: Folder, ``package:NAME/FOLDER``, hub id, or ``demo``; a folder of that name is ``./demo``.
        revision: Branch, tag or commit of a hub id.
        kind: Whether a hub id names a model or a data set.
        files: Patterns of the files wanted, such as ``*.parquet``. Left out: of a model the configuration, the
            tokenizer and the weights in one format, of a data set everything.
        timeout: Seconds in which the endpoint has to answer.

    Raises:
        UsageError: If the name can be neither a folder nor a hub id, or a newer copy is wanted without a connection.
        HubError: If the package, the endpoint or the repository does not give it; the message says why.
    """
    found = find(name, revision, kind, files=files)
    if found is not None and (not in_cache(found) or not _newer_wanted(name, revision, kind)):
        return found

    from hftoolkit.hub.remote import fetch  # loads what translating with a model that is there does not need

    entry = locked(name, revision, kind)
    try:
        folder = fetch(name, revision if entry is None else entry.commit, kind, files, timeout)
    except HubError as error:
        if "/" in name and os.path.isdir(os.path.dirname(os.path.expanduser(name))):  # may well be meant as a folder
            raise HubError(f"there is no folder {name!r}, and as a hub id: {error}") from error
        raise
    if entry is not None:
        check_locked(entry, folder, files)
    return folder


def _newer_wanted(name: str, revision: str, kind: Kind) -> bool:
    """Whether a copy in the cache may be old: not where a commit is named, which never changes."""
    if is_commit(revision) or locked(name, revision, kind) or not to_be_asked_again(name, revision, kind):
        return False
    if offline():
        raise UsageError(
            f"{name!r}: a newer copy is asked for (--refresh) where no connection is allowed\n"
            "  leave out --refresh, or --offline and HF_HUB_OFFLINE"
        )
    return True


def find(name: str, revision: str = "main", kind: Kind = "model", *, files: Sequence[str] | None = None) -> Path | None:
    """Where a model or data set lies on this machine, without any connection; None where it has to be downloaded.

    Args:
        name: As for `resolve`.
        revision: As for `resolve`.
        kind: As for `resolve`.
        files: As for `resolve`.

    Raises:
        UsageError: If the name can be neither a folder nor a hub id.
        HubError: If a package does not give it, the built-in model is not there, or it is not what is locked.
    """
    tell_nobody()
    if name == BUILTIN and kind == "model":
        return builtin_folder()
    if name.startswith("package:"):
        return package_folder(name)
    folder = Path(os.path.expanduser(name))
    if name and os.path.isdir(folder):  # False for a name that is too long, where Path raises
        return folder
    _check_hub_id(name, revision)
    entry = locked(name, revision, kind)
    snapshot = cached_snapshot(name, revision if entry is None else entry.commit, kind, files)
    if snapshot is not None and entry is not None:
        check_locked(entry, snapshot, files)
    return snapshot


def in_cache(folder: Path) -> bool:
    """Whether a folder that was found lies in the hub's cache, under the name of its commit."""
    return folder.parent.name == "snapshots" and is_commit(folder.name)


def _check_hub_id(name: str, revision: str) -> None:
    if not is_hub_id(name):
        hint = "\n  expected a folder, a hub id such as Helsinki-NLP/opus-mt-en-zh, or package:NAME/FOLDER"
        raise UsageError(f"there is no folder {name!r}, and it is no hub id{hint}")
    if not is_revision(revision):
        raise UsageError(f"{name!r}: {revision!r} is no revision\n  expected a branch, a tag or a commit")
