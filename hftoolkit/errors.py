"""The exceptions a user may meet.

    HftoolkitError             exit 1   something in data, models or the network
    ├── UsageError             exit 2   a wrong command
    │   └── RecipeError        exit 2   problems in a recipe, all of them, each with its line
    ├── DataError              exit 1   a file that cannot be read, a row that does not fit
    ├── ModelError             exit 1   a checkpoint that cannot be loaded or does not suit the task
    │   └── GuardError         exit 1   a model that loads but would produce gibberish
    ├── HubError               exit 1   the hub, or a mirror of it, does not give what was asked for
    └── OutputError            exit 1   the output folder is finished, not ours, not writable or full

A message has three parts: where, what was found against what was expected, and what to do. The last part stands on
lines of its own, indented by two blanks.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class HftoolkitError(Exception):
    """Base of every error that hftoolkit raises on purpose."""

    exit_code = 1
    """What the command line returns to the shell."""


class UsageError(HftoolkitError):
    """A command or a call that cannot mean anything."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a recipe."""

    line: int | None
    """Line in the file, from 1; None for a value that came from ``--set``."""

    key: str
    """Dotted path of the key, such as ``training.epochs``; empty for the file as a whole."""

    message: str
    """What was found against what was expected."""

    def __str__(self) -> str:
        place = "--set" if self.line is None else f"line {self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class RecipeError(UsageError):
    """A recipe with problems, all of them at once."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [f"{name}: {count} in this recipe", *(f"  {problem}" for problem in self.problems)]
        super().__init__("\n".join(lines))


class DataError(HftoolkitError):
    """Data that cannot be read, or rows that do not fit the task."""


class ModelError(HftoolkitError):
    """A checkpoint that cannot be loaded, or that does not suit the task."""


class GuardError(ModelError):
    """A model that loads without complaint but would produce gibberish."""


class HubError(HftoolkitError):
    """The hub, or a mirror of it, does not give what was asked for."""


class OutputError(HftoolkitError):
    """An output folder that is finished, not ours, not writable or full."""
