"""What a document is cut into: text that stays as it is, and places whose texts are translated.

The pieces of a document, put together with nothing translated, are the document, character for character. That is why
a format never writes a file from what it has parsed: it only says which stretches of it are replaced.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """What stands inside a text and is no language: a tag, a code span, an address, a placeholder."""

    text: str
    """As the file has it, and as it is written again."""


Part = str | Mark
"""A stretch of text as people read it (entities resolved, escapes undone), or a mark between two such stretches."""

Text = tuple[Part, ...]
"""One text to translate."""


@dataclass(frozen=True)
class Place:
    """A stretch of a document that a translation replaces."""

    texts: tuple[Text, ...]
    """What is translated: nearly always one text; several where one entry holds several, as plural forms do."""

    fill: Callable[[Sequence[Text]], str]
    """From the translations of ``texts`` to the stretch as the file's format writes it, escapes and all."""

    kept: str
    """The stretch as it is in the file; what is written where nothing is translated."""

    where: str
    """What a person finds it by, such as ``line 12`` or ``line 3, column 'en'``."""


Piece = str | Place


def flat(text: Text) -> str:
    """A text as one string, marks as they are written."""
    return "".join(part if isinstance(part, str) else part.text for part in text)
