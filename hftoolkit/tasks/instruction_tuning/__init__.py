"""Instruction tuning: a decoder learns to answer.

A row:  {"messages": [{"role": "user", "content": "Is it open?"}, {"role": "assistant", "content": "Yes, until five."}]}
or {"prompt": ..., "answer": ...}, perhaps with "system". Every checkpoint writes conversations in a form of its own.
Its trap: the loss is on answers alone, and on the token that ends each. Without that token a model never stops; with
the questions it learns to ask; in another form than its own it is worse than untrained.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.messages import messages_of
from hftoolkit.data.rows import Rows
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.decoders import causal_class, reach, stop_at
from hftoolkit.models.saved import END, Saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Feature, Row, Sample, Task
from hftoolkit.tasks.instruction_tuning import options
from hftoolkit.tasks.instruction_tuning.reading import PLACES, Reading
from hftoolkit.tasks.instruction_tuning.scoring import Cost, nats_of, perplexity
from hftoolkit.tasks.instruction_tuning.template import give_chatml
from hftoolkit.tasks.instruction_tuning.usual import Usual

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.heads import HeadEngine
    from hftoolkit.training.batches import Batch

WRITTEN: Final = 96
"""Tokens of a sample at most."""

TEMPERATURE: Final = 0.7
"""Of samples: what is likely becomes likelier."""

ROW: Final = 1024
"""Tokens of a row in which several features stand, if the window is not longer, and the model can read so many."""

_SAMPLE: Final = 10_000
"""Training rows of which tokens are counted for the baseline."""

_ALL_SCORES: Final = 1 << 28
"""Scores at once where a model gives those of all tokens together."""


class InstructionTuning(Task):
    """How questions are answered."""

    Options = options.Options

    inputs = ("messages",)
    answers = ()
    goal = "perplexity"
    padded = ("input_ids",)
    others = ("labels",)
    trivial_name = "how often each token is"

    def __init__(self, options: Any, languages: Languages | None) -> None:
        self.options = self.Options.model_validate(options)
        self.window = self.options.window
        self.reading: Reading
        self._known: Rows | None = None
        self._usual: Usual | None = None
        self._plain: bool | None = None

    def learn(self, rows: Rows) -> list[str]:
        self._known = rows.evenly(_SAMPLE)
        return []

    def auto_class(self, config: Any, name: str) -> str:
        return causal_class(config, name)

    def bind(self, tokenizer: Any, config: Any) -> None:
        self._replaced = self.options.template is not None and give_chatml(tokenizer)
        self.reading = Reading(tokenizer, self.options.too_long)
        self.tokenizer = tokenizer
        self._pad = tokenizer.pad_token_id or 0
        self._read, self._row = (min(size, reach(config) or size) for size in (self.options.window, ROW))
        self._usual, self._plain = None, None

    def begin(self, model: Any, new: Sequence[str]) -> list[str]:
        from hftoolkit.models.packed_rows import keeps_apart

        notes, end, kind = [], self.reading.template.end, model.config.model_type
        if self._replaced:
            notes.append("options.template: chatml takes the place of the checkpoint's own chat template")
        if stop_at(model, end):
            shown = self.tokenizer.convert_ids_to_tokens(end)
            notes.append(f"the chat template ends answers with '{shown}', where this model did not stop: now it does")
        self.packed = self.options.packing and keeps_apart(model)
        if self.options.packing and not self.packed:
            notes.append(f"a model of the kind '{kind}' does not keep packed rows apart: each is padded instead")
        return notes

    def fingerprint(self) -> str:
        template = hashlib.sha256(str(self.tokenizer.chat_template).encode()).hexdigest()
        return f"instruction_tuning|{template}|{self.options.too_long}"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        return (message.content for row in rows for message in messages_of(row))

    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        return self.reading.learned(rows, limit)

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        from hftoolkit.training.next_tokens import next_token_batch

        row = max(self._read, self._row) if self.packed else None
        return next_token_batch(features, pad=self._pad, row=row, widest=self.widest)

    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        from hftoolkit.training.next_tokens import next_token_loss

        return next_token_loss(model, batch, plain=self._gives_plain_scores(model), smoothing=smoothing)

    def engine(
        self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32"
    ) -> "HeadEngine":
        from hftoolkit.engines.heads import HeadEngine

        if not self._gives_plain_scores(model):
            batch_tokens = batch_tokens or max(1, _ALL_SCORES // model.config.get_text_config().vocab_size)
        return HeadEngine(model, tokenizer, batch_tokens=batch_tokens, precision=precision)

    def predict(self, engine: "HeadEngine", rows: Iterable[Row], decoding: "Decoding | None" = None) -> Iterator[Cost]:
        read = partial(self.reading.measured, window=self._read)
        forward = partial(nats_of, model=engine.model, plain=self._gives_plain_scores(engine.model))
        for _, features, nats in engine.run(rows, read, lambda found, _: found, forward):
            yield Cost(sum(nats), sum(len(feature[PLACES]) for feature in features))

    def _gives_plain_scores(self, model: Any) -> bool:
        from hftoolkit.models.projection import scores_plainly

        if self._plain is None:
            self._plain = scores_plainly(model)
        return self._plain

    def samples(self, engine: "HeadEngine", rows: Sequence[Row], seed: int) -> list[Sample]:
        from hftoolkit.engines.causal import CausalEngine
        from hftoolkit.engines.prompts import Prompt
        from hftoolkit.engines.sampling import Sampling

        stop_at(engine.model, self.reading.template.end)  # an adapter's folder has no generation settings
        most = min(WRITTEN, self._read // 2)
        questions = [self.reading.question(row) for row in rows]
        prompts = [Prompt(ids[-(self._read - most) :], joined=False) for _, ids in questions]
        sampling = Sampling(TEMPERATURE, seed=seed, max_new_tokens=most)
        found = CausalEngine(engine.model, engine.tokenizer).write(prompts, sampling)
        return [Sample(asked, one.text) for (asked, _), (one,) in zip(questions, found, strict=True)]

    def trivial(self, row: Row) -> Cost:
        self._usual = self._usual or Usual(self.reading, len(self.tokenizer), self._known or ())
        return self._usual.cost(row)

    def measures(self) -> list[Measure]:
        def signature(_: set[int]) -> str:
            return f"of:answers|window:{self._read}|stride:{self._read // 2}|vocabulary:{len(self.tokenizer)}"

        return [Measure("perplexity", _counts, perplexity, signature, higher=False, decimals=2)]

    def shown(self, prediction: Cost) -> str:
        return f"perplexity {perplexity(prediction.counts()):.2f}"

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        return "\n".join(f"{message.role}: {message.content}" for message in messages_of(row)), []

    def record(self, prediction: Cost) -> dict[str, Any]:
        return {"perplexity": perplexity(prediction.counts()), "tokens": prediction.tokens}

    def saved(self) -> Saved:
        state = {"options": self.options.model_dump(mode="json"), END: self.reading.template.end}
        return Saved(self.name(), state=state)


def _counts(prediction: Cost, _: Row) -> NDArray[np.float64]:
    return prediction.counts()
