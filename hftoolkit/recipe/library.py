"""The recipes that come with the program."""

import os
import shutil
import tempfile
from difflib import get_close_matches
from pathlib import Path

from hftoolkit.errors import UsageError

_PACKAGE = Path(__file__).parent.parent


def names() -> list[str]:
    """Give the names of the built-in recipes in order of the alphabet."""
    return sorted(file.stem for file in _folder().glob("*.yaml"))


def find(name: str) -> Path:
    """Give the file of a built-in recipe.

    Raises:
        UsageError: If there is none of this name.
    """
    known = names()
    if name in known:
        return _folder() / f"{name}.yaml"
    close = get_close_matches(name, known, n=1)
    meant = f"; did you mean '{close[0]}'?" if close else ""
    raise UsageError(f"no built-in recipe '{name}'{meant}\n  to see them all:   hftoolkit recipes list")


def header(name: str) -> str:
    """Give what a built-in recipe is for: the first line of its comment."""
    with open(find(name), encoding="utf-8") as file:
        return file.readline().removeprefix("#").strip()


def copy(name: str, folder: str | Path = ".") -> list[Path]:
    """Copy a built-in recipe, and the data that belongs to it, to be changed.

    Args:
        name: Name of the recipe.
        folder: Where to; made if it is not there.

    Returns:
        The copied recipe, then its folder of data if it has one.

    Raises:
        UsageError: If there is no such recipe, or something in the way.
    """
    file, folder = find(name), Path(folder)
    origins = [part for part in (file, file.with_suffix("")) if part.exists()]
    shared = file.with_name(name.partition("-")[0])
    if shared.is_dir() and shared not in origins and not (folder / shared.name).exists():
        origins.append(shared)  # of several recipes: another one may have brought it
    copies = [folder / origin.name for origin in origins]
    for there in copies:
        if there.exists():
            raise UsageError(f"{there}: exists already\n  another folder:   hftoolkit recipes copy {name} FOLDER")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder}: a file, expected a folder\n  name another one, or move the file") from error
    with tempfile.TemporaryDirectory(dir=folder, prefix=".copying-") as temporary:
        for origin, there in reversed(list(zip(origins, copies, strict=True))):
            whole = Path(temporary) / origin.name
            if origin.is_dir():
                shutil.copytree(origin, whole)
            else:
                shutil.copyfile(origin, whole)
            os.replace(whole, there)
    return copies


def _folder() -> Path:
    """In a wheel the recipes lie inside the package, in a checkout beside it."""
    inside = _PACKAGE / "_recipes"
    return inside if inside.is_dir() else _PACKAGE.parent / "recipes"
