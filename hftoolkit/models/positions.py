"""How many tokens a model can read."""

from typing import Any, Final

from torch import nn

from hftoolkit.models.decoders import reach

_ANY_NUMBER: Final = 1 << 20
"""Tokens that are enough where a model has no positions."""


def positions(model: Any) -> int:
    """Tokens of the longest input, special tokens counted.

    RoBERTa and its kin number positions from behind their padding token's: of 514 rows in the table 512 can be used.
    """
    stated = reach(model.config) or _ANY_NUMBER
    tables = (module for name, module in model.named_modules() if name.endswith("position_embeddings"))
    table = next((module for module in tables if isinstance(module, nn.Embedding)), None)
    return stated if table is None or table.padding_idx is None else stated - table.padding_idx - 1
