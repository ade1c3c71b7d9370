"""Translating with an encoder-decoder model: opus-mt, opus-mt-tc and other Marian checkpoints.

Its trap: a target token such as >>cmn_Hans<< in front of the source chooses the variety where the vocabulary has one,
and must be the same in training, evaluation and use; it is recorded in the checkpoint.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.padding import counted, padded
from hftoolkit.models.saved import Saved
from hftoolkit.tasks.base import Feature
from hftoolkit.tasks.translation.form import Pair

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.pytorch import TorchEngine
    from hftoolkit.training.batches import Batch

IGNORED = -100
"""Label of positions that are not counted."""


class EncoderDecoder:
    """How Marian translates.

    Args:
        token: The target token in front of every source, if the vocabulary has a choice.
        pad: Number of the padding token.
        start: Number of the token with which the decoder begins.
    """

    padded: tuple[str, ...] = ("input_ids", "labels")
    others: tuple[str, ...] = ()
    new_tokens: tuple[int, ...] = ()
    packed = False

    def __init__(self, token: str | None, pad: int = 0, start: int = 0) -> None:
        self.token = token
        self._pad = pad
        self._start = start

    def prompt(self, source: str) -> str:
        return source if self.token is None else f"{self.token} {source}"

    def fingerprint(self) -> str:
        return str(self.token)

    def begin(self, model: Any) -> list[str]:
        return []

    def encode(self, pairs: Sequence[Pair], tokenizer: Any) -> list[list[Feature]]:
        from hftoolkit.models.marian_tokenizer import numbers

        sources = numbers(tokenizer, [self.prompt(source) for source, _ in pairs])
        flat = [text for _, texts in pairs for text in texts]
        labels = iter(numbers(tokenizer, flat, target=True))
        return [
            [{"input_ids": source, "labels": next(labels)} for _ in texts]
            for source, (_, texts) in zip(sources, pairs, strict=True)
        ]

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], *, widest: int) -> "Batch":
        import torch

        from hftoolkit.training.batches import Batch

        sources = [feature["input_ids"] for feature in features]
        targets = [feature["labels"] for feature in features]
        input_ids = padded(sources, self._pad, widest=widest)  # [B, S]
        labels = padded(targets, IGNORED, widest=widest)  # [B, T]
        shifted = np.full_like(labels, self._start)  # the decoder reads what it has written so far
        shifted[:, 1:] = np.where(labels[:, :-1] == IGNORED, self._pad, labels[:, :-1])
        tokens = int(sum(map(len, targets)))
        return Batch(
            inputs={
                "input_ids": torch.from_numpy(input_ids),
                "attention_mask": torch.from_numpy(counted(sources, widest=widest)),
                "decoder_input_ids": torch.from_numpy(shifted),
            },
            labels={"translation": torch.from_numpy(labels)},
            counts={"translation": tokens},
            tokens=int(sum(map(len, sources))) + tokens,
            padded=input_ids.size + labels.size,
        )

    def loss(self, model: Any, batch: "Batch", *, smoothing: float) -> dict[str, "Tensor"]:
        from hftoolkit.training.cross_entropy import sum_of_cross_entropies

        hidden = model.model(**batch.inputs, use_cache=False).last_hidden_state  # [B, T, H]
        # Marian's own loss is a mean over this batch alone; a step needs the sum.
        return {
            "translation": sum_of_cross_entropies(
                hidden.flatten(0, 1),
                model.lm_head.weight,
                model.final_logits_bias[0],
                batch.labels["translation"].flatten(),
                ignored=IGNORED,
                smoothing=smoothing,
            )
        }

    def engine(self, model: Any, tokenizer: Any, *, batch_tokens: int | None) -> "TorchEngine":
        from hftoolkit.engines.pytorch import TorchEngine

        return TorchEngine(model, tokenizer, batch_tokens=batch_tokens)

    def answer_tokens(self, texts: Iterable[str], tokenizer: Any) -> int:
        return max(map(len, tokenizer(text_target=list(texts))["input_ids"]))

    def saved(self, facts: Saved) -> Saved:
        return facts
