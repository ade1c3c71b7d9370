"""What is wrong with JSON: said with a place that counts from what the user sees, and what is too deep to be of use."""

from json import JSONDecodeError
from typing import Any, Final

DEEPEST: Final = 100
"""Lists and objects inside each other; deeper ones could be read, but then neither shown nor searched."""

_SHOWN: Final = 20


def check_depth(value: Any, text: str) -> None:
    """Refuse what is nested too deeply.

    Args:
        value: What was read.
        text: What it was read from.

    Raises:
        ValueError: If it is.
    """
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise ValueError(f"more than {DEEPEST} lists and objects inside each other")


def mistake(error: Exception, text: str = "") -> str:
    """What a decoder says, without lines that count from where it began to read.

    Args:
        error: The decoder's.
        text: What it read, where that is no line of the file: then what stands at the place is shown.
    """
    if not isinstance(error, JSONDecodeError):
        return str(error)
    what = error.msg.removesuffix(" at")
    if not text:
        return f"{what} at character {error.pos + 1}"
    return f"{what} at {text[error.pos : error.pos + _SHOWN]!r}" if text[error.pos :] else f"{what} at the end"
