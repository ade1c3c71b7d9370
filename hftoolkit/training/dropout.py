"""Dropout that draws its random numbers quickly on a processor, where torch's own takes a fifth of a small step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_LEVELS = 1 << 16


class QuickDropout(TorchFunctionMode):
    """Within this context ``torch.nn.functional.dropout`` on the CPU drops values by 16 random bits each.

    torch draws one number of a Mersenne Twister after the other through a distribution; a quarter of a 64-bit draw
    says the same. The share that is dropped is met to 1/65536, and what is left is scaled by that share.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is functional.dropout:
            return _dropout(*args, **kwargs or {})
        return func(*args, **kwargs or {})


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    dropped = round(p * _LEVELS)
    if inplace or input.device.type != "cpu" or not training or not 0 < dropped < _LEVELS:
        return functional.dropout(input, p, training, inplace)
    size = input.numel()
    drawn = torch.empty(-(-size // 4), dtype=torch.int64, device="cpu").random_(-(2**63), None)
    kept = drawn.view(torch.int16)[:size].view(input.shape) >= dropped - _LEVELS // 2
    return input * kept.to(input.dtype).mul_(_LEVELS / (_LEVELS - dropped))
