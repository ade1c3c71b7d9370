"""The head of a model: what stands on its base, and is new where a checkpoint was not made for a task.

Everything outside ``model.base_model`` is the head, and so is the pooler inside it, which many checkpoints lack.
"""

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hftoolkit.errors import ModelError
from hftoolkit.models.adapter_folders import saved_modules


@dataclass(frozen=True)
class NewHead:
    """Leave to give a checkpoint a head that its files do not have."""

    settings: Callable[[Any], Mapping[str, Any] | None]
    """What the configuration must say differently; None: nothing."""

    seed: int
    """Seed of the new weights."""

    whole: bool = True
    """Where something is said differently, all of the head is new; else only what the files lack."""


def is_head(name: str, model: Any) -> bool:
    """Whether a weight belongs to the head.

    Args:
        name: Of a parameter of the model.
        model: A transformers model.
    """
    prefix = f"{model.base_model_prefix}."
    return model.base_model is not model and (not name.startswith(prefix) or name.startswith(f"{prefix}pooler."))


def draw(model: Any, names: Iterable[str], seed: int) -> tuple[str, ...]:
    """Draw weights anew, as the model's own initialisation does for a model from scratch.

    Weights that are tied to others of the base stay as they are.

    Args:
        model: A transformers model.
        names: The parameters to draw.
        seed: The same seed draws the same weights.

    Returns:
        Names of the modules that are new now, each as large as it can be.
    """
    kept = {id(parameter) for name, parameter in model.named_parameters() if not is_head(name, model)}
    wanted = set(names)
    new = {n: p for n, p in model.named_parameters(remove_duplicate=False) if n in wanted and id(p) not in kept}
    modules = {name.rpartition(".")[0] for name in new}
    for parameter in new.values():
        parameter._is_hf_initialized = False
    for name, module in model.named_modules():
        # transformers goes through all modules, and leaves out what this mark says is done.
        module._is_hf_initialized = name not in modules
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.initialize_weights()
    return tuple(_largest(model, set(new), ""))


def with_new_head(model: Any, settings: Mapping[str, Any], seed: int) -> tuple[Any, tuple[str, ...]]:
    """The same base with another head on it.

    Args:
        model: A transformers model.
        settings: What its configuration must say differently.
        seed: Of the new weights.

    Returns:
        Another model in evaluation mode, and names of its new modules.
    """
    config = copy.deepcopy(model.config)
    config.update(settings)
    other = type(model)(config)
    other.base_model.load_state_dict(model.base_model.state_dict())
    return other.eval(), draw(other, head_names(other), seed)


def head_beside(folder: Path) -> NewHead | None:
    """Leave for the base of an adapter to get the head that was trained with it; None where there was none.

    Args:
        folder: The adapter's, with the configuration of the whole model.

    Raises:
        ModelError: If there is no such configuration, or it cannot be read.
    """
    if not saved_modules(folder):
        return None
    path = folder / "config.json"
    if not path.is_file():
        raise ModelError(
            f"{folder}: this adapter has a head of its own, and no config.json says what its outputs mean\n"
            "  put the config.json of the model that was trained beside it"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        names = {int(number): name for number, name in config.get("id2label", {}).items()}
        settings = {"id2label": names, "label2id": {n: i for i, n in names.items()}} if names else {}
        settings |= {key: config[key] for key in ("problem_type",) if key in config}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"{path}: damaged\n  copy the adapter again") from error
    return NewHead(lambda _: settings, seed=0, whole=False)


def head_names(model: Any) -> list[str]:
    """Names of the parameters outside the base."""
    prefix = f"{model.base_model_prefix}."
    return [name for name, _ in model.named_parameters() if not name.startswith(prefix)]


def _largest(module: nn.Module, new: set[str], prefix: str) -> Iterator[str]:
    """Modules all of whose parameters are new; where one has parameters of its own that are, it is taken as well."""
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        own = [f"{path}.{part}" for part, _ in child.named_parameters()]
        direct = [f"{path}.{part}" for part, _ in child.named_parameters(recurse=False)]
        if (own and new.issuperset(own)) or not new.isdisjoint(direct):
            yield path
        elif not new.isdisjoint(own):
            yield from _largest(child, new, f"{path}.")
