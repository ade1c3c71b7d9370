"""Rows that do not qualify, each with the reason under which it is counted."""

from collections.abc import Callable, Sequence
from typing import Any

from hftoolkit.data.markup import is_markup_only
from hftoolkit.recipe.schema import Filters


def reasons(filters: Filters | None, roles: Sequence[str]) -> Callable[[Sequence[Any]], str | None]:
    """A function that says why a row does not qualify, or None: it does.

    Args:
        filters: Rows to drop besides those with an empty side; None: no others.
        roles: What the row's values are, in their order.
    """
    translation = tuple(roles) == ("source", "target")
    longest = filters.max_characters if filters is not None else None
    unequal = filters is not None and filters.equal and translation
    words = filters is not None and filters.markup_only and translation

    def reason(values: Sequence[Any]) -> str | None:
        for value in values:
            if _is_blank(value) if isinstance(value, str) else all(_is_blank(text) for text in value or ()):
                return "empty side"
        if longest is not None:
            for value in values:
                if (len(value) if isinstance(value, str) else max(map(len, value))) > longest:
                    return f"over {longest} characters"
        if unequal and values[0] == values[1]:
            return "source equals target"
        if words and isinstance(values[0], str) and is_markup_only(values[0]):
            return "markup only"
        return None

    return reason


def _is_blank(text: str) -> bool:
    return not text or text.isspace()
