"""XLIFF 1 and 2: catalogues from one language into another; what is not finished is left out, and counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hftoolkit.data.languages import nearest
from hftoolkit.data.sources.reading import Raw, Reading
from hftoolkit.data.sources.translations import Translations
from hftoolkit.data.sources.xml_units import LANGUAGE, local_name, read_units, squeezed

_PLURAL = "x-gettext-plurals"


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of an XLIFF file, whichever of the two languages it was translated from."""
    translations = Translations(path, reading)
    place = f"{path}: unit"
    for number, (segment, tags, further) in enumerate(_segments(path, translations), 1):
        source, target = segment.find("{*}source"), segment.find("{*}target")
        texts = [squeezed(source), squeezed(target)]
        places = translations.places(tags, number)
        reason = _reason(segment, target, texts[1], further)
        if places is None or reason:
            reading.census.drop(reason or "not in all languages")
        else:
            yield translations.row(places, texts), place, number
    translations.finish()


def _segments(path: Path, translations: Translations) -> Iterator[tuple[Any, tuple[str, str], bool]]:
    """Every element with a source and a target, the languages of the two, and whether it is a further plural form."""
    group = None
    for unit in read_units(path, "xliff", ["trans-unit", "unit"], translations.reading.source.encoding):
        if local_name(unit) == "unit":  # XLIFF 2
            root = unit.getroottree().getroot()
            for segment in unit.iterchildren("{*}segment"):
                yield segment, _tags(segment, root.get("srcLang"), root.get("trgLang"), translations), False
        else:
            parent = unit.getparent()
            plural = parent.get("restype") == _PLURAL
            source, target = _inherited(unit, "source-language"), _inherited(unit, "target-language")  # of <file>
            tags = _tags(unit, source, target, translations)
            yield unit, tags, plural and parent is group
            group = parent if plural else None


def _tags(segment: Any, source: str | None, target: str | None, translations: Translations) -> tuple[str, str]:
    """The languages of a segment; a target that names none is in the wanted language that the source is not in."""
    source = _said(segment.find("{*}source")) or source or ""
    target = _said(segment.find("{*}target")) or target or ""
    if source and not target:
        others = [tags for tags in translations.wanted.values() if not any(nearest(tag, [source]) for tag in tags)]
        if len(translations.wanted) == 2 and len(others) == 1:
            target = others[0][0]
            translations.reading.note(translations.path, f"names no target language: taken for {target}")
    return source, target


def _said(element: Any) -> str | None:
    return None if element is None else element.get(LANGUAGE)


def _reason(segment: Any, target: Any, text: str, further: bool) -> str | None:
    """Why a segment is no row; None: it is one."""
    if _inherited(segment, "translate") == "no":
        return 'translate="no"'
    if not text:
        return "untranslated"
    # XLIFF 1 has the state at the target, XLIFF 2 at the segment.
    state = target.get("state") or segment.get("state") or ""
    if state in ("new", "initial") or state.startswith("needs-"):
        return f"state {state}"
    return "plural form other than the first" if further else None


def _inherited(element: Any, name: str) -> str | None:
    for each in (element, *element.iterancestors()):
        value = each.get(name)
        if value is not None:
            return str(value)
    return None
