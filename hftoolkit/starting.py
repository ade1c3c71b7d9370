"""What a run starts from: the decided recipe, the checkpoint, its features, the model as it is trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import Accelerator

from hftoolkit import hub
from hftoolkit.data.features import Features, build_features
from hftoolkit.data.rows import Rows
from hftoolkit.errors import ModelError
from hftoolkit.models.adapters import adapter_targets, adapter_words, add_adapter, refuse_tied_head
from hftoolkit.models.depths import depths
from hftoolkit.models.devices import choose_device, choose_precision, device_words
from hftoolkit.models.freezing import frozen_weights
from hftoolkit.models.heads import NewHead
from hftoolkit.models.keys import tokenizer_key
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.positions import positions
from hftoolkit.models.quantizing import in_4bit, require_4bit
from hftoolkit.models.scratch import build_marian
from hftoolkit.models.scratch_decoder import ROWS, build_gpt
from hftoolkit.models.scratch_encoder import build_bert
from hftoolkit.models.scratch_size import check_size
from hftoolkit.recipe.schema import Recipe, Scratch, ScratchDecoder, ScratchEncoder
from hftoolkit.reports.run import ModelFacts
from hftoolkit.tasks.base import Task

_LONGEST: Final = 256
"""Tokens of the longest side where neither recipe nor task say it."""

_SHORT: Final = 256
"""Tokens up to which attention step by step is no slower."""

_ATTENTION_DROPOUT: Final = ("attention_dropout", "attention_probs_dropout_prob", "attn_pdrop")
"""What architectures call the dropout inside attention."""


def decided(recipe: Recipe, device: torch.device) -> Recipe:
    """The recipe with what the machine decides filled in, so that a resumed run decides the same.

    Raises:
        UsageError: If it asks for what this machine cannot do.
    """
    if recipe.model.quantize is not None:
        require_4bit()
    precision = choose_precision(recipe.training.precision, device, adapter=recipe.adapter is not None)
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"precision": precision})})


def start_of(recipe: Recipe, task: Task, train: Rows, folder: Path) -> tuple[Loaded, list[str]]:
    """The checkpoint to start from, bound to the task, and what should be said about it.

    Args:
        recipe: The run's.
        task: Takes from the checkpoint what encoding and collating need.
        train: Rows a new tokenizer is trained on, and a model is tried on.
        folder: Where a new checkpoint is built, or was before.

    Raises:
        DataError: If the rows are too few for a tokenizer.
        HubError: If the checkpoint cannot be fetched.
        ModelError: If it cannot be loaded, does not suit, would produce gibberish, or is too large for this machine.
    """
    head = None if task.generates else NewHead(task.head, recipe.training.seed)
    if recipe.model.scratch is None:
        loaded = load_checkpoint(
            str(recipe.model.name),
            task.auto_class,
            revision=recipe.model.revision,
            dropout=recipe.training.dropout,
            head=head,
            quantize=recipe.model.quantize is not None,
        )
        if loaded.bases and in_4bit(loaded.model):
            raise ModelError(
                f"model.quantize: '{loaded.name}' is an adapter: beside weights in 4 bits there can be no second one\n"
                "  start from the model that it belongs on, or train on float32 weights:   --set model.quantize=null"
            )
        with _named(loaded.name):
            task.bind(loaded.tokenizer, loaded.model.config)
            task.widest = positions(loaded.model)
            tried = task.begin(loaded.model, loaded.new)
        task.check(loaded.model, loaded.tokenizer, train.take(range(min(4, len(train)))), loaded.name)
        if recipe.adapter is not None:
            # Refuses what will not work, before any scoring.
            adapter_targets(loaded.model, recipe.adapter.targets, loaded.new)
            refuse_tied_head(loaded.model, loaded.new)
        if recipe.training.layer_decay is not None:
            depths(loaded.model)  # the same
        frozen = frozen_weights(loaded.model, recipe.training.freeze, loaded.folder)[1]
        said = (*loaded.notes, *_words_of_head(task, loaded), *tried, *_words_of_windows(recipe, task, loaded))
        return loaded, [*said, *frozen]
    notes = ["a new model from scratch: there is no model to compare with, so the baseline is " + task.trivial_name]
    if not folder.is_dir():
        check_size(recipe.model.scratch, choose_device())
        draft = folder.with_name(f"{folder.name}.partial")
        notes += _build(recipe, recipe.model.scratch, task, train, draft)
        draft.rename(folder)
    loaded = load_checkpoint(str(folder), task.auto_class, dropout=recipe.training.dropout, head=head)
    task.bind(loaded.tokenizer, loaded.model.config)
    task.widest = positions(loaded.model)
    notes += [*task.begin(loaded.model, loaded.new), *_words_of_windows(recipe, task, loaded)]
    return loaded, notes + frozen_weights(loaded.model, recipe.training.freeze)[1]


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say which model is meant where something is said of 'this model'."""
    try:
        yield
    except ModelError as error:
        if not str(error).startswith("this model"):
            raise
        raise ModelError(f"{name}: {error}") from error


