"""Whether a model keeps documents apart that stand behind each other in one row."""

from typing import Any, Final

import torch
from torch import Tensor

_FIRST, _SECOND = 7, 6
"""Tokens of the two documents of the trial."""

_ROUNDING: Final = 1e-3
"""Largest difference that is none, as a share of the largest score."""


def keeps_apart(model: Any) -> bool:
    """Whether a document is read the same with another one before it: whether numbers of positions that begin anew
    tell the model where a document begins.

    It is tried: what an architecture makes of them is not written anywhere.

    Args:
        model: A causal transformers model.
    """
    size = model.config.get_text_config().vocab_size
    numbers = torch.Generator().manual_seed(1)
    ids = torch.randint(0, size, (1, _FIRST + _SECOND), generator=numbers).to(model.device)
    places = torch.cat([torch.arange(_FIRST), torch.arange(_SECOND)])[None].to(model.device)
    training = model.training
    model.eval()
    try:
        alone = _scores(model, ids[:, _FIRST:], places[:, _FIRST:])
        behind = _scores(model, ids, places)[:, _FIRST:]
    except (TypeError, ValueError):  # it takes no numbers of positions
        return False
    finally:
        model.train(training)
    return bool((alone - behind).abs().max() <= _ROUNDING * alone.abs().max())


@torch.inference_mode()
def _scores(model: Any, ids: Tensor, places: Tensor) -> Tensor:
    # With a cache transformers takes all of a row for one text.
    found: Tensor = model(input_ids=ids, position_ids=places, use_cache=False).logits.float()  # [B, T, V]
    return found
