"""Words -> the tokens of each, with every tokenizer that says where its tokens stand.

Words are read with a blank between them, as in a text: what tokenizers make of words one by one is for many of them
something else, which no model has seen.
"""

from collections.abc import Sequence
from typing import Any

from hftoolkit.errors import ModelError


def check_pieces(tokenizer: Any) -> None:
    """Refuse a tokenizer that does not tell which tokens belong to which word.

    Raises:
        ModelError: If it does not.
    """
    if not tokenizer.is_fast:
        raise ModelError(
            f"this model's tokenizer ({type(tokenizer).__name__}) does not say which tokens belong to which word\n"
            "  choose a model whose folder has a tokenizer.json:   model: {name: google-bert/bert-base-cased}"
        )


def word_pieces(tokenizer: Any, sentences: Sequence[Sequence[str]]) -> list[list[list[int]]]:
    """The tokens of every word of some sentences; none for a word that the tokenizer takes for nothing.

    Args:
        tokenizer: One that `check_pieces` lets pass.
        sentences: The words of each.
    """
    if not sentences:
        return []
    encoded = tokenizer(
        [" ".join(words) for words in sentences],
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        return_offsets_mapping=True,
    )
    both = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    return [_shared_out(ids, offsets, words) for (ids, offsets), words in zip(both, sentences, strict=True)]


def _shared_out(ids: list[int], offsets: list[tuple[int, int]], words: Sequence[str]) -> list[list[int]]:
    pieces: list[list[int]] = [[] for _ in words]
    word, start, end = -1, 0, -1  # first character of the current word, and the one after its last
    waiting: list[int] = []
    for token, (_, behind) in zip(ids, offsets, strict=True):
        # A token may begin with the blank before its word: it belongs where it ends.
        while behind > end and word + 1 < len(words):
            word, start, end = word + 1, end + 1, end + 1 + len(words[word + 1])
        waiting.append(token)
        if start < behind:  # else it holds nothing but the blank: it goes with what follows
            pieces[word] += waiting
            waiting = []
    return pieces


def frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The tokens that a tokenizer puts before a text, and behind it."""
    inner = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    before = next(place for place in range(len(whole)) if whole[place : place + len(inner)] == inner)
    return whole[:before], whole[before + len(inner) :]
