"""Text classification, as transformers has it: labels and scores for texts, and for pairs of texts."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.errors import UsageError
from hftoolkit.predicting import Opened, open_task
from hftoolkit.tasks.base import Feature
from hftoolkit.tasks.classification import Classification

log = logging.getLogger("hftoolkit")

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


class TextClassificationPipeline:
    """Classifies: ``pipe("text")`` gives ``[{"label": "POSITIVE", "score": 0.998}]``.

    Args:
        opened: The model.
        batch_size: Texts computed at once at most; None: as many as a token budget holds.
        settings: ``top_k`` and ``function_to_apply`` for every call.

    Raises:
        UsageError: If a setting is unknown.
    """

    task = "text-classification"

    def __init__(self, opened: Opened, batch_size: int | None = None, **settings: Any) -> None:
        if not isinstance(opened.task, Classification):
            raise TypeError(f"expected a classification, got {opened.task.name()}")
        self._task = opened.task
        self._engine = opened.engine
        self._settings = _checked(settings)
        self.batch_size = batch_size

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self._engine.model

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._engine.tokenizer

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
        given = _checked(settings)
        merged = self._settings | given
        if isinstance(inputs, str):
            (answer,) = self._answers([inputs], merged)
            return answer if "top_k" in given else [answer]
        if isinstance(inputs, Mapping):
            (answer,) = self._answers([inputs], merged)  # to its end: what was cut is said there
            return answer
        if isinstance(inputs, list | tuple):
            return list(self._answers(inputs, merged))
        if not isinstance(inputs, Iterable):
            raise UsageError(f"expected a text, a pair or several of them, got {type(inputs).__name__}")
        return self._answers(inputs, merged)

    def _answers(self, inputs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Answer | list[Answer]]:
        top_k = settings.get("top_k", _ONE)
        apply = settings.get("function_to_apply") or self._usual()
        names = self.model.config.id2label
        rows = map(_row, inputs)
        size = settings.get("batch_size", self.batch_size)
        cut = self._engine.cut
        for _, _, (logits,) in self._engine.run(rows, self._features, _kept, batch_rows=size):
            scores = _FUNCTIONS[apply](logits)
            if top_k is _ONE:
                yield {"label": names[int(scores.argmax())], "score": float(scores.max())}
            else:
                found = [{"label": names[place], "score": float(score)} for place, score in enumerate(scores)]
                yield sorted(found, key=lambda answer: answer["score"], reverse=True)[:top_k]
        if self._engine.cut > cut:
            log.warning(self._engine.cut_note(self._engine.cut - cut))

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


def open_pipeline(
    name: str,
    model: str | None,
    *,
    device: int | str | None,
    revision: str,
    batch_size: int | None,
    **settings: Any,
) -> TextClassificationPipeline:
    """A pipeline by its name, ``text-classification`` or ``sentiment-analysis``; see `TextClassificationPipeline`.

    Raises:
        UsageError: If there is no model, or a setting is unknown.
        HftoolkitError: If the model cannot be had.
    """
    _checked(settings)  # before anything is loaded
    if model is None:
        raise UsageError(f'{name}: which model?\n  name one:   pipeline("{name}", model="runs/mine")')
    opened = open_task(model, "classification", device=device, revision=revision)
    return TextClassificationPipeline(opened, batch_size, **settings)


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without what changes nothing.

    Raises:
        UsageError: If one is unknown, or is nothing that it could be.
    """
    kept = {name: value for name, value in settings.items() if name not in _ALWAYS}
    for name in kept:
        if name not in ("top_k", "function_to_apply", "batch_size"):
            raise UsageError(f"unknown setting '{name}'\n  known: batch_size, function_to_apply, top_k")
    top_k = kept.get("top_k")
    if top_k is not None and (type(top_k) is not int or top_k < 1):
        raise UsageError(f"top_k: expected a whole number from 1, or None for all labels, got {top_k!r}")
    wanted = kept.get("function_to_apply")
    if wanted is not None:
        kept["function_to_apply"] = str(wanted).lower()
        if kept["function_to_apply"] not in _FUNCTIONS:
            raise UsageError(f"function_to_apply: expected {', '.join(_FUNCTIONS)}, got {wanted!r}")
    return kept


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
