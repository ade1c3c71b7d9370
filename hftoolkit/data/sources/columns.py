"""Which column holds which role, and what to say when there is no such column."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from hftoolkit.data.roles import OPTIONAL
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source

_SHOWN = 20


def wanted(source: Source, roles: Sequence[str]) -> dict[str, str | int | list[str | int]]:
    """The column or columns of every role: what the recipe says, or the role's own name."""
    columns: Mapping[str, str | int | list[str | int]] = source.columns
    return {role: columns.get(role, role) for role in roles}


def wanted_names(source: Source, roles: Sequence[str]) -> dict[str, str | list[str]]:
    """The columns of every role, for formats whose columns have names only.

    Raises:
        DataError: If the recipe gives a number.
    """
    found: dict[str, str | list[str]] = {}
    for role, column in wanted(source, roles).items():
        names = [column] if isinstance(column, str | int) else column
        for name in names:
            if isinstance(name, int):
                raise DataError(
                    f"{source.source}: columns: {role}: {name} is a number, but columns have names in this format\n"
                    f"  give the name:  columns: {{{role}: NAME}}"
                )
        texts = [str(name) for name in names]
        found[role] = texts[0] if isinstance(column, str) else texts
    return found


Found = TypeVar("Found", bound=str | int | list[str | int] | list[str])


def there(columns: Mapping[str, Found], available: Sequence[str]) -> dict[str, Found]:
    """Columns without those of roles that files need not have, where this file has none."""
    return {
        role: column
        for role, column in columns.items()
        if role not in OPTIONAL or column != role or column in available
    }


def missing_column(place: str, name: str, columns: Mapping[str, Any], available: Sequence[str]) -> DataError:
    """The error for a column that is not there, with the columns that are."""
    near = get_close_matches(name, available, n=1)
    shown = ", ".join(available[:_SHOWN]) + (", ..." if len(available) > _SHOWN else "")
    hint = f"; did you mean {near[0]!r}?" if near else ""
    pairs = ", ".join(f"{role}: {_suggested(column, available)}" for role, column in columns.items())
    return DataError(
        f"{place}: no column {name!r}{hint}\n"
        f"  the columns are: {shown}\n"
        f"  say which one holds which role:  columns: {{{pairs}}}"
    )


def value_in(record: Mapping[str, Any], name: str) -> Any:
    """A value by its name, or by a dotted path into records within the record: ``translation.en``.

    Raises:
        KeyError: If there is none.
    """
    if name in record:
        return record[name]
    head, _, rest = name.partition(".")
    inner = record.get(head)
    if rest and isinstance(inner, Mapping):
        return value_in(inner, rest)
    raise KeyError(name)


def row_of(record: Mapping[str, Any], names: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """A row from a record; several columns of one role become a list of the texts that are there.

    Raises:
        KeyError: If the record lacks a column, and it is not that of a role which files need not have.
    """
    try:
        return {role: _value(record, name) for role, name in names.items()}
    except KeyError as error:
        optional = error.args[0] in OPTIONAL and names.get(error.args[0]) == error.args[0]
        if not optional:
            raise
        return row_of(record, {role: name for role, name in names.items() if role != error.args[0]})


def _value(record: Mapping[str, Any], name: str | list[str]) -> Any:
    return value_in(record, name) if isinstance(name, str) else present([value_in(record, each) for each in name])


def present(texts: Sequence[Any]) -> list[Any]:
    """Several columns of one role are alternatives, such as references: the blank ones are not there."""
    return [text for text in texts if text is not None and not (isinstance(text, str) and not text.strip())]


def names_in(record: Mapping[str, Any]) -> list[str]:
    """Names of a record's values, with dotted paths for records within it."""
    found: list[str] = []
    for name, value in record.items():
        found.extend([f"{name}.{inner}" for inner in names_in(value)] if isinstance(value, Mapping) else [str(name)])
    return found


def _suggested(column: Any, available: Sequence[str]) -> str:
    if isinstance(column, list):
        return "[" + ", ".join(_suggested(each, available) for each in column) + "]"
    if column in available or isinstance(column, int):
        return str(column)
    near = get_close_matches(column, available, n=1)
    return near[0] if near else "..."
