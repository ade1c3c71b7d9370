"""Tokens behind others -> the text that they spell, as a whole or as it grows."""

from collections.abc import Callable, Sequence
from typing import Any, Final

CONTEXT: Final = 8
"""Tokens before that are spelled too, and left out: alone, a first token of some tokenizers loses its blank."""

_HALF: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands at the end of a text for the first bytes of a character."""


class Spelling:
    """What tokens spell that stand behind others.

    Args:
        tokenizer: Of transformers.
        before: The tokens before; none where the text begins anew, such as an answer.
    """

    def __init__(self, tokenizer: Any, before: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._before = list(before[-CONTEXT:])
        known = [self._decoded(self._before[: len(self._before) - half]) for half in range(4)]
        self._known = next((text for text in known if not text.endswith(_HALF)), known[-1])
        """What is spelled without them: half a character, if they end so, belongs to what ends it."""

    def __call__(self, tokens: Sequence[int]) -> str:
        """Their text, without special tokens."""
        whole = self._decoded([*self._before, *tokens])
        return whole[len(self._known) :] if whole.startswith(self._known) else self._decoded(tokens)

    def behind(self, tokens: Sequence[int]) -> "Spelling":
        """What further tokens spell behind these."""
        return Spelling(self._tokenizer, [*self._before, *tokens])

    def _decoded(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text


def cut(text: str, stops: Sequence[str]) -> str:
    """What stands before that one of some texts which is the first to be complete."""
    places = [(place + len(stop), place) for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)[1]] if places else text


def has(text: str, stops: Sequence[str]) -> bool:
    """Whether one of some texts stands in it."""
    return any(stop in text for stop in stops)


class Growing:
    """Shows a text as its tokens come, in pieces that nothing behind them changes.

    The beginning of a character waits for its other bytes, and what may be the beginning of a stop for what comes next.

    Args:
        spelling: How tokens become text.
        stops: Texts before which the text ends.
        show: Is given every piece.
    """

    def __init__(self, spelling: Spelling, stops: Sequence[str], show: Callable[[str], None]) -> None:
        self._spelling = spelling
        self._stops = stops
        self._show = show
        self._past = ""
        self._tokens: list[int] = []
        self._shown = 0

    def add(self, token: int) -> None:
        """Take one more token, and show what is settled now."""
        self._tokens.append(token)
        text = self._spelling(self._tokens)
        whole = text.rstrip(_HALF)
        settled = cut(whole, self._stops)
        if settled == whole:
            settled = whole[: len(whole) - self._open(whole)]
        self._show_of(self._past + settled)
        if settled == text:  # what follows is spelled without reading all of it again
            self._past += text
            self._spelling, self._tokens = self._spelling.behind(self._tokens), []

    def end(self, text: str) -> None:
        """Show what is left of the whole text."""
        self._show_of(text)

    def _open(self, text: str) -> int:
        """Characters at the end with which a stop may begin."""
        longest = max(map(len, self._stops), default=1) - 1
        endings = range(min(longest, len(text)), 0, -1)
        return next((size for size in endings if any(stop.startswith(text[-size:]) for stop in self._stops)), 0)

    def _show_of(self, text: str) -> None:
        if len(text) > self._shown:
            self._show(text[self._shown :])
            self._shown = len(text)
