"""A token that a checkpoint did not have: in its tokenizer, and with a row of its own in its embeddings.

Torch is imported in functions only: tasks import this, and are imported where nothing heavy may be.
"""

from collections.abc import Sequence
from typing import Any


def add_token(tokenizer: Any, token: str) -> None:
    """Give a tokenizer a special token, if it does not have it; blanks beside it belong to it."""
    from transformers import AddedToken

    if token not in tokenizer.get_vocab():
        tokenizer.add_tokens([AddedToken(token, lstrip=True, rstrip=True, normalized=False)], special_tokens=True)


def make_room(model: Any, tokenizer: Any, new: Sequence[int] = ()) -> None:
    """Give a model's embeddings a row for every token; new rows start as the mean of the others.

    Args:
        model: A transformers model.
        tokenizer: Its tokenizer, which may have more tokens than the model has rows.
        new: Numbers of tokens that are new, also where the model has rows to spare.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    fresh = [*(number for number in new if number < rows), *range(rows, len(tokenizer))]
    if not fresh:
        return
    import torch

    if len(tokenizer) > rows:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for table in filter(None, (model.get_input_embeddings(), model.get_output_embeddings())):
            old = [number for number in range(rows) if number not in fresh]
            table.weight[fresh] = table.weight[old].mean(0)
