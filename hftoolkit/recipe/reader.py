"""A recipe file to a checked `Recipe`; every problem of the file at once."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hftoolkit.errors import Problem, RecipeError, UsageError
from hftoolkit.recipe import library
from hftoolkit.recipe.known import near
from hftoolkit.recipe.overrides import override
from hftoolkit.recipe.parsing import DEEPEST, KeyPath, Lines, Parsed, dotted, not_text, parse
from hftoolkit.recipe.paths import moved
from hftoolkit.recipe.problems import line_of, locate, problems_of
from hftoolkit.recipe.schema import Recipe

Model = TypeVar("Model", bound=BaseModel)

LARGEST = 200_000
"""Bytes of a recipe file; what is larger is data given by mistake."""

Tasks = Mapping[str, type[BaseModel]]
"""Name of a task to the type of its `options:`."""


def read_recipe(path: str | Path, overrides: Sequence[str] = (), *, tasks: Tasks) -> Recipe:
    """Read a recipe strictly: what the schema does not know is an error.

    Args:
        path: File, or the name of a built-in recipe.
        overrides: Values on top of the file, such as ``training.epochs=2``.
        tasks: The tasks there are, with the type of their options.

    Returns:
        The recipe with all defaults; its paths can be opened from the current folder, and its options are what the
        task's type made of them, as plain data.

    Raises:
        RecipeError: If anything in the recipe is wrong; it holds all problems with their lines.
        UsageError: If there is no such file, it is no recipe, or an override is no ``KEY=VALUE``.
    """
    file = _find(Path(path))
    parsed = parse(_text(file))
    if not parsed.broken and not isinstance(parsed.value, dict):
        found = "nothing" if parsed.value is None else "a list" if isinstance(parsed.value, list) else "one value"
        parsed.problems.append(Problem(parsed.lines[()], "", f"expected keys such as 'task: translation', got {found}"))
        parsed.broken = True
    if parsed.broken:
        raise RecipeError(str(file), parsed.problems)
    override(parsed, overrides)
    recipe = _check(parsed, tasks)
    if recipe is None:
        raise RecipeError(str(file), sorted(parsed.problems, key=_by_line))

    def folder_of(at: KeyPath) -> Path:
        return file.parent if line_of(locate(at, parsed.value), parsed.lines) else Path()

    return moved(recipe, folder_of, Path())


def recipe_from(
    mapping: Mapping[str, Any] | Recipe, *, tasks: Tasks, name: str = "recipe", folder: Path = Path()
) -> Recipe:
    """Check a recipe that was put together in Python as strictly as one from a file.

    Args:
        mapping: What the file would say: dicts, lists and scalars, with parts of the schema among them if you like.
        tasks: The tasks there are, with the type of their options.
        name: What error messages call it.
        folder: Where its paths are counted from.

    Raises:
        RecipeError: If anything in the recipe is wrong; it holds all problems.
    """
    parsed = Parsed()
    parsed.value = _plain(mapping, (), parsed)
    recipe = None if parsed.broken else _check(parsed, tasks)
    if recipe is None:
        raise RecipeError(name, [_InPython(None, problem.key, problem.message) for problem in parsed.problems])
    return moved(recipe, lambda at: folder, Path())


@dataclass(frozen=True)
class _InPython(Problem):
    """A problem of a mapping, which has no lines."""

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    built_in = library.names()
    if str(path) in built_in:
        return library.find(str(path))
    if path.is_dir():
        inside = path / "recipe.yaml"
        advice = f"name the file:   {inside}" if inside.is_file() else "give the recipe file itself"
        raise UsageError(f"{path}: a folder, expected a recipe file\n  {advice}")
    beside = [str(file) for file in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    close = get_close_matches(str(path), [*beside, *built_in], n=1)
    meant = f"\n  did you mean:       {close[0]}" if close else ""
    raise UsageError(f"{path}: no such recipe{meant}\n  built-in recipes:   hftoolkit recipes list")


def _text(file: Path) -> str:
    try:
        with open(file, "rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    if len(content) > LARGEST:
        raise UsageError(f"{file}: more than {LARGEST:,} bytes, expected a recipe\n  is this a file of data?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8 (byte {content[error.start]:#04x}); save the file as UTF-8"
        raise RecipeError(str(file), [Problem(line, "", what)]) from error


def _check(parsed: Parsed, tasks: Tasks) -> Recipe | None:
    """Validate the value as a recipe of its task; None if there is any problem, which then stands in ``parsed``."""
    value, lines, problems = parsed.value, parsed.lines, parsed.problems
    recipe = _validated(Recipe, value, lines, (), problems)
    task, options = value.get("task"), value.get("options", {})
    if isinstance(task, str) and task not in tasks:
        problems.append(Problem(line_of(("task",), lines), "task", f"unknown task '{task}'{near(task, tasks)}"))
    elif isinstance(task, str) and isinstance(options, dict):
        checked = _validated(tasks[task], options, lines, ("options",), problems)
        if recipe and checked:
            recipe = recipe.model_copy(update={"options": checked.model_dump(mode="json")})
    return None if problems else recipe


def _validated(
    model: type[Model], value: dict[str, Any], lines: Lines, at: KeyPath, problems: list[Problem]
) -> Model | None:
    try:
        # As JSON, because strictness there asks for the right kinds (no '3' for 3) but takes a list for a tuple.
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        problems += problems_of(error, model, value, lines, at)
        return None


def _by_line(problem: Problem) -> tuple[bool, int]:
    return problem.line is None, problem.line or 0


def _plain(value: Any, at: KeyPath, parsed: Parsed) -> Any:
    """Turn what Python users write into what a file would give."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    wrong = not_text(value) if isinstance(value, str) else None
    if len(at) > DEEPEST:
        wrong = f"more than {DEEPEST} mappings and lists inside each other"
    elif isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(part, (*at, key), parsed) for key, part in value.items()}
    elif isinstance(value, list | tuple):
        return [_plain(part, (*at, number), parsed) for number, part in enumerate(value)]
    elif value is not None and not isinstance(value, str | int | float):
        wrong = f"expected text, a number, a list or a dict with text keys, got {type(value).__name__}"
    if wrong:
        parsed.problems.append(Problem(1, dotted(at), wrong))
        parsed.broken = True
    return value
