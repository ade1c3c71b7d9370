"""Translating text with a checkpoint: line by line, blank lines left alone."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models.devices import choose_device
from hftoolkit.models.languages import normalise
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.pairs import checkpoint_for
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.translation import Translation

log = logging.getLogger("hftoolkit")

DEFAULT = Languages(source="en", target="zh")
"""Translated from and to where nothing else is said."""


class Translator:
    """A checkpoint that translates.

    Args:
        loaded: The checkpoint, in memory.
        languages: From what to what; the target chooses the target token where the vocabulary has one.
    """

    def __init__(self, loaded: Loaded, languages: Languages, *, device: int | str | None = None) -> None:
        self.name = loaded.name
        self.languages = languages
        self.notes = loaded.notes
        self.task = Translation(Translation.Options(), languages)
        self.task.bind(loaded.tokenizer, loaded.model.config)
        self.engine = self.task.engine(loaded.model.to(choose_device(device)), loaded.tokenizer, batch_tokens=None)

    def translate(self, lines: Iterable[str], decoding: Decoding | None = None, **settings: Any) -> Iterator[str]:
        """Translate lines as they come, in order and in constant memory; blank ones pass through.

        How many were longer than the model can read, and were cut, is logged at the end.

        Args:
            lines: Texts of one line each.
            decoding: How the output is chosen.
            settings: What else the engine's ``generate`` takes.
        """
        cut = self.engine.truncated
        blank: deque[str | None] = deque()

        def spoken() -> Iterator[Mapping[str, str]]:
            for line in lines:
                # Marian invents text for blank input (huggingface/transformers#14337).
                blank.append(None if line.strip() else line)
                if line.strip():
                    yield {"source": line}

        try:
            for prediction in self.task.predict(self.engine, spoken(), decoding or Decoding(), **settings):
                while (line := blank.popleft()) is not None:
                    yield line
                yield prediction.text.replace("\n", " ")
            yield from (line for line in blank if line is not None)
        finally:
            if self.engine.truncated > cut:
                log.warning(self.engine.cut_note(self.engine.truncated - cut))


def open_translator(
    model: str | None = None,
    *,
    source: str | None = None,
    target: str | None = None,
    device: int | str | None = None,
    revision: str = "main",
) -> Translator:
    """Load what translates from one language to another.

    Args:
        model: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder; left out: the opus-mt checkpoint of the pair.
        source: Language translated from; left out: what the checkpoint says, else English.
        target: Language translated to, such as ``zh-Hant``; left out: what the checkpoint says, else Chinese.
        device: Number or name; left out: the best there is.
        revision: Branch, tag or commit of a hub id.

    Raises:
        UsageError: If a language is unknown, or no checkpoint is known for the pair.
        HubError: If the checkpoint cannot be fetched.
        ModelError: If it does not translate, or not into this language.
    """
    if model is None:
        languages = Languages(source=source or DEFAULT.source, target=target or DEFAULT.target)
        name = checkpoint_for(languages.source, languages.target)
    else:
        name = model
    task = Translation(Translation.Options(), DEFAULT)
    loaded = load_checkpoint(name, task.auto_class, revision=revision)
    if model is None:
        return Translator(loaded, languages, device=device)
    said_source, said_target = _said_languages(loaded)
    languages = Languages(
        source=source or said_source or DEFAULT.source, target=target or said_target or DEFAULT.target
    )
    translator = Translator(loaded, languages, device=device)
    _check_target(translator, said_target)
    return translator


def translate(
    text: str | Sequence[str],
    *,
    model: str | None = None,
    source: str | None = None,
    target: str | None = None,
    beams: int = 4,
    device: int | str | None = None,
) -> str | list[str]:
    """Translate a text, or several.

    Args:
        text: A text, whose lines are translated one by one, or a list of such texts.
        model: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder; left out: the opus-mt checkpoint of the pair.
        source: Language translated from.
        target: Language translated to.
        beams: 1 is greedy.
        device: Number or name; left out: the best there is.

    Returns:
        The translation, or a list of them.

    Raises:
        HftoolkitError: As `open_translator` says.
    """
    translator = open_translator(model, source=source, target=target, device=device)
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, Sequence) or not all(isinstance(one, str) for one in texts):
        raise UsageError(f"expected a text or a list of texts to translate, got {type(text).__name__}")
    lines = [one.split("\n") for one in texts]
    output = iter(list(translator.translate((line for one in lines for line in one), Decoding(beams))))
    joined = ["\n".join(next(output) for _ in one) for one in lines]
    return joined[0] if isinstance(text, str) else joined


def _said_languages(loaded: Loaded) -> tuple[str | None, str | None]:
    """From what to what a checkpoint translates by its own words: our record of it, else its tokenizer's."""
    if loaded.saved is not None:
        return loaded.saved.source_language, loaded.saved.target_language
    return _language(loaded.tokenizer.source_lang), _language(loaded.tokenizer.target_lang)


def _language(tag: str | None) -> str | None:
    """A tag that names a language; older checkpoints have ``ROMANCE`` and the like in its place."""
    try:
        return str(normalise(tag)) if tag else None
    except UsageError:
        return None


def _check_target(translator: Translator, said: str | None) -> None:
    """Refuse a language that the checkpoint is known not to write."""
    if said is None or translator.task.target_token is not None:
        return
    if normalise(said).language != normalise(translator.languages.target).language:
        raise ModelError(
            f"{translator.name}: this model translates to '{said}', not to '{translator.languages.target}'\n"
            "  leave --to out, or choose another model"
        )
