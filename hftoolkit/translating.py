"""Translating with a checkpoint: texts, lines and documents, sentence by sentence, or bare decoding of lines."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from hftoolkit.documents.glossary import Glossary
from hftoolkit.documents.masking import best_style
from hftoolkit.documents.pieces import Piece, Place
from hftoolkit.documents.reading import read_document
from hftoolkit.documents.settings import Settings
from hftoolkit.documents.stand_ins import Style
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.opening import Choice, Opened, open_engine
from hftoolkit.errors import HubError, ModelError, UsageError
from hftoolkit.languages import THREE_LETTERS, normalise
from hftoolkit.models.pairs import checkpoint_for
from hftoolkit.recipe.schema import Languages
from hftoolkit.sentencewise import Manner, Sentence, translated
from hftoolkit.tasks.translation import Translation
from hftoolkit.tasks.translation.names import name_of

if TYPE_CHECKING:
    from hftoolkit.engines.openai_server import Server

log = logging.getLogger("hftoolkit")

DEFAULT = Languages(source="en", target="zh")
"""Translated from and to where nothing else is said."""

BUILT_IN: Final = "demo"
"""Name of the model that comes with the program."""

SYSTEM: Final = (
    "You are a translator. Translate what the user writes from {source} to {target}. Answer with the translation "
    "alone: no explanation, no notes, no quotation marks around it. Signs such as ⟦1⟧ stay as they are."
)
"""What a server's model is told, unless the user says it otherwise."""

_WINDOW: Final = 2048
"""Pieces of a document worked on together: memory does not grow with their number."""

_LONGEST: Final = 200
"""Tokens of the longest sentence that is translated as one: models saw few that were longer."""


@dataclass(frozen=True)
class Wishes:
    """What a user may want of a translation besides the model."""

    decoding: Decoding = field(default_factory=Decoding)
    glossary: Glossary | None = None

    alternatives: int = 1
    """Hypotheses shown of every sentence."""


class Translator:
    """A checkpoint that translates.

    Args:
        opened: The checkpoint in an engine.
        languages: From what to what; the target chooses the target token where the vocabulary has one.
    """

    def __init__(self, opened: Opened, languages: Languages) -> None:
        self.name = opened.name
        self.languages = languages
        self.notes = opened.notes
        self.task = Translation(Translation.Options(), languages)
        self.engine = self.task.opened(opened)

    def predict(self, lines: Iterable[str], decoding: Decoding | None = None, **settings: Any) -> Iterator[str]:
        """Decode lines as they come and as they are, in order and in constant memory; blank ones pass through.

        How many were longer than the model can read, and were cut, is logged at the end.

        Args:
            lines: Texts of one line each.
            decoding: How the output is chosen.
            settings: What else the engine's ``generate`` takes.
        """
        blank: deque[str | None] = deque()

        def spoken() -> Iterator[Mapping[str, str]]:
            for line in lines:
                # Marian invents text for blank input (huggingface/transformers#14337).
                blank.append(None if line.strip() else line)
                if line.strip():
                    yield {"source": line}

        with self._telling_of_cuts():
            for prediction in self.task.predict(self.engine, spoken(), decoding or Decoding(), **settings):
                while (line := blank.popleft()) is not None:
                    yield line
                yield prediction.text.replace("\n", " ")
            yield from (line for line in blank if line is not None)

    def translate(self, texts: Sequence[str], wishes: Wishes | None = None) -> list[str]:
        """Translate texts, whose lines are translated one by one; what is between sentences stays as it is."""
        settings = Settings(self.languages.source, self.languages.target)
        cut = [list(read_document(text, settings).pieces) for text in texts]
        written = self.render((piece for pieces in cut for piece in pieces), wishes or Wishes())
        return ["".join(next(written)[0] for _ in pieces) for pieces in cut]

    def render(self, pieces: Iterable[Piece], wishes: Wishes) -> Iterator[tuple[str, tuple[Sentence, ...]]]:
        """Translate a document as its pieces come, in constant memory.

        Args:
            pieces: What it is cut into.
            wishes: How.

        Returns:
            For every piece what is written in its place, and what became of its sentences.
        """
        manner = self._manner(wishes)
        stream = iter(pieces)
        with self._telling_of_cuts():
            while window := list(islice(stream, _WINDOW)):
                places = [piece for piece in window if isinstance(piece, Place)]
                outcomes = iter(translated([(place.where, text) for place in places for text in place.texts], manner))
                for piece in window:
                    if isinstance(piece, str):
                        yield piece, ()
                        continue
                    found = [next(outcomes) for _ in piece.texts]
                    sentences = tuple(sentence for outcome in found for sentence in outcome.sentences)
                    yield piece.fill([outcome.text for outcome in found]) if sentences else piece.kept, sentences

    @contextmanager
    def _telling_of_cuts(self) -> Iterator[None]:
        cut = self.engine.truncated
        try:
            yield
        finally:
            if self.engine.truncated > cut:
                log.warning(self.engine.cut_note(self.engine.truncated - cut))

    def _manner(self, wishes: Wishes) -> Manner:
        return Manner(
            source=self.languages.source,
            target=self.languages.target,
            write=lambda sources, decoding, number: self.engine.hypotheses(
                map(self.task.prompt, sources), decoding, n_best=number
            ),
            decoding=wishes.decoding,
            style=lambda: self._style,
            tokens=self.engine.tokens,
            longest=min(_LONGEST, self.engine.longest or _LONGEST),
            glossary=wishes.glossary,
            alternatives=wishes.alternatives,
        )

    @cached_property
    def _style(self) -> Style | None:
        """What the model copies where a mark has to be: found out by trying."""
        return best_style(lambda texts: list(self.engine.generate(map(self.task.prompt, texts), Decoding())))


