"""A document that is cut, and what is written when its texts are translated."""

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from wild_texts import WILD

from hftoolkit.documents.pieces import Place, Text, flat
from hftoolkit.documents.reading import read_document
from hftoolkit.documents.settings import Settings

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Parsers of markup are timed by nobody, least of all on a machine that is busy."""

SETTINGS = Settings(source="en", target="zh-Hans")


def places(text: str, format: str, settings: Settings = SETTINGS) -> list[Place]:
    """What is translated of a document."""
    return [piece for piece in read_document(text, settings, format, "doc").pieces if isinstance(piece, Place)]


def texts(text: str, format: str, settings: Settings = SETTINGS) -> list[str]:
    """The texts of a document, marks as they are written."""
    return [flat(each) for place in places(text, format, settings) for each in place.texts]


def kept(text: str, format: str, settings: Settings = SETTINGS) -> str:
    """A document of which nothing is translated."""
    pieces = read_document(text, settings, format, "doc").pieces
    return "".join(piece if isinstance(piece, str) else piece.kept for piece in pieces)


def shouted(text: Text) -> Text:
    """A translation that can be seen: in capitals, marks as they are."""
    return tuple(part.upper() if isinstance(part, str) else part for part in text)


def translated(
    text: str, format: str, translate: Callable[[Text], Text] = shouted, settings: Settings = SETTINGS
) -> str:
    """A document of which every text is translated."""
    pieces = read_document(text, settings, format, "doc").pieces
    return "".join(
        piece if isinstance(piece, str) else piece.fill([translate(each) for each in piece.texts]) for piece in pieces
    )


def documents(*fragments: str) -> st.SearchStrategy[str]:
    """Wild documents, with much in them that means something to a format."""
    known = st.sampled_from([*fragments, *WILD, *fragments, "\r", "\r\n", "\n", "a", "b c", "你好", "。"])
    wild = st.text(st.characters(exclude_categories=("Cs",)), max_size=3)
    return st.lists(known | known | known | wild, max_size=25).map("".join)
