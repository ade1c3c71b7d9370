"""What a reader makes of a source."""

from pathlib import Path
from typing import Any

from hftoolkit.data.census import Census
from hftoolkit.data.sources import read
from hftoolkit.data.sources.reading import told
from hftoolkit.recipe.schema import Languages, Source

ROLES = ("source", "target")


def rows_of(roles: tuple[str, ...] = ROLES, languages: Languages | None = None, **keys: Any) -> list[dict[str, Any]]:
    """All rows of a source, given as in a recipe."""
    return read_all(roles, languages, **keys)[0]


def read_all(
    roles: tuple[str, ...] = ROLES, languages: Languages | None = None, **keys: Any
) -> tuple[list[dict[str, Any]], Census, list[str]]:
    """Rows, census and places."""
    source = Source.model_validate(keys)
    census = Census("test")
    raws = [raw for _, found in read(source, roles, census, languages) for raw in found]
    return [row for row, _, _ in raws], census, [told(place, number) for _, place, number in raws]


def write(path: Path, text: str, encoding: str = "utf-8") -> str:
    """Write exactly this text; returns the path as a recipe would say it."""
    path.write_bytes(text.encode(encoding))
    return str(path)
