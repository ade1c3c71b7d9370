"""Question answering: the part of a context that answers a question, or none.

A row:  {"question": "Where was Chopin born?", "context": "Chopin, born in Żelazowa Wola, ...",
         "answers": ["Żelazowa Wola"], "starts": [16]}; no answers where the context has none.
Its trap: a context may be longer than the model, and is then read in windows, most of which do not hold the answer.
These teach to have none, as in transformers' run_qa.py: left out, a model would learn that everything holds an answer.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.answer_doubts import doubts_about_answers, doubts_among_answers
from hftoolkit.data.prepared import RunRows
from hftoolkit.data.questions import Asked, Frame, Sizes, read_questions
from hftoolkit.data.rows import Rows
from hftoolkit.errors import DataError, ModelError
from hftoolkit.metrics.answers import Agreement, chinese, choose_silence, english
from hftoolkit.metrics.measure import Measure
from hftoolkit.models.saved import Saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.reports.wording import counted
from hftoolkit.tasks.base import Feature, Row, Task
from hftoolkit.tasks.question_answering.answering import LISTED, Answer, Answered, answers_of, logits_of
from hftoolkit.tasks.question_answering.options import Options
from hftoolkit.tasks.question_answering.scoring import AnswerTally, measures
from hftoolkit.tasks.question_answering.teaching import LOSS, batch_of, loss_of, taught

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.heads import HeadEngine
    from hftoolkit.training.batches import Batch

_NONE: Final = "(none)"
"""Stands for no answer where texts are shown."""

_AROUND: Final = 200
"""Characters of a context that are shown on both sides of where its answer begins."""


class QuestionAnswering(Task):
    """From a question and a context to a part of the context."""

    Options = Options

    inputs = ("question", "context")
    answers = ("answers", "starts")
    goal = "F1"
    padded = ("input_ids",)
    trivial_name = "no answer"

    def __init__(self, options: Any, languages: Languages | None) -> None:
        self.options = Options.model_validate(options)
        self.cut_part, self.window = ("question", self.options.max_question_tokens), self.options.window
        self.threshold = 0.0
        self.pad = 0
        self.frame: Frame
        # Several measures ask for the same in turn.
        self._agreement = lru_cache(1)(chinese if self.options.language == "chinese" else english)

    def learn(self, rows: Rows) -> list[str]:
        unanswered = sum(not row["answers"] for row in rows)
        if unanswered == len(rows):
            raise DataError(
                f"data.train: none of its {len(rows):,} questions has an answer: there is nothing to learn\n"
                "  look at data.train.columns"
            )
        if not unanswered:
            return []
        what = "" if self.options.no_answer else ", which teaches nothing: see options.no_answer"
        have = "has" if unanswered == 1 else "have"
        return [f"{unanswered:,} of {len(rows):,} training questions {have} no answer{what}"]

    def restore(self, saved: Saved | None, config: Any) -> None:
        self.threshold = float(saved.state.get("threshold", 0.0)) if saved else 0.0

    def auto_class(self, config: Any, name: str) -> str:
        from transformers.models.auto.modeling_auto import MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES as KNOWN

        if config.model_type not in KNOWN:
            raise ModelError(
                f"{name}: a model of the kind '{config.model_type}' does not answer questions on a context\n"
                "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
            )
        return "AutoModelForQuestionAnswering"

    def head(self, config: Any) -> Mapping[str, Any] | None:
        return None if config.num_labels == 2 else {"num_labels": 2}  # scores of the first token, and of the last

    def bind(self, tokenizer: Any, config: Any) -> None:
        problem = ""
        if not tokenizer.is_fast:
            problem = "does not tell where its tokens stand in a text"
        elif tokenizer.pad_token_id is None:
            problem = "has no token for padding: texts of unequal lengths cannot go together"
        else:
            self.frame, self.pad = Frame.of(tokenizer), tokenizer.pad_token_id
            if not self.frame.front:
                problem = "puts no token in front of texts, which could stand for no answer"
        if problem:
            raise ModelError(
                f"this model's tokenizer {problem}\n"
                "  choose an encoder:   model: {name: google-bert/bert-base-uncased}"
            )
        self.others = (*["token_type_ids"] * bool(self.frame.types), "context", "answer")
        self.cut_part = "question", self._sizes(config.max_position_embeddings).share(self.frame)

    def fingerprint(self) -> str:
        options = self.options
        sizes = (options.window, options.stride, options.max_question_tokens)
        return f"question_answering|{sizes}|{options.no_answer}"

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        for row in rows:
            yield row["question"]
            yield row["context"]

    def encode(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[list[Feature]]:
        read = self._read(rows, tokenizer, limit)
        return [taught(row, asked, no_answer=self.options.no_answer) for row, asked in zip(rows, read, strict=True)]

    def _read(self, rows: Sequence[Row], tokenizer: Any, limit: int) -> list[Asked]:
        return read_questions(rows, tokenizer, self.frame, self._sizes(limit))

    def _sizes(self, limit: int) -> Sizes:
        return Sizes(min(self.options.window, limit), self.options.stride, self.options.max_question_tokens)

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], seed: int) -> "Batch":
        return batch_of(features, self.pad, self.widest)

    def loss(self, model: Any, batch: "Batch", *, smoothing: float = 0.0) -> dict[str, "Tensor"]:
        return {LOSS: loss_of(model(**batch.inputs), batch.labels[LOSS], smoothing)}

    def engine(
        self, model: Any, tokenizer: Any, *, batch_tokens: int | None = None, precision: str = "float32"
    ) -> "HeadEngine":
        from hftoolkit.engines.heads import HeadEngine

        return HeadEngine(model, tokenizer, batch_tokens=batch_tokens, precision=precision)

    def predict(
        self,
        engine: "HeadEngine",
        rows: Iterable[Row],
        decoding: "Decoding | None" = None,
        *,
        number: int = LISTED,
        aligned: bool = True,
        batch_rows: int | None = None,
    ) -> Iterator[Answered]:
        """Answers to every row, in order and in constant memory.

        Args:
            engine: From `engine`.
            rows: Questions with their contexts.
            decoding: Not used.
            number: Answers to a question, the most probable ones.
            aligned: Make answers longer where they begin or end within a word.
            batch_rows: Windows computed at once at most; None: as many as a token budget holds.
        """
        for _, found in self._answered(engine, rows, number, aligned, batch_rows):
            yield found

    def _answered(
        self,
        engine: "HeadEngine",
        rows: Iterable[Row],
        number: int = 1,
        aligned: bool = True,
        batch_rows: int | None = None,
    ) -> Iterator[tuple[Row, Answered]]:
        waiting: deque[Asked] = deque()

        def read(some: Sequence[Row]) -> list[list[Feature]]:
            asked = self._read(some, engine.tokenizer, engine.limit)
            waiting.extend(asked)
            return [one.features for one in asked]

        engine.cut_part = "question", self._sizes(engine.limit).share(self.frame)
        longest = self.options.max_answer_tokens
        for row, _, logits in engine.run(rows, read, logits_of, batch_rows=batch_rows):
            asked = waiting.popleft()
            yield row, answers_of(row["context"], asked, logits, longest=longest, number=number, aligned=aligned)

    def adapted(self, **options: Any) -> "QuestionAnswering":
        """The same with other options, for the same model."""
        other = copy(self)
        other.options = self.options.model_copy(update=options)
        other.window = other.options.window
        return other

    def chosen(self, found: Answered) -> Answer:
        """The answer that is given."""
        silent = self.options.no_answer and found.silence > self.threshold
        return found.none if silent or found.best is None else found.best

    def listed(self, found: Answered, number: int) -> list[Answer]:
        """At most so many answers: the one that is given, then the others, the most probable first. No answer is one
        of them where it may be given."""
        given = self.chosen(found)
        others = [*islice(found.answers(), number), *[found.none] * self.options.no_answer]
        others.sort(key=lambda answer: -answer.score)
        return [given, *(answer for answer in others if answer != given)][:number]

    def settle(self, engine: "HeadEngine", rows: Iterable[Row]) -> list[str]:
        if not self.options.no_answer:
            return []
        scores = [
            (
                self.agreement(found.best.text if found.best else "", row).f1,
                self.agreement("", row).f1,
                found.silence,
            )
            for row, found in self._answered(engine, rows)
        ]
        self.threshold = choose_silence(*np.array(scores).T).threshold
        return [
            f"no answer is given where its log-probability exceeds that of the best answer by {self.threshold:.2f}, "
            f"which gives the highest F1 on {counted(len(scores), 'validation row')}"
        ]

    def agreement(self, text: str, row: Row) -> Agreement:
        """How an answer agrees with the right ones of a row."""
        return self._agreement(text, tuple(row["answers"]))

    def _agreed(self, found: Answered, row: Row) -> tuple[Answer, Agreement]:
        """The answer that is given, and how it agrees."""
        answer = self.chosen(found)
        return answer, self.agreement(answer.text, row)

    def measures(self) -> list[Measure]:
        return measures(self._agreed, self._signature, no_answer=self.options.no_answer)

    def _signature(self, numbers: set[int]) -> str:
        right = f"{min(numbers)} to {max(numbers)}" if len(numbers) > 1 else str(*numbers)
        script = "CMRC" if self.options.language == "chinese" else "SQuAD"
        threshold = f"|threshold:{self.threshold:.2f}" if self.options.no_answer else ""
        return f"{script}|right:{right}|longest:{self.options.max_answer_tokens}{threshold}"

    def tally(self) -> AnswerTally:
        return AnswerTally(self._agreed, chinese=self.options.language == "chinese")

    def trivial(self, row: Row) -> Answered:
        return Answered.nothing()

    def doubts(self, rows: Sequence[Row]) -> list[str]:
        options = self.options
        return list(
            doubts_about_answers(
                rows,
                chinese=options.language == "chinese",
                no_answer=options.no_answer,
                longest=options.max_answer_tokens,
            )
        )

    def doubts_among(self, rows: RunRows) -> list[str]:
        return list(doubts_among_answers(rows))

    def shown(self, prediction: Answered) -> str:
        return " ".join(self.chosen(prediction).text.split()) or _NONE

    def shown_row(self, row: Row) -> tuple[str, list[str]]:
        context, start = row["context"], max([0, *row["starts"][:1]])
        begin, end = max(0, start - _AROUND), start + _AROUND
        part = f"{'… ' * (begin > 0)}{context[begin:end]}{' …' * (end < len(context))}"
        right = [" ".join(text.split()) for text in row["answers"]]
        return " ".join(f"{row['question']} / {part}".split()), right or [_NONE]

    def record(self, prediction: Answered) -> dict[str, Any]:
        return _record(self.chosen(prediction))

    def ranked(self, prediction: Answered, number: int) -> list[dict[str, Any]]:
        return [_record(answer) for answer in self.listed(prediction, number)]

    def saved(self) -> Saved:
        state: dict[str, Any] = {"options": self.options.model_dump(mode="json")}
        if self.options.no_answer:
            state["threshold"] = self.threshold
        return Saved(self.name(), state=state)


def _record(answer: Answer) -> dict[str, Any]:
    return {"answer": answer.text, "score": answer.score, "start": answer.start, "end": answer.end}
