"""How deep in a model its weights lie: the head on top, then the layers, the embeddings at the bottom."""

import re
from typing import Any

from torch import nn

from hftoolkit.errors import ModelError
from hftoolkit.models.heads import is_head

_NUMBER = re.compile(r"(?:^|\.)(\d+)\.")


def depths(model: Any) -> dict[str, int]:
    """The depth of every weight: 0 for the head and what stands behind the last layer, 1 for that layer, and so on.

    Args:
        model: A transformers model that is one stack of layers.

    Returns:
        Depths by name; embeddings are one deeper than the first layer.

    Raises:
        ModelError: If there are two stacks.
    """
    if model.config.is_encoder_decoder:
        raise ModelError(
            "training.layer_decay: an encoder-decoder model has two stacks of layers\n  leave it out for this model"
        )
    layers: dict[str, int | None] = {}
    for name, _ in model.named_parameters():
        numbered = None if is_head(name, model) else _NUMBER.search(name)
        layers[name] = int(numbered[1]) if numbered else None
    number = 1 + max((layer for layer in layers.values() if layer is not None), default=-1)
    tables = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}

    def of(name: str, layer: int | None) -> int:
        if layer is not None:
            return number - layer
        return number + 1 if ("embed" in name or name in tables) and not is_head(name, model) else 0

    return {name: of(name, layer) for name, layer in layers.items()}
