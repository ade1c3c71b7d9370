"""A `Recipe` to a file that reads back as the same recipe."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from hftoolkit.recipe.paths import moved
from hftoolkit.recipe.schema import Recipe


def write_recipe(recipe: Recipe, path: str | Path) -> None:
    """Write a recipe with all its defaults, so that a run can be repeated when defaults have changed.

    Args:
        recipe: Its paths are relative to the current folder, as the reader gives them.
        path: File to write or replace; the paths in it are relative to its folder.
    """
    path = Path(path)
    content = moved(recipe, lambda at: Path(), path.parent).model_dump(mode="json")
    temporary = path.with_name(f".{path.name}.part")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(as_yaml(content))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def as_yaml(content: Mapping[str, Any]) -> str:
    """Plain values as text that reads back as the same values."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    text = io.StringIO()
    yaml.dump(dict(content), text)
    return text.getvalue()


class _Representer(SafeRepresenter):
    """Writes text as ruamel.yaml does, but for line separators, which do not survive there."""

    def represent_str(self, data: str) -> ScalarNode:
        style = None if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)