def _build(
    recipe: Recipe, sizes: Scratch | ScratchDecoder | ScratchEncoder, task: Task, train: Rows, folder: Path
) -> list[str]:
    """Write a new checkpoint, and give what should be said about it."""
    seed = recipe.training.seed
    match sizes:
        case Scratch():
            return build_marian(sizes, task.texts(train), recipe.data.languages, folder, seed)
        case ScratchDecoder():
            return build_gpt(sizes, task.texts(train.evenly(ROWS)), folder, seed)
        case ScratchEncoder():
            return build_bert(sizes, partial(task.texts, train), folder, seed)


def features_of(recipe: Recipe, task: Task, start: Loaded, rows: Rows) -> Features:
    """The encoded rows, found in the cache or put there."""
    return build_features(
        rows,
        partial(task.encode, tokenizer=start.tokenizer, limit=longest(recipe, task, start)),
        padded=task.padded,
        others=task.others,
        max_tokens=longest(recipe, task, start),
        folder=hub.cache_folder() / "features",
        key=[task.fingerprint(), tokenizer_key(start.folder)],
    )


def trainable(recipe: Recipe, task: Task, start: Loaded, accelerator: Accelerator) -> tuple[Any, ModelFacts]:
    """The model as it is trained, and its facts."""
    model = start.model
    if accelerator.device.type == "cpu" and _is_faster_step_by_step(model.config, longest(recipe, task, start)):
        model.set_attn_implementation("eager")
    parameters = (
        model.num_parameters()  # of two in a byte
        if in_4bit(model)
        else sum(p.numel() for p in model.parameters() if p.requires_grad)  # constant tables are no weights
    )
    for weight in frozen_weights(model, recipe.training.freeze)[0]:
        weight.requires_grad_(False)
    adapter, targets = "", []
    if recipe.adapter is not None:
        targets = adapter_targets(model, recipe.adapter.targets, start.new)
        torch.manual_seed(recipe.training.seed)
        base = recipe.model.name or ""
        base = str(Path(base).resolve()) if base != hub.BUILTIN and Path(base).is_dir() else base
        model = add_adapter(model, recipe.adapter, base, recipe.model.revision, start.new, task.new_tokens)
        adapter = adapter_words(recipe.adapter)
    model.to(accelerator.device)
    products = "" if recipe.training.precision == "float32" else " weights, bf16 products"
    return model, ModelFacts(
        name=recipe.model.name or "scratch",
        architecture=type(start.model).__name__,
        parameters=parameters,
        trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        number_format=f"{'4-bit (nf4)' if in_4bit(start.model) else 'float32'}{products}",
        device=device_words(accelerator.device),
        revision=start.folder.name if hub.in_cache(start.folder) else "",
        adapter=adapter,
        adapter_targets=targets,
    )


def _is_faster_step_by_step(config: Any, tokens: int) -> bool:
    """Whether attention on a processor is faster as single operations than as one (sdpa).

    In bf16 on sentences of 30 tokens it has 1.3 times the tokens/s, and with dropout inside on longer rows, too (1.2 at
    256 tokens, 1.4 at 1,024); without dropout as many at 256 tokens, and 0.76 times as many at 1,024.
    """
    dropout = any(getattr(config, name, 0.0) for name in _ATTENTION_DROPOUT)
    return dropout or tokens <= _SHORT


def longest(recipe: Recipe, task: Task, start: Loaded) -> int:
    """Tokens of the longest side that is trained on: what the recipe says, or the model's positions."""
    return min(recipe.training.max_tokens or task.window or _LONGEST, positions(start.model))


def does_already(recipe: Recipe, task: Task, start: Loaded) -> bool:
    """Whether the untouched model does the task, so that it can be compared with."""
    return recipe.model.scratch is None and not start.new and not task.new_tokens


def _words_of_head(task: Task, loaded: Loaded) -> list[str]:
    if not loaded.new:
        return []
    tied = {id(weight) for weight in loaded.model.get_input_embeddings().parameters()}
    parts = [weight for name in loaded.new for weight in loaded.model.get_submodule(name).parameters()]
    weights = sum(weight.numel() for weight in parts if id(weight) not in tied)
    return [
        f"a new head: {', '.join(loaded.new)}, {weights:,} weights: there is no model to compare with, so the baseline "
        f"is {task.trivial_name}"
    ]


def _words_of_windows(recipe: Recipe, task: Task, loaded: Loaded) -> list[str]:
    trained, used = longest(recipe, task, loaded), min(task.window or 0, positions(loaded.model))
    if trained >= used:
        return []
    return [
        f"training.max_tokens: windows of {trained:,} tokens are learned from, but {used:,} are read at once in use: "
        "set options.window to the same"
    ]
