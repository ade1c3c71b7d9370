"""Names that come from users, hubs, locks and archives: none of them becomes a path outside the cache."""

import re
from pathlib import PurePosixPath


def is_hub_id(name: str) -> bool:
    """Whether a text can be the name of a repository: ``ORG/NAME``, or ``NAME`` alone."""
    return bool(re.fullmatch(r"(\w[\w.-]*/)?\w[\w.-]*", name, re.ASCII)) and ".." not in name and "--" not in name


def is_revision(revision: str) -> bool:
    """Whether a text can be a branch, a tag or a commit."""
    return bool(re.fullmatch(r"\w[\w.-]*(/[\w.-]+)*", revision, re.ASCII)) and ".." not in revision


def is_commit(revision: str) -> bool:
    """Whether a text is a whole commit, which never stands for something else."""
    return bool(re.fullmatch(r"[0-9a-f]{40}", revision))


def stays_inside(file: str) -> bool:
    """Whether a name is that of a file in a folder or below it, on every system."""
    path = PurePosixPath(file)
    return (
        str(path) == file != "."
        and not path.is_absolute()
        and ".." not in path.parts
        and not {"\\", ":", "\0"} & set(file)
    )
