"""Whether an unfinished run may go on: its recipe is the one that it began with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hftoolkit.errors import OutputError, RecipeError
from hftoolkit.recipe.parsing import parse
from hftoolkit.recipe.paths import moved
from hftoolkit.recipe.schema import Recipe

_SHOWN = 5
"""Keys named at most where two recipes differ."""


def check_same(recipe: Recipe, path: Path) -> None:
    """Refuse to go on with a run that began with another recipe; from where its folder is named does not matter.

    Args:
        recipe: What is wanted now, with all that is chosen by the machine filled in.
        path: The run's folder.

    Raises:
        OutputError: If the two recipes differ; it names the first keys that do.
        RecipeError: If the one in the folder cannot be read.
    """
    file = path / "recipe.yaml"
    parsed = parse(file.read_text(encoding="utf-8"))
    if parsed.problems:
        raise RecipeError(str(file), parsed.problems)
    wanted = moved(recipe, lambda at: Path(), path).model_dump(mode="json")
    began, now = dict(_leaves(_with_defaults(parsed.value))), dict(_leaves(wanted))
    for side in (began, now):
        side.pop("output", None)  # the same folder may be named from elsewhere
        side.pop("endpoint", None)  # so may the same model
        for key in [key for key in side if key.partition(".")[0] == "tracking"]:  # changes no step
            del side[key]
    both = {key: (began.get(key, "nothing"), now.get(key, "nothing")) for key in {**now, **began}}
    differing = [f"{key}: {then} then, {new} now" for key, (then, new) in both.items() if then != new]
    if not differing:
        return
    shown = differing[:_SHOWN]
    if len(differing) > _SHOWN:
        shown.append(f"and {len(differing) - _SHOWN} more")
    raise OutputError(
        "\n  ".join(
            [
                f"{path}: this folder holds an unfinished run that began with another recipe",
                *shown,
                f"continue that one:   hftoolkit finetune {file}",
                "start again:         add --overwrite, or choose another folder with --set output=...",
            ]
        )
    )


def _with_defaults(value: Any) -> Any:
    """A recipe's plain values, with keys that a newer version has added."""
    try:
        return Recipe.model_validate(value).model_dump(mode="json")
    except ValidationError:
        return value


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar of a recipe as text, under its dotted key."""
    if isinstance(value, dict | list) and value:
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(part, f"{key}.{name}" if key else str(name))
    else:
        yield key, "nothing" if value is None else str(value)
