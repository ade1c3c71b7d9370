"""What every engine does: it writes a text, or several with their scores, for every source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import UsageError


@dataclass(frozen=True)
class Hypothesis:
    """A text that an engine wrote."""

    text: str

    score: float | None
    """Mean log-probability of its tokens, in nats; the end token is one of them. None: a server does not tell.

    It is what the model itself thinks of the text, whatever the search added or forbade: no length penalty, no penalty
    for repetition. It means the same in every engine.
    """


class Engine(Protocol):
    """A model that writes texts; sources carry their target token."""

    truncated: int
    """Sources cut so far because the model has no more positions."""

    @property
    def longest(self) -> int | None:
        """Tokens of a source at most; None: any number."""

    @property
    def signature(self) -> str:
        """Engine and number format."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said about everything read so far."""

    def cut_note(self, cut: int) -> str:
        """What should be said when so many sources were cut."""

    def tokens(self, source: str) -> int:
        """Length of a source in tokens, the end token counted."""

    def generate(
        self, sources: Iterable[str], decoding: Decoding, *, batch_rows: int | None = None, **settings: Any
    ) -> Iterator[str]:
        """Write a text for every source, in order and in constant memory.

        Args:
            sources: Texts, with their target token.
            decoding: How to choose the output.
            batch_rows: Rows at once at most; None: as many as suit.
            settings: Further generation settings by the names that transformers has for them.

        Raises:
            UsageError: If the engine cannot do what a setting asks for.
        """

    def hypotheses(self, sources: Iterable[str], decoding: Decoding, *, n_best: int = 1) -> Iterator[list[Hypothesis]]:
        """Write the best texts for every source, in order and in constant memory.

        Args:
            sources: Texts, with their target token.
            decoding: How to choose the output.
            n_best: Texts for every source, the search's best first; a search may find fewer.

        Raises:
            UsageError: If there are fewer beams than texts wanted.
        """


def check_n_best(n_best: int, decoding: Decoding) -> None:
    """Check that a search can give so many texts.

    Raises:
        UsageError: If it cannot.
    """
    if not 1 <= n_best <= decoding.beams:
        raise UsageError(
            f"n_best: expected a whole number from 1 to the number of beams, {decoding.beams}, got {n_best!r}\n"
            "  raise the number of beams, or ask for fewer"
        )


def cut_note(cut: int, positions: int) -> str:
    """What should be said when so many sources were longer than a model's positions."""
    count = "1 source is" if cut == 1 else f"{cut:,} sources are"
    return f"{count} longer than the model's {positions:,} tokens and {'was' if cut == 1 else 'were'} cut"
