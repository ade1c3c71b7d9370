"""Loading what may be broken."""

from importlib import import_module
from types import ModuleType


def load(name: str) -> tuple[ModuleType | None, str]:
    """A library, or None and why it does not load."""
    try:
        return import_module(name), ""
    except Exception as error:  # a library may break in any way while it is loaded
        return None, told(error)


def told(error: Exception) -> str:
    """An error in a line."""
    said = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
