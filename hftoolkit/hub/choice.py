"""Which files of a repository are wanted: of a model those that are read, with the weights in one format."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

COMPANIONS = ("*.json", "*.txt", "*.model", "*.spm", "*.bpe", "*.tiktoken", "*.jinja")
"""What stands beside the weights: configuration, tokenizer, chat template."""

_ADAPTER = "adapter_model.safetensors"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", _ADAPTER, "pytorch_model.bin")
"""Formats that are read; the first one there is taken."""


def choose(files: Collection[str], kind: str, patterns: Sequence[str] | None) -> list[str]:
    """The files to have, in alphabetical order; of a model without weights that can be read, none."""
    if patterns is not None:
        return sorted(file for file in files if any(fnmatchcase(file, pattern) for pattern in patterns))
    if kind != "model":
        return sorted(files)
    weights = weights_in(files)
    return sorted({*weights, *filter(is_companion, files)}) if weights else []


def weights_in(files: Collection[str]) -> list[str]:
    """The files of the best weight format in a folder; empty if there is none that is read."""
    if "adapter_config.json" in files and _ADAPTER in files:  # what is read as an adapter beside a model, too
        return [_ADAPTER]
    first = next((name for name in WEIGHTS if name in files), None)
    if first is None:
        return []
    shards = [file for file in files if fnmatchcase(file, "model-*-of-*.safetensors")]
    return [first, *sorted(shards)] if first.endswith(".index.json") else [first]


def is_companion(file: str) -> bool:
    """Whether a file belongs to a model besides its weights."""
    if file.startswith("additional_chat_templates/"):
        return True
    return (
        "/" not in file
        and not file.endswith(".index.json")
        and any(fnmatchcase(file, pattern) for pattern in COMPANIONS)
    )
