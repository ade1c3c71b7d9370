"""Rows that do not qualify, each with the reason under which it is counted."""

from collections.abc import Callable, Sequence
from typing import Any

from hftoolkit.data.markup import is_markup_only
from hftoolkit.data.roles import KINDS, MAY_BE_EMPTY
from hftoolkit.recipe.schema import Filters

_LONGEST = 2000
"""Characters of the longest side of a translation, unless a recipe says otherwise: what is longer is rarely one."""


def reasons(filters: Filters | None, roles: Sequence[str]) -> Callable[[Sequence[Any]], str | None]:
    """A function that says why a row does not qualify, or None: it does.

    Args:
        filters: Rows to drop besides those with an empty side; None: no others.
        roles: What the row's values are, in their order.
    """
    filled = [role not in MAY_BE_EMPTY for role in roles]
    starts = roles.index("starts") if filters is not None and "starts" in roles else None
    translation = tuple(roles) == ("source", "target")
    longest = (filters.max_characters or (_LONGEST if translation else None)) if filters is not None else None
    unequal = filters is not None and filters.equal and translation
    words = filters is not None and filters.markup_only and translation

    def reason(values: Sequence[Any]) -> str | None:
        for value, must in zip(values, filled, strict=True):
            if value is None or (must and _is_empty(value)):
                return "empty side"
        if starts is not None and values[starts] and max(values[starts]) < 0:
            return "answer not in its context"
        if longest is not None:
            for value, role in zip(values, roles, strict=True):
                if role not in KINDS and (len(value) if isinstance(value, str) else max(map(len, value))) > longest:
                    return f"over {longest} characters"
        if unequal and values[0] == values[1]:
            return "source equals target"
        if words and isinstance(values[0], str) and is_markup_only(values[0]):
            return "markup only"
        return None

    return reason


def _is_empty(value: str | list[str]) -> bool:
    return _is_blank(value) if isinstance(value, str) else all(map(_is_blank, value))


def _is_blank(text: str) -> bool:
    return not text or text.isspace()
