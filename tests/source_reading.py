"""What a reader makes of a source."""

from pathlib import Path
from typing import Any

from hftoolkit.data.census import Census
from hftoolkit.data.sources import read
from hftoolkit.recipe.schema import Source

ROLES = ("source", "target")


def rows_of(roles: tuple[str, ...] = ROLES, **keys: Any) -> list[dict[str, Any]]:
    """All rows of a source, given as in a recipe."""
    return read_all(roles, **keys)[0]


def read_all(roles: tuple[str, ...] = ROLES, **keys: Any) -> tuple[list[dict[str, Any]], Census, list[str]]:
    """Rows, census and places."""
    source = Source.model_validate(keys)
    census = Census("test")
    raws = list(read(source, roles, census))
    return [row for row, _, _ in raws], census, [f"{place} {number}" for _, place, number in raws]


def write(path: Path, text: str, encoding: str = "utf-8") -> str:
    """Write exactly this text; returns the path as a recipe would say it."""
    path.write_bytes(text.encode(encoding))
    return str(path)
