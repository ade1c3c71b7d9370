"""What `filling` says of pieces, of a whole document; and wild documents."""

from collections.abc import Callable, Iterator

import filling
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from wild_texts import WILD

from hftoolkit.documents.pieces import Piece, Place, Text
from hftoolkit.documents.reading import read_document
from hftoolkit.documents.settings import Settings

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Parsers of markup are timed by nobody, least of all on a machine that is busy."""

SETTINGS = Settings(source="en", target="zh-Hans")


def places(text: str, format: str, settings: Settings = SETTINGS) -> list[Place]:
    """What is translated of a document."""
    return list(filling.places(_pieces(text, format, settings)))


def texts(text: str, format: str, settings: Settings = SETTINGS) -> list[str]:
    """The texts of a document, marks as they are written."""
    return filling.texts(_pieces(text, format, settings))


def kept(text: str, format: str, settings: Settings = SETTINGS) -> str:
    """A document of which nothing is translated."""
    return filling.kept(_pieces(text, format, settings))


def translated(
    text: str, format: str, translate: Callable[[Text], Text] = filling.shouted, settings: Settings = SETTINGS
) -> str:
    """A document of which every text is translated."""
    return filling.filled(_pieces(text, format, settings), translate)


def _pieces(text: str, format: str, settings: Settings) -> Iterator[Piece]:
    return read_document(text, settings, format, "doc").pieces


def documents(*fragments: str) -> st.SearchStrategy[str]:
    """Wild documents, with much in them that means something to a format."""
    known = st.sampled_from([*fragments, *WILD, *fragments, "\r", "\r\n", "\n", "a", "b c", "你好", "。"])
    wild = st.text(st.characters(exclude_categories=("Cs",)), max_size=3)
    return st.lists(known | known | known | wild, max_size=25).map("".join)
