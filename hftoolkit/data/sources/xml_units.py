"""XML files read unit by unit: nothing from outside the file, no entities of its own, memory for one unit at a time.

translate-toolkit reads such files, too, but as a whole tree, some six times the size of the file, and takes the native
codes within a text (``<ph>&lt;br/&gt;</ph>``) for words.
"""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from hftoolkit.data.sources.files import opened
from hftoolkit.data.sources.lines import encoding_name
from hftoolkit.errors import DataError

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"

_NATIVE = ("bpt", "ept", "ph", "it", "ut")
_BREAKS = ("lb", "xlf:lb")
_BLANKS = re.compile(r"[ \t\r\n]+")


def read_units(path: Path, root: str, names: Sequence[str], encoding: str | None) -> Iterator[Any]:
    """Elements of some names, each only until the next one is asked for; what lies above it stays.

    Args:
        path: The file.
        root: Name of the outermost element, which tells the format.
        names: Names of the elements, whatever their namespace; none lies within another.
        encoding: Name of the encoding; None: what the file says.

    Raises:
        DataError: If the file cannot be read, is not of this format, or declares entities of its own.
    """
    # libxml2 knows few of Python's names for UTF-8, and its own for most others.
    codec = encoding_name(path, encoding).removesuffix("-sig") if encoding else None
    with opened(path) as file:
        try:
            events = etree.iterparse(
                file,
                tag=[f"{{*}}{each}" for each in names],
                resolve_entities=False,
                load_dtd=False,
                no_network=True,
                collect_ids=False,
                encoding=codec,
            )
        except LookupError:
            raise DataError(
                f"{path}: encoding: XML cannot be read in {encoding!r}\n"
                "  leave it out where the file says it, or convert the file to UTF-8"
            ) from None
        first = True
        try:
            for _, element in events:
                if first:
                    _check(element, root, path)
                    first = False
                yield element
                _forget(element)
            if first:
                _check(events.root, root, path)
        except etree.XMLSyntaxError as error:
            # What lxml says itself is at times only a consequence of what libxml2 has found.
            told = next(iter(events.error_log.filter_from_fatals()), None)
            line, message = (told.line, told.message.strip()) if told else (1, str(error.msg))
            if "XML_PARSE_HUGE" in message:  # what libxml2 advises, nobody who has a file can do
                raise DataError(
                    f"{path}: line {line}: a text of 10 MB and more, or elements nested deeper than 256, are not read\n"
                    "  take the unit out of the file"
                ) from error
            raise DataError(
                f"{path}: line {line}: not XML: {message}\n  'xmllint --noout {path.name}' shows what is wrong"
            ) from error


def text_of(element: Any) -> str:
    """The text that a reader sees: codes of the original format are left out, a line break among them is a blank."""
    if element is None:
        return ""
    return "".join(_pieces(element)) if len(element) else element.text or ""


def squeezed(element: Any) -> str:
    """Like `text_of`, with white space as XML has it where it is not asked for: one blank, none at the ends."""
    text = text_of(element)
    if element is None or _keeps_space(element):
        return text
    return _BLANKS.sub(" ", text).strip(" ")


def local_name(element: Any) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _pieces(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag is etree.Entity:  # known to a DTD that is not read, such as &nbsp;
            yield unescape(child.text)
        elif isinstance(child.tag, str):  # neither a comment nor a processing instruction
            if (child.get("ctype") or child.get("subType") or child.get("type")) in _BREAKS:
                yield " "
            elif local_name(child) not in _NATIVE:
                yield from _pieces(child)
        yield child.tail or ""


def _keeps_space(element: Any) -> bool:
    for each in (element, *element.iterancestors()):
        value = each.get(SPACE)
        if value is not None:
            return bool(value == "preserve")
    return False


def _check(element: Any, root: str, path: Path) -> None:
    tree = element.getroottree()
    top = tree.getroot()
    if local_name(top) != root:
        raise DataError(
            f"{path}: not {root.upper()}: the outermost element is <{local_name(top)}>, expected <{root}>\n"
            "  say what it is:  format: NAME"
        )
    declared = tree.docinfo.internalDTD
    if declared is not None and declared.entities():
        raise DataError(
            f"{path}: declares entities of its own ({declared.entities()[0].name}), which are not read: "
            "they can name other files, or grow without end\n"
            "  write the texts themselves in the place of the entities"
        )


def _forget(element: Any) -> None:
    """Free an element and what stood before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
