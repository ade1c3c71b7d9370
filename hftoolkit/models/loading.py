"""A checkpoint by its name, in memory: float32, in evaluation mode, adapters merged, what is odd about it said."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from hftoolkit import hub
from hftoolkit.errors import HftoolkitError, ModelError
from hftoolkit.models.adapter_folders import adapter_base, is_adapter, saved_modules
from hftoolkit.models.adapters import merge_adapter
from hftoolkit.models.added_tokens import make_room
from hftoolkit.models.guard import check_marian, mend_generation
from hftoolkit.models.heads import NewHead, draw, head_beside, head_names, is_head, with_new_head
from hftoolkit.models.quantizing import loading_4bit
from hftoolkit.models.saved import Saved, read_saved
from hftoolkit.models.weights import safe_weights

AutoClass = Callable[[Any, str], str]
"""From a configuration and the checkpoint's name to the name of a transformers auto class."""


@dataclass(frozen=True)
class Loaded:
    """A checkpoint in memory."""

    name: str
    """As the user wrote it."""

    folder: Path
    """Where it lies."""

    model: Any
    tokenizer: Any

    saved: Saved | None
    """What a folder of ours says about itself."""

    notes: tuple[str, ...]
    """What should be said about it."""

    bases: tuple[Path, ...] = ()
    """Where the models lie that this one is an adapter of."""

    new: tuple[str, ...] = ()
    """Modules that know nothing yet: the head, or parts of it."""


DROPOUT = ("dropout", "hidden_dropout_prob", "resid_pdrop", "embd_pdrop")
"""What architectures call the dropout of their activations."""


def load_checkpoint(
    name: str,
    auto_class: AutoClass,
    *,
    revision: str = "main",
    dropout: float | None = None,
    head: NewHead | None = None,
    quantize: bool = False,
) -> Loaded:
    """Load model and tokenizer by hub id, folder, ``package:NAME/FOLDER`` or adapter folder.

    Args:
        name: What to load.
        auto_class: Chooses the architecture's auto class, or raises `ModelError` for one that does not suit.
        revision: Branch, tag or commit of a hub id.
        dropout: Share of activations set to zero in training; None: as the checkpoint says.
        head: For a model that is to be trained; None: a head that is not in the files is an error.
        quantize: Keep the weights of linear layers in 4 bits; an adapter then stays beside them.

    Raises:
        HubError: If it cannot be fetched.
        ModelError: If it cannot be loaded or does not suit.
        UsageError: If weights cannot be kept in 4 bits here.
    """
    folder = hub.resolve(name, revision)
    if is_adapter(folder):
        return _adapted(name, folder, auto_class, dropout, head, quantize)
    model, new, notes = load_model(folder, name, auto_class, dropout, head, quantize)
    tokenizer = load_tokenizer(folder, name)
    if model.config.model_type == "marian":
        check_marian(model, tokenizer, name)
    return Loaded(name, folder, model, tokenizer, read_saved(folder), tuple(notes), new=new)


def _adapted(
    name: str, folder: Path, auto_class: AutoClass, dropout: float | None, head: NewHead | None, quantize: bool
) -> Loaded:
    """A model with an adapter merged into it, and the head that was trained with the adapter put in its place."""
    base_name, base_revision = adapter_base(folder)
    own = head_beside(folder)
    kept = tuple(f"{module}." for module in saved_modules(folder))
    try:
        base = load_checkpoint(
            base_name, auto_class, revision=base_revision, dropout=dropout, head=own or head, quantize=quantize
        )
    except HftoolkitError as error:
        raise ModelError(f"{name}: the model that this adapter belongs on cannot be loaded: {error}") from error
    tokenizer = load_tokenizer(folder, name) if (folder / "tokenizer_config.json").is_file() else base.tokenizer
    make_room(base.model, tokenizer)  # for what the adapter's tokenizer has besides
    model, new = merge_adapter(base.model, folder).eval(), base.new
    if not quantize:
        model.requires_grad_(True)  # an adapter froze it; a later run may train it
    freeze_position_tables(model)
    if own is not None:
        if lost := [module for module in new if not f"{module}.".startswith(kept)]:
            raise ModelError(
                f"{name}: '{lost[0]}' is neither in this adapter nor in the model that it belongs on\n"
                "  train it first:   hftoolkit finetune RECIPE"
            )
        wanted = head.settings(model.config) if head else None
        model, new = with_new_head(model, wanted, head.seed) if head and wanted is not None else (model, ())
    return Loaded(
        name, folder, model, tokenizer, read_saved(folder) or base.saved, base.notes, (base.folder, *base.bases), new
    )