def open_translator(
    model: str | PathLike[str] | None = None,
    *,
    source: str | None = None,
    target: str | None = None,
    engine: Choice | Literal["openai"] = "auto",
    device: int | str | None = None,
    revision: str = "main",
    server: "Server | None" = None,
) -> Translator:
    """Load what translates from one language to another.

    Args:
        model: Hub id, folder, ``package:NAME/FOLDER``, adapter folder, or ``demo`` for the built-in model; left out:
            the opus-mt checkpoint of the pair.
        source: Language translated from; left out: what the checkpoint says, else English.
        target: Language translated to, such as ``zh-Hant``; left out: what the checkpoint says, else Chinese.
        engine: ``ctranslate2`` or ``torch``; ``auto`` takes the first where it can; with ``openai`` a server
            translates, whose model is named.
        device: Number or name; left out: the best there is.
        revision: Branch, tag or commit of a hub id.
        server: Where that is; left out: Ollama on this machine.

    Raises:
        UsageError: If a language is unknown, no checkpoint is known for the pair, or something is of a wrong type.
        HubError: If the checkpoint cannot be fetched.
        ModelError: If it does not translate, or not from or into this language.
    """
    for role, language in (("source", source), ("target", target)):
        if language is not None and not isinstance(language, str):
            raise UsageError(f"{role}: expected a language such as 'en', got {type(language).__name__}")
    if engine == "openai":
        return _open_remote(model, source, target, server)
    task = Translation(Translation.Options(), DEFAULT)
    if model is None:
        languages = Languages(source=source or DEFAULT.source, target=target or DEFAULT.target)
        name = checkpoint_for(languages.source, languages.target)
        try:
            opened = open_engine(name, task.auto_class, engine=engine, device=device, revision=revision)
        except HubError as error:
            raise HubError(f"{error}{_other_way(languages)}") from error
        return Translator(opened, languages)
    if not isinstance(model, str | PathLike):
        raise UsageError(f"model: expected a name or a folder, got {type(model).__name__}")
    opened = open_engine(fspath(model), task.auto_class, engine=engine, device=device, revision=revision)
    said_source, said_target = _said_languages(opened)
    languages = Languages(
        source=source or said_source or DEFAULT.source, target=target or said_target or DEFAULT.target
    )
    translator = Translator(opened, languages)
    _check_target(translator, said_target)
    _check_source(translator, said_source)
    return translator


def _open_remote(
    model: str | PathLike[str] | None, source: str | None, target: str | None, server: "Server | None"
) -> Translator:
    """A model of a server."""
    from hftoolkit.engines.openai import OpenAIEngine
    from hftoolkit.engines.openai_server import Server

    if model is None:
        raise UsageError(
            "which model of the server?\n  to see them:   hftoolkit models\n  name one:      --model qwen2.5:3b"
        )
    languages = Languages(source=source or DEFAULT.source, target=target or DEFAULT.target)
    server = server or Server()
    names = {"source": name_of(languages.source), "target": name_of(languages.target)}
    system = server.system or SYSTEM
    for role, name in names.items():
        system = system.replace(f"{{{role}}}", name)
    engine = OpenAIEngine(server, fspath(model), system)
    return Translator(Opened(fspath(model), Path(), engine, None, None, None, {}, ()), languages)


def translate(
    text: str | Sequence[str],
    *,
    model: str | PathLike[str] | None = None,
    source: str | None = None,
    target: str | None = None,
    beams: int = 4,
    engine: Choice | Literal["openai"] = "auto",
    device: int | str | None = None,
    server: "Server | None" = None,
) -> str | list[str]:
    """Translate a text, or several.

    Args:
        text: A text, whose lines are translated one by one, sentence by sentence, or a list of such texts.
        model: Hub id, folder, ``package:NAME/FOLDER``, adapter folder, or ``demo`` for the built-in model; left out:
            the opus-mt checkpoint of the pair.
        source: Language translated from.
        target: Language translated to.
        beams: 1 is greedy.
        engine: ``ctranslate2`` or ``torch``; ``auto`` takes the first where it can; ``openai`` is a server.
        device: Number or name; left out: the best there is.
        server: Where that is; left out: Ollama on this machine.

    Returns:
        The translation, or a list of them.

    Raises:
        HftoolkitError: As `open_translator` says.
    """
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, Sequence) or not all(isinstance(one, str) for one in texts):
        raise UsageError(f"expected a text or a list of texts to translate, got {type(text).__name__}")
    wishes = Wishes(Decoding(beams))
    translator = open_translator(model, source=source, target=target, engine=engine, device=device, server=server)
    output = translator.translate(texts, wishes)
    return output[0] if isinstance(text, str) else output


def _other_way(languages: Languages) -> str:
    """What to do without a network, where the built-in model translates the same pair."""
    pair = normalise(languages.source).language, normalise(languages.target).language
    return f"\n  the built-in model:   --model {BUILT_IN}" if pair == ("en", "zh") else ""


def _said_languages(opened: Opened) -> tuple[str | None, str | None]:
    """From what to what a checkpoint translates by its own words: our record of it, else its tokenizer's."""
    if opened.saved is not None:
        return opened.saved.source_language, opened.saved.target_language
    return _language(opened.source_language), _language(opened.target_language)


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


def _check_source(translator: Translator, said: str | None) -> None:
    """Refuse a language that the checkpoint is known not to read; groups of languages, such as ``gmw``, hold many."""
    read, wanted = said and normalise(said).language, normalise(translator.languages.source).language
    if read in THREE_LETTERS and read != wanted:
        raise ModelError(
            f"{translator.name}: this model translates from '{said}', not from '{translator.languages.source}'\n"
            "  leave --from out, or choose another model"
        )
