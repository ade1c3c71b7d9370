"""Files that are written piece by piece: complete or not there, and an interrupted writing can be gone on with."""

import contextlib
import json
import os
import time
from collections.abc import Sequence
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from hftoolkit.errors import OutputError

_EVERY: Final = 2.0
"""Seconds between two notes of how far it got."""


class Unfinished:
    """Some files that grow together; leaving the ``with`` block without an error puts them in their places.

    Until then they are hidden files beside them, and a note says how many pieces they hold.

    Args:
        paths: The files, the first of which is asked about in messages.
        key: What the files are made of; a writing that was interrupted is gone on with only for the same.
        resume: Go on with an interrupted one; where there is none, begin.
        overwrite: Replace files that are there.

    Raises:
        OutputError: If a file is there and may not be replaced, or is a folder or a device, an interrupted writing is
            there and may not be gone on with or belongs to something else, or a file cannot be written.
    """

    def __init__(self, paths: Sequence[Path], key: str, *, resume: bool = False, overwrite: bool = False) -> None:
        for path in paths:
            if path.exists() and not path.is_file():  # what is a device would be replaced by a file
                what = "a folder" if path.is_dir() else "no regular file"
                raise OutputError(f"{path}: is {what}, expected the name of a file\n  choose another name")
        self.paths = paths
        self.pieces = 0
        """Pieces that are written."""
        self._key = key
        self._note = paths[0].with_name(f".{paths[0].name}.unfinished.json")
        self._noted = time.monotonic()
        lengths = self._resumed(resume, overwrite)
        self._files: list[BufferedRandom] = []
        for path, length in zip(paths, lengths, strict=True):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                file = open(_hidden(path), "r+b" if length else "w+b")  # noqa: SIM115 - closed in __exit__
                self._files.append(file)
                file.seek(length)
                file.truncate()
            except OSError as error:
                for opened in self._files:
                    opened.close()
                raise _cannot_write(path, error) from error

    def __enter__(self) -> "Unfinished":
        return self

    def write(self, contents: Sequence[bytes]) -> None:
        """Add one piece: what it adds to each of the files."""
        for path, file, content in zip(self.paths, self._files, contents, strict=True):
            try:
                file.write(content)
            except OSError as error:
                raise _cannot_write(path, error) from error
        self.pieces += 1
        if time.monotonic() - self._noted > _EVERY:
            self._take_note()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is not None and not self.pieces:
                self._close(keep=False)
            elif kind is not None:
                self._take_note()
                self._close(keep=True)
            else:
                self._close(keep=True)
                for path in self.paths:
                    os.replace(_hidden(path), path)
                self._note.unlink(missing_ok=True)
        except OSError as trouble:
            if error is None:
                raise _cannot_write(self.paths[0], trouble) from trouble

    def _resumed(self, resume: bool, overwrite: bool) -> list[int]:
        """Bytes of every file that are gone on with."""
        note = self._read_note()
        if resume and note is not None:
            if note["key"] != self._key or len(note["bytes"]) != len(self.paths):
                raise OutputError(
                    f"{self.paths[0]}: what was begun here was of another file, model or setting\n"
                    "  give the same ones again, or begin anew:  --overwrite instead of --resume"
                )
            self.pieces = note["pieces"]
            return list(note["bytes"])
        if note is not None and not overwrite:
            raise OutputError(
                f"{self.paths[0]}: was begun and interrupted after {note['pieces']:,} pieces\n"
                "  go on:  --resume\n  begin anew:  --overwrite"
            )
        for path in self.paths:
            if path.exists() and not overwrite:
                raise OutputError(f"{path}: exists already\n  choose another name, or replace it:  --overwrite")
        return [0] * len(self.paths)

    def _read_note(self) -> dict[str, Any] | None:
        try:
            note: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        whole = all(
            _hidden(path).is_file() and _hidden(path).stat().st_size >= length
            for path, length in zip(self.paths, note["bytes"], strict=False)
        )
        return note if whole else None

    def _take_note(self) -> None:
        """Say how far it got, once that is on the disk."""
        self._noted = time.monotonic()
        try:
            for file in self._files:
                file.flush()
            note = {"key": self._key, "pieces": self.pieces, "bytes": [file.tell() for file in self._files]}
            temporary = self._note.with_name(f"{self._note.name}.{os.getpid()}")
            temporary.write_text(json.dumps(note), encoding="utf-8")
            os.replace(temporary, self._note)
        except OSError as error:
            raise _cannot_write(self.paths[0], error) from error

    def _close(self, *, keep: bool) -> None:
        with contextlib.ExitStack() as stack:  # each, whatever becomes of the others
            for path, file in zip(self.paths, self._files, strict=True):
                if not keep:
                    stack.callback(_hidden(path).unlink, missing_ok=True)
                stack.callback(file.close)


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.unfinished")


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be written: {error.strerror or error}\n  make room, or choose another place for it"
    )
