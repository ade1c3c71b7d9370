"""Documents with nothing translated, or with a translation that shows what was translated."""

from collections.abc import Callable, Iterable, Iterator

from hftoolkit.documents.pieces import Mark, Piece, Place, Text, flat


def kept(pieces: Iterable[Piece]) -> str:
    """The document with nothing translated."""
    return "".join(piece if isinstance(piece, str) else piece.kept for piece in pieces)


def shouted(text: Text) -> Text:
    """A translation into capitals, marks untouched."""
    return tuple(part if isinstance(part, Mark) else part.upper() for part in text)


def filled(pieces: Iterable[Piece], translate: Callable[[Text], Text] = shouted) -> str:
    """The document with every text translated."""
    return "".join(
        piece if isinstance(piece, str) else piece.fill([translate(text) for text in piece.texts]) for piece in pieces
    )


def places(pieces: Iterable[Piece]) -> Iterator[Place]:
    """What is translated."""
    return (piece for piece in pieces if isinstance(piece, Place))


def texts(pieces: Iterable[Piece]) -> list[str]:
    """The texts that are translated, marks as they are written."""
    return [flat(text) for place in places(pieces) for text in place.texts]
