"""Weights that stay as they are in training, chosen by the names of a model's modules and parameters."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import translate
from pathlib import Path
from typing import Any

from torch import nn

from hftoolkit.errors import ModelError

_DEPTH = 4
"""Parts of the names that an error message lists: as deep as `bert.encoder.layer.0`."""


def frozen_weights(
    model: Any, patterns: Sequence[str], folder: Path | None = None
) -> tuple[list[nn.Parameter], list[str]]:
    """The weights that a recipe wants to stay as they are, and what should be said about them.

    A tied weight is frozen under all of its names, whichever was given. What nothing trains anyway (``requires_grad``
    is False) is no weight, and not among them.

    Args:
        model: A transformers model.
        patterns: Names of modules or parameters, whole or from a dot to the end, with shell wildcards; ``*`` takes
            dots too.
        folder: Where the model can be loaded from, to tell how its names are listed; None where it cannot.

    Raises:
        ModelError: If a pattern names nothing, or nothing would be left to train.
    """
    if not patterns:
        return [], []
    parameters = dict(model.named_parameters(remove_duplicate=False))
    modules = {
        name: found
        for name, module in model.named_modules(remove_duplicate=False)
        if name and (found := list(module.parameters()))
    }
    named = modules | {name: [parameter] for name, parameter in parameters.items()}
    taken: list[str] = []
    notes: list[str] = []
    for pattern in patterns:
        wanted = re.compile(rf"(?:.*\.)?{translate(pattern)}")
        found = [name for name in named if wanted.match(name)]
        if not found:
            raise ModelError(_unknown(model, pattern, named, modules, folder))
        if not any(parameter.requires_grad for name in found for parameter in named[name]):
            notes.append(f"training.freeze: '{pattern}' names constants alone, which are never trained")
        taken += found
    frozen = {id(p): p for name in taken for p in named[name] if p.requires_grad}
    trained = {id(p): p.numel() for p in parameters.values() if p.requires_grad}
    if frozen.keys() == trained.keys():
        raise ModelError(
            f"training.freeze: all {sum(trained.values()):,} weights of this model would be frozen: "
            "nothing is left to train\n  name fewer of its parts"
        )
    tied = [
        name
        for name, parameter in parameters.items()
        if id(parameter) in frozen and not f"{name}.".startswith(tuple(f"{part}." for part in taken))
    ]
    if tied:
        output = model.get_output_embeddings()
        owners = [name.rsplit(".", 1)[0] for name in tied]
        shown = [f"{name} (the output layer)" if model.get_submodule(name) is output else name for name in owners]
        notes.append(f"frozen too, for they share weights with what training.freeze names: {', '.join(shown)}")
    return list(frozen.values()), notes


def _unknown(model: Any, pattern: str, named: Iterable[str], modules: Iterable[str], folder: Path | None) -> str:
    """The message about a pattern that names nothing: what is near, what there is, how to see all of it."""
    endings = {".".join(steps[place:]) for name in named for steps in [name.split(".")] for place in range(len(steps))}
    close = get_close_matches(pattern, sorted(endings), n=3)
    lines = [f"training.freeze: no weights of this model are named '{pattern}'"]
    if close:
        lines.append(f"did you mean:     {', '.join(close)}")
    lines.append(f"its parts are:    {', '.join(_outline(modules))}")
    if folder is not None:
        loaded = f"t.{type(model).__name__}.from_pretrained('{folder.as_posix()}')"
        lines.append(
            f'list all names:   python -c "import transformers as t; print(*dict({loaded}.named_parameters()))"'
        )
    return "\n  ".join(lines)


def _outline(modules: Iterable[str]) -> list[str]:
    """The names that are not too deep, those of numbered layers once, as patterns that take all of them."""
    split = [["*" if step.isdigit() else step for step in name.split(".")] for name in modules]
    return list(dict.fromkeys(".".join(steps) for steps in split if len(steps) <= _DEPTH and "*" not in steps[:-1]))
