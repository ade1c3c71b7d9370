"""Text classification, as transformers has it: labels and scores for texts, and for pairs of texts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.errors import UsageError
from hftoolkit.pipelines.base import HeadPipeline, check_name
from hftoolkit.predicting import Opened
from hftoolkit.tasks.base import Feature
from hftoolkit.tasks.classification import Classification

Answer = dict[str, Any]
Logits = NDArray[np.floating[Any]]

_ONE: Final = "one"
"""Stands for a `top_k` that was not given: the best label alone, and not in a list."""


def _sigmoid(logits: Logits) -> Logits:
    found: Logits = 1.0 / (1.0 + np.exp(-logits))
    return found


def _softmax(logits: Logits) -> Logits:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Logits = shifted / shifted.sum(axis=-1, keepdims=True)
    return found


_FUNCTIONS: Final[Mapping[str, Callable[[Logits], Logits]]] = {
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "none": lambda logits: logits,
}

_ALWAYS: Final = ("truncation", "padding", "max_length")
"""Settings of transformers that change nothing: a text is cut where the model ends, and padding is not seen."""


class TextClassificationPipeline(HeadPipeline):
    """Classifies: ``pipe("text")`` gives ``[{"label": "POSITIVE", "score": 0.998}]``.

    Args:
        opened: The model.
        batch_size: Texts computed at once at most; None: as many as a token budget holds.
        settings: ``top_k`` and ``function_to_apply`` for every call.

    Raises:
        UsageError: If a setting is unknown.
    """

    task = "text-classification"
    _of = Classification
    _single = (str, Mapping)
    _wanted = "a text, a pair or several of them"

    def __init__(self, opened: Opened, batch_size: int | None = None, **settings: Any) -> None:
        if not isinstance(opened.task, Classification):
            raise TypeError(f"expected a classification, got {opened.task.name()}")
        super().__init__(opened, batch_size, **settings)
        self._task = opened.task

    def __call__(self, inputs: Any, /, **settings: Any) -> Any:
        """Classify.

        Args:
            inputs: A text, a pair as ``{"text": ..., "text_pair": ...}``, a list of them, or any other iterable of
                them, which is read as it is classified.
            settings: ``top_k``: so many labels, the most likely first, or None for all; ``function_to_apply``:
                ``sigmoid``, ``softmax`` or ``none``; ``batch_size``.

        Returns:
            For a text a list with the dict of its best label, for a pair that dict, for a list a list of dicts; with
            ``top_k`` a list of dicts in the place of each dict, and for a text that list itself. For any other iterable
            an iterator over what a list would hold.

        Raises:
            UsageError: If an input is neither a text nor a pair, or a setting is unknown.
        """
        given = self._checked(settings)
        found = self._answered(inputs, self._settings | given)
        return [found] if isinstance(inputs, str) and "top_k" not in given else found

    @staticmethod
    def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in settings.items() if name not in _ALWAYS}
        for name in kept:
            check_name(name, ("batch_size", "function_to_apply", "top_k"))
        top_k = kept.get("top_k")
        if top_k is not None and (type(top_k) is not int or top_k < 1):
            raise UsageError(f"top_k: expected a whole number from 1, or None for all labels, got {top_k!r}")
        wanted = kept.get("function_to_apply")
        if wanted is not None:
            kept["function_to_apply"] = str(wanted).lower()
            if kept["function_to_apply"] not in _FUNCTIONS:
                raise UsageError(f"function_to_apply: expected {', '.join(_FUNCTIONS)}, got {wanted!r}")
        return kept

    def _answers(self, inputs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Answer | list[Answer]]:
        top_k = settings.get("top_k", _ONE)
        apply = settings.get("function_to_apply") or self._usual()
        names = self.model.config.id2label
        rows = map(_row, inputs)
        size = settings.get("batch_size", self.batch_size)
        for _, _, (logits,) in self._engine.run(rows, self._features, _kept, batch_rows=size):
            scores = _FUNCTIONS[apply](logits)
            if top_k is _ONE:
                yield {"label": names[int(scores.argmax())], "score": float(scores.max())}
            else:
                found = [{"label": names[place], "score": float(score)} for place, score in enumerate(scores)]
                yield sorted(found, key=lambda answer: answer["score"], reverse=True)[:top_k]

    def _usual(self) -> str:
        """What transformers does with the outputs of such a model."""
        config = self.model.config
        if config.problem_type == "regression":
            return "none"
        return "sigmoid" if config.problem_type == "multi_label_classification" or config.num_labels == 1 else "softmax"

    def _features(self, rows: Sequence[Mapping[str, str]]) -> list[list[Feature]]:
        found: list[list[Feature]] = [[] for _ in rows]
        for roles in (("text",), ("text", "pair")):
            places = [place for place, row in enumerate(rows) if tuple(row) == roles]
            if places:
                read = self._task.read([rows[place] for place in places], self.tokenizer, self._engine.limit, roles)
                for place, features in zip(places, read, strict=True):
                    found[place] = features
        return found


open_pipeline = TextClassificationPipeline.open


def _row(given: Any) -> dict[str, str]:
    """An input as a row."""
    if isinstance(given, str):
        return {"text": given}
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], list) and len(given[0]) == 2:
        given = dict(zip(("text", "text_pair"), given[0], strict=True))  # how pairs were once written
    if isinstance(given, Mapping) and all(isinstance(value, str) for value in given.values()):
        if set(given) == {"text", "text_pair"}:
            return {"text": given["text"], "pair": given["text_pair"]}
        if set(given) == {"text"}:
            return {"text": given["text"]}
    raise UsageError(
        f"expected a text or a pair of them, got {type(given).__name__}\n"
        '  a pair is written:   {"text": "...", "text_pair": "..."}'
    )


def _kept(output: Any, lengths: list[int]) -> list[Logits]:
    return list(output.logits.float().cpu().numpy())
