"""From which folder the paths of a recipe are counted.

In a recipe file they are relative to that file, so that it can be moved together with its data. Behind the reader they
are relative to the current folder, so that they can simply be opened, and have the user's own folder in the place of
``~``. What could be a hub id is a path only where such a file or folder exists; a path that could be taken for a hub id
is written with ``./`` in front.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftoolkit.recipe.parsing import KeyPath
from hftoolkit.recipe.schema import Data, Model, Recipe, ScratchDecoder, Source, Split

_HUB_MODEL = re.compile(r"[^./\\][^/\\]*(/[^./\\][^/\\]*)?")
_HUB_DATA = re.compile(r"[^./\\*?\[][^/\\*?\[]*/[^./\\*?\[][^/\\*?\[]*")  # wildcards make a pattern for files
_DATA_FILE = re.compile(r".*\.(jsonl?|ndjson|csv|tsv|tab|parquet|pot?|tmx|xlf|xliff|txt|gz)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class _Kind:
    """How a path is told from a name of something else."""

    only_a_path: Callable[[str], bool]
    """The text alone says that it is a path."""

    exists: Callable[[str], bool]
    """There is what the text would name, if it were a path."""


_FOLDER = _Kind(lambda text: not _HUB_MODEL.fullmatch(text), os.path.isdir)
_ROWS = _Kind(lambda text: bool(_DATA_FILE.fullmatch(text)) or not _HUB_DATA.fullmatch(text), os.path.exists)
_FILE = _Kind(lambda text: True, os.path.exists)


def moved(recipe: Recipe, start_of: Callable[[KeyPath], Path], end: Path) -> Recipe:
    """Rewrite every relative path so that it names the same file from another folder, and ``~`` in front of one.

    Args:
        recipe: Its paths are counted from ``start_of``.
        start_of: The folder that the path at this key is counted from now.
        end: The folder it shall be counted from.
    """

    def move(text: str, at: KeyPath, kind: _Kind) -> str:
        text = os.path.expanduser(text)
        if os.path.isabs(text) or text.startswith("package:"):
            return text
        where = os.path.join(start_of(at), text)
        if not (kind.only_a_path(text) or kind.exists(where)):
            return text
        try:
            relative = Path(os.path.relpath(where, end)).as_posix()
        except ValueError:  # on another drive of Windows
            return Path(os.path.abspath(where)).as_posix()
        return relative if kind.only_a_path(relative) and not relative.startswith("~") else f"./{relative}"

    def source(part: Source | Split, *at: str | int) -> Any:
        if isinstance(part, Split):
            return part
        changes: dict[str, Any] = {}
        if part.source is not None:
            kind = _ROWS if part.format is None else _FOLDER if part.format == "hub" else _FILE
            changes["source"] = move(part.source, (*at, "source"), kind)
        if part.files is not None:
            changes["files"] = {
                role: move(files, (*at, "files", role), _FILE)
                if isinstance(files, str)
                else [move(file, (*at, "files", role, number), _FILE) for number, file in enumerate(files)]
                for role, files in part.files.items()
            }
        return part.model_copy(update=changes)

    def model(part: Model) -> Model:
        name = None if part.name is None else move(part.name, ("model", "name"), _FOLDER)
        sizes = part.scratch
        if isinstance(sizes, ScratchDecoder) and sizes.tokenizer is not None:
            named = move(sizes.tokenizer, ("model", "scratch", "tokenizer"), _FOLDER)
            sizes = sizes.model_copy(update={"tokenizer": named})
        return part.model_copy(update={"name": name, "scratch": sizes})

    def data(part: Data) -> Data:
        changes = {
            "train": [source(rows, "data", "train", number) for number, rows in enumerate(part.train)],
            "validation": source(part.validation, "data", "validation"),
            "test": {name: source(rows, "data", "test", name) for name, rows in part.test.items()},
        }
        return part.model_copy(update=changes)

    changes = {"model": model(recipe.model), "data": data(recipe.data), "output": os.path.expanduser(recipe.output)}
    return recipe.model_copy(update=changes)
