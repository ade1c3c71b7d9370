"""Translation with an encoder-decoder model: opus-mt, opus-mt-tc and other Marian checkpoints.

A row:  {"source": "Where is the library?", "target": "图书馆在哪里？"}; a test row may have a list of targets.
Its trap: a target token such as >>cmn_Hans<< in front of the source chooses the variety where the vocabulary has one,
and must be the same in training, evaluation and use; it is recorded in the checkpoint.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.padding import counted, padded
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.languages import normalise
from hftoolkit.metrics import translations
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.plausibility import doubts_about_pairs, may_be
from hftoolkit.models.saved import Saved
from hftoolkit.models.target_tokens import target_token
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Feature, Row, Task

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.base import Engine
    from hftoolkit.engines.pytorch import TorchEngine
    from hftoolkit.training.batches import Batch

IGNORED = -100
"""Label of positions that are not counted."""

_FEW = 8
"""Rows below which nothing is concluded from losses."""

_SHOWN_TOKENS = 64
"""Tokens of a side that are enough to judge whether two sides belong together."""

_LIKELIER = 0.7
"""Loss of true pairs at most, as a share of the loss of shuffled ones: of a small model 0.2 to 0.4, on pairs of other
languages, swapped sides or neighbouring rows 0.73 and more (24 pairs of FLORES and the Python documentation)."""


@dataclass(frozen=True)
class Translated:
    """The translation of one source."""

    text: str


class Translation(Task):
    """From a source text to a target text."""

    inputs = ("source",)
    answers = ("target",)
    goal = "chrF2"
    padded = ("input_ids", "labels")
    trivial_name = "a copy of the source"
    generates = True

    def __init__(self, options: Any, languages: Languages | None) -> None:
        if languages is None:
            raise UsageError(
                "data.languages: missing; translation is scored by its target language\n"
                "  say so:   languages: {source: en, target: zh-Hans}"
            )
        for tag in (languages.source, languages.target):
            normalise(tag)  # refuses what is no language, before anything is read or loaded
        self.languages = languages
        self.target_token: str | None = None
        self.pad = self.start = 0

    def auto_class(self, config: Any, name: str) -> str:
        if config.model_type != "marian":
            raise ModelError(
                f"{name}: a model of the kind '{config.model_type}' does not translate; expected 'marian'\n"
                "  choose an opus-mt checkpoint:   model: {name: Helsinki-NLP/opus-mt-en-zh}"
            )
        return "AutoModelForSeq2SeqLM"

    def bind(self, tokenizer: Any, config: Any) -> None:
        self.choose_token(tokenizer.get_vocab())
        self.pad = config.pad_token_id
        self.start = config.decoder_start_token_id

    def choose_token(self, vocabulary: Iterable[str]) -> None:
        """Choose the target token from a vocabulary: all that is needed of a checkpoint to predict with it."""
        self.target_token = target_token(vocabulary, self.languages.target, self.languages.source)

    def check(self, model: Any, tokenizer: Any, rows: Sequence[Row], name: str) -> None:
        from hftoolkit.models.guard import check_fluency

        check_fluency(model, tokenizer, [self.prompt(row["source"]) for row in rows], name)

    def fingerprint(self) -> str:
        return f"translation|{self.target_token}"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        for row in rows:
            yield row["source"]
            yield from _answers(row)

    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        from hftoolkit.models.marian_tokenizer import numbers

        # Nothing is cut: half of a translation would teach to stop in the middle.
        sources = numbers(tokenizer, [self.prompt(row["source"]) for row in rows])
        answers = [_answers(row) for row in rows]
        flat = [text for texts in answers for text in texts]
        labels = iter(numbers(tokenizer, flat, target=True))
        return [
            [{"input_ids": source, "labels": next(labels)} for _ in texts]
            for source, texts in zip(sources, answers, strict=True)
        ]

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        import torch

        from hftoolkit.training.batches import Batch

        sources = [feature["input_ids"] for feature in features]
        targets = [feature["labels"] for feature in features]
        input_ids = padded(sources, self.pad, widest=self.widest)  # [B, S]
        labels = padded(targets, IGNORED, widest=self.widest)  # [B, T]
        shifted = np.full_like(labels, self.start)  # the decoder reads what it has written so far
        shifted[:, 1:] = np.where(labels[:, :-1] == IGNORED, self.pad, labels[:, :-1])
        tokens = int(sum(map(len, targets)))
        return Batch(
            inputs={
                "input_ids": torch.from_numpy(input_ids),
                "attention_mask": torch.from_numpy(counted(sources, widest=self.widest)),
                "decoder_input_ids": torch.from_numpy(shifted),
            },
            labels={"translation": torch.from_numpy(labels)},
            counts={"translation": tokens},
            tokens=int(sum(map(len, sources))) + tokens,
            padded=input_ids.size + labels.size,
        )

    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
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

    def engine(
        self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32"
    ) -> "TorchEngine":
        from hftoolkit.engines.pytorch import TorchEngine

        return TorchEngine(model, tokenizer, batch_tokens=batch_tokens)

    def predict(
        self, engine: "Engine", rows: Iterable[Row], decoding: "Decoding | None" = None, **settings: Any
    ) -> Iterator[Translated]:
        decoding = decoding or Decoding()
        for text in engine.generate((self.prompt(row["source"]) for row in rows), decoding, **settings):
            yield Translated(text)

    def rehearse(self, engine: "TorchEngine", rows: Sequence[Row], decoding: "Decoding") -> None:
        answers = engine.tokenizer(text_target=[_answers(row)[0] for row in rows])["input_ids"]
        for _ in self.predict(engine, rows, decoding, max_new_tokens=max(map(len, answers))):
            pass

    def doubts(self, rows: Sequence[Row]) -> list[str]:
        pairs = [(row["source"], _answers(row)[0]) for row in rows]
        return doubts_about_pairs(pairs, self.languages.source, self.languages.target)

    def doubts_about(self, tokenizer: Any) -> list[str]:
        wanted = {"source": self.languages.source, "target": self.languages.target}
        found = {"source": tokenizer.source_lang, "target": tokenizer.target_lang}
        return [
            f"model: its {role} language is '{own}', the recipe's is '{wanted[role]}'\n"
            "  choose a model of these languages, or correct data.languages"
            for role, own in found.items()
            if not may_be(own, wanted[role])
        ]

    def doubts_of(self, model: Any, tokenizer: Any, rows: Sequence[Row]) -> list[str]:
        from hftoolkit.training.loop import mean_loss

        if len(rows) < _FEW:
            return []
        losses = []
        for others in (rows, [*rows[1:], rows[0]]):
            mixed = [{**row, "target": _answers(other)[0]} for row, other in zip(rows, others, strict=True)]
            features = [
                {name: np.array(ids[:_SHOWN_TOKENS], np.int32) for name, ids in found[0].items()}
                for found in self.encode(mixed, tokenizer, model.config.max_position_embeddings)
            ]
            losses.append(mean_loss(model, [self.collate(features, 0)], self.loss, model.device))
        paired, shuffled = losses
        if paired < _LIKELIER * shuffled:
            return []
        return [
            f"the model finds the targets hardly likelier than those of other rows ({paired:.1f} against "
            f"{shuffled:.1f} nats per token): they may be in another language than it writes, or not belong to the "
            "sources\n  look at the columns and some rows, or choose a model of these languages"
        ]

    def prompt(self, source: str) -> str:
        """What the encoder reads for a source."""
        return source if self.target_token is None else f"{self.target_token} {source}"

    def measures(self) -> list[Measure]:
        return [_measure("BLEU", self._bleu), _measure("chrF2", self._chrf)]

    def trivial(self, row: Row) -> Translated:
        return Translated(row["source"])

    def shown(self, prediction: Translated) -> str:
        return prediction.text

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        return row["source"], _answers(row)

    def saved(self) -> Saved:
        return Saved(self.name(), self.languages.source, self.languages.target, self.target_token)

    @cached_property
    def _bleu(self) -> Any:
        return translations.bleu(self.languages.target)

    @cached_property
    def _chrf(self) -> Any:
        return translations.chrf()


def _measure(name: str, metric: Any) -> Measure:
    return Measure(
        name,
        counts=lambda prediction, row: translations.sentence_counts(metric, prediction.text, _answers(row)),
        total=lambda counts: translations.total(metric, counts),
        signature=lambda numbers: translations.signature(metric, numbers),
    )


def _answers(row: Row) -> list[str]:
    target = row["target"]
    return [target] if isinstance(target, str) else list(target)
