"""How fast a device multiplies matrices, measured in a moment."""

import time
from typing import Final

import torch

_SECONDS: Final = 0.3
"""Spent on one number format; one product is always measured."""

_LONG: Final = 0.05
"""Seconds of a product that is not tried any more: several have to fit in."""

_SMALLEST, _LARGEST = 256, 8192
"""Rows and columns of the matrices."""


def product_rate(device: torch.device, number_format: torch.dtype) -> tuple[float, int]:
    """Floating-point operations per second of a product of two square matrices, the best of several sizes.

    Args:
        device: Where.
        number_format: Of the matrices.

    Returns:
        Operations per second, and the number of rows of the matrices.

    Raises:
        RuntimeError: If the device cannot multiply in this format, or has no memory left.
    """
    random = torch.Generator(device).manual_seed(1)  # the generator of everybody else stays as it is

    def matrices(size: int) -> tuple[torch.Tensor, torch.Tensor]:
        left, right = (torch.rand(size, size, generator=random, device=device) for _ in range(2))
        return left.to(number_format), right.to(number_format)

    size = _SMALLEST
    left, right = matrices(size)  # [size, size]
    _seconds(left, right)  # the first one starts threads and chooses what computes it
    begin, best = time.perf_counter(), (0.0, size)
    while True:
        seconds = _seconds(left, right)
        best = max(best, (2 * size**3 / seconds, size))
        if time.perf_counter() - begin > _SECONDS:
            return best
        if size < _LARGEST and 8 * seconds < _LONG:
            size *= 2
            left, right = matrices(size)  # [size, size]
            _seconds(left, right)


def _seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    begin = time.perf_counter()
    (left @ right)[0, 0].item()  # a GPU is waited for
    return time.perf_counter() - begin
