"""Sentences on which a converted model is tried, of the language it reads or of words in its vocabulary."""

from collections.abc import Sequence
from itertools import cycle

from hftoolkit.engines.sample_sentences import SENTENCES
from hftoolkit.errors import UsageError
from hftoolkit.languages import THREE_LETTERS, normalise
from hftoolkit.models.marian_tokenizer import MarianTokenizer
from hftoolkit.models.target_tokens import target_token

ROWS = 16
"""Sentences in a sample."""

_WORDS = 5
"""Words in a sentence that is put together from a vocabulary."""


def sample(tokenizer: MarianTokenizer, token: str | None) -> list[str]:
    """Sources to try a model on.

    Args:
        tokenizer: Its tokenizer.
        token: The target token that it was tuned with, if that is known.
    """
    source = _known(tokenizer.source_lang)
    lines = SENTENCES.get(source or "", "").strip().splitlines() or _lists(tokenizer.words(ROWS * _WORDS))
    tokens = [token] if token else _target_tokens(tokenizer, source)
    return [f"{asked} {line}" if asked else line for line, asked in zip(lines, cycle(tokens or [None]), strict=False)]


def _lists(words: Sequence[str]) -> list[str]:
    """Lists of words: no sentences, but something that can be translated into any language."""
    return [", ".join(words[row::ROWS]) for row in range(min(ROWS, len(words)))]


def _target_tokens(tokenizer: MarianTokenizer, source: str | None) -> list[str]:
    """The token of the language that a model writes; if it writes many, theirs in turn."""
    if tokenizer.target_lang and _known(tokenizer.target_lang):
        found = target_token(tokenizer.vocabulary, tokenizer.target_lang, source)
        return [found] if found else []
    return sorted(entry for entry in tokenizer.vocabulary if entry.startswith(">>") and entry.endswith("<<"))


def _known(tag: str | None) -> str | None:
    """The language of a tag; groups of languages, such as ``ROMANCE`` or ``mul``, are none."""
    try:
        language = normalise(tag).language if tag else None
    except UsageError:
        return None
    return language if language in THREE_LETTERS else None
