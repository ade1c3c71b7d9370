"""A token that a checkpoint did not have: in its tokenizer, and with a row of its own in its embeddings.

Torch is imported in functions only: tasks import this, and are imported where nothing heavy may be.
"""

from typing import Any


def add_token(tokenizer: Any, token: str) -> None:
    """Give a tokenizer a special token, if it does not have it; blanks beside it belong to it."""
    from transformers import AddedToken

    if token not in tokenizer.get_vocab():
        tokenizer.add_tokens([AddedToken(token, lstrip=True, rstrip=True, normalized=False)], special_tokens=True)


def make_room(model: Any, tokenizer: Any) -> None:
    """Give a model's embeddings a row for every token; new rows start as the mean of the others.

    Args:
        model: A transformers model.
        tokenizer: Its tokenizer, which may have more tokens than the model has rows.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) <= rows:
        return
    import torch

    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for table in (model.get_input_embeddings(), model.get_output_embeddings()):
            table.weight[rows:] = table.weight[:rows].mean(0)
