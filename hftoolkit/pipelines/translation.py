"""Translation, as transformers 4 had it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hftoolkit.engines.decoding import Decoding, check_settings
from hftoolkit.engines.opening import Choice
from hftoolkit.errors import UsageError
from hftoolkit.translating import Translator, open_translator

if TYPE_CHECKING:
    from hftoolkit.engines.prompted import PromptedEngine
    from hftoolkit.engines.pytorch import TorchEngine

Answer = dict[str, Any]


class TranslationPipeline:
    """Translates texts: ``pipe("text")`` gives ``[{"translation_text": "..."}]``.

    Args:
        translator: What translates.
        settings: Generation settings used in every call, such as ``num_beams``.
        batch_size: Texts decoded at once at most; left out: as many as a token budget holds.

    Raises:
        UsageError: If a setting is unknown.
    """

    task = "translation"

    def __init__(self, translator: Translator, settings: Mapping[str, Any], batch_size: int | None = None) -> None:
        self.translator = translator
        self.settings = _settings(settings)
        self.batch_size = batch_size

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self._torch.model

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._torch.tokenizer

    @property
    def _torch(self) -> "TorchEngine | PromptedEngine":
        from hftoolkit.engines.prompted import PromptedEngine
        from hftoolkit.engines.pytorch import TorchEngine

        if not isinstance(self.translator.engine, TorchEngine | PromptedEngine):
            raise UsageError(
                "the engine ctranslate2 has neither model nor tokenizer of transformers\n"
                '  to have them:   pipeline(..., engine="torch")'
            )
        return self.translator.engine

    def __call__(
        self, texts: str | Iterable[str], *, batch_size: int | None = None, **settings: Any
    ) -> list[Answer] | Iterator[list[Answer]]:
        """Translate.

        Args:
            texts: A text, a list of texts, or any other iterable of them, which is read as it is translated.
            batch_size: Texts decoded at once at most.
            settings: Generation settings of transformers, such as ``num_beams`` or ``max_length``.

        Returns:
            A list with a dict for every text; for an iterable that is no list, an iterator that gives for every text
            what the text alone would give: a list with one dict.

        Raises:
            UsageError: If a text is not a string, or a setting is unknown.
        """
        if not isinstance(texts, Iterable):
            raise UsageError(f"expected a text or several to translate, got {type(texts).__name__}")
        merged = self.settings | _settings(settings) | {"batch_rows": batch_size or self.batch_size}
        if isinstance(texts, str):
            return list(self._answers([texts], merged))
        if isinstance(texts, list | tuple):
            return list(self._answers(texts, merged))
        return ([answer] for answer in self._answers(texts, merged))

    def _answers(self, texts: Iterable[str], settings: dict[str, Any]) -> Iterator[Answer]:
        decoding = Decoding(
            beams=settings.pop("num_beams", Decoding.beams),
            length_penalty=settings.pop("length_penalty", Decoding.length_penalty),
        )
        for text in self.translator.predict(map(_text, texts), decoding, **settings):
            yield {"translation_text": text}


def open_pipeline(
    name: str,
    model: str | None,
    *,
    device: int | str | None,
    revision: str,
    batch_size: int | None,
    engine: Choice = "torch",
    **settings: Any,
) -> TranslationPipeline:
    """A pipeline by its name, ``translation`` or ``translation_XX_to_YY``.

    Args:
        name: Its name.
        model: Left out: the opus-mt checkpoint of the pair.
        device: A GPU's number, -1 for the CPU, or a name; None: the best there is.
        revision: Branch, tag or commit of a hub id.
        batch_size: Texts decoded at once at most; None: as many as a token budget holds.
        engine: ``torch`` knows every generation setting; ``ctranslate2`` is faster, and ``auto`` takes it where it can.
        settings: ``src_lang`` and ``tgt_lang``, which have precedence over the name, and generation settings for every
            call.

    Raises:
        UsageError: If a setting is unknown.
        HftoolkitError: If the model cannot be had.
    """
    source, target = settings.pop("src_lang", None), settings.pop("tgt_lang", None)
    if named := re.fullmatch(r"translation_(.+)_to_(.+)", name):
        source, target = source or named[1], target or named[2]
    checked = _settings(settings)  # before anything is loaded
    translator = open_translator(model, source=source, target=target, engine=engine, device=device, revision=revision)
    return TranslationPipeline(translator, checked, batch_size)


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Generation settings, checked, without what transformers 4 takes too and what always holds here."""
    for name in ("src_lang", "tgt_lang"):
        if name in settings:
            raise UsageError(f"{name}: languages are chosen once\n  give it to pipeline(...), not to a call")
    if settings.get("num_return_sequences", 1) != 1:
        raise UsageError("num_return_sequences: every text has one translation here\n  leave it out")
    # Texts longer than the model are always cut, and it is said.
    kept = {name: value for name, value in settings.items() if name not in ("num_return_sequences", "truncation")}
    check_settings(kept)
    return kept


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise UsageError(f"expected text to translate, got {type(text).__name__}")
    return text
