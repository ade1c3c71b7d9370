"""TMX: units that have no text in the target language get one.

It says ``creationtool="hftoolkit" creationid="MT!"``, the name by which translation programs know what a machine wrote,
and stands behind the others, in the language that the file has for such texts, if it has any. A unit is translated from
its first text in the source language; one without stays as it is.

Inline elements are marks: ``<hi>`` stands around a text, others hold codes of another format.
"""

from collections.abc import Iterator

from hftoolkit.documents.pieces import Piece, flat
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

_SIGNED = {"creationtool": "hftoolkit", "creationid": "MT!"}
_LANGUAGE = ("xml:lang", "lang")  # the second in TMX 1.1
_SHOWN = 20


def pieces(text: str, settings: Settings, name: str) -> Iterator[Piece]:
    """The pieces of a TMX file.

    Args:
        text: The file.
        settings: From which language to which; whether all units are translated anew.
        name: What the file is called in messages.

    Raises:
        DataError: If it is not TMX, or has no text in the source language.
    """
    units = [
        (unit, variants, [_language(variant) for variant in variants])
        for unit in read_units(text, "tmx", ["tu"], name)
        if (variants := [each for each in unit.children if each.name == "tuv"])
    ]
    known = sorted({tag for _, _, tags in units for tag in tags})
    near = nearest_tag(settings.target, known)
    target = str(normalise(settings.target)) if near is None else known[near]
    fillings = []
    begun = False
    for _, variants, tags in units:
        found = nearest_tag(settings.source, tags)
        if found is None:
            continue
        begun = True
        filling = _filling(text, variants, tags, found, target, settings)
        if filling:
            fillings.append(filling)
    if units and not begun:
        shown = ", ".join(tag or "(none named)" for tag in known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
        raise DataError(
            f"{name}: no unit is in {settings.source}; the languages in this file are: {shown}\n"
            "  say the language:  --from LANGUAGE"
        )
    yield from cut(text, fillings)


def _language(variant: Element) -> str:
    return next((variant.attributes[name] for name in _LANGUAGE if name in variant.attributes), "")


def _filling(
    text: str, variants: list[Element], tags: list[str], found: int, language: str, settings: Settings
) -> Filling | None:
    """A unit as it is to be filled; None: it stays as it is.

    Args:
        text: The file.
        variants: The texts of the unit.
        tags: Their languages.
        found: Number of the one that is translated.
        language: What a new one has.
        settings: Which one is the target's; whether it is replaced.
    """
    source = variants[found]
    segment = source.child("seg")
    wanted = text_of(text, segment, _is_around_text) if segment else ()
    if segment is None or not flat(wanted).strip():
        return None
    others = [number for number in range(len(tags)) if number != found]
    near = nearest_tag(settings.target, [tags[number] for number in others])
    if near is not None:
        target = variants[others[near]]
        there = target.child("seg")
        if there is None or (flat(text_of(text, there, _is_around_text)).strip() and not settings.all_entries):
            return None
        opening = with_attributes(text[target.start : target.content], _SIGNED)
        return Filling(wanted, segment.start, [(target.start, target.content, opening), *filled(text, there, {})])
    attribute = next(name for name in _LANGUAGE if name in source.attributes)
    tag = with_attributes(f"<{source.prefix}tuv>", {attribute: language, **_SIGNED})
    name = f"{segment.prefix}seg"
    opening = f"{blank_before(text, source.start)}{tag}{blank_before(text, segment.start)}<{name}>"
    closing = f"</{name}>{text[segment.end : source.closing]}</{source.prefix}tuv>"
    end = variants[-1].end
    return Filling(wanted, segment.start, [(end, end, opening), (end, end, None), (end, end, closing)])


def _is_around_text(element: Element) -> bool:
    return element.name == "hi"
