"""Low-rank adapters (LoRA, DoRA, rsLoRA) on a model, and back again: the only file that imports peft."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from hftoolkit.errors import ModelError
from hftoolkit.models.quantizing import in_4bit
from hftoolkit.recipe.schema import Adapter

_WORDS = {"lora": "LoRA", "dora": "DoRA", "rslora": "rsLoRA"}
"""What the kinds of adapters are called."""


def adapter_targets(model: Any, wanted: list[str] | None, head: Sequence[str] = ()) -> list[str]:
    """Names of the linear layers that get an adapter.

    Args:
        model: A transformers model.
        wanted: Names from the recipe, or None for every linear layer of the base: query and value alone, peft's choice
            for BERT, learn far less.
        head: Names of the modules that are new, and trained whole.

    Raises:
        ModelError: If a name is in no linear layer, in the new head alone, or the output layer, or if the base has no
            linear layer.
    """
    from transformers.pytorch_utils import Conv1D

    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
    endings = sorted({name.rsplit(".", 1)[-1] for name in linear})
    new = tuple(f"{module}." for module in head)
    if not wanted:
        return _all_of_base(model, [name for name in linear if not f"{name}.".startswith(new)], linear)
    targets = wanted
    for target in targets:
        found = [name for name in linear if name == target or name.endswith(f".{target}")]
        if not found:
            raise ModelError(
                f"adapter.targets: no linear layer of this model is named '{target}'\n"
                f"  its linear layers are:   {', '.join(endings)}"
            )
        if all(f"{name}.".startswith(new) for name in found):
            raise ModelError(
                f"adapter.targets: '{target}' is part of the new head, which is trained whole: an adapter on it would "
                "do nothing\n  leave it out"
            )
        output = model.get_output_embeddings()
        refused = [name for name in found if model.get_submodule(name) is output]
        if refused:
            # The losses are computed from the output layer's own weights: an adapter on it would be passed by.
            why = (
                "which shares its weights with the embeddings: an adapter on one would untie them"
                if model.config.tie_word_embeddings
                else "whose weights training reads directly: an adapter on it would not be trained"
            )
            others = [ending for ending in endings if ending != refused[0].rsplit(".", 1)[-1]]
            raise ModelError(
                f"adapter.targets: '{target}' is the output layer, {why}\n  choose from:   {', '.join(others)}"
            )
    return targets


def _all_of_base(model: Any, old: Sequence[str], linear: Sequence[str]) -> list[str]:
    """The shortest names that stand for all old linear layers of the base and for no others."""
    prefix = f"{model.base_model_prefix}." if model.base_model is not model else ""
    inside = [name for name in old if name.startswith(prefix)]
    others = [f".{name}" for name in linear if name not in set(inside)]
    if not inside:
        raise ModelError(
            f"adapter: this model, a '{model.config.model_type}', has no linear layers on which one could be\n"
            "  leave out 'adapter' to train all weights"
        )
    found = []
    for name in inside:
        parts = name.split(".")
        endings = (".".join(parts[-number:]) for number in range(1, len(parts) + 1))
        found.append(next(ending for ending in endings if not any(other.endswith(f".{ending}") for other in others)))
    return list(dict.fromkeys(found))


def refuse_tied_head(model: Any, head: Sequence[str]) -> None:
    """Refuse a new head that cannot be trained beside an adapter.

    Args:
        model: A transformers model.
        head: Names of the modules that are new.

    Raises:
        ModelError: If one of them shares weights with the base, which an adapter leaves as it is.
    """
    kept = {id(weight) for weight in model.get_input_embeddings().parameters()}
    for name in head:
        if any(id(weight) in kept for weight in model.get_submodule(name).parameters()):
            raise ModelError(
                f"adapter: this checkpoint has no head for the task, and a new one, {name}, shares weights with the "
                "embeddings, which an adapter leaves as they are\n"
                "  leave out 'adapter' to train all weights, or start from a checkpoint that has the head"
            )


def adapter_alpha(settings: Adapter) -> int:
    """The recipe's alpha, or one that scales by 2: at every rank, or for rsLoRA at rank 16, less above and more below.

    With one alpha for all ranks rsLoRA's scale falls with the root of the rank, which is what keeps high ranks stable.
    """
    return settings.alpha or (8 if settings.kind == "rslora" else 2 * settings.rank)


def adapter_words(settings: Adapter) -> str:
    """An adapter as a report names it."""
    return f"{_WORDS[settings.kind]}, rank {settings.rank}, alpha {adapter_alpha(settings)}"


def add_adapter(
    model: Any, settings: Adapter, base: str, revision: str, head: Sequence[str] = (), tokens: Sequence[int] = ()
) -> Any:
    """Freeze a model and put a new adapter on it.

    Args:
        model: A transformers model.
        settings: The recipe's adapter.
        base: Name by which the adapter will find its base again.
        revision: Revision of a hub id.
        head: Names of the modules that are new: all of their weights are trained, and saved with the adapter.
        tokens: Numbers of the tokens that are new: their embeddings are trained, and saved with the adapter.

    Raises:
        ModelError: If a row of weights is all zero where DoRA would divide by its length.

    Source:
        LoRA: Hu et al., 2021, arXiv:2106.09685. DoRA: Liu et al., 2024, arXiv:2402.09353. rsLoRA: Kalajdzievski, 2023,
        arXiv:2312.03732.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers.pytorch_utils import Conv1D

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=adapter_alpha(settings),
        lora_dropout=settings.dropout,
        target_modules=adapter_targets(model, settings.targets, head),
        use_dora=settings.kind == "dora",
        use_rslora=settings.kind == "rslora",
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # as GPT-2 keeps its weights
        modules_to_save=list(head) or None,
        trainable_token_indices=list(tokens) or None,
    )
    with _as_released():
        if in_4bit(model):
            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        wrapped = get_peft_model(model, config)
    for name, lengths in wrapped.named_parameters():
        if ".lora_magnitude_vector." in name and not lengths.all():
            layer = name.partition(".lora_magnitude_vector.")[0].removeprefix("base_model.model.")
            raise ModelError(
                f"adapter.kind: DoRA divides by the length of every row of weights, and '{layer}' has rows that are "
                "zero\n  leave it out of adapter.targets, or use another kind:   --set adapter.kind=rslora"
            )
    wrapped.peft_config["default"].base_model_name_or_path = base
    wrapped.peft_config["default"].revision = revision
    return wrapped


