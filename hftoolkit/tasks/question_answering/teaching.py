"""What windows teach: where the answer begins and ends in them, or that they have none."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.padding import model_inputs
from hftoolkit.data.questions import Asked
from hftoolkit.data.token_spans import tokens_of
from hftoolkit.tasks.base import Feature, Row

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.training.batches import Batch

LOSS = "question_answering"


def taught(row: Row, asked: Asked, *, no_answer: bool) -> list[Feature]:
    """Windows with the places of the answer's first and last token in them under ``answer``; 0 stands for no answer.

    Args:
        row: With its answers; the first one that is in the context is learned.
        asked: How its question and context are read.
        no_answer: Whether rows without an answer teach to give none; left out: they teach nothing.
    """
    first = last = -1  # in no window
    if row["answers"]:
        place = next((place for place, start in enumerate(row["starts"]) if start >= 0), None)
        start = 0 if place is None else row["starts"][place]
        span = None if place is None else tokens_of(asked.offsets, start, start + len(row["answers"][place]))
        if span is None:
            return []
        first, last = span
    elif not no_answer:
        return []
    found = []
    for feature, begin in zip(asked.features, asked.begins, strict=True):
        before, end = feature["context"]
        inside = begin <= first and last < begin + end - before
        found.append({**feature, "answer": [before + first - begin, before + last - begin] if inside else [0, 0]})
    return found


def batch_of(features: Sequence[Mapping[str, NDArray[np.int32]]], pad: int, widest: int) -> "Batch":
    """Tensors of some windows; the labels are the first token of the answer and its last, the first one of the context
    and that after its last: ``[B, 4]``.

    Args:
        features: From `taught`.
        pad: Number of the padding token.
        widest: As `Task.widest`.
    """
    import torch

    from hftoolkit.training.batches import Batch

    tables = model_inputs(features, pad, widest=widest)
    places = np.stack([np.concatenate([one["answer"], one["context"]]) for one in features]).astype(np.int64)
    return Batch(
        inputs={name: torch.from_numpy(table) for name, table in tables.items()},
        labels={LOSS: torch.from_numpy(places)},
        counts={LOSS: len(features)},
        tokens=int(tables["attention_mask"].sum()),
        padded=tables["input_ids"].size,
    )


def loss_of(output: Any, places: "Tensor", smoothing: float) -> "Tensor":
    """Cross-entropy of both ends of the answer, half of each, summed over windows, in nats.

    As in prediction, an end can be in the context or, for no answer, in front: all other tokens are left out, padding
    among them, so that a window loses the same beside any others.

    Args:
        output: A transformers model's.
        places: Labels of `batch_of`; ``[B, 4]``.
        smoothing: Share of the probability that is spread over all that is possible.
    """
    import torch

    first, last, begin, end = places[:, :, None].unbind(1)  # [B, 1] each
    tokens = torch.arange(output.start_logits.shape[1], device=places.device)
    possible = (tokens == 0) | ((tokens >= begin) & (tokens < end))  # [B, T]
    total = torch.zeros((), device=places.device)
    for logits, place in ((output.start_logits, first), (output.end_logits, last)):
        scores = logits.float().masked_fill(~possible, -torch.inf).log_softmax(1)
        total -= (1 - smoothing) * scores.gather(1, place).sum() / 2
        if smoothing:
            total -= smoothing * (scores.masked_fill(~possible, 0).sum(1) / possible.sum(1)).sum() / 2
    return total
