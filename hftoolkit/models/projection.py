"""The output layer of a masked language model, kept apart: over the whole vocabulary it costs more than all else, and
few tokens are to be guessed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from hftoolkit.errors import ModelError


def without_projection(model: Any, inputs: Any) -> tuple[Tensor, Any]:
    """Run a masked language model up to its output layer.

    Args:
        model: A transformers model for masked language modelling or BERT's pretraining.
        inputs: Its keyword arguments.

    Returns:
        What the output layer would read, shape ``[B, T, H]``, and the model's output, with that in the place of logits.

    Raises:
        ModelError: If this architecture computes its scores in another way.
    """
    layer = model.get_output_embeddings()
    if not isinstance(layer, nn.Linear):
        raise _refused(model)
    with _passed_by(layer):
        output = model(**inputs)
    hidden: Tensor = output.prediction_logits if "prediction_logits" in output else output.logits
    if hidden.shape[-1] != layer.in_features:
        raise _refused(model)
    return hidden, output


def _refused(model: Any) -> ModelError:
    return ModelError(
        f"the output layer of the architecture '{model.config.model_type}' cannot be kept apart, as pretraining needs\n"
        "  choose another encoder:   model: {name: google-bert/bert-base-uncased}"
    )


@contextmanager
def _passed_by(layer: nn.Module) -> Iterator[None]:
    """Let a layer give what it is given."""
    layer.forward = _same
    try:
        yield
    finally:
        del layer.forward


def _same(hidden: Tensor) -> Tensor:
    return hidden
