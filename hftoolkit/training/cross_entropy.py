"""Cross-entropy over a vocabulary without its logits in memory: computed a few tokens at a time, gradients included."""

from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_LOGITS: Final = {"cpu": 1 << 20}
"""Logits computed at once, by device: on a processor they stay in its cache. No fewer tokens than half the width,
though: with every piece the whole matrix is read, and its gradient written."""

_LOGITS_ELSEWHERE: Final = 1 << 26


def sum_of_cross_entropies(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, *, ignored: int = -100, smoothing: float = 0.0
) -> Tensor:
    """The cross-entropy between an output layer's predictions and the labels, summed over the labels that count.

    The same as ``cross_entropy(linear(hidden, weight, bias), labels, reduction="sum")``, whose logits and their
    gradients need several times ``T * V`` floats, and take most of the time of a small model's step. Products are in
    the number format that autocast asks for, everything else in float32; it can be differentiated once.

    Args:
        hidden: What the output layer reads; shape ``[T, H]``.
        weight: The output layer's; shape ``[V, H]``.
        bias: Added to the logits; shape ``[V]``.
        labels: Shape ``[T]``.
        ignored: Label of tokens that do not count; nothing is computed for them.
        smoothing: Share of the probability spread over all labels.

    Returns:
        The sum in nats, float32; a scalar.

    Source:
        Wijmans et al., 2024, Cut Your Losses in Large-Vocabulary Language Models, arXiv:2411.09009: gradients are
        computed with the loss, while the logits are at hand.
    """
    counted = labels != ignored
    if torch.is_autocast_enabled(hidden.device.type):
        products = torch.get_autocast_dtype(hidden.device.type)
    else:
        products = weight.dtype
    total: Tensor = _Sum.apply(hidden[counted], weight, bias, labels[counted], smoothing, products)  # type: ignore[no-untyped-call]
    return total


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float, products: Any
    ) -> Tensor:
        size = weight.shape[0]
        wanted, weight_wanted, bias_wanted = ctx.needs_input_grad[:3]
        of_hidden = torch.empty_like(hidden) if wanted else None  # [T, H]
        of_weight = torch.zeros_like(weight, dtype=torch.float32) if weight_wanted else None  # [V, H]
        of_bias = torch.zeros_like(bias, dtype=torch.float32) if bias is not None and bias_wanted else None  # [V]
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        with torch.autocast(hidden.device.type, enabled=False):
            matrix = weight.to(products)
            rows = max(_LOGITS.get(hidden.device.type, _LOGITS_ELSEWHERE) // size, weight.shape[1] // 2, 1)
            for begin in range(0, len(hidden), rows):
                some = hidden[begin : begin + rows].to(products)
                right = labels[begin : begin + rows, None]  # [rows, 1]
                logits = (some @ matrix.T).float()  # [rows, V]
                if bias is not None:
                    logits += bias
                norms = logits.logsumexp(-1, keepdim=True)
                losses = norms - logits.gather(1, right)  # token by token: a difference of large sums is inexact
                if smoothing:
                    losses = (1 - smoothing) * losses + smoothing * (norms - logits.mean(-1, keepdim=True))
                total += losses.sum()
                if of_hidden is None and of_weight is None and of_bias is None:
                    continue
                gradient = logits.sub_(norms).exp_()
                if smoothing:
                    gradient -= smoothing / size
                gradient.scatter_add_(1, right, torch.full_like(right, smoothing - 1, dtype=gradient.dtype))
                if of_bias is not None:
                    of_bias += gradient.sum(0)
                gradient = gradient.to(products)
                if of_hidden is not None:
                    of_hidden[begin : begin + rows] = gradient @ matrix
                if of_weight is not None:
                    of_weight += gradient.T @ some
        ctx.save_for_backward(*(found for found in (of_hidden, of_weight, of_bias) if found is not None))
        ctx.wanted = wanted, weight_wanted, bias_wanted
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        found = list(ctx.saved_tensors)
        gradients = [found.pop(0) * upstream[0] if wanted else None for wanted in ctx.wanted]
        return (*gradients, None, None, None)
