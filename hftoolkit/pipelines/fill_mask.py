"""Filling of masks, as transformers has it: the likeliest tokens for every mask of a text."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from hftoolkit.errors import UsageError
from hftoolkit.predicting import Opened, open_task
from hftoolkit.tasks.pretraining import Pretraining
from hftoolkit.tasks.pretraining.filling import UNKNOWN, Guessed, guess
from hftoolkit.tasks.pretraining.masking import IGNORED

log = logging.getLogger("hftoolkit")

Answer = list[dict[str, Any]]

_TOP_K: Final = 5


class FillMaskPipeline:
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

    def __init__(self, opened: Opened, batch_size: int | None = None, **settings: Any) -> None:
        self._engine = opened.engine
        self.batch_size = batch_size
        self._settings = _checked(settings)
        self._targets(self._settings.get("targets"))

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self._engine.model

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._engine.tokenizer

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
        merged = self._settings | _checked(settings)
        if isinstance(inputs, str):
            return next(self._answers([inputs], merged))
        if isinstance(inputs, list | tuple):
            found = list(self._answers(inputs, merged))
            return found[0] if len(found) == 1 else found
        if not isinstance(inputs, Iterable):
            raise UsageError(f"expected a text or several of them, got {type(inputs).__name__}")
        return self._answers(inputs, merged)

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


def open_pipeline(
    name: str,
    model: str | None,
    *,
    device: int | str | None,
    revision: str,
    batch_size: int | None,
    **settings: Any,
) -> FillMaskPipeline:
    """The pipeline ``fill-mask``; see `FillMaskPipeline`.

    Raises:
        UsageError: If there is no model, or a setting is unknown.
        HftoolkitError: If the model cannot be had.
    """
    _checked(settings)  # before anything is loaded
    if model is None:
        raise UsageError(f'{name}: which model?\n  name one:   pipeline("{name}", model="runs/mine")')
    return FillMaskPipeline(
        open_task(model, Pretraining.name(), device=device, revision=revision), batch_size, **settings
    )


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings.

    Raises:
        UsageError: If one is unknown, or is nothing that it could be.
    """
    for name in settings:
        if name not in ("top_k", "targets", "tokenizer_kwargs", "batch_size"):
            raise UsageError(f"unknown setting '{name}'\n  known: batch_size, targets, tokenizer_kwargs, top_k")
    top_k = settings.get("top_k", _TOP_K)
    if type(top_k) is not int or top_k < 1:
        raise UsageError(f"top_k: expected a whole number from 1, got {top_k!r}")
    targets = settings.get("targets")
    several = isinstance(targets, list | tuple) and all(isinstance(each, str) for each in targets)
    if targets is not None and not isinstance(targets, str) and not several:
        raise UsageError(f"targets: expected a text or a list of texts, got {type(targets).__name__}")
    return dict(settings)
