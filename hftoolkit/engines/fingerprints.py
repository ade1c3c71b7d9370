"""Hashes of large files, remembered: reading 300 MB at every start would take longer than a translation."""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hftoolkit.hub import cache_folder

_SETTLED = 2_000_000_000
"""Nanoseconds for which a file has to be left alone before its hash is remembered: clocks of file systems tick slowly,
and within a tick a file may change without a trace."""


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's content.

    It is taken from memory where path, size, inode and both times of the file are what they were. A copy that keeps the
    time of modification still changes the other one.
    """
    note = _note(path)
    facts = _facts(path)
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["facts"] == facts:
            return str(known["sha256"])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if facts == _facts(path) and max(facts[2:]) < time.time_ns() - _SETTLED:
        with suppress(OSError):  # it is only remembered
            _write(note, json.dumps({"path": str(path), "facts": facts, "sha256": digest}))
    return digest


def _facts(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns]


def _note(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    return cache_folder() / "fingerprints" / f"{name}.json"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def fingerprint_of_all(folders: Sequence[Path], names: Sequence[str], *more: str) -> str:
    """One hash of the named files, as far as they are there, of several folders, and of something more."""
    parts = [[[name, fingerprint(folder / name)] for name in names if (folder / name).is_file()] for folder in folders]
    return hashlib.sha256(json.dumps([parts, *more]).encode()).hexdigest()[:32]
