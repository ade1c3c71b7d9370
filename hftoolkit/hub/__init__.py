"""The name of a model or data set -> a folder on disk."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hftoolkit.errors import HubError, UsageError
from hftoolkit.hub.builtin import NAME as BUILTIN
from hftoolkit.hub.builtin import builtin_folder
from hftoolkit.hub.cached import cached_snapshot
from hftoolkit.hub.folders import cache_folder, writing_cache
from hftoolkit.hub.packages import package_folder
from hftoolkit.hub.remote import endpoint, fetch, offline

__all__ = ["BUILTIN", "cache_folder", "endpoint", "find", "offline", "resolve", "writing_cache"]

Kind = Literal["model", "dataset"]


def resolve(
    name: str,
    revision: str = "main",
    kind: Kind = "model",
    *,
    files: Sequence[str] | None = None,
    timeout: float = 5.0,
) -> Path:
    """Find the folder that holds a model or data set, downloading it only where it is nowhere on this machine.

    In this order: ``demo``, the built-in model; ``package:NAME/FOLDER``; an existing folder; a complete copy in the
    hub's cache, which is used without any connection; the endpoint (``HF_ENDPOINT``, otherwise https://huggingface.co),
    which is asked once before anything is downloaded.

    Args:
        name: Folder, ``package:NAME/FOLDER``, hub id, or ``demo``; a folder of that name is ``./demo``.
        revision: Branch, tag or commit of a hub id.
        kind: Whether a hub id names a model or a data set.
        files: Patterns of the files wanted, such as ``*.parquet``. Left out: of a model the configuration, the
            tokenizer and the weights in one format, of a data set everything.
        timeout: Seconds in which the endpoint has to answer.

    Raises:
        UsageError: If the name can be neither a folder nor a hub id.
        HubError: If the package, the endpoint or the repository does not give it; the message says why.
    """
    found = find(name, revision, kind, files=files)
    if found is not None:
        return found
    try:
        return fetch(name, revision, kind, files, timeout)
    except HubError as error:
        if "/" in name and Path(name).expanduser().parent.is_dir():  # what was meant may well be a folder
            raise HubError(f"there is no folder {name!r}, and as a hub id: {error}") from error
        raise


def find(name: str, revision: str = "main", kind: Kind = "model", *, files: Sequence[str] | None = None) -> Path | None:
    """Where a model or data set lies on this machine, without any connection; None where it has to be downloaded.

    Args:
        name: As for `resolve`.
        revision: As for `resolve`.
        kind: As for `resolve`.
        files: As for `resolve`.

    Raises:
        UsageError: If the name can be neither a folder nor a hub id.
        HubError: If a package does not give it, or the built-in model is not there.
    """
    # For a repository without safetensors transformers would tell a service outside the endpoint what is loaded, and
    # send the user's token along.
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    if name == BUILTIN and kind == "model":
        return builtin_folder()
    if name.startswith("package:"):
        return package_folder(name)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder
    _check_hub_id(name, revision)
    return cached_snapshot(name, revision, kind, files)


def _check_hub_id(name: str, revision: str) -> None:
    if not re.fullmatch(r"(\w[\w.-]*/)?\w[\w.-]*", name, re.ASCII) or ".." in name or "--" in name:
        hint = "\n  expected a folder, a hub id such as Helsinki-NLP/opus-mt-en-zh, or package:NAME/FOLDER"
        raise UsageError(f"there is no folder {name!r}, and it is no hub id{hint}")
    if not re.fullmatch(r"\w[\w.-]*(/[\w.-]+)*", revision, re.ASCII) or ".." in revision:
        raise UsageError(f"{name!r}: {revision!r} is no revision\n  expected a branch, a tag or a commit")
