"""From a name in a recipe to open files: one file, all below a folder, or those that a pattern matches.

A pattern has the wildcards of the shell: ``*`` and ``?`` for parts of a name, ``[abc]`` for one of some letters, ``**``
for folders at any depth. A name that exists is never a pattern. Hidden files are left out.
"""

import glob
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from hftoolkit.errors import DataError
from hftoolkit.hub import cache_folder, writing_cache

_CHUNK_BYTES = 1 << 20
_WILD = re.compile(r"\*+|\?|\[(!?)(\]?[^\]]*)\]")


@dataclass(frozen=True)
class File:
    """A file that a name in a recipe stands for."""

    path: Path
    name: str
    """Its path below the folder, or below the part of the pattern without wildcards; else its name."""

    matched: tuple[str, ...] = ()
    """What the wildcards of the pattern stand for; in a folder, the whole name."""


def is_pattern(name: str) -> bool:
    """Whether a name has wildcards, and is not simply that of a file or folder."""
    return bool(_WILD.search(name)) and not os.path.lexists(name)


def expand(name: str) -> list[File]:
    """The files that a name stands for, in order of their paths; where nothing is, the file that should be there.

    Raises:
        DataError: If a pattern matches no file, or a folder has none.
    """
    path = Path(name)
    if is_folder(path):
        found = _below(path)
        if not found:
            raise DataError(f"{path}: no file in this folder\n  name a folder with files, or a file")
        return found
    if not is_pattern(name):
        return [File(path, path.name)]
    found = _matching(path)
    if not found:
        raise DataError(
            f"{path}: no file matches this pattern\n"
            "  '*' is a part of a name, '**' are folders at any depth; paths count from the recipe file's folder"
        )
    return found


def is_folder(path: Path) -> bool:
    """Whether there is a folder; `Path.is_dir` raises where a name is too long, or a folder above may not be read."""
    return os.path.isdir(path)


def missing_file(path: Path) -> DataError:
    """The error for a path at which nothing is, with the nearest name that is there."""
    if not is_folder(path.parent):
        return DataError(f"{path}: no such file, nor such a folder\n  paths count from the recipe file's folder")
    with suppress(OSError):  # a folder that may be gone through, but not listed
        near = get_close_matches(path.name, os.listdir(path.parent), n=1)
        if near:
            return DataError(f"{path}: no such file\n  did you mean '{path.with_name(near[0])}'?")
    return DataError(f"{path}: no such file\n  paths count from the recipe file's folder")


def is_compressed(path: Path) -> bool:
    """Whether a file's name ends in ``.gz``."""
    return path.suffix.lower() == ".gz"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed as they are read where its name ends in ``.gz``.

    Raises:
        DataError: If there is no such file, it cannot be read, or what is compressed is damaged.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or is_folder(path)):
        # /dev/zero never ends, a pipe may never begin.
        raise DataError(f"{path}: a device or a pipe, expected a file\n  write what it gives into a file")
    try:
        with gzip.open(path, "rb") if is_compressed(path) else open(path, "rb") as file:
            yield cast(BinaryIO, file)
    except FileNotFoundError:
        raise missing_file(path) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: not gzip, damaged or cut off: {error}\n  copy or compress the file again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}\n  name a file that you may read") from error


@contextmanager
def opened_anywhere(path: Path) -> Iterator[BinaryIO]:
    """Like `opened`, for readers that jump about: what is compressed is decompressed into our cache first.

    Raises:
        DataError: As `opened` does.
        OutputError: If the cache cannot be written.
    """
    if not is_compressed(path):
        with opened(path) as file:
            yield file
        return
    folder = cache_folder()
    with ExitStack() as stack:
        with writing_cache(folder, f"what {path} unpacks to"):
            whole = stack.enter_context(TemporaryFile(dir=folder))
            whole.writelines(_chunks(path))
            whole.seek(0)
        yield cast(BinaryIO, whole)


def _chunks(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _below(folder: Path) -> list[File]:
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if not any(part.startswith(".") for part in parts) and path.is_file():
            found.append((parts, path))
    return [File(path, "/".join(parts), ("/".join(parts),)) for parts, path in sorted(found)]


def _matching(pattern: Path) -> list[File]:
    base, rest = _fixed(pattern)
    matched = re.compile(_groups(rest), re.IGNORECASE | re.DOTALL)  # `glob` has decided: here only the groups matter
    found = {}
    for name in glob.iglob(rest, root_dir=base, recursive=True):
        path = base / name
        groups = matched.fullmatch(Path(name).as_posix())
        if groups and path.is_file():
            found[Path(name).parts] = File(path, Path(name).as_posix(), groups.groups())
    return [file for _, file in sorted(found.items())]


def _fixed(pattern: Path) -> tuple[Path, str]:
    """The folders at the front that exist by their names, brackets and all, and the rest of the pattern."""
    base, *parts = pattern.parts
    here = Path(base)
    if not is_folder(here):
        here, parts = Path(), [base, *parts]
    while len(parts) > 1 and is_folder(here / parts[0]):
        here /= parts.pop(0)
    return here, "/".join(parts)


def _groups(pattern: str) -> str:
    """A regular expression for a pattern, with a group for every wildcard."""
    *folders, last = pattern.split("/")
    above = ["((?:[^/]+/)*)" if part == "**" else _of_name(part) + "/" for part in folders]
    return "".join(above) + ("(.*)" if last == "**" else _of_name(last))


def _of_name(part: str) -> str:
    found, end = "", 0
    for wild in _WILD.finditer(part):
        found += re.escape(part[end : wild.start()])
        if wild.group().startswith("*"):
            found += "([^/]*)"
        elif wild.group() == "?":
            found += "([^/])"
        else:
            found += f"([{'^' if wild.group(1) else ''}{re.escape(wild.group(2))}])".replace(r"\-", "-")
        end = wild.end()
    return found + re.escape(part[end:])
