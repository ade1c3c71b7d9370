"""Pretraining of an encoder: it guesses masked tokens and, if asked, whether a sentence follows another one.

A row:  {"text": "The library is open.\\nThe canteen is not."}: a document or a paragraph of any length. In a plain text
file a line is a row; where it has blank lines, a row is what stands between two of them.
Its trap: what is masked must change with every epoch, but not between two models that are compared. In training it
follows from the step, on held-out rows from the row itself.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.padding import model_inputs, padded
from hftoolkit.data.rows import Rows
from hftoolkit.errors import ModelError
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.saved import Saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Feature, Row, Task
from hftoolkit.tasks.pretraining import options
from hftoolkit.tasks.pretraining.doubts import doubts_about_rows
from hftoolkit.tasks.pretraining.filling import UNKNOWN, Filled, Gap, Guessed, guess
from hftoolkit.tasks.pretraining.masking import IGNORED
from hftoolkit.tasks.pretraining.pairs import ALONE, NEXT
from hftoolkit.tasks.pretraining.reading import NEXT_SENTENCE, WRITTEN, Reading
from hftoolkit.tasks.pretraining.usual import Usual

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.heads import HeadEngine
    from hftoolkit.training.batches import Batch

LONGEST: Final = 512
"""Tokens of a window on held-out rows, where a model can read so many: masked accuracy rises with them."""

TOP: Final = 10
"""Tokens given at most for a mask that a user wrote."""

_MASKED: Final = "masked_tokens"
_SAMPLE: Final = 10_000
"""Training rows of which tokens are counted for the baseline."""

_PAIRED: Final = frozenset({"bert", "ernie", "megatron-bert"})
"""Architectures that have a head for the next sentence beside the one for masked tokens."""


class Pretraining(Task):
    """What stands where a text is masked, and what comes next."""

    Options = options.Options

    inputs = ("text",)
    answers = ()
    goal = "masked accuracy"
    padded = ("input_ids",)
    trivial_name = "the most frequent token everywhere"

    def __init__(self, options: Any, languages: Languages | None) -> None:
        self.options = self.Options.model_validate(options)
        self.reading: Reading
        self._known: Rows | None = None
        self._usual: Usual | None = None

    def row_of(self, given: Row) -> Row:
        return {**given, WRITTEN: True}

    def learn(self, rows: Rows) -> list[str]:
        self._known = rows.evenly(_SAMPLE)
        return []

    def auto_class(self, config: Any, name: str) -> str:
        from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as KNOWN

        if config.model_type not in KNOWN:
            raise ModelError(
                f"{name}: a model of the kind '{config.model_type}' does not guess masked tokens\n"
                "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
            )
        if self.options.next_sentence and config.model_type not in _PAIRED:
            raise ModelError(
                f"{name}: a model of the kind '{config.model_type}' does not learn what the next sentence is\n"
                "  leave out options.next_sentence, or choose a BERT:   model: {name: google-bert/bert-base-uncased}"
            )
        return "AutoModelForPreTraining" if self.options.next_sentence else "AutoModelForMaskedLM"

    def bind(self, tokenizer: Any, config: Any) -> None:
        if tokenizer.mask_token_id is None or tokenizer.pad_token_id is None:
            lacking = "masks" if tokenizer.mask_token_id is None else "padding"
            raise ModelError(
                f"this model's tokenizer has no token for {lacking}: it was not made for guessing masked tokens\n"
                "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
            )
        self.tokenizer = tokenizer
        self.pad = tokenizer.pad_token_id
        self.reading = Reading(tokenizer, self.options)
        self.others = self.reading.others
        self._longest = min(LONGEST, config.max_position_embeddings)
        self._usual = None

    def begin(self, model: Any, new: Sequence[str]) -> list[str]:
        """Let a new output layer know how often each token is: it need not bend the embeddings to learn it.

        40 steps of 512 tokens of Banking77 brought MiniLM to a perplexity of 198, from a bias of zero to 478.
        """
        import torch

        layer = model.get_output_embeddings()
        name = next(name for name, module in model.named_modules() if module is layer)
        if layer.bias is not None and any(f"{name}.".startswith(f"{module}.") for module in new):
            logs = torch.from_numpy(self._frequencies().logs)
            with torch.no_grad():
                layer.bias.fill_(logs.min())  # a model may have more rows than its tokenizer has tokens
                layer.bias[: len(logs)] = logs
        return []

    def check(self, model: Any, tokenizer: Any, rows: Sequence[Row], name: str) -> None:
        import torch

        from hftoolkit.models.positions import positions
        from hftoolkit.models.projection import without_projection

        limit = min(LONGEST, positions(model))
        features = [each for found in self.reading.features(rows, limit) for each in found][:1]
        tables = model_inputs(features or [{"input_ids": [self.pad]}], self.pad)
        with torch.inference_mode():
            without_projection(model, {key: torch.from_numpy(table) for key, table in tables.items()})

    def fingerprint(self) -> str:
        return f"pretraining|{self.options.model_dump_json(exclude={'mask'})}"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        return (row["text"] for row in rows)

    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        return self.reading.features(rows, limit)

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        import torch

        from hftoolkit.training.batches import Batch

        tables = model_inputs(features, self.pad, widest=self.widest)
        words = None
        if self.options.whole_words:
            words = padded([feature["words"] for feature in features], 0, widest=self.widest)
        generator = np.random.default_rng(seed)
        tables["input_ids"], labels = self.reading.masking.draw(tables["input_ids"], generator, words)
        wanted = {_MASKED: labels}
        if self.options.next_sentence:
            wanted[NEXT_SENTENCE] = np.array([feature[NEXT_SENTENCE][0] for feature in features], np.int64)
        return Batch(
            inputs={name: torch.from_numpy(table) for name, table in tables.items()},
            labels={name: torch.from_numpy(table) for name, table in wanted.items()},
            counts={name: int((table != IGNORED).sum()) for name, table in wanted.items()},
            tokens=int(tables["attention_mask"].sum()),
            padded=labels.size,
        )

    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        from torch.nn import functional

        from hftoolkit.models.projection import without_projection
        from hftoolkit.training.cross_entropy import sum_of_cross_entropies

        hidden, output = without_projection(model, batch.inputs)  # [B, T, H]
        layer = model.get_output_embeddings()
        labels = batch.labels[_MASKED].flatten()
        found = {
            _MASKED: sum_of_cross_entropies(
                hidden.flatten(0, 1), layer.weight, layer.bias, labels, ignored=IGNORED, smoothing=smoothing
            )
        }
        if self.options.next_sentence:
            found[NEXT_SENTENCE] = functional.cross_entropy(
                output.seq_relationship_logits.float(),  # [B, 2]
                batch.labels[NEXT_SENTENCE],
                ignore_index=ALONE,
                reduction="sum",
                label_smoothing=smoothing,
            )
        return found

    def engine(
        self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32"
    ) -> "HeadEngine":
        from hftoolkit.engines.heads import HeadEngine

        return HeadEngine(model, tokenizer, batch_tokens=batch_tokens, precision=precision)

    def predict(
        self, engine: "HeadEngine", rows: Iterable[Row], decoding: "Decoding | None" = None
    ) -> Iterator[Filled]:
        read = partial(self.reading.masked, limit=min(LONGEST, engine.limit))
        forward = partial(guess, model=engine.model, top=TOP)
        for row, features, found in engine.run(rows, read, lambda guessed, _: guessed, forward):
            yield self._filled(row, features, found)

    def trivials(self, rows: Iterable[Row]) -> Iterator[Filled]:
        from hftoolkit.engines.heads import CHUNK

        usual = self._frequencies()
        stream = iter(rows)
        while chunk := list(islice(stream, CHUNK)):  # as the engine reads them: their pairs are the same
            for row, features in zip(chunk, self.reading.masked(chunk, self._longest), strict=True):
                yield self._filled(row, features, [usual.guess(feature["labels"]) for feature in features])

    def trivial(self, row: Row) -> Filled:
        return next(self.trivials([row]))

    def _frequencies(self) -> Usual:
        self._usual = self._usual or Usual.of(self.reading, self._known or ())
        return self._usual

    def _filled(self, row: Row, features: Sequence[Mapping[str, list[int]]], found: Sequence[Guessed]) -> Filled:
        gaps: list[Gap] = []
        hits = pairs = pair_hits = 0
        for feature, guessed in zip(features, found, strict=True):
            labels = [label for label in feature["labels"] if label != IGNORED]
            for right, tokens, shares in zip(labels, guessed.tokens.tolist(), guessed.shares.tolist(), strict=True):
                hits += tokens[0] == right
                if right == UNKNOWN:
                    gaps.append(Gap(None, tuple(zip(map(self._text_of, tokens), shares, strict=True))))
                else:
                    gaps.append(Gap(self._text_of(right), ((self._text_of(tokens[0]), shares[0]),)))
            if (label := feature.get(NEXT_SENTENCE, [ALONE])[0]) != ALONE and guessed.follows is not None:
                pairs += 1
                pair_hits += (guessed.follows > 0.5) == (label == NEXT)
        nats = float(sum(each.nats.sum() for each in found))
        written = self.reading.is_written(row)
        text = self.reading.filled_in(row, [gap.guess for gap in gaps]) if written else None
        return Filled(tuple(gaps), hits, nats, pairs, pair_hits, text)

    def _text_of(self, token: int) -> str:
        text: str = self.tokenizer.decode([token])
        return text

    def measures(self) -> list[Measure]:
        def signature(_: set[int]) -> str:
            unit = "word" if self.options.whole_words else "token"
            vocabulary = len(self.tokenizer)
            return f"mask:{self.options.mask:g}|unit:{unit}|window:{self._longest}|vocabulary:{vocabulary}|seed:row"

        found = [
            Measure("masked accuracy", lambda one, _: one.counts(), lambda sums: _share(sums[0], sums[2]), signature),
            Measure("perplexity", lambda one, _: one.counts(), _perplexity, signature, higher=False),
        ]
        if self.options.next_sentence:
            found.append(
                Measure(
                    "next sentence accuracy",
                    lambda one, _: one.pair_counts(),
                    lambda sums: _share(sums[0], sums[1]),
                    lambda _: f"window:{self._longest}|other:half|seed:row",
                )
            )
        return found

    def doubts(self, rows: Sequence[Row]) -> list[str]:
        return list(doubts_about_rows(rows, self.options))

    def shown(self, prediction: Filled) -> str:
        if prediction.text is not None:
            return prediction.text
        return " ".join(
            gap.guess if gap.right == gap.guess else f"{gap.guess} ({gap.right})" for gap in prediction.gaps
        )

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        return row["text"], []

    def record(self, prediction: Filled) -> dict[str, Any]:
        return {"prediction": self.shown(prediction), "score": [gap.guesses[0][1] for gap in prediction.gaps]}

    def ranked(self, prediction: Filled, number: int) -> list[dict[str, Any]]:
        return [
            {"tokens": [token for token, _ in place], "score": [score for _, score in place]}
            for place in zip(*(gap.guesses[:number] for gap in prediction.gaps), strict=True)
        ]

    def saved(self) -> Saved:
        return Saved(self.name(), state={"options": self.options.model_dump(mode="json")})


def _share(part: float, whole: float) -> float:
    return 100 * float(part) / max(float(whole), 1.0)


def _perplexity(sums: NDArray[np.number[Any]]) -> float:
    return math.exp(min(float(sums[1]) / max(float(sums[2]), 1.0), 700.0))
