"""Gettext PO: a file, or a folder of them; what is untranslated, fuzzy or obsolete is left out, and counted."""

import gettext
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hftoolkit.data.census import Census
from hftoolkit.data.sources.columns import missing_column, wanted_names
from hftoolkit.data.sources.formats import missing_file
from hftoolkit.data.sources.lines import read_lines
from hftoolkit.data.sources.raw import Raw
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source

_COLUMNS = {"source": "msgid", "target": "msgstr"}
_CHARSET = re.compile(r"charset=\s*([^\s\\\"]+)")
_HEADER_BYTES = 1 << 16


def read(source: Source, roles: Sequence[str], census: Census) -> Iterator[Raw]:
    """Rows of PO files, in order of their paths; of an entry with plural forms only the singular is a row."""
    names = {
        role: _COLUMNS.get(name, name) if isinstance(name, str) else "a list"
        for role, name in wanted_names(source, roles).items()
    }
    for name in names.values():
        if name not in _COLUMNS.values():
            raise missing_column(source.source or "", name, names, list(_COLUMNS.values()))
    languages: set[str] = set()
    plurals = 0
    for path in files_of(source):
        store = _parsed(path, source.encoding, census)
        header = store.parseheader()
        languages.update(filter(None, [header.get("Language")]))
        singular = _singular(header.get("Plural-Forms", ""))
        place = f"{path}: entry"
        entries = (unit for unit in store.units if not unit.isheader() and not unit.isblank())
        for number, unit in enumerate(entries, 1):
            forms = unit.target.strings if unit.hasplural() else [unit.target]
            reason = _reason(unit, forms)
            if reason:
                census.drop(reason)
                continue
            plurals += unit.hasplural()
            values = {
                "msgid": str(unit.source.strings[0] if unit.hasplural() else unit.source),
                "msgstr": str(forms[singular] if singular < len(forms) else forms[0]),
            }
            yield {role: values[name] for role, name in names.items()}, place, number
    if plurals:
        entries_have = "1 entry has" if plurals == 1 else f"{plurals} entries have"
        census.notes.append(f"{entries_have} plural forms: only the singular is used")
    if len(languages) > 1:
        census.notes.append(f"the files are in {len(languages)} languages: {', '.join(sorted(languages))}")


def files_of(source: Source) -> list[Path]:
    """The file, or all PO files in the folder and in the folders below, sorted by path.

    Raises:
        DataError: If there are none.
    """
    path = Path(source.source or "")
    if not path.exists():
        raise missing_file(path)
    if not path.is_dir():
        return [path]
    files = sorted(path.rglob("*.po"), key=lambda file: file.relative_to(path).parts)
    if not files:
        raise DataError(f"{path}: no PO file in this folder\n  name a folder with files that end in .po")
    return files


def _parsed(path: Path, encoding: str | None, census: Census) -> Any:
    """The file as translate-toolkit reads it.

    Decoding is ours: the toolkit takes a file without a charset for Latin-1, and stumbles where one is not UTF-8.
    """
    from translate.storage import pypo

    text = "".join(read_lines(path, encoding or _charset(path), census))
    store = pypo.pofile()
    try:
        store.parse(_CHARSET.sub("charset=UTF-8", text, count=1).encode())
    except ValueError as error:
        raise DataError(f"{path}: not PO: {error}\n  'msgfmt --check {path.name}' shows what is wrong") from error
    return store


def _charset(path: Path) -> str | None:
    """The encoding that the header names."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEADER_BYTES).decode("latin-1")
    except OSError:
        return None  # read_lines says it better
    found = _CHARSET.search(head.split("\n\n", 1)[0])
    return found.group(1) if found and found.group(1) != "CHARSET" else None


def _singular(plural_forms: str) -> int:
    """Which plural form is the one for 1: the first one in most languages, the second in Arabic."""
    rule = plural_forms.partition("plural=")[2].partition(";")[0]
    try:
        return int(gettext.c2py(rule)(1))
    except ValueError:
        return 0


def _reason(unit: Any, forms: Sequence[str]) -> str | None:
    """Why an entry is no row; None: it is one."""
    if unit.isobsolete():
        return "obsolete"
    if unit.isfuzzy():
        return "fuzzy"
    return None if all(forms) else "untranslated"
