"""Tagging words: named entities, and whatever else has one tag a word, such as parts of speech.

A row:  {"words": ["EU", "rejects", "German", "call"], "tags": ["B-ORG", "O", "B-MISC", "O"]}; with `spans: true`
{"text": "EU rejects German call", "spans": [{"start": 0, "end": 2, "label": "ORG"}, ...]}.
Its trap: a model tags tokens, and scores are of entities. The first token of a word carries its tag, in training as in
use; what is longer than the model is read in windows, and every word is looked at in one of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.padding import model_inputs, padded
from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows
from hftoolkit.data.word_windows import word_windows
from hftoolkit.errors import ModelError
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.saved import Saved
from hftoolkit.models.word_pieces import check_pieces, frame, word_pieces
from hftoolkit.recipe.schema import Languages
from hftoolkit.reports.entities import one_line
from hftoolkit.tasks.base import Feature, Row, Tally, Task
from hftoolkit.tasks.ner.answers import Answers
from hftoolkit.tasks.ner.doubts import doubts_about_tags
from hftoolkit.tasks.ner.options import Options
from hftoolkit.tasks.ner.scoring import Scoring
from hftoolkit.tasks.ner.sentences import Sentence, Tagged, sentence_of
from hftoolkit.tasks.ner.tag_set import OUTSIDE, TagSet

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.tagging import TaggingEngine
    from hftoolkit.training.batches import Batch

IGNORED: Final = -100
"""Label of tokens that do not count."""


class Ner(Task):
    """What every word is."""

    Options = Options

    inputs: tuple[str, ...] = ("words",)
    answers: tuple[str, ...] = ("tags",)
    goal = "F1"
    ranking = "accuracy"
    padded = ("input_ids",)
    others = ("labels",)
    trivial_name = "no entity at all"

    def __init__(self, options: Any, languages: Languages | None) -> None:
        self.options = Options.model_validate(options)
        if self.options.spans:
            self.inputs, self.answers = ("text",), ("spans",)
        self.rows = Answers(self.options)
        self.tags = TagSet(self.rows)
        self.scoring = Scoring(self.rows, self.tags)
        self.pad = 0
        self.frame: tuple[list[int], list[int]] = ([], [])
        self._choose()

    def _choose(self) -> None:
        """Say what scores are of."""
        if self.rows.plain:
            self.goal, self.trivial_name = "accuracy", f"the tag '{self.tags.frequent}' everywhere"

    @property
    def asked(self) -> tuple[str, ...]:
        return ("text",)

    def asked_in(self, form: str, named: Collection[str]) -> tuple[str, ...]:
        return ("words",) if form in ("conll", "conllu") or "words" in named else self.asked

    def learn(self, rows: Rows) -> list[str]:
        notes = self.tags.learn(rows)
        self._choose()
        return notes

    def restore(self, saved: Saved | None, config: Any) -> None:
        self.tags.fit(config)
        self.tags.take(config)
        if saved:
            self.tags.frequent = saved.state.get("frequent", OUTSIDE)
        self._choose()

    def auto_class(self, config: Any, name: str) -> str:
        from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES as KNOWN

        if config.model_type not in KNOWN:
            raise ModelError(
                f"{name}: a model of the kind '{config.model_type}' does not tag words\n"
                "  choose an encoder:   model: {name: google-bert/bert-base-cased}"
            )
        return "AutoModelForTokenClassification"

    def head(self, config: Any) -> Mapping[str, Any] | None:
        return None if self.tags.knows(config) else self.tags.settings()

    def bind(self, tokenizer: Any, config: Any) -> None:
        check_pieces(tokenizer)
        self.pad = tokenizer.pad_token_id or 0
        self.frame = frame(tokenizer)
        self.tags.take(config)

    def fingerprint(self) -> str:
        return f"ner|{self.options.model_dump_json()}|{self.rows.scheme}|{self.tags.names}"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        for row in rows:
            yield " ".join(self.sentence(row).words)

    def sentence(self, row: Row) -> Sentence:
        """The words of a row."""
        return sentence_of(row, self.options)

    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        sentences = [self.sentence(row) for row in rows]
        found = []
        for row, sentence, features in zip(rows, sentences, self.read(sentences, tokenizer, limit), strict=True):
            tags = self.rows.tags(row, sentence)
            found.append([_labelled(feature, tags, self.tags.places) for feature in features])
        return found

    def read(self, sentences: Sequence[Sentence], tokenizer: Any, limit: int) -> list[list[Feature]]:
        """What the model reads of every sentence, in windows: none where no word has tokens, else one or several.

        Each has, beside its ``input_ids``, the numbers of the ``words`` that count there, and the ``places`` of their
        first tokens.
        """
        room = max(1, limit - len(self.frame[0]) - len(self.frame[1]))
        pieces = word_pieces(tokenizer, [sentence.words for sentence in sentences])
        return [self._windows(words, room) for words in pieces]

    def _windows(self, pieces: Sequence[list[int]], room: int) -> list[Feature]:
        before, behind = self.frame
        features = []
        for window in word_windows([len(tokens) for tokens in pieces], room):
            words = [tokens[:room] for tokens in pieces[window.start : window.end]]
            starts = len(before) + np.cumsum([0, *map(len, words)])
            features.append(
                {
                    "input_ids": [*before, *(token for tokens in words for token in tokens), *behind],
                    "words": list(window.counted),
                    "places": [int(starts[word - window.start]) for word in window.counted],
                }
            )
        return features

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        import torch

        from hftoolkit.training.batches import Batch

        tables = model_inputs(features, self.pad, widest=self.widest)
        labels = padded([feature["labels"] for feature in features], IGNORED, widest=self.widest)  # [B, T]
        return Batch(
            inputs={name: torch.from_numpy(table) for name, table in tables.items()},
            labels={"tags": torch.from_numpy(labels)},
            counts={"tags": int((labels != IGNORED).sum())},
            tokens=int(tables["attention_mask"].sum()),
            padded=labels.size,
        )

    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        from torch.nn import functional

        logits = model(**batch.inputs).logits.float()  # [B, T, L]
        return {
            "tags": functional.cross_entropy(
                logits.flatten(0, 1),
                batch.labels["tags"].flatten(),
                ignore_index=IGNORED,
                reduction="sum",
                label_smoothing=smoothing,
            )
        }

    def engine(
        self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32"
    ) -> "TaggingEngine":
        from hftoolkit.engines.tagging import TaggingEngine

        return TaggingEngine(model, tokenizer, batch_tokens=batch_tokens, precision=precision)

    def predict(
        self, engine: "TaggingEngine", rows: Iterable[Row], decoding: "Decoding | None" = None
    ) -> Iterator[Tagged]:
        from hftoolkit.engines.tagging import best_labels

        def read(sentences: Sequence[Sentence]) -> list[list[Feature]]:
            return self.read(sentences, engine.tokenizer, engine.limit)

        for sentence, features, outputs in engine.run(map(self.sentence, rows), read, best_labels):
            tags, scores = [self.tags.frequent] * len(sentence.words), [0.0] * len(sentence.words)
            for feature, (labels, sure) in zip(features, outputs, strict=True):
                for word, place in zip(feature["words"], feature["places"], strict=True):
                    tags[word] = self.tags.read[int(labels[place])]
                    scores[word] = float(sure[place])
            engine.unread += len(sentence.words) - sum(len(feature["words"]) for feature in features)
            yield Tagged(sentence, tags, scores)

    def trivial(self, row: Row) -> Tagged:
        sentence = self.sentence(row)
        number = len(sentence.words)
        return Tagged(sentence, [self.tags.frequent] * number, [1.0] * number)

    def measures(self) -> list[Measure]:
        return self.scoring.measures()

    def tally(self) -> Tally:
        return self.scoring.tally()

    def doubts_among(self, rows: RunRows) -> list[str]:
        return list(doubts_about_tags(rows, self.options))

    def shown(self, prediction: Tagged) -> str:
        return self.scoring.shown(prediction.sentence, prediction.tags)

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        sentence = self.sentence(row)
        return one_line(sentence.text), [self.scoring.shown_answer(row, sentence)]

    def record(self, prediction: Tagged) -> dict[str, Any]:
        return self.scoring.record(prediction)

    def saved(self) -> Saved:
        state = {"options": self.options.model_dump(mode="json"), "frequent": self.tags.frequent}
        return Saved(self.name(), state=state)


def _labelled(feature: Mapping[str, list[int]], tags: Sequence[str], numbers: Mapping[str, int]) -> Feature:
    labels = [IGNORED] * len(feature["input_ids"])
    for word, place in zip(feature["words"], feature["places"], strict=True):
        labels[place] = numbers.get(tags[word], IGNORED)
    return {"input_ids": feature["input_ids"], "labels": labels}
