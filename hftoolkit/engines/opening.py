"""A checkpoint's name -> an engine that runs it, and what its user needs to know of the checkpoint.

Light to import, and light to call where the fast engine has the checkpoint converted.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, get_args

from hftoolkit import hub
from hftoolkit.engines.base import Engine
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import HftoolkitError, ModelError, OutputError, UsageError
from hftoolkit.models.adapter_folders import adapter_base, is_adapter
from hftoolkit.models.saved import Saved, read_saved

if TYPE_CHECKING:
    from hftoolkit.models.loading import Loaded

log = logging.getLogger("hftoolkit")

POSITIONS = 1024
"""Of a Marian model whose configuration does not say how many it has; transformers' own default."""

Choice = Literal["auto", "ctranslate2", "torch"]
"""Names of engines; ``auto`` is the fast one where it holds."""

AutoClass = Callable[[Any, str], str]


@dataclass(frozen=True)
class Opened:
    """An engine with a checkpoint in it."""

    name: str
    """The checkpoint, as the user wrote it."""

    folder: Path
    """Where it lies."""

    engine: Engine
    """That of a decoder alone goes on with texts until they end."""

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

    decoder: "Loaded | None" = None
    """A decoder alone, for who knows how it is asked to do its task."""


def open_engine(
    name: str,
    auto_class: AutoClass,
    *,
    engine: str = "auto",
    device: int | str | None = None,
    revision: str = "main",
) -> Opened:
    """Put a checkpoint into an engine.

    Args:
        name: Hub id, folder, ``package:NAME/FOLDER``, ``demo`` or adapter folder.
        auto_class: A task's method of this name: chooses the auto class from ``config.model_type``, or raises
            `ModelError` for an architecture that does not suit.
        engine: A `Choice`; ``auto`` says in a note why it did not take the fast one.
        device: A GPU's number, -1 for the CPU, or a name; None: the best there is.
        revision: Branch, tag or commit of a hub id.

    Raises:
        UsageError: If the engine or the device is unknown.
        HubError: If the checkpoint cannot be fetched.
        ModelError: If it cannot be loaded or does not suit, or the engine asked for by name cannot run it.
        OutputError: If that engine needs it converted, and the cache cannot be written.
    """
    if engine not in get_args(Choice):
        raise UsageError(f"unknown engine '{engine}'\n  known: {', '.join(get_args(Choice))}")
    if engine == "torch":
        return _open_torch(name, auto_class, device, revision)
    from hftoolkit.engines.conversion import UnsuitedError

    try:
        return _open_fast(name, auto_class, device, revision)
    except UnsuitedError as error:
        if engine == "ctranslate2":
            raise ModelError(
                f"{name}: the ctranslate2 engine does not run it: {error}\n  use the other engine:   --engine torch"
            ) from error
        reason = str(error)
    except OutputError as error:
        if engine == "ctranslate2":
            raise
        reason = str(error).splitlines()[0]
    opened = _open_torch(name, auto_class, device, revision)
    return replace(opened, notes=(*opened.notes, f"{name} runs on PyTorch, which is slower: {reason}"))


def _open_torch(name: str, auto_class: AutoClass, device: int | str | None, revision: str) -> Opened:
    from hftoolkit.engines.prompted import PromptedEngine
    from hftoolkit.engines.pytorch import TorchEngine, fast_format
    from hftoolkit.models.devices import choose_device
    from hftoolkit.models.loading import load_checkpoint

    place = choose_device(device)
    loaded = load_checkpoint(name, auto_class, revision=revision)
    tokenizer = loaded.tokenizer
    if not loaded.model.config.is_encoder_decoder:
        going_on = PromptedEngine(loaded.model.to(place), tokenizer, end=tokenizer.eos_token_id or 0)
        said = (loaded.saved, None, None, tokenizer.get_vocab(), loaded.notes)
        return Opened(name, loaded.folder, going_on, *said, decoder=loaded)
    model = loaded.model.to(place, fast_format(place))
    return Opened(
        name,
        loaded.folder,
        TorchEngine(model, tokenizer),
        loaded.saved,
        tokenizer.source_lang,
        tokenizer.target_lang,
        tokenizer.get_vocab(),
        loaded.notes,
    )


def _open_fast(name: str, auto_class: AutoClass, device: int | str | None, revision: str) -> Opened:
    from hftoolkit.engines.conversion import Outcome, UnsuitedError, converted
    from hftoolkit.engines.ctranslate2 import CTranslate2Engine
    from hftoolkit.engines.places import choose_format, choose_place
    from hftoolkit.models.marian_tokenizer import MarianTokenizer, UnknownTokenizerError

    place, note = choose_place(device)
    if place is None:
        raise UnsuitedError(f"it does not run on the device '{device}'")
    folders = _folders(name, revision)
    config = _config(folders[-1])
    if auto_class(SimpleNamespace(**config), name) != "AutoModelForSeq2SeqLM":
        raise UnsuitedError("it is a decoder alone")
    try:
        tokenizer = MarianTokenizer(next((f for f in folders if (f / "tokenizer_config.json").is_file()), folders[-1]))
    except UnknownTokenizerError as error:
        raise UnsuitedError(f"its tokenizer {error}") from error
    saved = next(filter(None, map(read_saved, folders)), None)
    wanted = choose_format(place)

    said: list[str] = []

    def make(folder: Path) -> Outcome:
        from hftoolkit.engines.converting import convert
        from hftoolkit.engines.samples import sample
        from hftoolkit.models.loading import load_checkpoint
        from hftoolkit.models.weights import safe_weights

        log.info("converting %s for the fast engine, once", name)
        loaded = load_checkpoint(name, auto_class, revision=revision)
        said.extend(safe_weights(folders[-1]).notes)
        sources = sample(tokenizer, saved.target_token if saved else None)
        return convert(loaded, tokenizer, sources, folder, wanted, place)

    try:
        folder, outcome, seconds = converted(folders, wanted, make)
        engine = CTranslate2Engine(
            folder / outcome.compute_type,
            tokenizer,
            positions=config.get("max_position_embeddings", POSITIONS),
            compute_type=outcome.compute_type,
            place=place,
        )
        if place.device != "cpu":
            list(engine.generate([""], Decoding(1)))  # a library of the GPU that is missing is missed only now
    except RuntimeError as error:
        raise UnsuitedError(f"CTranslate2 cannot run it: {str(error).splitlines()[0]}") from error
    notes = [*said, note, outcome.note and f"{name}: {outcome.note}"]
    if seconds is not None:
        notes.append(f"{name} was converted for the fast engine in {seconds:.0f} s, once; it is kept in {folder}")
    return Opened(
        name,
        folders[0],
        engine,
        saved,
        tokenizer.source_lang,
        tokenizer.target_lang,
        tokenizer.vocabulary,
        tuple(filter(None, notes)),
    )


def _folders(name: str, revision: str) -> list[Path]:
    """Where a checkpoint lies; behind an adapter's folder that of the model it belongs on."""
    folders = [hub.resolve(name, revision)]
    while is_adapter(folders[-1]):
        try:
            folders.append(hub.resolve(*adapter_base(folders[-1])))
        except HftoolkitError as error:
            raise ModelError(f"{name}: the model that this adapter belongs on cannot be loaded: {error}") from error
    return folders


def _config(folder: Path) -> dict[str, Any]:
    from hftoolkit.engines.conversion import UnsuitedError

    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return {"model_type": None, "architectures": None, "is_encoder_decoder": False, **config}
    except (OSError, ValueError, TypeError) as error:
        raise UnsuitedError("its config.json cannot be read") from error
