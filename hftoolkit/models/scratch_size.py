"""Whether this machine can hold a new model: where memory runs out, the system ends the process without a word."""

from typing import Final

import psutil
import torch

from hftoolkit.errors import ModelError
from hftoolkit.recipe.schema import Scratch, ScratchDecoder, ScratchEncoder

_BYTES: Final = 4
_KEPT: Final = 4
"""Numbers kept for every weight in training: itself, its gradient, and two running means of that."""


def check_size(sizes: Scratch | ScratchDecoder | ScratchEncoder, device: torch.device) -> None:
    """Refuse a model that does not fit.

    Args:
        sizes: Of the new model.
        device: Where it is trained; it is made in the memory of the machine, whatever that is.

    Raises:
        ModelError: If its weights alone, or on a CPU what training keeps of them, are more than the whole memory.
    """
    weights = _weights(sizes)
    needed, there = weights * _BYTES * (_KEPT if device.type == "cpu" else 1), psutil.virtual_memory().total
    if needed > there:
        raise ModelError(
            f"model.scratch: a model of these sizes has {weights:,} weights, which take {needed / 2**30:,.0f} GiB; "
            f"this machine has {there / 2**30:,.0f} GiB\n"
            "  take fewer layers, or less of width, feed_forward or positions"
        )


def _weights(sizes: Scratch | ScratchDecoder | ScratchEncoder) -> int:
    """About how many there are: matrices and tables, without biases and norms."""
    square, inner = sizes.width**2, 2 * sizes.width * sizes.feed_forward
    if isinstance(sizes, Scratch):
        layers = sizes.encoder_layers * (4 * square + inner) + sizes.decoder_layers * (8 * square + inner)
        tables = sizes.vocabulary + 2 * sizes.positions
    else:
        layers = sizes.layers * (4 * square + inner)
        tables = sizes.vocabulary + sizes.positions
    return layers + tables * sizes.width
