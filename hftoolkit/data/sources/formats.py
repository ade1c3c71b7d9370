"""What a source is: its name in words, its format, and whether the recipe's keys make sense for it."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Format, Source

_FORMAT_OF_SUFFIX: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".po": "po",
    ".pot": "po",
}


def name_of(source: Source) -> str:
    """A source in words, for messages and reports."""
    if source.source is not None:
        return source.source
    names = (source.files or {}).values()
    return " + ".join(name for value in names for name in ([value] if isinstance(value, str) else value))


def format_of(source: Source) -> Format:
    """The format of a source: what the recipe says, or what its name tells.

    Raises:
        DataError: If neither tells, or there is nothing under that name.
    """
    form = source.format or _told_by_name(source)
    if (form == "text") != (source.files is not None):
        raise DataError(
            f"{name_of(source)}: parallel text is named under 'files', everything else under 'source'\n"
            "  for parallel text:  files: {source: train.en, target: train.zh}"
        )
    return form


def _told_by_name(source: Source) -> Format:
    if source.source is None:
        return "text"
    path = Path(source.source)
    if path.is_dir():
        return "po" if any(path.rglob("*.po")) else "hub"
    if path.suffix.lower() in _FORMAT_OF_SUFFIX:
        return _FORMAT_OF_SUFFIX[path.suffix.lower()]
    if not path.exists():
        if source.source.startswith("package:") or _could_be_hub_id(source.source):
            return "hub"
        raise missing_file(path)
    raise DataError(
        f"{path}: its name does not tell its format\n"
        "  say it:  format: tsv  (or csv, jsonl, parquet, po; parallel text is named under 'files')"
    )


def check_roles(source: Source, roles: Sequence[str]) -> None:
    """Refuse names of roles that the task does not have, and parallel text that lacks one.

    Raises:
        DataError: If a name under ``columns`` or ``files`` is none of the roles.
    """
    key, given = ("columns", source.columns) if source.files is None else ("files", source.files)
    for role in given:
        if role not in roles:
            near = get_close_matches(role, roles, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{name_of(source)}: {key}: no role {role!r}{hint}\n  the roles are: {', '.join(roles)}")
    if source.files is None:
        return
    if source.columns:
        raise DataError(f"{name_of(source)}: 'columns' has no meaning beside 'files'\n  leave out 'columns'")
    lacking = [role for role in roles if role not in source.files]
    if lacking:
        raise DataError(
            f"{name_of(source)}: files: none for the role {lacking[0]!r}\n"
            f"  name one file per role:  files: {{{', '.join(f'{role}: FILE' for role in roles)}}}"
        )


def missing_file(path: Path) -> DataError:
    """The error for a path at which nothing is, with the nearest name that is there."""
    if not path.parent.is_dir():
        return DataError(f"{path}: no such file, nor such a folder\n  paths count from the recipe file's folder")
    near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    if near:
        return DataError(f"{path}: no such file\n  did you mean '{path.with_name(near[0])}'?")
    return DataError(f"{path}: no such file\n  paths count from the recipe file's folder")


def _could_be_hub_id(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(part and not part.startswith(".") for part in parts) and "\\" not in name
