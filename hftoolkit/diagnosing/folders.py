"""Where things are kept: the caches and the current folder, their size, their room, whether they can be written."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hftoolkit.diagnosing.diagnosis import Finding, State
from hftoolkit.hub import cache_folder, offline
from hftoolkit.hub.folders import hub_cache
from hftoolkit.reports.wording import counted, memory

_SECONDS: Final = 1.0
"""In which the files of a folder are counted; of a larger one it is said that there are more."""

_LITTLE: Final = 2 << 30
"""Bytes below which room is scarce: a translator of 300 MB lies in the cache twice, and in a run several times."""


def folders() -> Iterator[Finding]:
    """The hub's cache, our own, and the current folder, where runs are written.

    Raises:
        OutputError: If our own cache cannot be made.
    """
    hub = hub_cache()
    # Where nothing is to be downloaded a cache may well be one that somebody else has filled.
    yield _folder("hub cache", hub, "HF_HOME", _repositories(hub), needed="note" if offline() else "problem")
    yield _folder("current folder", Path.cwd(), "", "", needed="note")
    ours = cache_folder()
    yield _folder("own cache", ours, "HFTOOLKIT_CACHE", _size(ours), needed="problem")


def _folder(name: str, folder: Path, variable: str, held: str, *, needed: State) -> Finding:
    """A folder as it is.

    Args:
        name: What it is, in words.
        folder: It need not be there yet.
        variable: Says that it is elsewhere; may be empty.
        held: What is in it, in words; may be empty.
        needed: The state of a folder that cannot be written.
    """
    place = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    text = ", ".join(filter(None, [str(folder), held, f"{memory(free)} free"]))
    if why := _not_writable(place):
        elsewhere = f", or name another one:  {variable}=FOLDER hftoolkit ..." if variable else ""
        return Finding(name, f"{text}; cannot be written: {why}", needed, f"let this user write there{elsewhere}")
    if free < _LITTLE:
        return Finding(name, f"{text}, which is little", "note", "make room")
    return Finding(name, text)


def _not_writable(folder: Path) -> str:
    """Why nothing can be written into a folder; empty if it can."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as trial:
            trial.write(b"x")
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _repositories(cache: Path) -> str:
    if not cache.is_dir():
        return "nothing there yet"
    models, datasets = (sum(1 for _ in cache.glob(f"{kind}s--*")) for kind in ("model", "dataset"))
    return f"{counted(models, 'model')}, {counted(datasets, 'data set')}, {_size(cache)}"


def _size(folder: Path) -> str:
    """Bytes of all files below a folder, links left out."""
    until, total, waiting = time.monotonic() + _SECONDS, 0, [str(folder)]
    while waiting:
        if time.monotonic() > until:
            return f"over {memory(total)}"
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # not for us to read, or gone by now
            continue
    return memory(total)
