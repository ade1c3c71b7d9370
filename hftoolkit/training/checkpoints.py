"""A run in progress on disk: trained weights, optimizer and place, written whole or not at all."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from hftoolkit.errors import OutputError


@dataclass(frozen=True)
class Place:
    """Where a run stands."""

    step: int
    """Optimizer steps done."""

    best_step: int
    """Step of the best validation score so far; 0 where none was taken."""

    best_score: float | None

    worse: int
    """Evaluations since then."""


def save_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, place: Place) -> None:
    """Write all that resuming needs into one file."""
    state = {"weights": trained_weights(model), "optimizer": optimizer.state_dict(), "place": vars(place)}
    _write(path, lambda temporary: torch.save(state, temporary))


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> Place:
    """Put a checkpoint's weights and optimizer state back.

    Raises:
        OutputError: If the file is damaged, or is of a model of another shape.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        put_weights(model, state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        return Place(**state["place"])
    except (RuntimeError, KeyError, ValueError, EOFError) as error:
        raise OutputError(
            f"{path}: this checkpoint cannot be resumed: {error}\n  start again:   add --overwrite"
        ) from error


def save_weights(path: Path, model: nn.Module) -> None:
    """Write the trained weights alone, as safetensors."""
    _write(path, lambda temporary: save_file({k: v.contiguous() for k, v in trained_weights(model).items()}, temporary))


def load_weights(path: Path, model: nn.Module) -> None:
    """Put weights written by `save_weights` back."""
    put_weights(model, load_file(path))


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """The parameters that are trained, each once however often it is tied."""
    return {name: p.detach().cpu() for name, p in model.named_parameters() if p.requires_grad}


def put_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Copy weights into the parameters of the same names; all of the trained ones must be there."""
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if trained.keys() != weights.keys():
        raise ValueError(f"{len(trained.keys() ^ weights.keys())} parameters differ between checkpoint and model")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(weights[name])


def _write(path: Path, save: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    try:
        save(str(temporary))
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: cannot be written: {error}\n"
            "  free some space or choose another folder:   --set output=...\n"
            "  the run continues from its last checkpoint when started again"
        ) from error
