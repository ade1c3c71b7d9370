"""Next sentence prediction, for which transformers has a model but no pipeline: does a text follow another one?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.pipelines.base import HeadPipeline, check_name
from hftoolkit.predicting import Opened
from hftoolkit.tasks.base import Feature
from hftoolkit.tasks.pretraining import Pretraining
from hftoolkit.tasks.pretraining.filling import guess
from hftoolkit.tasks.pretraining.masking import IGNORED

Answer = dict[str, float]


class NextSentencePipeline(HeadPipeline):
    """Judges pairs: ``pipe({"text": "It rains.", "text_pair": "Take an umbrella."})`` gives ``{"is_next": 0.97}``, the
    probability that the second text follows the first.

    Args:
        opened: The model.
        batch_size: Pairs computed at once at most; None: as many as a token budget holds.

    Raises:
        ModelError: If the model was not trained for it.
    """

    task = "next-sentence-prediction"
    _of = Pretraining
    _options: ClassVar = {"next_sentence": True}
    _single = Mapping

    def __init__(self, opened: Opened, batch_size: int | None = None) -> None:
        if not isinstance(opened.task, Pretraining) or not opened.task.options.next_sentence:
            raise ModelError(
                f"{opened.name}: this model was not trained to tell what comes next\n"
                "  train it so:   options: {next_sentence: true}"
            )
        super().__init__(opened, batch_size)

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
        return self._answered(inputs, {"batch_size": batch_size or self.batch_size})

    @staticmethod
    def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
        for name in settings:
            check_name(name, ("batch_size",))
        return dict(settings)

    def _answers(self, pairs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Answer]:
        forward = partial(guess, model=self.model)
        for _, _, (guessed,) in self._engine.run(
            pairs, self._features, lambda found, _: found, forward, batch_rows=settings["batch_size"]
        ):
            yield {"is_next": guessed.follows}

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


open_pipeline = NextSentencePipeline.open


def _no_pair(given: Any) -> UsageError:
    return UsageError(
        f'expected a pair of texts, got {type(given).__name__}\n  write it:   {{"text": "...", "text_pair": "..."}}'
    )
