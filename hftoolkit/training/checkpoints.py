"""A run in progress on disk: trained weights, optimizer and place, written whole or not at all."""

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
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

    data: str
    """Key of the features: steps on others would belong to another run."""


def save_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, place: Place) -> None:
    """Write all that resuming needs into one file."""
    state = {"weights": trained_weights(model), "optimizer": optimizer.state_dict(), "place": vars(place)}

    def save(temporary: str) -> None:
        with open(temporary, "wb") as file:  # by name, torch would not say why it cannot write
            torch.save(state, file)

    _write(path, save)


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> Place:
    """Put a checkpoint's weights and optimizer state back.

    Raises:
        OutputError: If the file is damaged, or is of a model of another shape.
    """
    with _reading(path):
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        put_weights(model, state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        return Place(**state["place"])


def save_weights(path: Path, model: nn.Module) -> None:
    """Write the trained weights alone, as safetensors."""
    _write(path, lambda temporary: save_file({k: v.contiguous() for k, v in trained_weights(model).items()}, temporary))


def load_weights(path: Path, model: nn.Module) -> None:
    """Put weights written by `save_weights` back.

    Raises:
        OutputError: If the file is missing, damaged, or is of a model of another shape.
    """
    put_weights(model, read_weights(path, model))


def read_weights(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """Weights written by `save_weights`, for a model.

    Raises:
        OutputError: If the file is missing, damaged, or is of a model of another shape.
    """
    with _reading(path):
        weights: dict[str, Tensor] = load_file(path)
        own = {name: p.shape for name, p in model.named_parameters() if p.requires_grad}
        if {name: weight.shape for name, weight in weights.items()} != own:
            raise ValueError("the parameters differ between checkpoint and model")
    return weights


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


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say plainly that a file is not what was written; what torch says of it helps nobody."""
    try:
        yield
    except (
        OSError,
        EOFError,
        RuntimeError,
        LookupError,
        ValueError,
        TypeError,
        pickle.UnpicklingError,
        SafetensorError,
    ) as error:
        raise OutputError(
            f"{path}: this checkpoint is damaged, or of another model\n  start again:   add --overwrite"
        ) from error


def _write(path: Path, save: Callable[[str], None]) -> None:
    temporary = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(str(temporary))
        os.replace(temporary, path)
    except (OSError, RuntimeError, SafetensorError) as error:
        with suppress(OSError):
            temporary.unlink()
        # torch hides what the system said behind a RuntimeError about positions in the file.
        cause = error.__context__ if isinstance(error.__context__, OSError) else error
        raise OutputError(
            f"{path}: cannot be written: {getattr(cause, 'strerror', None) or cause}\n"
            "  free some space or choose another folder:   --set output=...\n"
            "  the run continues from its last checkpoint when started again"
        ) from error
