"""The output layer of a language model, kept apart: over the whole vocabulary it costs much, and few of its scores are
needed at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from hftoolkit.errors import ModelError

_LARGE: Final = 100.0
"""A score that every cap would lower."""


def without_projection(model: Any, inputs: Any) -> tuple[Tensor, Any]:
    """Run a language model up to its output layer.

    Args:
        model: A transformers model for language modelling, masked or causal, or BERT's pretraining.
        inputs: Its keyword arguments.

    Returns:
        What the output layer would read, shape ``[B, T, H]``, and the model's output, with that in the place of logits.

    Raises:
        ModelError: If this architecture computes its scores in another way.
    """
    layer = output_layer(model)
    with _in_place_of(model.get_output_embeddings(), _same):
        output = model(**inputs)
    hidden: Tensor = output.prediction_logits if "prediction_logits" in output else output.logits
    if hidden.shape[-1] != layer.in_features:
        raise _refused(model)
    return hidden, output


@torch.inference_mode()
def scores_plainly(model: Any) -> bool:
    """Whether a causal model's scores are what its output layer gives: some scale or cap them afterwards.

    Args:
        model: A transformers model.
    """
    layer = _linear(model)
    if layer is None:
        return False
    given = torch.linspace(-_LARGE, _LARGE, layer.out_features, device=model.device)[None, None]  # [1, 1, V]
    training = model.training
    model.eval()  # dropout would draw random numbers, which a resumed run draws at another step
    try:
        with _in_place_of(model.get_output_embeddings(), lambda _: given):
            output = model(input_ids=torch.zeros((1, 1), dtype=torch.int64, device=model.device), use_cache=False)
    finally:
        model.train(training)
    return torch.equal(output.logits, given)


def output_layer(model: Any) -> nn.Linear:
    """The linear layer that gives a model's scores.

    Beside an adapter that learns the embedding of a new token, a layer that shares its weights with the embeddings is
    wrapped: here it is without that row, which no model has to write.

    Raises:
        ModelError: If they come about in another way.
    """
    layer = _linear(model)
    if layer is None:
        raise _refused(model)
    return layer


def _linear(model: Any) -> nn.Linear | None:
    layer = model.get_output_embeddings()
    while isinstance(inside := getattr(layer, "base_layer", getattr(layer, "token_adapter", None)), nn.Module):
        layer = inside
    return layer if isinstance(layer, nn.Linear) else None


def _refused(model: Any) -> ModelError:
    return ModelError(
        f"the output layer of the architecture '{model.config.model_type}' cannot be kept apart, as pretraining needs\n"
        "  choose another encoder:   model: {name: google-bert/bert-base-uncased}"
    )


@contextmanager
def _in_place_of(layer: nn.Module, forward: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Let a layer give something else."""
    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward


def _same(hidden: Tensor) -> Tensor:
    return hidden
