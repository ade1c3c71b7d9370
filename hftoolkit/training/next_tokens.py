"""What a causal model learns: every next token of its rows, padded or laid behind each other."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hftoolkit.data.packing import arranged, laid_out
from hftoolkit.data.padding import model_inputs, padded
from hftoolkit.models.projection import output_layer, without_projection
from hftoolkit.training.batches import Batch
from hftoolkit.training.cross_entropy import sum_of_cross_entropies

IGNORED: Final = -100
"""Label of a token that is not learned."""

NEXT: Final = "next_tokens"
"""Name of the loss."""

Feature = Mapping[str, NDArray[np.int32]]


def next_token_batch(features: Sequence[Feature], *, pad: int, row: int | None = None, widest: int = 0) -> Batch:
    """Tensors of some features, the labels one token ahead.

    Args:
        features: Each with ``input_ids``, and with ``labels`` where not all of its tokens are learned: the same, or
            `IGNORED`. A first token is never learned: nothing stands before it.
        pad: Number of the padding token.
        row: Tokens of a row in which several features stand behind each other, at most; their positions begin anew, by
            which the model tells them apart. None: every feature has a row of its own.
        widest: Up to this width the table's is a multiple of `STEP`.
    """
    ids = [feature["input_ids"] for feature in features]
    ahead = [
        np.append(feature.get("labels", feature["input_ids"])[1:], np.int32(IGNORED)).astype(np.int32)
        for feature in features
    ]
    if row is None:
        tables, labels = model_inputs(features, pad, widest=widest), padded(ahead, IGNORED, widest=widest)
    else:
        rows = arranged([len(each) for each in ids], row)
        labels = laid_out(ahead, rows, IGNORED, widest=widest)
        tables = {
            "input_ids": laid_out(ids, rows, pad, widest=widest),
            # A filled-up place has position 0: it is a document of its own.
            "position_ids": laid_out([range(len(each)) for each in ids], rows, 0, widest=widest),
        }
    return Batch(
        inputs={name: torch.from_numpy(table) for name, table in tables.items()},
        labels={NEXT: torch.from_numpy(labels)},
        counts={NEXT: int((labels != IGNORED).sum())},
        tokens=sum(map(len, ids)),
        padded=labels.size,
    )


def next_token_loss(model: Any, batch: Batch, *, plain: bool, smoothing: float = 0.0) -> dict[str, Tensor]:
    """The cross-entropy of the next tokens, summed over those that are learned, in nats.

    Args:
        model: A causal transformers model.
        batch: As `next_token_batch` gives it.
        plain: What `scores_plainly` says of the model: then its scores never are in memory all together.
        smoothing: Share of the probability spread over all tokens.
    """
    inputs, labels = {**batch.inputs, "use_cache": False}, batch.labels[NEXT].flatten()  # [B * T]
    if plain:
        hidden, _ = without_projection(model, inputs)  # [B, T, H]
        layer = output_layer(model)
        total = sum_of_cross_entropies(
            hidden.flatten(0, 1), layer.weight, layer.bias, labels, ignored=IGNORED, smoothing=smoothing
        )
    else:
        scores = model(**inputs).logits.flatten(0, 1).float()  # [B * T, V]
        total = functional.cross_entropy(
            scores, labels, ignore_index=IGNORED, reduction="sum", label_smoothing=smoothing
        )
    return {NEXT: total}
