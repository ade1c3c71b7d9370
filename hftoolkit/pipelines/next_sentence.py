"""Next sentence prediction, for which transformers has a model but no pipeline: does a text follow another one?"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.predicting import Opened, open_task
from hftoolkit.tasks.base import Feature
from hftoolkit.tasks.pretraining import Pretraining
from hftoolkit.tasks.pretraining.filling import guess
from hftoolkit.tasks.pretraining.masking import IGNORED

log = logging.getLogger("hftoolkit")

Answer = dict[str, float]


class NextSentencePipeline:
    """Judges pairs: ``pipe({"text": "It rains.", "text_pair": "Take an umbrella."})`` gives ``{"is_next": 0.97}``, the
    probability that the second text follows the first.

    Args:
        opened: The model.
        batch_size: Pairs computed at once at most; None: as many as a token budget holds.

    Raises:
        ModelError: If the model was not trained for it.
    """

    task = "next-sentence-prediction"

    def __init__(self, opened: Opened, batch_size: int | None = None) -> None:
        if not isinstance(opened.task, Pretraining) or not opened.task.options.next_sentence:
            raise ModelError(
                f"{opened.name}: this model was not trained to tell what comes next\n"
                "  train it so:   options: {next_sentence: true}"
            )
        self._engine = opened.engine
        self.batch_size = batch_size

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self._engine.model

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._engine.tokenizer

    def __call__(self, inputs: Any, /, *, batch_size: int | None = None) -> Any:
        """Judge pairs.

        Args:
            inputs: A pair as ``{"text": ..., "text_pair": ...}``, a list of them, or any other iterable of them, which
                is read as it is judged.
            batch_size: Pairs computed at once at most.

        Returns:
            For a pair a dict, for a list a list of dicts, for any other iterable an iterator over them.

        Raises:
            UsageError: If an input is no pair of texts.
        """
        if isinstance(inputs, str) or not isinstance(inputs, Iterable):
            raise _no_pair(inputs)
        answers = self._answers([inputs] if isinstance(inputs, Mapping) else inputs, batch_size or self.batch_size)
        if isinstance(inputs, Mapping):
            (answer,) = answers
            return answer
        return list(answers) if isinstance(inputs, list | tuple) else answers

    def _answers(self, pairs: Iterable[Any], batch_size: int | None) -> Iterator[Answer]:
        cut = self._engine.cut
        forward = partial(guess, model=self.model)
        for _, _, (guessed,) in self._engine.run(
            pairs, self._features, lambda found, _: found, forward, batch_rows=batch_size
        ):
            yield {"is_next": guessed.follows}
        if self._engine.cut > cut:
            log.warning(self._engine.cut_note(self._engine.cut - cut))

    def _features(self, pairs: Sequence[Any]) -> list[list[Feature]]:
        return [[self._feature(pair)] for pair in pairs]

    def _feature(self, pair: Any) -> Feature:
        if not isinstance(pair, Mapping) or set(pair) != {"text", "text_pair"}:
            raise _no_pair(pair)
        if not all(isinstance(text, str) for text in pair.values()):
            raise _no_pair(pair)
        found = self.tokenizer(pair["text"], pair["text_pair"])
        cut: Feature = {}
        if len(found["input_ids"]) > self._engine.limit:
            found = self.tokenizer(pair["text"], pair["text_pair"], truncation=True, max_length=self._engine.limit)
            cut = {"cut": [1]}
        ids = found["input_ids"]
        return {"input_ids": ids, "token_type_ids": found["token_type_ids"], "labels": [IGNORED] * len(ids)} | cut


def open_pipeline(
    name: str,
    model: str | None,
    *,
    device: int | str | None,
    revision: str,
    batch_size: int | None,
    **settings: Any,
) -> NextSentencePipeline:
    """The pipeline ``next-sentence-prediction``; see `NextSentencePipeline`.

    Raises:
        UsageError: If there is no model, or a setting is unknown.
        HftoolkitError: If the model cannot be had, or was not trained for it.
    """
    if settings:
        raise UsageError(f"unknown setting '{next(iter(settings))}'\n  known: batch_size")
    if model is None:
        raise UsageError(f'{name}: which model?\n  name one:   pipeline("{name}", model="runs/mine")')
    opened = open_task(model, Pretraining.name(), device=device, revision=revision, options={"next_sentence": True})
    return NextSentencePipeline(opened, batch_size)


def _no_pair(given: Any) -> UsageError:
    return UsageError(
        f'expected a pair of texts, got {type(given).__name__}\n  write it:   {{"text": "...", "text_pair": "..."}}'
    )
