"""What a source is: its name in words, its format, and whether the recipe's keys make sense for it."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from hftoolkit.data.roles import OPTIONAL
from hftoolkit.data.sources.files import File, expand, is_compressed, is_folder, is_pattern, missing_file
from hftoolkit.data.sources.json_lists import is_list
from hftoolkit.data.sources.squad import is_squad
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
    ".tmx": "tmx",
    ".xlf": "xliff",
    ".xliff": "xliff",
    ".conll": "conll",
    ".bio": "conll",
    ".bmes": "conll",
    ".conllu": "conllu",
}
_CATALOGUES = {"po", "tmx", "xliff"}
_UNKNOWN_TO_THE_HUB = {"conll", "conllu", "squad"}
_SPLIT_WORD = re.compile(
    r"(^|[-._ 0-9/])(train|training|validation|valid|dev|val|test|testing|eval|evaluation)[-._ 0-9/]"
)
"""What `datasets` takes for the name of a split, in a path."""


def name_of(source: Source) -> str:
    """A source in words, for messages and reports."""
    if source.source is not None:
        return source.source
    names = (source.files or {}).values()
    return " + ".join(name for value in names for name in ([value] if isinstance(value, str) else value))


def format_of_file(path: Path) -> Format | None:
    """The format that a file's name tells, and of ``.json`` its beginning; ``.gz`` at its end does not matter."""
    if _ending(path) == ".json" and os.path.isfile(path):
        return "squad" if is_squad(path) else "json" if is_list(path) else "jsonl"
    return _FORMAT_OF_SUFFIX.get(_ending(path))


def format_of(source: Source) -> Format:
    """The format of a source: what the recipe says, or what its name tells.

    Raises:
        DataError: If neither tells, the files are of several formats, or there is nothing under that name.
    """
    form = source.format or _told_by_name(source)
    if (form == "text") != (source.files is not None):
        raise DataError(
            f"{name_of(source)}: parallel text is named under 'files', everything else under 'source'\n"
            "  for parallel text:  files: {source: train.en, target: train.zh}"
        )
    return form


def files_of_format(source: Source, form: Format) -> list[File]:
    """The files of a source that is no hub data set: of a folder, only those whose names tell this format.

    Raises:
        DataError: If there are none.
    """
    name = source.source or ""
    found = expand(name)
    if is_folder(Path(name)):
        found = [file for file in found if format_of_file(file.path) == form and not _is_template(file.path)]
        if not found:
            endings = " or ".join(end for end, each in _FORMAT_OF_SUFFIX.items() if each == form and end != ".pot")
            endings = endings or ".json, and is a document with questions"
            raise DataError(
                f"{name}: no file in this folder has a name that ends in {endings}\n"
                f"  give files of other names by a pattern:  source: {name}/**/*.ENDING"
            )
    return found


def _told_by_name(source: Source) -> Format:
    if source.source is None:
        return "text"
    path = Path(source.source)
    if is_folder(path):
        return _told_by_files(source, [file for file in expand(source.source) if not _is_template(file.path)])
    if is_pattern(source.source):
        return _told_by_names(source.source, expand(source.source))
    found = format_of_file(path)
    if found:
        return found
    if not os.path.exists(path):
        if source.source.startswith("package:") or _could_be_hub_id(source.source):
            return "hub"
        raise missing_file(path)
    raise _untold(path)


def _told_by_files(source: Source, files: Sequence[File]) -> Format:
    """The format of a folder: a data set laid out as on the hub, or files of one kind among whatever else is there."""
    known = [file for file in files if format_of_file(file.path)]
    if not known or source.split or source.subset:
        return "hub"
    forms = {format_of_file(file.path) for file in known}
    if forms & _CATALOGUES or not (forms <= _UNKNOWN_TO_THE_HUB or _like_on_the_hub(known, files)):
        return _told_by_names(source.source or "", known)
    splits = [file for file in known if _SPLIT_WORD.search(file.name.lower())]
    if forms <= _UNKNOWN_TO_THE_HUB and len(known) > 1 and splits:
        raise DataError(
            f"{source.source}: the names of its {len(known)} files tell splits: a test set is not to be trained on\n"
            f"  name one of them:  source: {splits[0].path.as_posix()}"
        )
    return _told_by_names(source.source or "", known) if forms <= _UNKNOWN_TO_THE_HUB else "hub"


def _like_on_the_hub(known: Sequence[File], files: Sequence[File]) -> bool:
    """Whether `datasets` may know more of the files than their names tell us.

    It does where there is a card, where paths name splits (a test set is not to be trained on), and of ``.json``, which
    may be a single list.
    """
    card = any(file.name.lower() == "readme.md" for file in files)
    return card or any(_SPLIT_WORD.search(file.name.lower()) or _ending(file.path) == ".json" for file in known)


def _told_by_names(name: str, files: Sequence[File]) -> Format:
    """The one format of some files."""
    counts: Counter[Format] = Counter()
    for file in files:
        form = format_of_file(file.path)
        if form is None:
            raise _untold(file.path)
        counts[form] += 1
    if len(counts) > 1:
        found = ", ".join(f"{form} ({count})" for form, count in counts.most_common())
        raise DataError(
            f"{name}: files of {len(counts)} formats: {found}\n"
            f"  say which to read:  format: {counts.most_common(1)[0][0]}"
            if is_folder(Path(name))
            else f"{name}: matches files of {len(counts)} formats: {found}\n"
            "  let the pattern match files of one format, and give the others a source of their own"
        )
    return next(iter(counts))


def _untold(path: Path) -> DataError:
    return DataError(
        f"{path}: its name does not tell its format\n"
        "  say it:  format: tsv  (or csv, jsonl, json, parquet, po, tmx, xliff, conll, conllu, squad)\n"
        "  parallel text is named under 'files'"
    )


def _is_template(path: Path) -> bool:
    """A catalogue for translators to begin with: in a folder it lies beside the translated ones, and has no rows."""
    return _ending(path) == ".pot"


def _ending(path: Path) -> str:
    return (Path(path.stem) if is_compressed(path) else path).suffix.lower()


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
    lacking = [role for role in roles if role not in source.files and role not in OPTIONAL]
    if lacking:
        raise DataError(
            f"{name_of(source)}: files: none for the role {lacking[0]!r}\n"
            f"  name one file per role:  files: {{{', '.join(f'{role}: FILE' for role in roles)}}}"
        )


def _could_be_hub_id(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(part and not part.startswith(".") for part in parts) and "\\" not in name
