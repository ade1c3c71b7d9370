"""Classification with an encoder: one label of several, any number of labels, or a number; for a text or two.

A row:  {"text": "What does NASA stand for ?", "label": "ABBR"}; with `pair: true` a second text under "pair"; with
several labels {"labels": ["joy", "fear"]} or {"labels": "joy,fear"}; with a number {"number": "3.8"}.
Its trap: the order of the labels is part of a checkpoint. Those of the rows are sorted by name, but a checkpoint that
knows them all keeps its own order, and its head.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.label_doubts import doubts_about_labels
from hftoolkit.data.padding import model_inputs
from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows
from hftoolkit.errors import ModelError
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.saved import Saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Feature, Row, Tally, Task
from hftoolkit.tasks.classification.numbers import Number
from hftoolkit.tasks.classification.one_label import OneLabel
from hftoolkit.tasks.classification.options import Kind, Options, kind_of
from hftoolkit.tasks.classification.problem import Classified, Problem
from hftoolkit.tasks.classification.several_labels import SeveralLabels

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.heads import HeadEngine
    from hftoolkit.training.batches import Batch

_BETWEEN: Final = " / "
"""Stands between the two texts of a pair where they are shown."""

_PROBLEMS: Final[Mapping[Kind, Callable[[Options], Problem]]] = {
    "single_label": OneLabel,
    "multi_label": SeveralLabels,
    "regression": Number,
}
_WORDS: Final = {"single_label": "one label", "multi_label": "several labels", "regression": "a number"}


class Classification(Task):
    """What a text is."""

    Options = Options

    inputs: tuple[str, ...] = ("text",)
    answers: tuple[str, ...] = ("label",)
    goal = "accuracy"
    padded = ("input_ids",)
    trivial_name = "the most frequent label"

    def __init__(self, options: Any, languages: Languages | None) -> None:
        self.options = Options.model_validate(options)
        self.inputs = ("text", "pair") if self.options.pair else ("text",)
        self.problem: Problem
        self._choose(self.options.problem)
        self.pad = 0

    def _choose(self, kind: Kind) -> None:
        self.problem = _PROBLEMS[kind](self.options)
        self.answers, self.goal, self.ranking = (self.problem.role,), self.problem.goal, self.problem.ranking

    def learn(self, rows: Rows) -> list[str]:
        notes = self.problem.learn(rows)
        self.trivial_name = self.problem.trivial_name
        return notes

    def restore(self, saved: Saved | None, config: Any) -> None:
        found = kind_of(config)
        if found is not None and "problem" not in self.options.model_fields_set:
            self.options = self.options.model_copy(update={"problem": found})
            self._choose(found)
        if found not in (None, self.options.problem):
            raise ModelError(
                f"this model gives {_WORDS[str(found)]}, the recipe asks for {_WORDS[self.options.problem]}\n"
                "  choose another model, or correct options.problem"
            )
        self.problem.take(config, saved.state if saved else {})

    def auto_class(self, config: Any, name: str) -> str:
        from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as KNOWN

        if config.model_type not in KNOWN:
            raise ModelError(
                f"{name}: a model of the kind '{config.model_type}' does not classify\n"
                "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
            )
        return "AutoModelForSequenceClassification"

    def head(self, config: Any) -> Mapping[str, Any] | None:
        if kind_of(config) in (None, self.options.problem) and self.problem.knows(config):
            return None
        return self.problem.settings()

    def bind(self, tokenizer: Any, config: Any) -> None:
        if tokenizer.pad_token_id is None:
            raise ModelError(
                "this model's tokenizer has no token for padding: texts of unequal lengths cannot go together\n"
                "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
            )
        self.pad = tokenizer.pad_token_id
        _tell_padding(config, tokenizer)
        self.others = ("token_type_ids", "labels") if _has_segments(self.inputs, tokenizer) else ("labels",)
        self.problem.take(config, {})

    def fingerprint(self) -> str:
        return f"classification|{self.options.model_dump_json(exclude={'class_weights'})}|{self.problem.fingerprint()}"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        for row in rows:
            yield from (row[role] for role in self.inputs)

    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        features = self.read(rows, tokenizer, limit, self.inputs)
        return [
            [{**feature, "labels": self.problem.taught(row)}] for (feature,), row in zip(features, rows, strict=True)
        ]

    def read(self, rows: Sequence[Row], tokenizer: Any, limit: int, roles: Sequence[str]) -> list[list[Feature]]:
        """What the model reads of every row, in one feature each; of a pair that is too long the longer text is cut."""
        names = ["input_ids", *(["token_type_ids"] * _has_segments(roles, tokenizer))]
        sides = [[row[role] for row in rows] for role in roles]
        whole = tokenizer(*sides, return_attention_mask=False)
        found: list[list[Feature]] = []
        for place in range(len(rows)):
            feature = {name: whole[name][place] for name in names}
            if len(feature["input_ids"]) > limit:
                shorter = tokenizer(*(side[place] for side in sides), truncation=True, max_length=limit)
                feature = {name: shorter[name] for name in names} | {"cut": [1]}
            found.append([feature])
        return found

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        import torch

        from hftoolkit.training.batches import Batch

        tables = model_inputs(features, self.pad, widest=self.widest)
        wanted, counted = self.problem.wanted([feature["labels"] for feature in features])
        return Batch(
            inputs={name: torch.from_numpy(table) for name, table in tables.items()},
            labels={"classification": torch.from_numpy(wanted)},
            counts={"classification": counted},
            tokens=int(tables["attention_mask"].sum()),
            padded=tables["input_ids"].size,
        )

    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        logits = model(**batch.inputs).logits.float()  # [B, L]
        return {"classification": self.problem.loss(logits, batch.labels["classification"], smoothing)}

    def engine(
        self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32"
    ) -> "HeadEngine":
        from hftoolkit.engines.heads import HeadEngine

        _tell_padding(model.config, tokenizer)
        return HeadEngine(model, tokenizer, batch_tokens=batch_tokens, precision=precision)

    def predict(
        self, engine: "HeadEngine", rows: Iterable[Row], decoding: "Decoding | None" = None
    ) -> Iterator[Classified]:
        for _, scores in self._scored(engine, rows):
            yield Classified(scores)

    def settle(self, engine: "HeadEngine", rows: Iterable[Row]) -> list[str]:
        return self.problem.settle(self._scored(engine, rows))

    def _scored(self, engine: "HeadEngine", rows: Iterable[Row]) -> Iterator[tuple[Row, NDArray[np.float32]]]:
        read = partial(self.read, tokenizer=engine.tokenizer, limit=engine.limit, roles=self.inputs)

        def keep(output: Any, lengths: list[int]) -> list[NDArray[np.float32]]:
            return list(self.problem.scores(output.logits.float()).cpu().numpy())

        for row, _, (scores,) in engine.run(rows, read, keep):
            yield row, scores

    def trivial(self, row: Row) -> Classified:
        return self.problem.trivial()

    def measures(self) -> list[Measure]:
        return self.problem.measures()

    def tally(self) -> Tally:
        return _Tally(self)

    def doubts_among(self, rows: RunRows) -> list[str]:
        labels_of = self.problem.labels_of
        return list(doubts_about_labels(rows, labels_of)) if labels_of else []

    def shown(self, prediction: Classified) -> str:
        return self.problem.shown(prediction)

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        return _BETWEEN.join(row[role] for role in self.inputs), [self.problem.shown_answer(row)]

    def record(self, prediction: Classified) -> dict[str, Any]:
        return self.problem.record(prediction)

    def ranked(self, prediction: Classified, number: int) -> list[dict[str, Any]]:
        return self.problem.ranked(prediction, number)

    def saved(self) -> Saved:
        return Saved(self.name(), state={"options": self.options.model_dump(mode="json"), **self.problem.state()})


def _tell_padding(config: Any, tokenizer: Any) -> None:
    """Let decoders know their padding where they do not say it: they classify by the last token in front of it."""
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.pad_token_id


def _has_segments(roles: Sequence[str], tokenizer: Any) -> bool:
    """Whether a model is told of which text each token is."""
    return len(roles) == 2 and "token_type_ids" in tokenizer.model_input_names


class _Tally:
    """Gathers predictions under the texts they are for."""

    def __init__(self, task: Classification) -> None:
        self._task = task
        self._gathering = task.problem.gathering()
        self.sections = self._gathering.sections

    def add(self, number: int, prediction: Classified, row: Row) -> None:
        self._gathering.add(number, self._task.shown_row(row)[0], prediction, row)
