"""What pydantic found wrong, in plain words, at the key and line where the user wrote it."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hftoolkit.errors import Problem
from hftoolkit.recipe.known import known_keys, near
from hftoolkit.recipe.parsing import KeyPath, Lines, dotted, scalar

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number that is not infinite",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "none_required": "nothing",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
}
"""The value is of another kind than the schema asks for."""

_LIMITS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "a text of at least {min_length} characters",
    "string_too_long": "a text of at most {max_length} characters",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
"""The kind is right, the value is not."""


def problems_of(
    error: ValidationError, model: type[BaseModel], value: Any, lines: Lines, at: KeyPath = ()
) -> list[Problem]:
    """Turn one validation error into the problems a user can act on, one for each key.

    Args:
        error: What validating ``value`` as ``model`` raised.
        model: Tells the known keys, for near misses.
        value: The plain data that was validated.
        lines: Line of every key of the whole recipe.
        at: Where in the recipe ``value`` stands.
    """
    found: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        path = locate(detail["loc"], value)
        if detail["type"] == "missing":
            path = (*path, detail["loc"][-1])
        found.setdefault(path, []).append(detail)
    problems = []
    for path, details in found.items():
        if any(len(other) > len(path) and other[: len(path)] == path for other in found) and _all_kinds(details):
            continue  # one branch of a union did not apply; the other has told what is wrong further down
        for message in _messages(details, model, _value_at(value, path)):
            problems.append(Problem(line_of((*at, *path), lines), dotted((*at, *path)), message))
    return problems


def locate(loc: Sequence[str | int], value: Any) -> KeyPath:
    """Give the path in the user's own data: pydantic's without the labels of union branches and added levels."""
    path: KeyPath = ()
    for step in loc:
        holds = isinstance(value, dict) and step in value
        if holds or (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            path, value = (*path, step), value[step]
    return path


def line_of(path: KeyPath, lines: Lines) -> int | None:
    """Give the line of a key, or of the nearest one above it; None if that came from ``--set``."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _all_kinds(details: list[ErrorDetails]) -> bool:
    return all(detail["type"] in _EXPECTED for detail in details)


def _messages(details: list[ErrorDetails], model: type[BaseModel], value: Any) -> list[str]:
    """Say in one sentence what a value of several possible kinds should have been; the rest one by one."""
    limits = [detail for detail in details if detail["type"] not in _EXPECTED]
    if limits:
        return list(dict.fromkeys(_message(detail, model, value) for detail in limits))
    kinds = list(dict.fromkeys(_EXPECTED[detail["type"]] for detail in details))
    return [f"expected {_either(kinds)}, got {_shown(value)}{_about_quotes(value, details)}"]


def _message(detail: ErrorDetails, model: type[BaseModel], value: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "this key is missing" if isinstance(detail["loc"][-1], str) else "this entry of the list is missing"
    if kind == "extra_forbidden":
        return f"unknown key{near(str(detail['loc'][-1]), known_keys(model, detail['loc'][:-1]))}"
    if kind == "too_short":
        entries = "1 entry" if context["min_length"] == 1 else f"{context['min_length']} entries"
        return f"expected at least {entries}, got {context['actual_length']}"
    if kind == "too_long":
        entries = "1 entry" if context["max_length"] == 1 else f"{context['max_length']} entries"
        return f"expected at most {entries}, got {len(value)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_too_short" and value == "":
        return "expected some text, got ''"
    if kind in _LIMITS:
        limit = _LIMITS[kind].format(**{name: _number(bound) for name, bound in context.items()})
        close = get_close_matches(value, _quoted(limit), n=1) if isinstance(value, str) else []
        return f"expected {limit}, got {_shown(value)}" + (f"; did you mean '{close[0]}'?" if close else "")
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, got {_shown(value)}"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else f"'{str(value).lower() if isinstance(value, bool) else value}'"
    return text if len(text) <= 60 else f"{text[:56]}...'"


def _about_quotes(value: Any, details: list[ErrorDetails]) -> str:
    """What to say where a value has quotes by mistake, or lacks them."""
    kinds = {detail["type"] for detail in details}
    if isinstance(value, int | float) and kinds == {"string_type"}:
        return " without quotes; put it in quotes"
    if not isinstance(value, str):
        return ""
    meant = scalar(value)
    number = isinstance(meant, int | float) and bool(kinds & {"int_type", "float_type"})
    return " in quotes; leave the quotes out" if number or (isinstance(meant, bool) and "bool_type" in kinds) else ""


def _number(bound: Any) -> Any:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _quoted(words: str) -> list[str]:
    return words.split("'")[1::2]


def _value_at(value: Any, path: KeyPath) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        else:
            value = value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None
    return value
