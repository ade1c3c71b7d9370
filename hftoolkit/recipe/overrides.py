"""`--set KEY=VALUE` on top of what a file says."""

from collections.abc import Sequence
from typing import Any

from hftoolkit.errors import Problem, UsageError
from hftoolkit.recipe.parsing import KeyPath, Parsed, dotted, parse


def override(parsed: Parsed, overrides: Sequence[str]) -> None:
    """Change the values of ``parsed`` in place, in the order given; the lines of what was changed become None.

    Args:
        parsed: What a file says; its value is a dict.
        overrides: Texts such as ``training.epochs=2`` or ``data.train.0.source=mine.tsv``; the part behind the first
            ``=`` is read as YAML, and an empty one is null.

    Raises:
        UsageError: If a text has no ``=`` or no key in front of it.
    """
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise UsageError(f"--set {text!r}: expected KEY=VALUE\n  for example:   --set training.epochs=2")
        read = parse(value)
        if read.problems:
            parsed.problems.append(Problem(None, key.strip(), read.problems[0].message))
        else:
            _put(parsed, key.strip(), read.value)


def _put(parsed: Parsed, key: str, value: Any) -> None:
    holder = parsed.value
    path: KeyPath = ()
    steps: list[str | int] = list(key.split("."))
    if steps[:3] == ["data", "train", "0"] and isinstance(_below(_below(parsed.value, "data"), "train"), dict):
        del steps[2]  # a single source needs no list, and is its first entry all the same
    for number, name in enumerate(steps):
        step, wrong = _step(holder, name)
        if wrong:
            parsed.problems.append(Problem(None, key, f"{_named(path)} {wrong}"))
            return
        path = (*path, step)
        if number == len(steps) - 1:
            _forget_lines(parsed, path)
            holder[step] = value
        elif _below(holder, step) is None:
            _forget_lines(parsed, path)
            holder[step] = {}
        holder = holder[step]


def _step(holder: Any, name: str | int) -> tuple[str | int, str]:
    """Turn a name into a key of a dict or a place in a list; the second value says why that is not possible."""
    if isinstance(holder, dict):
        return name, ""
    if not isinstance(holder, list):
        return name, f"has nothing below it, so there is no '{name}' to set"
    entries = f"has {len(holder)} entries" if len(holder) != 1 else "has one entry"
    if not str(name).isdecimal() or int(name) >= len(holder):
        return name, f"is a list that {entries}, counted from 0; there is no '{name}'"
    return int(name), ""


def _below(holder: Any, step: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(step)
    return holder[step] if isinstance(holder, list) and isinstance(step, int) else None


def _named(path: KeyPath) -> str:
    return f"'{dotted(path)}'" if path else "the recipe"


def _forget_lines(parsed: Parsed, path: KeyPath) -> None:
    for known in [known for known in parsed.lines if known[: len(path)] == path]:
        del parsed.lines[known]
    parsed.lines[path] = None
