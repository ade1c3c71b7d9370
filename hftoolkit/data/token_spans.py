"""Parts of a text in characters -> in tokens, and back."""

import re
import unicodedata
from typing import Final

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int32]
"""First character of every token of a text and the character after its last, as tokenizers tell them; ``[T, 2]``."""

_OF_SPACED_WORD: Final = re.compile(
    # Letters and digits, without scripts that have no blanks between words, or, as Korean, around more than a word.
    "[^\\W_\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3000-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff00-\uffef\U00020000-\U0003ffff]"
)


def tokens_of(offsets: Offsets, start: int, end: int) -> tuple[int, int] | None:
    """The tokens that hold a part of a text.

    Args:
        offsets: Of the text's tokens.
        start: The part's first character, from 0.
        end: The character after its last.

    Returns:
        First and last token; None where no token holds anything of it, such as a blank.
    """
    if not len(offsets):
        return None
    first = int(np.searchsorted(np.maximum.accumulate(offsets[:, 1]), start, side="right"))
    last = int(np.searchsorted(np.maximum.accumulate(offsets[:, 0]), end, side="left")) - 1
    return (first, last) if first <= last else None


def characters_of(text: str, offsets: Offsets, first: int, last: int) -> tuple[int, int]:
    """The part of a text that some tokens hold, without the blanks around it.

    Marks that belong to its last character are taken along: many tokenizers know nothing of them.

    Args:
        text: What was tokenized.
        offsets: Of its tokens.
        first: First token.
        last: Last token.

    Returns:
        First character and the character after the last.
    """
    start, end = int(offsets[first, 0]), int(offsets[last, 1])
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """A part of a text, made longer so that it does not begin or end within a word.

    Only scripts with blanks between words have words here: in others, every character stays for itself.

    Args:
        text: The whole.
        start: The part's first character, from 0.
        end: The character after its last.
    """
    while 0 < start < end and _in_one_word(text, start):
        start -= 1
    while start < end < len(text) and _in_one_word(text, end):
        end += 1
    return start, end


def _in_one_word(text: str, place: int) -> bool:
    """Whether a character continues the word of the one before it."""
    return bool(_OF_SPACED_WORD.match(text, place - 1) and _OF_SPACED_WORD.match(text, place))