def load_tokenizer(folder: Path, name: str) -> Any:
    """The tokenizer in a checkpoint's folder.

    Raises:
        ModelError: If there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError, TypeError) as error:
        raise ModelError(
            f"{name}: its tokenizer cannot be loaded, a file of it is missing or damaged: {_first_line(error)}\n"
            "  fetch it again, or use another checkpoint"
        ) from error
    # Long rows are dropped or cut by us, and counted; transformers would say so for the first one alone.
    tokenizer.deprecation_warnings["sequence-length-is-longer-than-the-specified-maximum"] = True
    return tokenizer


def _refuse_code(folder: Path, name: str) -> None:
    """Refuse a model that is Python code of its repository's; transformers would ask, and run it on a yes."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        code, kind = config.get("auto_map"), config.get("model_type")
    except (OSError, ValueError, AttributeError):
        return  # transformers says what is wrong with it
    if code and kind not in CONFIG_MAPPING_NAMES:
        raise ModelError(
            f"{name}: '{kind}' is no model of transformers, but Python code that comes with the checkpoint; "
            "it is not run\n"
            "  choose a checkpoint of a kind that transformers has, such as Marian, BERT or Llama"
        )


def load_model(
    folder: Path,
    name: str,
    auto_class: AutoClass,
    dropout: float | None = None,
    head: NewHead | None = None,
    quantize: bool = False,
) -> tuple[Any, tuple[str, ...], list[str]]:
    """The model in a checkpoint's folder, in float32 and evaluation mode.

    Returns:
        The model, its modules that are new, and what should be said about it.

    Raises:
        ModelError: If it cannot be read, is of another kind, or lacks weights.
    """
    import transformers

    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{name}: this folder holds no model (no config.json in it)\n"
            "  a model folder has config.json, weights and a tokenizer, as save_pretrained writes it"
        )
    _refuse_code(folder, name)
    weights = safe_weights(folder)
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
        for key in DROPOUT if dropout is not None else ():
            if hasattr(config, key):
                setattr(config, key, dropout)
        said = config.architectures or []
        settings = head.settings(config) if head else None
        if quantize and settings is not None:
            raise _headless(name)
        config.update(settings or {})
        with quiet():
            model, info = getattr(transformers, auto_class(config, name)).from_pretrained(
                str(weights.folder),
                config=config,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=head is not None,
                **(loading_4bit() if quantize else {}),
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{name}: this model cannot be loaded: {_first_line(error)}") from error
    missing = sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])})
    headless = head is not None or type(model).__name__ not in said
    lost = [key for key in missing if not (headless and is_head(key, model))]
    if lost:
        raise ModelError(
            f"{name}: {len(lost)} of this model's weights are not in its files, the first is '{lost[0]}'\n"
            "  fetch it again, or use another checkpoint"
        )
    if missing and head is None:
        raise ModelError(
            f"{name}: this model was not trained for this task: '{missing[0]}' is not in its files\n"
            "  train it first:   hftoolkit finetune RECIPE"
        )
    if head is None and said and _differ(said[0], type(model).__name__):  # the heads of some have the same names
        raise ModelError(
            f"{name}: this model is a {said[0]}, and was not trained for this task\n"
            "  choose another model, or train it first:   hftoolkit finetune RECIPE"
        )
    if missing and quantize:
        raise _headless(name)
    new: tuple[str, ...] = ()
    if head is not None:
        new = draw(model, {*missing, *(head_names(model) if settings is not None and head.whole else ())}, head.seed)
    freeze_position_tables(model)
    if config.model_type == "marian":
        mend_generation(model)
    notes = list(weights.notes)
    if config.dtype not in (None, torch.float32):
        notes.append(f"{name} is stored in {str(config.dtype).removeprefix('torch.')}; it is used in float32")
    if quantize:
        notes.append(f"{name}: its linear layers are kept in 4 bits; outside of this run they are float32")
    return model.eval(), new, notes


def _headless(name: str) -> ModelError:
    return ModelError(
        f"{name}: this checkpoint has no head for the task, and a new one is not trained beside weights in 4 bits\n"
        "  start from a checkpoint that has one, or train on float32 weights:   --set model.quantize=null"
    )


def _differ(one: str, other: str) -> bool:
    """Whether two classes of transformers have heads for different tasks."""
    tasks = {name.rpartition("For")[2] for name in (one, other) if "For" in name}
    return len(tasks) == 2 and tasks != {"MaskedLM", "PreTraining"}


def freeze_position_tables(model: Any) -> None:
    """Sinusoidal position tables are constants; loading marks them as trainable."""
    for module in model.modules():
        if type(module).__name__.endswith("SinusoidalPositionalEmbedding"):
            module.weight.requires_grad_(False)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bars and load reports: what matters of them is said by us."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if shown:
            transformers_logging.enable_progress_bar()
