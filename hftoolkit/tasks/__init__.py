"""One file per task; this folder is the registry: a file's name is the task's name in recipes."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from pydantic import BaseModel

from hftoolkit.tasks.base import Task


def task_names() -> list[str]:
    """Every task there is."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")


def find_task(name: str) -> type[Task]:
    """The class of a task.

    Args:
        name: One of `task_names`.
    """
    module = import_module(f"{__name__}.{name}")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Task) and value.__module__ == module.__name__
    )


def task_options() -> Mapping[str, type[BaseModel]]:
    """The options of every task, for checking a recipe."""
    return {name: find_task(name).Options for name in task_names()}
