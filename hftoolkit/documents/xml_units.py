"""XML read for the places of its elements: what is not replaced is not written anew.

A parser (expat) has the last word on what is XML; it reads nothing from outside the file and refuses entities that the
file declares. In what it has accepted, the places of tags are found by a regular expression.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from xml.parsers import expat

from hftoolkit.documents.marks import joined
from hftoolkit.documents.pieces import Mark, Part, Piece, Place, Text
from hftoolkit.errors import DataError

_TAG = re.compile(
    r"""
      <!--.*?--> | <\?.*?\?> | <!\[CDATA\[.*?\]\]>
    | <!DOCTYPE (?: [^\[\]"'>] | "[^"]*" | '[^']*' )*+
      (?: \[ (?: <!--.*?--> | <\?.*?\?> | "[^"]*" | '[^']*' | [^\]"'<] | <(?!!--|\?) )*+ \] [ \t\r\n]*+ )? >
    | <(?P<closing>/?) (?P<name>[^\s/>!?]+)
      (?P<attributes> (?: [^"'>/]++ | "[^"]*" | '[^']*' | /(?!>) )*+ ) (?P<empty>/?) >
    """,
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCE = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(.*?)\]\]>|&(\#?[\w:.-]+);", re.DOTALL)
_PREDEFINED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_LINE_END = re.compile(r"\r\n?")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(eq=False)
class Element:
    """An element and its places in the text."""

    name: str
    """Without its prefix."""

    prefix: str
    """With its colon; empty where there is none."""

    attributes: dict[str, str]
    start: int
    content: int
    """Where its start tag ends."""

    parent: "Element | None"
    children: list["Element"] = field(default_factory=list)
    closing: int = 0
    """Where its end tag begins."""

    end: int = 0

    def inherited(self, name: str) -> str | None:
        """An attribute of it, or of the nearest element around it that has one."""
        element: Element | None = self
        while element is not None and name not in element.attributes:
            element = element.parent
        return element.attributes[name] if element else None

    def child(self, name: str) -> "Element | None":
        """The first child of a name."""
        return next((each for each in self.children if each.name == name), None)


@dataclass(frozen=True)
class Filling:
    """A text of the file, and what is written once it is translated."""

    text: Text
    place: int
    """Where it is in the file; before or after what is replaced."""

    edits: Sequence[tuple[int, int, str | None]]
    """Stretches of the file and what stands there instead, in order; None: the translation."""


def read_units(text: str, root: str, names: Sequence[str], name: str) -> Iterator[Element]:
    """Elements of some names with all that is in them; of what is around them only what is above them.

    Args:
        text: The file.
        root: Name of the outermost element.
        names: Names of the elements; none lies within another.
        name: What the file is called in messages.

    Raises:
        DataError: If it is not XML, not of this format, or declares entities.
    """
    _check(text, root, name)
    unit: Element | None = None
    element: Element | None = None
    for tag in _TAG.finditer(text):
        if not tag["name"]:
            continue
        if tag["closing"]:
            assert element is not None  # noqa: S101 - the parser has seen to it
            done, element = element, element.parent
            done.closing, done.end = tag.span()
        else:
            prefix, colon, local = tag["name"].rpartition(":")
            done = Element(local, prefix + colon, _attributes(tag["attributes"]), tag.start(), tag.end(), element)
            if unit is not None and element is not None:
                element.children.append(done)
            elif local in names:
                unit = done
            if not tag["empty"]:
                element = done
                continue
            done.closing = done.end = tag.end()
        if done is unit:
            yield done
            unit = None


def text_of(text: str, element: Element, transparent: Callable[[Element], bool]) -> Text:
    """What an element says; what is in it is a mark, or two marks around a text.

    Args:
        text: The file.
        element: The element.
        transparent: Whether the text within an element is of the same sentence.
    """
    return joined(_parts(text, element, transparent))


def filled(text: str, element: Element, attributes: Mapping[str, str]) -> list[tuple[int, int, str | None]]:
    """The edits by which an element gets attributes, and the translation for what it holds."""
    if element.content == element.end:
        opening = text[element.start : element.content].removesuffix("/>").rstrip() + ">"
        closing = f"</{element.prefix}{element.name}>"
        end = element.end
        return [(element.start, end, with_attributes(opening, attributes)), (end, end, None), (end, end, closing)]
    opening = with_attributes(text[element.start : element.content], attributes)
    return [(element.start, element.content, opening), (element.content, element.closing, None)]


def with_attributes(tag: str, attributes: Mapping[str, str]) -> str:
    """A start tag with attributes set: those it has in their places, others behind them."""
    left = {name: _escaped(value).replace('"', "&quot;") for name, value in attributes.items()}

    def changed(attribute: re.Match[str]) -> str:
        return f'{attribute[1]}="{left.pop(attribute[1])}"' if attribute[1] in left else attribute[0]

    tag = _ATTRIBUTE.sub(changed, tag)
    end = re.search(r"\s*/?>\Z", tag)
    place = end.start() if end else len(tag)
    return tag[:place] + "".join(f' {name}="{value}"' for name, value in left.items()) + tag[place:]


def blank_before(text: str, place: int) -> str:
    """White space in front of a place, such as a line break and the indentation."""
    start = place
    while start and text[start - 1] in " \t\r\n":
        start -= 1
    return text[start:place]


def cut(text: str, fillings: Iterable[Filling]) -> Iterator[Piece]:
    """The pieces of a file.

    Args:
        text: The file.
        fillings: In the order of the file.
    """
    end = counted = 0
    line = 1
    for filling in fillings:
        start, stop = filling.edits[0][0], filling.edits[-1][1]
        if start > end:
            yield text[end:start]
        written: list[str | None] = []
        end = start
        for begun, done, new in filling.edits:
            written += [text[end:begun], new]
            end = done
        line += text.count("\n", counted, filling.place)
        counted = filling.place
        yield Place((filling.text,), partial(_written, written), text[start:stop], f"line {line}")
    if end < len(text):
        yield text[end:]


def _written(parts: Sequence[str | None], translations: Sequence[Text]) -> str:
    (translation,) = translations
    text = "".join(part.text if isinstance(part, Mark) else _escaped(part) for part in translation)
    return "".join(text if part is None else part for part in parts)


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return _FORBIDDEN.sub(" ", text)


def _parts(text: str, element: Element, transparent: Callable[[Element], bool]) -> Iterator[Part]:
    place = element.content
    for child in element.children:
        yield from _read(text, place, child.start)
        if transparent(child) and child.content < child.end:
            yield Mark(text[child.start : child.content])
            yield from _parts(text, child, transparent)
            yield Mark(text[child.closing : child.end])
        else:
            yield Mark(text[child.start : child.end])
        place = child.end
    yield from _read(text, place, element.closing)


def _read(text: str, start: int, stop: int) -> Iterator[Part]:
    """A stretch without tags, as people read it; an entity that only a DTD elsewhere knows is a mark."""
    for reference in _REFERENCE.finditer(text, start, stop):
        yield _LINE_END.sub("\n", text[start : reference.start()])
        start = reference.end()
        literal, name = reference.groups()
        if literal is not None:
            yield _LINE_END.sub("\n", literal)
        elif name:
            yield _character(name) or Mark(reference[0])
    yield _LINE_END.sub("\n", text[start:stop])


def _character(name: str) -> str | None:
    """What a reference stands for; None: nothing that XML itself knows."""
    if name.startswith("#"):
        return chr(int(name[2:], 16) if name[1] == "x" else int(name[1:]))
    return _PREDEFINED.get(name)


def _attributes(written: str) -> dict[str, str]:
    found = {}
    for name, quoted, single in _ATTRIBUTE.findall(written):
        found[name] = _REFERENCE.sub(lambda each: _character(each[2] or "") or each[0], quoted or single)
    return found


def _check(text: str, root: str, name: str) -> None:
    """Refuse what is not XML, is of another format, or declares entities."""

    def first(tag: str, _: object) -> None:
        parser.StartElementHandler = None
        if tag.rpartition(":")[2] != root:
            raise DataError(
                f"{name}: not {root.upper()}: the outermost element is <{tag}>, expected <{root}>\n"
                "  say what it is:  --format NAME"
            )

    def declared(entity: str, *_: object) -> None:
        raise DataError(
            f"{name}: declares entities of its own ({entity}), which are not read: "
            "they can name other files, or grow without end\n"
            "  write the texts themselves in the place of the entities"
        )

    parser = expat.ParserCreate("UTF-8")  # whatever the file was decoded from
    parser.StartElementHandler = first
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise DataError(
            f"{name}: line {error.lineno}: not XML: {expat.ErrorString(error.code)}\n"
            f"  'xmllint --noout {name}' shows what is wrong"
        ) from error
