"""Token classification, as transformers has it: labels of tokens, or entities put together from them."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.errors import UsageError
from hftoolkit.pipelines.aggregation import STRATEGIES, Answer, Labels, Token, aggregate, without_overlaps
from hftoolkit.pipelines.base import HeadPipeline, check_name
from hftoolkit.predicting import Opened
from hftoolkit.tasks.base import Feature
from hftoolkit.tasks.ner import Ner

log = logging.getLogger("hftoolkit")

_ALWAYS: Final = ("padding", "truncation", "num_workers")
"""Settings of transformers that change nothing: padding is not seen, and without a stride long texts are cut."""

_SETTINGS: Final = ("aggregation_strategy", "batch_size", "delimiter", "ignore_labels", "is_split_into_words", "stride")


class TokenClassificationPipeline(HeadPipeline):
    """Tags: ``pipe("in Paris")`` gives ``[{"entity": "B-LOC", "score": 0.99, "index": 2, "word": "paris", ...}]``.

    Args:
        opened: The model.
        batch_size: Texts computed at once at most; None: as many as a token budget holds.
        settings: Those of a call, for every call.

    Raises:
        UsageError: If a setting is unknown.
    """

    task = "token-classification"
    _of = Ner

    def __init__(self, opened: Opened, batch_size: int | None = None, **settings: Any) -> None:
        if not isinstance(opened.task, Ner):
            raise TypeError(f"expected tagging, got {opened.task.name()}")
        super().__init__(opened, batch_size, **settings)

    def __call__(self, inputs: Any, /, **settings: Any) -> Any:
        """Tag.

        Args:
            inputs: A text, a list of them, or any other iterable of them, which is read as it is tagged; with
                ``is_split_into_words`` a list of words, or a list of such lists.
            settings: ``aggregation_strategy``: ``none``, ``simple``, ``first``, ``average`` or ``max``;
                ``ignore_labels``: labels that are left out, ``["O"]`` if not given; ``stride``: a text longer than the
                model is read in windows that share so many tokens; ``is_split_into_words`` and ``delimiter``, which
                stands between the words where they are counted as a text; ``batch_size``.

        Returns:
            For a text a list of dicts, for a list a list of such lists, for any other iterable an iterator over them.

        Raises:
            UsageError: If an input is no text, or a setting is unknown.
        """
        merged = self._checked(self._settings | settings)
        if merged.get("is_split_into_words") and isinstance(inputs, list | tuple):
            inputs = list(inputs) if inputs and all(isinstance(one, list) for one in inputs) else [list(inputs)]
        return self._answered(inputs, merged)

    @staticmethod
    def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in settings.items() if name not in _ALWAYS and value is not None}
        for name in kept:
            check_name(name, _SETTINGS)
        strategy = kept["aggregation_strategy"] = str(kept.get("aggregation_strategy", "none")).lower()
        if strategy not in STRATEGIES:
            raise UsageError(f"aggregation_strategy: expected {', '.join(STRATEGIES)}, got '{strategy}'")
        stride = kept.get("stride")
        if stride is not None and (type(stride) is not int or stride < 0):
            raise UsageError(f"stride: expected a whole number of tokens, got {stride!r}")
        if stride is not None and strategy == "none":
            raise UsageError(
                "stride: tokens of several windows can only be put together as entities\n"
                '  choose how:   aggregation_strategy="simple"'
            )
        return kept

    def _answers(self, inputs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[list[Answer]]:
        strategy = settings["aggregation_strategy"]
        ignored = settings.get("ignore_labels", ["O"])
        labels = Labels(self.model.config.id2label, self.tokenizer.convert_tokens_to_string)
        reading = _Reading(self.tokenizer, self._engine.limit, settings)
        size = settings.get("batch_size", self.batch_size)
        for text, features, outputs in self._engine.run(
            map(reading.checked, inputs), reading.features, _kept, batch_rows=size
        ):
            found = []
            for feature, scores in zip(features, outputs, strict=True):
                tokens = reading.tokens(text, feature, scores)
                answers = aggregate(tokens, strategy, labels)
                found += [one for one in answers if one.get("entity", one.get("entity_group")) not in ignored]
            yield without_overlaps(found) if len(features) > 1 else found
        if strategy in ("first", "average", "max") and not reading.marked:
            log.warning("this tokenizer does not mark tokens inside words: they were told by the blanks between words")


class _Reading:
    """Texts, or words, as a model reads them.

    Args:
        tokenizer: The model's.
        limit: Tokens it reads at most.
        settings: Of a call.
    """

    def __init__(self, tokenizer: Any, limit: int, settings: Mapping[str, Any]) -> None:
        self._tokenizer = tokenizer
        self._limit = min(limit, tokenizer.model_max_length)
        self._stride = settings.get("stride")
        room = self._limit - tokenizer.num_special_tokens_to_add()
        if self._stride is not None and self._stride >= room:
            raise UsageError(f"stride: expected less than the {room} tokens of a window, got {self._stride}")
        self._split = settings.get("is_split_into_words", False)
        self._between = " " if settings.get("delimiter") is None else settings["delimiter"]
        self.marked = bool(getattr(tokenizer.backend_tokenizer.model, "continuing_subword_prefix", None))

    def checked(self, given: Any) -> Any:
        """An input.

        Raises:
            UsageError: If it is none.
        """
        words = self._split and isinstance(given, list) and all(isinstance(one, str) for one in given)
        if not words and (self._split or not isinstance(given, str)):
            wanted = "a list of words" if self._split else "a text"
            raise UsageError(f"expected {wanted} to tag, got {type(given).__name__}")
        return given

    def features(self, inputs: Sequence[Any]) -> list[list[Feature]]:
        """What the model reads of every input, in one window or, with a stride, in several."""
        return [self._windows(given) for given in inputs]

    def _windows(self, given: Any) -> list[Feature]:
        whole = self._tokenizer(
            [given],
            is_split_into_words=self._split,
            truncation=True,
            max_length=self._limit,
            stride=self._stride or 0,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        windows: list[Feature] = []
        for number, ids in enumerate(whole["input_ids"]):
            offsets = whole["offset_mapping"][number]
            before = self._starts(given, whole.word_ids(number)) if self._split else [0] * len(ids)
            windows.append(
                {
                    "input_ids": ids,
                    "special": whole["special_tokens_mask"][number],
                    "starts": [start + first for (start, _), first in zip(offsets, before, strict=True)],
                    "ends": [end + first for (_, end), first in zip(offsets, before, strict=True)],
                }
                | ({"token_type_ids": whole["token_type_ids"][number]} if "token_type_ids" in whole else {})
            )
        if self._stride is not None or len(windows) == 1:
            return windows
        return [windows[0] | {"cut": [1]}]

    def _starts(self, words: Sequence[str], numbers: Sequence[int | None]) -> list[int]:
        """Where the word of every token begins in the text that all words would be."""
        starts = np.cumsum([0, *(len(word) + len(self._between) for word in words)]).tolist()
        return [0 if number is None else starts[number] for number in numbers]

    def tokens(self, given: Any, feature: Feature, scores: NDArray[np.float32]) -> list[Token]:
        """The tokens of a window that are of the text."""
        text = self._between.join(given) if self._split else given
        names = self._tokenizer.convert_ids_to_tokens(feature["input_ids"])
        found = []
        for index, (number, name) in enumerate(zip(feature["input_ids"], names, strict=True)):
            if feature["special"][index]:
                continue
            start, end = feature["starts"][index], feature["ends"][index]
            if number == self._tokenizer.unk_token_id:
                found.append(Token(text[start:end], scores[index], start, end, index, inner=False))
                continue
            # Tokenizers that do not mark the tokens inside words leave a guess: no blank before it.
            inner = len(name) != end - start if self.marked else start > 0 and " " not in text[start - 1 : start + 1]
            found.append(Token(name, scores[index], start, end, index, inner))
        return found


open_pipeline = TokenClassificationPipeline.open


def _kept(output: Any, lengths: Sequence[int]) -> list[NDArray[np.float32]]:
    """Probabilities of every label, of every token of a window; shape ``[T, L]`` each."""
    logits = output.logits.float().cpu().numpy()
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores = shifted / shifted.sum(axis=-1, keepdims=True)
    return [row[:length].copy() for row, length in zip(scores, lengths, strict=True)]
