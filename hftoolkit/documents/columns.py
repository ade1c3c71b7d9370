"""Which columns of a table are translated where nobody said it, and what is said where that stays open."""

from collections.abc import Sequence
from difflib import get_close_matches

from hftoolkit.documents.settings import Settings
from hftoolkit.errors import UsageError

_USUAL = ("source", "text")


def obvious(columns: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The column that is named for the source language, else ``source`` or ``text``; empty if there is none."""
    tag = settings.source.replace("_", "-").lower()
    wanted = (tag, tag.partition("-")[0], *_USUAL)
    names = {column.strip().replace("_", "-").lower(): column for column in reversed(columns)}
    found = next((names[name] for name in wanted if name in names), None)
    return () if found is None else (found,)


def unknown(column: str, columns: Sequence[str], name: str) -> UsageError:
    """The error for a chosen column that is not there."""
    near = get_close_matches(column, columns, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(f"{name}: no column {column!r}{meant}\n  the columns are: {', '.join(columns)}")


def untold(columns: Sequence[str], name: str, said_by: str) -> UsageError:
    """The error for a table of which no column is the obvious one; columns are said by their names or otherwise."""
    return UsageError(
        f"{name}: which columns are to be translated?\n"
        f"  say it:  --column {said_by}  where the columns are: {', '.join(columns)}"
    )
