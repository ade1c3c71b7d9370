"""The training loop: a generator of optimizer steps.

The loss of a step is, for every named loss, its sum over all counted predictions of the step divided by their number,
over all micro-batches and processes (huggingface/transformers#34191 tells what happens otherwise). Random numbers are
seeded by run, step and process at the start of every micro-batch, so that a resumed run needs no random states, and
whatever the caller does between two steps changes nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from hftoolkit.training.batches import Batch
from hftoolkit.training.dropout import QuickDropout
from hftoolkit.training.memory import EVERY, give_back
from hftoolkit.training.plan import MicroBatch, PlannedStep

Collate = Callable[[MicroBatch, int], Batch]
Loss = Callable[[nn.Module, Batch], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Step:
    """What one optimizer step did."""

    number: int
    """Steps done, this one included."""

    epoch: int
    """From 0."""

    last_of_epoch: bool

    loss: float
    """Mean over the counted predictions of the step, summed over the named losses."""

    learning_rate: float

    gradient_norm: float
    """Before clipping."""

    tokens: int
    """Tokens seen, padding left out."""

    padding: float
    """Share of what was computed that was padding."""

    seconds: float


class Objective(nn.Module):
    """A model and its loss as one module: what several processes share must be a whole forward pass."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model = model
        self._loss = loss

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Sums of the named losses over a batch, in nats."""
        return self._loss(self.model, batch)


def train(
    objective: nn.Module,
    optimizer: torch.optim.Optimizer,
    steps: Iterable[PlannedStep],
    *,
    collate: Collate,
    rate: Callable[[int], float],
    accelerator: Accelerator,
    seed: int,
    max_grad_norm: float,
    bf16: bool = False,
) -> Iterator[Step]:
    """Take the planned steps, one per value drawn from the iterator.

    Args:
        objective: An `Objective`, prepared by ``accelerator``; put into training mode before every step.
        optimizer: Prepared by ``accelerator``.
        steps: This process's share of the plan.
        collate: Turns a micro-batch and a seed into tensors.
        rate: Learning rate of a step, from 0.
        accelerator: Gives device, processes and gradient reduction; without mixed precision, which would rewrite the
            model's forward for evaluation too.
        seed: Seed of the run.
        max_grad_norm: Longest gradient.
        bf16: Compute products in bfloat16; weights and losses stay float32.
    """
    device = accelerator.device
    dropout = QuickDropout() if device.type == "cpu" else nullcontext()
    for planned in steps:
        begin = time.perf_counter()
        objective.train()
        seeds = [
            _seed(seed, planned.number, accelerator.process_index, piece) for piece in range(len(planned.micro_batches))
        ]
        batches = [collate(micro, number) for micro, number in zip(planned.micro_batches, seeds, strict=True)]
        counted = [micro.counted for micro in planned.micro_batches]
        names = list(batches[0].counts)
        totals = torch.tensor(
            [
                [
                    sum(batch.counts[name] for batch, real in zip(batches, counted, strict=True) if real)
                    for name in names
                ]
                + [sum(batch.tokens for batch, real in zip(batches, counted, strict=True) if real)]
                + [sum(batch.padded for batch in batches)]
            ],
            dtype=torch.int64,  # which every device has; Apple's have no float64
        )
        totals = accelerator.reduce(totals.to(device), "sum")[0].tolist()
        counts = dict(zip(names, totals[: len(names)], strict=True))
        step_loss = torch.zeros((), device=device)
        for place, (batch, real, number) in enumerate(zip(batches, counted, seeds, strict=True)):
            torch.manual_seed(number)
            last = place == len(batches) - 1
            with nullcontext() if last else accelerator.no_sync(objective):
                moved = _moved(batch, device)
                with torch.autocast(device.type, torch.bfloat16, enabled=bf16), dropout:
                    sums = objective(moved)
                mean = torch.stack([sums[name] / max(counts[name], 1) for name in names]).sum() * float(real)
                # DistributedDataParallel averages gradients over processes; the step wants their sum.
                accelerator.backward(mean * accelerator.num_processes)
                step_loss += mean.detach()
        norm = accelerator.clip_grad_norm_(objective.parameters(), max_grad_norm)
        learning_rate = rate(planned.number)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * group.get("scale", 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        total_loss = accelerator.reduce(step_loss, "sum")
        if device.type == "cpu" and planned.number % EVERY == 0:
            give_back()
        yield Step(
            number=planned.number + 1,
            epoch=planned.epoch,
            last_of_epoch=planned.last_of_epoch,
            loss=float(total_loss),
            learning_rate=learning_rate,
            gradient_norm=float(norm),
            tokens=int(totals[-2]),
            padding=1 - totals[-2] / max(totals[-1], 1),
            seconds=time.perf_counter() - begin,
        )


@torch.no_grad()
def mean_loss(
    model: nn.Module,
    batches: Iterable[Batch],
    loss: Loss,
    device: torch.device,
    *,
    bf16: bool = False,
    dropout: bool = False,
) -> float:
    """Loss over some batches, as a step's loss is taken; without dropout unless asked for."""
    model.train(dropout)
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for batch in batches:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            for name, value in loss(model, _moved(batch, device)).items():
                sums[name] = sums.get(name, 0.0) + float(value)
        for name, count in batch.counts.items():
            counts[name] = counts.get(name, 0) + count
    return sum(sums[name] / max(counts[name], 1) for name in sums)


def _moved(batch: Batch, device: torch.device) -> Batch:
    return Batch(
        inputs={name: tensor.to(device, non_blocking=True) for name, tensor in batch.inputs.items()},
        labels={name: tensor.to(device, non_blocking=True) for name, tensor in batch.labels.items()},
        counts=batch.counts,
        tokens=batch.tokens,
        padded=batch.padded,
    )


def _seed(seed: int, step: int, process: int, piece: int) -> int:
    """One number for every micro-batch of every run; 2654435761 and its like spread neighbours far apart."""
    mixed = seed
    for part in (step, process, piece):
        mixed = (mixed * 6364136223846793005 + part + 1442695040888963407) % 2**63
    return mixed
