"""XLIFF 1.2 and 2: units without a finished translation are filled, and marked as suggestions of a machine.

XLIFF 1.2 gets ``state="needs-review-translation" state-qualifier="mt-suggestion"`` at the target. XLIFF 2, which has no
word for it, gets ``state="translated" subState="hftoolkit:mt"`` at the segment. Finished is what has a translation and
no state such as ``new``, ``initial`` or ``needs-translation``. What is approved, final, or not to be translated is
never touched. Where white space is not preserved, a line break within a text is a blank.

Inline elements are marks: ``<g>``, ``<pc>`` and ``<mrk>`` stand around a text, others hold codes of another format.
"""

import re
from collections.abc import Iterator

from hftoolkit.documents.pieces import Mark, Part, Piece, Text, flat
from hftoolkit.documents.settings import Settings
from hftoolkit.documents.tags import nearest_tag
from hftoolkit.documents.xml_units import (
    Element,
    Filling,
    blank_before,
    cut,
    filled,
    read_units,
    text_of,
    with_attributes,
)
from hftoolkit.errors import DataError
from hftoolkit.languages import normalise

_FIRST = {"state": "needs-review-translation", "state-qualifier": "mt-suggestion"}
_SECOND = {"state": "translated", "subState": "hftoolkit:mt"}

_AROUND_TEXT = ("g", "pc", "mrk")
_FINAL = ("final", "signed-off")
_WRAPPED = re.compile(r"[ \t]*\n[ \t\n]*")


def pieces(text: str, settings: Settings, name: str) -> Iterator[Piece]:
    """The pieces of an XLIFF file.

    Args:
        text: The file.
        settings: From which language to which; whether all units are translated.
        name: What the file is called in messages.

    Raises:
        DataError: If it is not XLIFF, or none of it is from the one language into the other.
    """
    fillings = []
    told: set[int] = set()
    pairs: dict[tuple[str, str], bool] = {}
    for unit in read_units(text, "xliff", ["trans-unit", "unit"], name):
        segments = [each for each in unit.children if each.name == "segment"] if unit.name == "unit" else [unit]
        for segment in segments:
            languages = _languages(segment)
            if languages not in pairs:
                pairs[languages] = _fit(languages, settings)
            filling = _filling(text, segment, settings, told) if pairs[languages] else None
            if filling:
                fillings.append(filling)
    if pairs and not any(pairs.values()):
        have = ", ".join(f"{source or '?'} to {target or '?'}" for source, target in sorted(pairs))
        raise DataError(
            f"{name}: is from {have}, not from {settings.source} to {settings.target}\n"
            "  say the languages:  --from LANGUAGE --to LANGUAGE"
        )
    yield from cut(text, fillings)


def _languages(segment: Element) -> tuple[str, str]:
    """From which language to which a segment is; empty where nothing says it."""
    said = []
    for child, names in (("source", ("srcLang", "source-language")), ("target", ("trgLang", "target-language"))):
        element = segment.child(child)
        own = element.attributes.get("xml:lang") if element else None
        said.append(own or next((found for each in names if (found := segment.inherited(each))), ""))
    return said[0], said[1]


def _fit(languages: tuple[str, str], settings: Settings) -> bool:
    wanted = (settings.source, settings.target)
    return all(not tag or nearest_tag(each, [tag]) is not None for each, tag in zip(wanted, languages, strict=True))


def _filling(text: str, segment: Element, settings: Settings, told: set[int]) -> Filling | None:
    """A segment as it is to be filled; None: it stays as it is."""
    source, target = segment.child("source"), segment.child("target")
    if source is None or not _is_open(text, segment, target, settings.all_entries):
        return None
    said = segment.child("seg-source") or source  # with marks for its sentences, which the target must have, too
    wanted = text_of(text, said, _is_around_text)
    if not flat(wanted).strip():
        return None
    second = segment.name == "segment"
    edits = _language_told(text, segment, "trgLang" if second else "target-language", settings.target, told)
    if second:
        edits.append((segment.start, segment.content, with_attributes(text[segment.start : segment.content], _SECOND)))
    attributes = {} if second else dict(_FIRST)
    if target is not None:
        edits += filled(text, target, attributes)
    else:
        if "xml:lang" in source.attributes:
            attributes = {"xml:lang": str(normalise(settings.target)), **attributes}
        name = f"{source.prefix}target"
        opening = blank_before(text, source.start) + with_attributes(f"<{name}>", attributes)
        edits += [(said.end, said.end, opening), (said.end, said.end, None), (said.end, said.end, f"</{name}>")]
    if source.inherited("xml:space") != "preserve":
        wanted = _unwrapped(wanted)
    return Filling(wanted, source.start, edits)


def _is_open(text: str, segment: Element, target: Element | None, everything: bool) -> bool:
    """Whether a segment is to be translated."""
    state = segment.attributes.get("state") or (target.attributes.get("state", "") if target else "")
    if segment.attributes.get("approved") == "yes" or state in _FINAL or segment.inherited("translate") == "no":
        return False
    if everything or target is None or state in ("new", "initial") or state.startswith("needs-"):
        return True
    return not flat(text_of(text, target, _is_around_text)).strip()


def _is_around_text(element: Element) -> bool:
    protected = element.attributes.get("mtype") == "protected" or element.attributes.get("translate") == "no"
    return element.name in _AROUND_TEXT and not protected


def _language_told(
    text: str, segment: Element, attribute: str, target: str, told: set[int]
) -> list[tuple[int, int, str | None]]:
    """The edit by which a file without a target language gets one, as it must have with the first target."""
    holder = segment
    while holder.parent is not None and holder.name != "file":
        holder = holder.parent
    if attribute == "trgLang" and holder.parent is not None:
        holder = holder.parent
    if attribute in holder.attributes or holder.start in told:
        return []
    told.add(holder.start)
    opening = with_attributes(text[holder.start : holder.content], {attribute: str(normalise(target))})
    return [(holder.start, holder.content, opening)]


def _unwrapped(text: Text) -> Text:
    """A text with a blank for every line break, those at its ends apart."""
    parts: list[Part] = []
    for number, part in enumerate(text):
        if isinstance(part, Mark):
            parts.append(part)
            continue
        start = len(part) - len(part.lstrip()) if number == 0 else 0
        end = max(start, len(part.rstrip())) if number == len(text) - 1 else len(part)
        parts.append(part[:start] + _WRAPPED.sub(" ", part[start:end]) + part[end:])
    return tuple(parts)
