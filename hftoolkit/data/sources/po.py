"""Gettext PO: what is untranslated, fuzzy or obsolete is left out, and counted."""

import gettext
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hftoolkit.data.languages import nearest, same_region
from hftoolkit.data.sources.columns import missing_column, wanted_names
from hftoolkit.data.sources.files import opened
from hftoolkit.data.sources.lines import read_text
from hftoolkit.data.sources.reading import Raw, Reading
from hftoolkit.errors import DataError

_COLUMNS = {"source": "msgid", "target": "msgstr"}
_CHARSET = re.compile(r"charset=\s*([^\s\\\"]+)")
_HEADER_BYTES = 1 << 16


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of a PO file; of an entry with plural forms only the singular is a row."""
    census = reading.census
    store = _parsed(path, reading)
    header = store.parseheader()
    names = _names(path, header.get("Language") or "", reading)
    singular = _singular(header.get("Plural-Forms", ""))
    place = f"{path}: entry"
    entries = (unit for unit in store.units if not unit.isheader() and not unit.isblank())
    for number, unit in enumerate(entries, 1):
        plural = unit.hasplural()
        forms = unit.target.strings if plural else [unit.target]
        reason = _reason(unit, forms)
        if reason:
            census.drop(reason)
            continue
        if plural:
            reading.count("entries with plural forms, of which only the singular is used")
        values = {
            "msgid": str(unit.source.strings[0] if plural else unit.source),
            "msgstr": str(forms[singular] if singular < len(forms) else forms[0]),
        }
        yield {role: values[name] for role, name in names.items()}, place, number


def _names(path: Path, language: str, reading: Reading) -> dict[str, str]:
    """What of an entry has which role: what the recipe says, turned round where it says nothing and the file tells.

    A file tells the language of its translations. What is wrong in it is only noted: the header is often copied.
    """
    names = {
        role: _COLUMNS.get(name, name) if isinstance(name, str) else "a list"
        for role, name in wanted_names(reading.source, reading.roles).items()
    }
    for name in names.values():
        if name not in _COLUMNS.values():
            raise missing_column(str(path), name, names, list(_COLUMNS.values()))
    if not language:
        return names
    if reading.languages is None or set(names) != {"source", "target"}:
        reading.language = expected = reading.language or language
    else:
        translated, other = reading.languages.target, reading.languages.source
        if names["target"] == "msgid":
            translated, other = other, translated
        if not reading.source.columns and not nearest(translated, [language]) and nearest(other, [language]):
            reading.note(path, f"is translated into {language}: read from the translation to the original")
            return {"source": "msgstr", "target": "msgid"}
        expected = translated
    if not nearest(expected, [language]) or not same_region(expected, language):
        reading.note(path, f"has the header 'Language: {language}', where {expected} is expected")
    return names


def _parsed(path: Path, reading: Reading) -> Any:
    """The file as translate-toolkit reads it.

    Decoding is ours: the toolkit takes a file without a charset for Latin-1, and stumbles where one is not UTF-8.
    """
    from translate.storage import pypo

    text = read_text(path, reading.source.encoding or _charset(path), reading)
    store = pypo.pofile()
    try:
        header, blank, rest = text.partition("\n\n")
        store.parse((_CHARSET.sub("charset=UTF-8", header, count=1) + blank + rest).encode())
    except ValueError as error:
        raise DataError(f"{path}: not PO: {error}\n  'msgfmt --check {path.name}' shows what is wrong") from error
    return store


def _charset(path: Path) -> str | None:
    """The encoding that the header names."""
    with opened(path) as file:
        head = file.read(_HEADER_BYTES).decode("latin-1")
    found = _CHARSET.search(head.split("\n\n", 1)[0])
    return found.group(1) if found and found.group(1) != "CHARSET" else None


def _singular(plural_forms: str) -> int:
    """Which plural form is the one for 1: the first one in most languages, the second in Arabic."""
    rule = plural_forms.partition("plural=")[2].partition(";")[0]
    try:
        return max(0, int(gettext.c2py(rule)(1)))
    except (ValueError, ZeroDivisionError):
        return 0


def _reason(unit: Any, forms: Sequence[str]) -> str | None:
    """Why an entry is no row; None: it is one."""
    if unit.isobsolete():
        return "obsolete"
    if unit.isfuzzy():
        return "fuzzy"
    return None if all(forms) else "untranslated"
