"""A checkpoint's folder -> one whose weights are safetensors; a pickle is read as tensors only, or refused."""

import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from hftoolkit.errors import ModelError
from hftoolkit.hub import cache_folder, writing_cache
from hftoolkit.hub.choice import is_companion, weights_in

FORMAT = 1
"""Raised when the same checkpoint would be converted differently."""

# Where tensors share memory one name is stored: the input's, as transformers itself stores it. Both load, but other
# tools look for the input.
_OUTPUTS = ("lm_head.weight", "lm_head.bias", "decoder.weight", "decoder.bias", "embed_out.weight", "proj_out.weight")


@dataclass(frozen=True)
class Checkpoint:
    """A folder that can be loaded safely."""

    folder: Path
    """Holds the configuration, the tokenizer and the weights as safetensors."""

    notes: tuple[str, ...] = ()
    """What was done to get there, one sentence each."""


def safe_weights(folder: Path) -> Checkpoint:
    """Return a folder with the checkpoint's weights as safetensors, converting them once into our cache if need be.

    A folder that has safetensors already is returned as it is.

    Raises:
        ModelError: If the folder has no weights that are read, or a pickle that is damaged or holds more than tensors.
        OutputError: If the converted weights cannot be written.
    """
    weights = weights_in({path.name for path in folder.iterdir()})
    if not weights:
        raise ModelError(_no_weights(folder))
    if weights[0] != "pytorch_model.bin":
        return Checkpoint(folder)
    converted = cache_folder() / "safetensors" / _key(folder)
    if not converted.is_dir():
        tensors = _distinct(_read_pickle(folder / "pytorch_model.bin"))
        with writing_cache(converted.parent, "the converted weights"):
            _convert(folder, tensors, converted)
    note = f"pytorch_model.bin was read as tensors only and converted to safetensors in {converted}"
    return Checkpoint(converted, (note,))


def _convert(folder: Path, tensors: dict[str, torch.Tensor], converted: Path) -> None:
    converted.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=converted.parent))
    try:
        for path in _companions(folder):
            copy = unfinished / path.relative_to(folder)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
        try:
            save_file(tensors, unfinished / "model.safetensors", metadata={"format": "pt"})
        except SafetensorError as error:  # all that it says of a full disk
            raise OSError(str(error)) from error
        try:
            os.replace(unfinished, converted)
        except OSError:
            if not converted.is_dir():  # another process may have been quicker
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _read_pickle(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        code = "GLOBAL" in str(error)  # a name that the pickle asks Python to import and call
        raise ModelError(_more_than_tensors(path) if code else _damaged(path)) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ModelError(_damaged(path)) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(_more_than_tensors(path))
    return state


def _distinct(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """One name for every tensor, and memory of its own for each."""
    names: dict[tuple[object, ...], str] = {}
    for name in sorted(state, key=lambda name: (name.endswith(_OUTPUTS), len(name), name)):
        tensor = state[name]
        place = (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tensor.shape, tensor.stride())
        names.setdefault(place if tensor.numel() else (name,), name)
    return {name: state[name].clone(memory_format=torch.contiguous_format) for name in names.values()}


def _companions(folder: Path) -> list[Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if is_companion(path.relative_to(folder).as_posix())]


def _key(folder: Path) -> str:
    """Names what the conversion depends on; times and sizes stand for the contents."""
    folder = folder.resolve()
    facts = [
        (path.relative_to(folder).as_posix(), str(path.resolve()), (facts := path.stat()).st_size, facts.st_mtime_ns)
        for path in (folder / "pytorch_model.bin", *_companions(folder))
    ]
    return blake2b(json.dumps([FORMAT, facts]).encode(), digest_size=16).hexdigest()


def _no_weights(folder: Path) -> str:
    there = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    return (
        f"{folder}: no weights in a format that is read here; the folder has {there}"
        "\n  expected:  model.safetensors, or pytorch_model.bin to be converted"
    )


def _more_than_tensors(path: Path) -> str:
    return (
        f"{path}: holds more than tensors; reading it could run code, so it is refused"
        "\n  if you trust it, save its weights as model.safetensors and use that folder"
    )


def _damaged(path: Path) -> str:
    return f"{path}: cannot be read as tensors; it is damaged or another kind of file\n  delete it and load it again"
