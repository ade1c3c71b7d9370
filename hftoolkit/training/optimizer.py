"""AdamW, the learning rate of every step, and the padding row that must stay zero."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import nn

Schedule = Literal["linear", "cosine", "constant", "inverse_sqrt"]


def build_optimizer(
    model: nn.Module,
    *,
    weight_decay: float,
    betas: tuple[float, float],
    zero_rows: tuple[tuple[nn.Parameter, int], ...] = (),
    scales: Mapping[nn.Parameter, float] | None = None,
) -> torch.optim.AdamW:
    """AdamW over what is trained; matrices decay, biases and norms do not.

    Args:
        model: Its parameters with ``requires_grad`` are trained.
        weight_decay: Decoupled weight decay.
        betas: Decay of the running mean and variance.
        zero_rows: Rows of parameters that stay as they are: their gradient is set to zero before every step.
        scales: Share of the learning rate for each parameter; those left out, and all where it is None, have all of it.

    Source:
        Loshchilov and Hutter, 2019, Decoupled Weight Decay Regularization, arXiv:1711.05101.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    of = scales or {}
    groups = [
        {
            "params": [p for p in trained if of.get(p, 1.0) == scale and (p.ndim >= 2) == matrix],
            "weight_decay": weight_decay if matrix else 0.0,
            "scale": scale,
        }
        for scale in sorted({of.get(p, 1.0) for p in trained}, reverse=True)
        for matrix in (True, False)
    ]
    # The rate is the loop's to set.
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]], lr=0.0, betas=betas, fused=True)

    def keep_rows(*_: Any) -> None:
        for parameter, row in zero_rows:
            if parameter.grad is not None:
                parameter.grad[row].zero_()

    if zero_rows:
        optimizer.register_step_pre_hook(keep_rows)
    return optimizer


def learning_rates(schedule: Schedule, *, peak: float, warmup: int, total: int) -> Callable[[int], float]:
    """The learning rate of every step, as a function of its number.

    Args:
        schedule: What happens after warm-up.
        peak: Highest learning rate.
        warmup: Steps in which it rises from zero; step 0 already moves.
        total: Steps of the run; linear and cosine reach zero behind the last one.

    Source:
        Inverse square root: Vaswani et al., 2017, section 5.3, arXiv:1706.03762, with the peak given instead of
        following from the width, as fairseq does.
    """

    def rate(step: int) -> float:
        if step < warmup:
            return peak * (step + 1) / warmup
        progress = (step - warmup) / max(1, total - warmup)
        match schedule:
            case "linear":
                return peak * (1 - progress)
            case "cosine":
                return peak * 0.5 * (1 + math.cos(math.pi * progress))
            case "constant":
                return peak
            case "inverse_sqrt":
                return peak * math.sqrt(max(1, warmup) / (step + 1))

    return rate