def save_adapter(model: Any, folder: Path) -> None:
    """Write an adapter, without its base."""
    # Left to itself, peft asks the hub for the base's configuration, to find out whether its vocabulary was changed.
    model.save_pretrained(str(folder), save_embedding_layers=False)
    if model.peft_config["default"].modules_to_save:
        model.get_base_model().config.save_pretrained(str(folder))  # what the outputs of its head mean
    (folder / "README.md").unlink(missing_ok=True)  # a form that peft leaves to be filled in


def merge_adapter(model: Any, folder: Path) -> Any:
    """The model with an adapter's matrices added into its weights: as fast as the model alone.

    Beside weights in 4 bits the matrices stay as they are: their sum would be rounded to 4 bits again.
    """
    from peft import PeftModel

    with _as_released():
        adapted = PeftModel.from_pretrained(model, str(folder))
        return adapted.get_base_model() if in_4bit(model) else adapted.merge_and_unload()


def beside(model: Any, folder: Path) -> Any:
    """The model with an adapter beside its weights, not merged, in evaluation mode."""
    from peft import PeftModel

    with _as_released():
        return PeftModel.from_pretrained(model, str(folder)).eval()


@contextmanager
def _as_released() -> Iterator[None]:
    """Without warnings that are for peft's authors: of what it sets off in transformers 5.23, and of what it mends
    itself where GPT-2's weights, which stand the other way round, were kept in 4 bits and no longer are."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        warnings.filterwarnings("ignore", "fan_in_fan_out is set to", UserWarning)
        yield
