"""A checkpoint's name -> an engine that runs it, and what its user needs to know of the checkpoint.

Light to import, and light to call where the fast engine can run the checkpoint and has it converted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hftoolkit.engines.base import Engine
from hftoolkit.models.saved import Saved

Choice = Literal["auto", "ctranslate2", "torch"]
"""Names of engines; ``auto`` is the fast one where it holds."""


@dataclass(frozen=True)
class Opened:
    """An engine with a checkpoint in it."""

    name: str
    """The checkpoint, as the user wrote it."""

    folder: Path
    """Where it lies."""

    engine: Engine

    saved: Saved | None
    """What a folder of ours says about itself."""

    source_language: str | None
    """Language of the sources by the tokenizer's own words, which may be no language tag."""

    target_language: str | None
    """The same of the output."""

    vocabulary: Mapping[str, int]
    """Entries in which sources are written, target tokens among them."""

    notes: tuple[str, ...]
    """What should be said about it, such as why the fast engine does not run it."""


def open_engine(
    name: str,
    auto_class: Callable[[Any, str], str],
    *,
    engine: Choice = "auto",
    device: int | str | None = None,
    revision: str = "main",
) -> Opened:
    """Put a checkpoint into an engine.

    Args:
        name: Hub id, folder, ``package:NAME/FOLDER``, ``demo`` or adapter folder.
        auto_class: A task's method of this name: chooses the auto class from ``config.model_type``, or raises
            `ModelError` for an architecture that does not suit.
        engine: Which engine; ``auto`` says in a note why it did not take the fast one.
        device: A GPU's number, -1 for the CPU, or a name; None: the best there is.
        revision: Branch, tag or commit of a hub id.

    Raises:
        UsageError: If the engine or the device is unknown.
        HubError: If the checkpoint cannot be fetched.
        ModelError: If it cannot be loaded or does not suit, or the engine asked for by name cannot run it.
    """
    return _open_torch(name, auto_class, device, revision)


def _open_torch(name: str, auto_class: Callable[[Any, str], str], device: int | str | None, revision: str) -> Opened:
    from hftoolkit.engines.pytorch import TorchEngine
    from hftoolkit.models.devices import choose_device
    from hftoolkit.models.loading import load_checkpoint

    loaded = load_checkpoint(name, auto_class, revision=revision)
    tokenizer = loaded.tokenizer
    return Opened(
        name,
        loaded.folder,
        TorchEngine(loaded.model.to(choose_device(device)), tokenizer),
        loaded.saved,
        tokenizer.source_lang,
        tokenizer.target_lang,
        tokenizer.get_vocab(),
        loaded.notes,
    )
