"""Weights averaged over several evaluations of one run: steadier than those of any one of them.

Source:
    Vaswani et al., 2017, Attention Is All You Need, section 6.1, arXiv:1706.03762.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from hftoolkit.training.checkpoints import put_weights, read_weights, save_weights


class Candidates:
    """Weights on disk that may become part of the average, one file per evaluation."""

    def __init__(self, folder: Path, number: int, choose: Literal["last", "best"]) -> None:
        self._folder = folder
        self._number = number
        self._choose = choose

    def add(self, step: int, model: nn.Module) -> None:
        """Keep the weights after a step.

        Raises:
            OutputError: If they cannot be written.
        """
        save_weights(self._path(step), model)

    def chosen(self, scores: Mapping[int, float]) -> list[int]:
        """The steps whose weights are averaged, given the score of every evaluation; of equal ones the later."""
        ranked = sorted(scores, key=lambda step: (scores[step] if self._choose == "best" else 0.0, step))
        return sorted(ranked[-self._number :])

    def prune(self, scores: Mapping[int, float]) -> None:
        """Remove weights that can no longer be among the chosen."""
        kept = {self._path(step) for step in self.chosen(scores)}
        for path in self._folder.glob("*.safetensors"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def average(self, model: nn.Module, scores: Mapping[int, float]) -> list[int]:
        """Put the mean of the chosen weights into the model.

        Returns:
            The chosen steps.

        Raises:
            OutputError: If a file is missing, or damaged.
        """
        steps = self.chosen(scores)
        sums: dict[str, Tensor] = {}
        for step in steps:
            for name, weight in read_weights(self._path(step), model).items():
                sums[name] = sums[name].add_(weight) if name in sums else weight.to(torch.float64)
        put_weights(model, {name: total / len(steps) for name, total in sums.items()})
        return steps

    def _path(self, step: int) -> Path:
        return self._folder / f"{step}.safetensors"
