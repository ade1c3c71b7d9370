"""Question answering, as transformers 4 had it: the part of a context that answers a question."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hftoolkit.errors import UsageError
from hftoolkit.pipelines.base import HeadPipeline, check_name
from hftoolkit.predicting import Opened
from hftoolkit.tasks.question_answering import QuestionAnswering

Given = dict[str, Any]

_WHOLE: Final = ("top_k", "max_answer_len", "max_seq_len", "max_question_len", "batch_size")
"""Settings that are whole numbers from 1."""

_SETTINGS: Final = (*_WHOLE, "doc_stride", "handle_impossible_answer", "align_to_words")
_OTHER_NAMES: Final = {"topk": "top_k"}

_ALWAYS: Final = ("padding", "truncation", "num_workers")
"""Settings of transformers that change nothing: padding is not seen, and long contexts are read in windows."""

_LONGEST: Final = 15
"""Tokens of the longest answer of a model that does not say how it was tuned, as in transformers 4."""


class QuestionAnsweringPipeline(HeadPipeline):
    """Answers: ``pipe(question=..., context=...)`` gives ``{"score": 0.9, "start": 11, "end": 16, "answer": "Paris"}``.

    Args:
        opened: The model.
        batch_size: Windows computed at once at most; None: as many as a token budget holds.
        settings: Those of a call, for every call.

    Raises:
        UsageError: If a setting is unknown.
    """

    task = "question-answering"
    _of = QuestionAnswering

    def __init__(self, opened: Opened, batch_size: int | None = None, **settings: Any) -> None:
        if not isinstance(opened.task, QuestionAnswering):
            raise TypeError(f"expected question answering, got {opened.task.name()}")
        super().__init__(opened, batch_size, **settings)
        self._task = opened.task

    def __call__(
        self, *inputs: Any, question: Any = None, context: Any = None, data: Any = None, X: Any = None, **settings: Any
    ) -> Any:
        """Answer.

        Args:
            inputs: A question and its context, a dict with both, several dicts, a list of them, or any other iterable
                of them, which is read as it is answered.
            question: A question, or a list of them.
            context: The context of all of them, or a list with one for each.
            data: The same as ``inputs``.
            X: The same.
            settings: ``top_k``: so many answers; ``handle_impossible_answer``: whether no answer is one, an empty text;
                ``max_answer_len``, ``max_question_len``, ``max_seq_len``, ``doc_stride``: tokens of the longest answer,
                the longest question, a window, and what it shares with the next one; ``align_to_words``: whether
                answers are whole words; ``batch_size``. Left out: as the model was tuned, or as in transformers 4.

        Returns:
            For one question, also in a list of one, a dict; with a ``top_k`` above 1 a list of dicts. For several
            questions a list of these, for any other iterable an iterator over them. Scores are those of transformers 4
            for contexts of one window; of several windows they are probabilities over all of them together.

        Raises:
            UsageError: If an input is not a question with a context, or a setting is unknown.
        """
        merged = self._settings | self._checked(settings)
        given = _inputs(inputs, question, context, X if data is None else data)
        found = self._answered(given, merged)
        return found[0] if isinstance(given, list) and len(found) == 1 else found

    @staticmethod
    def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for given, value in settings.items():
            name = _OTHER_NAMES.get(given, given)
            if name in _ALWAYS:
                continue
            check_name(name, _SETTINGS)
            if value is None:
                continue
            if name in _WHOLE or name == "doc_stride":
                least = int(name in _WHOLE)
                if type(value) is not int or value < least:
                    raise UsageError(f"{name}: expected a whole number from {least}, got {value!r}")
            elif type(value) is not bool:
                raise UsageError(f"{name}: expected True or False, got {value!r}")
            kept[name] = value
        return kept

    def _answers(self, inputs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Given | list[Given]]:
        task = self._adapted(settings)
        number = settings.get("top_k", 1)
        predictions = task.predict(
            self._engine,
            map(_row, inputs),
            number=number,
            aligned=settings.get("align_to_words", True),
            batch_rows=settings.get("batch_size", self.batch_size),
        )
        for prediction in predictions:
            found = [
                {"score": answer.score, "start": answer.start, "end": answer.end, "answer": answer.text}
                for answer in task.listed(prediction, number)
            ]
            yield found[0] if number == 1 else found

    def _adapted(self, settings: Mapping[str, Any]) -> QuestionAnswering:
        """The task as these settings want it."""
        options = self._task.options
        limit = self._engine.limit
        window = settings.get("max_seq_len", min(options.window, limit))
        tuned = bool(options.model_fields_set) and "max_seq_len" not in settings
        stride = settings.get("doc_stride", options.stride if tuned else min(options.stride, window // 2))
        if window > limit:
            raise UsageError(f"max_seq_len: this model reads at most {limit} tokens at once, got {window}")
        if settings.get("doc_stride", 0) > window:
            raise UsageError(f"doc_stride: {stride} tokens are more than a window has: max_seq_len is {window}")
        return self._task.adapted(
            window=window,
            stride=stride,
            max_question_tokens=settings.get("max_question_len", options.max_question_tokens),
            max_answer_tokens=settings.get(
                "max_answer_len", options.max_answer_tokens if options.model_fields_set else _LONGEST
            ),
            no_answer=settings.get("handle_impossible_answer", options.no_answer),
        )


open_pipeline = QuestionAnsweringPipeline.open


def _inputs(inputs: tuple[Any, ...], question: Any, context: Any, data: Any) -> Iterable[Any]:
    """Questions with their contexts: a list, or what is to be read as it is answered."""
    if len(inputs) == 2 and all(isinstance(one, str) for one in inputs):
        question, context, inputs = *inputs, ()
    if question is not None or context is not None:
        return _pairs(question, context)
    given = inputs[0] if len(inputs) == 1 else list(inputs) if inputs else data
    if isinstance(given, Mapping):
        return [given]
    if isinstance(given, list | tuple):
        return list(given)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise UsageError(
            "expected a question and a context\n"
            '  write:   pipe(question="...", context="..."), or pipe([{"question": "...", "context": "..."}, ...])'
        )
    return given


def _pairs(question: Any, context: Any) -> list[Given]:
    questions = question if isinstance(question, list) else [question]
    contexts = context if isinstance(context, list) else [context] * len(questions)
    if len(questions) != len(contexts):
        raise UsageError(
            f"{len(questions)} questions, but {len(contexts)} contexts\n"
            "  give one context for every question, or one for all that is not in a list"
        )
    return [{"question": one, "context": other} for one, other in zip(questions, contexts, strict=True)]


def _row(given: Any) -> Given:
    """An input as a row."""
    if not isinstance(given, Mapping):
        raise UsageError(
            f"expected a question with its context, got {type(given).__name__}\n"
            '  write:   {"question": "...", "context": "..."}'
        )
    for role in ("question", "context"):
        if not isinstance(given.get(role), str) or not given[role]:
            found = "nothing" if given.get(role) in (None, "") else type(given[role]).__name__
            raise UsageError(f"{role}: expected a text, got {found}")
    return {"question": given["question"], "context": given["context"]}
