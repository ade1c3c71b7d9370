"""Pipelines in the call and return shapes of transformers 4: those that transformers 5 took away, and those it kept.

One file per pipeline; each has a function `open_pipeline`.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final, Protocol

from hftoolkit.errors import UsageError
from hftoolkit.predicting import task_of

_FILES: Final[Mapping[str, str]] = {
    "translation": "translation",
    "text-classification": "text_classification",
    "sentiment-analysis": "text_classification",
    "fill-mask": "fill_mask",
    "next-sentence-prediction": "next_sentence",
    "token-classification": "token_classification",
    "ner": "token_classification",
    "question-answering": "question_answering",
    "text-generation": "text_generation",
}
"""The file of every pipeline, by its name."""

_OF_TASKS: Final[Mapping[str, str]] = {
    "translation": "translation",
    "classification": "text-classification",
    "pretraining": "fill-mask",
    "ner": "token-classification",
    "question_answering": "question-answering",
    "language_modelling": "text-generation",
    "instruction_tuning": "text-generation",
}
"""The pipeline of every task."""

SUPPORTED: Final = f"{', '.join(_FILES)}, translation_XX_to_YY such as translation_en_to_zh"


class Pipeline(Protocol):
    """What answers for inputs as they come from a user."""

    task: str
    """Its name."""

    @property
    def model(self) -> Any:
        """The transformers model."""

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""

    def __call__(self, inputs: Any, /, **settings: Any) -> Any:
        """Answer for one input, or for several."""


def pipeline(
    task: str,
    model: str | None = None,
    *,
    device: int | str | None = None,
    revision: str = "main",
    batch_size: int | None = None,
    **settings: Any,
) -> Any:
    """A pipeline by its name.

    Args:
        task: ``translation``, ``translation_XX_to_YY``, ``text-classification``, ...
        model: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder; left out for translation: the opus-mt
            checkpoint of the pair.
        device: A GPU's number, -1 for the CPU, or a name; left out: the best there is.
        revision: Branch, tag or commit of a hub id.
        batch_size: Texts computed at once at most; left out: as many as a token budget holds.
        settings: What the pipeline takes in every call, and when it is made: see its own page.

    Returns:
        A `Pipeline` of the kind that was asked for.

    Raises:
        UsageError: If the name or a setting is unknown.
        HftoolkitError: If the model cannot be had.

    Example:
        ``pipeline("translation_en_to_zh")("Good morning!")``
    """
    if not isinstance(task, str):
        raise UsageError(f"expected the name of a pipeline, got {type(task).__name__}\n  known: {SUPPORTED}")
    name = "translation" if re.fullmatch(r"translation_(.+)_to_(.+)", task) else task
    if name not in _FILES:
        close = get_close_matches(task, [*_FILES, "translation_en_to_zh"], n=1)
        raise UsageError(
            f"unknown pipeline '{task}'"
            + (f"; did you mean '{close[0]}'?" if close else "")
            + f"\n  known: {SUPPORTED}"
        )
    module = import_module(f"{__name__}.{_FILES[name]}")
    return module.open_pipeline(task, model, device=device, revision=revision, batch_size=batch_size, **settings)


def load(model: str, *, device: int | str | None = None, revision: str = "main", **settings: Any) -> Any:
    """The pipeline of a fine-tuned checkpoint, which knows its own task.

    Args:
        model: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder.
        device: A GPU's number, -1 for the CPU, or a name; left out: the best there is.
        revision: Branch, tag or commit of a hub id.
        settings: As for `pipeline`.

    Raises:
        HftoolkitError: If the model cannot be had, or does not say what it is for.
    """
    return pipeline(_OF_TASKS[task_of(model, revision)], model, device=device, revision=revision, **settings)
