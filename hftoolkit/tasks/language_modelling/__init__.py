"""Language modelling: a decoder learns how texts go on.

A row:  {"text": "First Citizen:\\nBefore we proceed any further, hear me speak."}: a document of any length. In a plain
text file a line is a row; where it has blank lines, a row is what stands between two of them.
Its trap: a perplexity compares models with the same tokenizer alone, and hangs on how much of a text stands before each
token. Bits per byte compare all; every token is counted once, with half a window before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.decoders import causal_class, reach
from hftoolkit.models.saved import Saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Feature, Row, Sample, Task
from hftoolkit.tasks.language_modelling import options
from hftoolkit.tasks.language_modelling.doubts import doubts_about_rows
from hftoolkit.tasks.language_modelling.reading import Reading
from hftoolkit.tasks.language_modelling.scoring import Cost, bits_per_byte, nats_of, perplexity
from hftoolkit.tasks.language_modelling.usual import Usual

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.heads import HeadEngine
    from hftoolkit.training.batches import Batch

GIVEN, WRITTEN = 16, 64
"""Tokens of a sample: those it begins with, and those that are written behind them, at most."""

TEMPERATURE: Final = 0.8
"""Of samples: what is likely becomes likelier. The likeliest tokens alone soon go round in circles."""

ROW: Final = 1024
"""Tokens of a row in which several features stand, if the window is not longer, and the model can read so many."""

_SAMPLE: Final = 10_000
"""Training rows of which tokens are counted for the baseline."""

_ALL_SCORES: Final = 1 << 28
"""Scores at once where a model gives those of all tokens together."""


class LanguageModelling(Task):
    """How texts go on."""

    Options = options.Options

    inputs = ("text",)
    answers = ()
    goal = "bits per byte"
    padded = ("input_ids",)
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
        self.reading = Reading(tokenizer)
        self.tokenizer = tokenizer
        self._pad = tokenizer.pad_token_id or 0
        self._read, self._row = (min(size, reach(config) or size) for size in (self.options.window, ROW))
        self._usual, self._plain = None, None

    def begin(self, model: Any, new: Sequence[str]) -> list[str]:
        from hftoolkit.models.packed_rows import keeps_apart

        self.packed = self.options.packing and keeps_apart(model)
        if self.packed or not self.options.packing:
            return []
        kind = model.config.model_type
        return [f"a model of the kind '{kind}' does not keep packed rows apart: each is padded instead"]

    def fingerprint(self) -> str:
        return "language_modelling"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        return (row["text"] for row in rows)

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
        for row, features, nats in engine.run(rows, read, lambda found, _: found, forward):
            tokens = sum(len(feature["input_ids"]) - feature["first"][0] for feature in features)
            yield Cost(sum(nats), tokens, len(row["text"].encode()))

    def _gives_plain_scores(self, model: Any) -> bool:
        from hftoolkit.models.projection import scores_plainly

        if self._plain is None:
            self._plain = scores_plainly(model)
        return self._plain

    def samples(self, engine: "HeadEngine", rows: Sequence[Row], seed: int) -> list[Sample]:
        from hftoolkit.engines.causal import CausalEngine
        from hftoolkit.engines.prompts import Prompt
        from hftoolkit.engines.sampling import Sampling

        begins = [self.reading.beginning(ids, GIVEN) for ids in self.reading.tokens([row["text"] for row in rows])]
        prompts = [Prompt([self.reading.begin, *ids]) for ids in begins]
        sampling = Sampling(TEMPERATURE, seed=seed, max_new_tokens=WRITTEN)
        found = CausalEngine(engine.model, engine.tokenizer).write(prompts, sampling)
        return [Sample(self.tokenizer.decode(ids), one.text) for ids, (one,) in zip(begins, found, strict=True)]

    def trivial(self, row: Row) -> Cost:
        self._usual = self._usual or Usual(self.reading, len(self.tokenizer), self._known or ())
        return Cost(*self._usual.nats(row["text"]), len(row["text"].encode()))

    def measures(self) -> list[Measure]:
        def signature(_: set[int]) -> str:
            return f"window:{self._read}|stride:{self._read // 2}|end:no"

        return [
            Measure("bits per byte", _counts, bits_per_byte, signature, higher=False, decimals=3),
            Measure(
                "perplexity",
                _counts,
                perplexity,
                lambda answers: f"{signature(answers)}|vocabulary:{len(self.tokenizer)}",
                higher=False,
                decimals=2,
            ),
        ]

    def doubts(self, rows: Sequence[Row]) -> list[str]:
        return list(doubts_about_rows(rows))

    def shown(self, prediction: Cost) -> str:
        counts = prediction.counts()
        return f"{bits_per_byte(counts):.3f} bits per byte, perplexity {perplexity(counts):.2f}"

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        return row["text"], []

    def record(self, prediction: Cost) -> dict[str, Any]:
        counts = prediction.counts()
        return {"bits_per_byte": bits_per_byte(counts), "perplexity": perplexity(counts), "tokens": prediction.tokens}

    def saved(self) -> Saved:
        return Saved(self.name(), state={"options": self.options.model_dump(mode="json")})


def _counts(prediction: Cost, _: Row) -> NDArray[np.float64]:
    return prediction.counts()
