"""Translation with an encoder-decoder model, such as opus-mt, or with a decoder alone, such as GPT.

A row:  {"source": "Where is the library?", "target": "图书馆在哪里？"}; a test row may have a list of targets.
Its trap: what the model is told of the language, a token or an instruction, must be the same in training, evaluation
and use; it is recorded in the checkpoint.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.languages import normalise
from hftoolkit.metrics import translations
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.decoders import causal_class, is_decoder
from hftoolkit.models.plausibility import doubts_about_pairs, may_be
from hftoolkit.models.saved import Saved
from hftoolkit.models.target_tokens import target_token
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Feature, Row, Task
from hftoolkit.tasks.translation import options
from hftoolkit.tasks.translation.decoder import Decoder
from hftoolkit.tasks.translation.encoder_decoder import EncoderDecoder
from hftoolkit.tasks.translation.form import Form
from hftoolkit.tasks.translation.options import PROMPT

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.base import Engine
    from hftoolkit.engines.opening import Opened
    from hftoolkit.training.batches import Batch

_FEW = 8
"""Rows below which nothing is concluded from losses."""

_SHOWN_TOKENS = 64
"""Tokens of a side that are enough to judge whether two sides belong together."""

_LIKELIER = 0.8
"""Loss of true pairs at most, as a share of the loss of shuffled ones: of a small model 0.2 to 0.4, of the built-in one
on a field that it does not know up to 0.76; on pairs of other languages, swapped sides or neighbouring rows 0.73 and
more (24 pairs of FLORES and the Python documentation)."""


@dataclass(frozen=True)
class Translated:
    """The translation of one source."""

    text: str


class Translation(Task):
    """From a source text to a target text."""

    Options = options.Options

    inputs = ("source",)
    answers = ("target",)
    goal = "chrF2"
    padded: tuple[str, ...] = ("input_ids", "labels")
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
        self.options = self.Options.model_validate(options)
        self.languages = languages
        self.form: Form = EncoderDecoder(None)

    def auto_class(self, config: Any, name: str) -> str:
        if config.model_type == "marian":
            return "AutoModelForSeq2SeqLM"
        if not is_decoder(config):
            raise ModelError(
                f"{name}: a model of the kind '{config.model_type}' does not translate; expected 'marian', or a "
                "decoder such as 'gpt2'\n  choose an opus-mt checkpoint:   model: {name: Helsinki-NLP/opus-mt-en-zh}"
            )
        return causal_class(config, name)

    def restore(self, saved: Saved | None, config: Any) -> None:
        if saved is not None:
            self.options = self.options.model_copy(update={"prompt": saved.state.get(PROMPT, self.options.prompt)})

    def bind(self, tokenizer: Any, config: Any) -> None:
        if config.model_type == "marian":
            if self.options.prompt is not None:
                raise ModelError(
                    "options.prompt: this model has an encoder: it reads a source as it is\n"
                    "  leave it out, or choose a decoder:   model: {name: HuggingFaceTB/SmolLM2-135M-Instruct}"
                )
            token = self._token(tokenizer.get_vocab())
            self._take(EncoderDecoder(token, config.pad_token_id, config.decoder_start_token_id))
        else:
            self._take(Decoder(tokenizer, config, self.languages, self.options.prompt))

    def opened(self, opened: "Opened") -> "Engine":
        """Take the same from a checkpoint that is only to predict; what is not known is not learned.

        Returns:
            The engine that runs it.

        Raises:
            ModelError: If a decoder was not trained to translate, and does not answer either.
        """
        self.restore(opened.saved, None)
        if opened.decoder is None:
            self._take(EncoderDecoder(self._token(opened.vocabulary)))
            return opened.engine
        model, tokenizer = opened.decoder.model, opened.decoder.tokenizer
        self._take(Decoder(tokenizer, model.config, self.languages, self.options.prompt, learns=False))
        engine: Engine = self.form.engine(model, tokenizer, batch_tokens=None)
        return engine

    def _token(self, vocabulary: Iterable[str]) -> str | None:
        return target_token(vocabulary, self.languages.target, self.languages.source)

    def _take(self, form: Form) -> None:
        self.form, self.padded, self.others = form, form.padded, form.others
        self.new_tokens = form.new_tokens

    @property
    def target_token(self) -> str | None:
        """What asks the model for the language translated to, if anything does."""
        return self.form.token

    def begin(self, model: Any, new: Sequence[str]) -> list[str]:
        notes = self.form.begin(model)
        self.packed = self.form.packed
        return notes

    def check(self, model: Any, tokenizer: Any, rows: Sequence[Row], name: str) -> None:
        from hftoolkit.models.guard import check_fluency

        if model.config.model_type == "marian":  # others have no traps of its kind
            check_fluency(model, tokenizer, [self.prompt(row["source"]) for row in rows], name)

    def fingerprint(self) -> str:
        return f"translation|{self.form.fingerprint()}"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        for row in rows:
            yield row["source"]
            yield from _answers(row)

    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        # Nothing is cut: half of a translation would teach to stop in the middle.
        return self.form.encode([(row["source"], _answers(row)) for row in rows], tokenizer)

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        return self.form.collate(features, widest=self.widest)

    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        return self.form.loss(model, batch, smoothing=smoothing)

    def engine(self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32") -> Any:
        return self.form.engine(model, tokenizer, batch_tokens=batch_tokens)

    def predict(
        self, engine: "Engine", rows: Iterable[Row], decoding: "Decoding | None" = None, **settings: Any
    ) -> Iterator[Translated]:
        decoding = decoding or Decoding()
        for text in engine.generate((self.prompt(row["source"]) for row in rows), decoding, **settings):
            yield Translated(text)

    def rehearse(self, engine: Any, rows: Sequence[Row], decoding: "Decoding") -> None:
        longest = self.form.answer_tokens([_answers(row)[0] for row in rows], engine.tokenizer)
        for _ in self.predict(engine, rows, decoding, max_new_tokens=longest):
            pass

    def doubts(self, rows: Sequence[Row]) -> list[str]:
        pairs = [(row["source"], _answers(row)[0]) for row in rows]
        return doubts_about_pairs(pairs, self.languages.source, self.languages.target)

    def doubts_about(self, tokenizer: Any) -> list[str]:
        wanted = {"source": self.languages.source, "target": self.languages.target}
        found = {role: getattr(tokenizer, f"{role}_lang", None) for role in wanted}  # Marian's alone say it
        return [
            f"model: its {role} language is '{own}', the recipe's is '{wanted[role]}'\n"
            "  choose a model of these languages, or correct data.languages"
            for role, own in found.items()
            if own is not None and not may_be(own, wanted[role])
        ]

    def doubts_of(self, model: Any, tokenizer: Any, rows: Sequence[Row]) -> list[str]:
        from hftoolkit.training.loop import mean_loss

        if len(rows) < _FEW or model.config.model_type != "marian":
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
        """What the model reads for a source."""
        return self.form.prompt(source)

    def measures(self) -> list[Measure]:
        return [_measure("BLEU", self._bleu), _measure("chrF2", self._chrf)]

    def every_measure(self) -> list[Measure]:
        target = self.languages.target
        edits = [_measure("TER", translations.ter(target), higher=False)] if translations.has_words(target) else []
        return [*self.measures(), *edits]

    def trivial(self, row: Row) -> Translated:
        return Translated(row["source"])

    def shown(self, prediction: Translated) -> str:
        return prediction.text

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        return row["source"], _answers(row)

    def saved(self) -> Saved:
        return self.form.saved(Saved(self.name(), self.languages.source, self.languages.target, self.target_token))

    @cached_property
    def _bleu(self) -> Any:
        return translations.bleu(self.languages.target)

    @cached_property
    def _chrf(self) -> Any:
        return translations.chrf()


def _measure(name: str, metric: Any, *, higher: bool = True) -> Measure:
    return Measure(
        name,
        counts=lambda prediction, row: translations.sentence_counts(metric, prediction.text, _answers(row)),
        total=lambda counts: translations.total(metric, counts),
        signature=lambda numbers: translations.signature(metric, numbers),
        higher=higher,
    )


def _answers(row: Row) -> list[str]:
    target = row["target"]
    return [target] if isinstance(target, str) else list(target)
