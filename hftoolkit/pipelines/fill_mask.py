"""Filling of masks, as transformers has it: the likeliest tokens for every mask of a text."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from hftoolkit.errors import UsageError
from hftoolkit.pipelines.base import HeadPipeline, check_name
from hftoolkit.predicting import Opened
from hftoolkit.tasks.pretraining import Pretraining
from hftoolkit.tasks.pretraining.filling import UNKNOWN, Guessed, guess
from hftoolkit.tasks.pretraining.masking import IGNORED

log = logging.getLogger("hftoolkit")

Answer = list[dict[str, Any]]

_TOP_K: Final = 5


class FillMaskPipeline(HeadPipeline):
    """Fills masks: ``pipe("Where is the [MASK]?")`` gives the likeliest tokens, the best first, each as
    ``{"score": 0.42, "token": 3075, "token_str": "library", "sequence": "where is the library?"}``.

    Args:
        opened: The model.
        batch_size: Texts computed at once at most; None: as many as a token budget holds.
        settings: ``top_k`` and ``targets`` for every call.

    Raises:
        UsageError: If a setting is unknown, or no target is in the vocabulary.
    """

    task = "fill-mask"
    _of = Pretraining

    def __init__(self, opened: Opened, batch_size: int | None = None, **settings: Any) -> None:
        super().__init__(opened, batch_size, **settings)
        self._targets(self._settings.get("targets"))

    def __call__(self, inputs: Any, /, **settings: Any) -> Any:
        """Fill masks.

        Args:
            inputs: A text with one mask or several, a list of them, or any other iterable of them, which is read as
                they are filled.
            settings: ``top_k``: so many tokens for every mask, 5 where it is left out; ``targets``: a text or several,
                of which each stands for its first token: only those are weighed; ``tokenizer_kwargs``; ``batch_size``.

        Returns:
            For a text a list of dicts; of several masks a list of such lists. For a list of texts a list of what each
            alone would give, but for a list with a single one that itself; for any other iterable an iterator.

        Raises:
            UsageError: If an input is no text, has no mask or is longer than the model can read; if a setting is
                unknown, or no target is in the vocabulary.
        """
        found = self._answered(inputs, self._settings | self._checked(settings))
        return found[0] if isinstance(inputs, list | tuple) and len(found) == 1 else found

    @staticmethod
    def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
        for name in settings:
            check_name(name, ("batch_size", "targets", "tokenizer_kwargs", "top_k"))
        top_k = settings.get("top_k", _TOP_K)
        if type(top_k) is not int or top_k < 1:
            raise UsageError(f"top_k: expected a whole number from 1, got {top_k!r}")
        targets = settings.get("targets")
        several = isinstance(targets, list | tuple) and all(isinstance(each, str) for each in targets)
        if targets is not None and not isinstance(targets, str) and not several:
            raise UsageError(f"targets: expected a text or a list of texts, got {type(targets).__name__}")
        return dict(settings)

    def _answers(self, texts: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Answer | list[Answer]]:
        forward = partial(
            guess,
            model=self.model,
            top=settings.get("top_k", _TOP_K),
            among=self._targets(settings.get("targets")),
        )
        size = settings.get("batch_size", self.batch_size)
        wanted = settings.get("tokenizer_kwargs", {})

        def features(some: Sequence[Any]) -> list[list[Mapping[str, list[int]]]]:
            return [[self._feature(text, wanted)] for text in some]

        for _, (feature,), (guessed,) in self._engine.run(
            texts, features, lambda found, _: found, forward, batch_rows=size
        ):
            yield self._shaped(feature, guessed)

    def _feature(self, text: Any, wanted: Mapping[str, Any]) -> Mapping[str, list[int]]:
        if not isinstance(text, str):
            raise UsageError(f"expected a text with {self.tokenizer.mask_token} in it, got {type(text).__name__}")
        ids = self.tokenizer(text, **wanted)["input_ids"]
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        if self.tokenizer.mask_token_id not in ids:
            raise UsageError(
                f"no {self.tokenizer.mask_token} in '{shown}': nothing to fill\n"
                f"  write {self.tokenizer.mask_token} where a token is to be guessed"
            )
        if len(ids) > self._engine.limit:
            raise UsageError(
                f"'{shown}' has {len(ids):,} tokens, more than the {self._engine.limit:,} that the model reads\n"
                "  give the part around the mask"
            )
        labels = [UNKNOWN if each == self.tokenizer.mask_token_id else IGNORED for each in ids]
        return {"input_ids": ids, "labels": labels}

    def _shaped(self, feature: Mapping[str, list[int]], guessed: Guessed) -> Answer | list[Answer]:
        """Tokens and scores in transformers' shape."""
        ids = feature["input_ids"]
        places = [place for place, each in enumerate(ids) if each == self.tokenizer.mask_token_id]
        pad, single = self.tokenizer.pad_token_id, len(places) == 1
        found = [
            [
                {
                    "score": share,
                    "token": token,
                    "token_str": self.tokenizer.decode([token]),
                    "sequence": self.tokenizer.decode(
                        [each for each in (*ids[:place], token, *ids[place + 1 :]) if each != pad],
                        skip_special_tokens=single,  # the other masks are special tokens too
                    ),
                }
                for token, share in zip(tokens, shares, strict=True)
            ]
            for place, tokens, shares in zip(places, guessed.tokens.tolist(), guessed.shares.tolist(), strict=True)
        ]
        return found[0] if single else found

    def _targets(self, targets: Any) -> Any:
        """Numbers of the tokens that targets stand for; None: all."""
        if targets is None:
            return None
        import torch

        vocabulary = self.tokenizer.get_vocab()
        numbers = set()
        for target in [targets] if isinstance(targets, str) else targets:
            if target not in vocabulary:
                pieces = self.tokenizer(target, add_special_tokens=False)["input_ids"]
                token = self.tokenizer.convert_ids_to_tokens(pieces[0]) if pieces else None
                log.warning(
                    "'%s' is not in the vocabulary: %s", target, f"'{token}' is weighed" if token else "left out"
                )
                if token is None:
                    continue
                target = token
            numbers.add(vocabulary[target])
        if not numbers:
            raise UsageError("targets: none of them is in the vocabulary\n  name tokens that the model knows")
        return torch.tensor(sorted(numbers), device=self.model.device)


open_pipeline = FillMaskPipeline.open
