"""Writing of text, as transformers has it: texts gone on with, chats answered."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hftoolkit.engines.sampling import Sampling, usual
from hftoolkit.errors import UsageError
from hftoolkit.generating import Writer, open_writer
from hftoolkit.pipelines.base import check_name

log = logging.getLogger("hftoolkit")

Answer = list[dict[str, Any]]

_OWN: Final = (
    "add_special_tokens",
    "batch_size",
    "continue_final_message",
    "documents",
    "num_return_sequences",
    "return_full_text",
    "return_tensors",
    "skip_special_tokens",
    "stop_sequence",
    "tokenizer_encode_kwargs",
    "tools",
)
"""Settings of this pipeline."""

_SAMPLING: Final = ("do_sample", "max_new_tokens", "seed", "temperature", "top_k", "top_p")

_FURTHER: Final = (
    "bad_words_ids",
    "begin_suppress_tokens",
    "early_stopping",
    "epsilon_cutoff",
    "exponential_decay_length_penalty",
    "length_penalty",
    "max_length",
    "min_length",
    "min_new_tokens",
    "min_p",
    "no_repeat_ngram_size",
    "num_beams",
    "remove_invalid_values",
    "renormalize_logits",
    "repetition_penalty",
    "sequence_bias",
    "suppress_tokens",
    "typical_p",
)
"""Generation settings that are passed on to transformers."""

_SMALLEST: Final = {
    "batch_size": 1,
    "max_length": 1,
    "min_length": 0,
    "min_new_tokens": 0,
    "no_repeat_ngram_size": 0,
    "num_beams": 1,
    "num_return_sequences": 1,
}
"""Settings that are whole numbers, each with its smallest value."""


class TextGenerationPipeline:
    """Goes on with texts and answers chats: ``pipe("Once upon a time")`` gives
    ``[{"generated_text": "Once upon a time there was ..."}]``.

    Args:
        writer: What writes.
        batch_size: Texts written at once at most; left out: as many as a token budget holds.
        settings: Those of a call, for every call.

    Raises:
        UsageError: If a setting is unknown.
    """

    task = "text-generation"

    def __init__(self, writer: Writer, batch_size: int | None = None, **settings: Any) -> None:
        self.writer = writer
        self.batch_size = batch_size
        self._settings = _checked(settings)

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self.writer.engine.model

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self.writer.engine.tokenizer

    def __call__(self, inputs: Any, /, **settings: Any) -> Any:
        """Go on with texts, or answer chats.

        Args:
            inputs: A text, or a chat: a list of messages such as ``{"role": "user", "content": "Hello!"}``; a list of
                texts or of chats; or any other iterable of them, which is read as they are answered.
            settings: ``return_full_text=False`` leaves the prompt out, ``num_return_sequences`` asks for several texts,
                ``stop_sequence`` ends them (and stays in them); ``do_sample``, ``temperature``, ``top_k``, ``top_p``,
                ``max_new_tokens`` and further generation settings of transformers; ``seed``, which transformers does
                not have: another one gives other texts.

        Returns:
            For a text or a chat a list of dicts, one for every text written, of a chat with all its messages; a list
            of such lists for a list; for any other iterable an iterator.

        Raises:
            UsageError: If an input is neither, or is longer than the model can read; if a setting is unknown, or
                contradicts another.
            ModelError: If a chat is given to a model that does not answer.
        """
        merged = self._settings | _checked(settings)
        if isinstance(inputs, str) or _is_chat(inputs):
            (answer,) = self._answers([inputs], merged)
            return answer
        if isinstance(inputs, list | tuple):
            return list(self._answers(inputs, merged))
        if not isinstance(inputs, Iterable) or isinstance(inputs, Mapping):
            raise UsageError(f"expected a text, a chat, or several of them, got {type(inputs).__name__}")
        return self._answers(inputs, merged)

    def _answers(self, inputs: Iterable[Any], settings: Mapping[str, Any]) -> Iterator[Answer]:
        engine = self.writer.engine
        sampling = self._sampling(settings)
        further = {name: settings[name] for name in _FURTHER if name in settings}
        if settings.get("max_new_tokens") is not None:  # it has precedence, as in transformers
            further.pop("max_length", None)
        elif (own := self.model.generation_config.max_length) is not None:
            further.setdefault("max_length", own)
        waiting: deque[tuple[Any, Any]] = deque()

        def prompts() -> Iterator[Any]:
            for given in inputs:
                waiting.append((given, self._prompt(given, settings)))
                yield waiting[-1][1]

        before = engine.short
        for written in engine.write(
            prompts(),
            sampling,
            number=settings.get("num_return_sequences", 1),
            batch_rows=settings.get("batch_size", self.batch_size),
            **further,
        ):
            given, prompt = waiting.popleft()
            yield [self._shaped(given, prompt, each.tokens, settings) for each in written]
        if engine.short > before:
            log.warning(engine.short_note(engine.short - before))

    def _sampling(self, settings: Mapping[str, Any]) -> Sampling:
        """How tokens are chosen: as the user says, else the checkpoint, else transformers' own pipeline."""
        wishes = {name: settings.get(name) for name in _SAMPLING}
        return usual(self.model.generation_config, {**wishes, "stop": settings.get("stop_sequence", ())})

    def _prompt(self, given: Any, settings: Mapping[str, Any]) -> Any:
        from hftoolkit.engines.prompts import chat_prompt, text_prompt

        if isinstance(given, str):
            return text_prompt(self.tokenizer, given, special=settings.get("add_special_tokens"))
        if not _is_chat(given):
            raise UsageError(
                f"expected a text or a chat, got {type(given).__name__}\n"
                '  a chat is a list of messages such as   {"role": "user", "content": "Hello!"}'
            )
        template = {name: settings[name] for name in ("tools", "documents") if name in settings}
        return chat_prompt(
            self.tokenizer,
            given,
            goes_on=_goes_on(given, settings),
            **template,
            **settings.get("tokenizer_encode_kwargs", {}),
        )

    def _shaped(self, given: Any, prompt: Any, tokens: list[int], settings: Mapping[str, Any]) -> dict[str, Any]:
        """A text in transformers' shape."""
        if settings.get("return_tensors"):
            return {"generated_token_ids": [*prompt.tokens, *tokens]}
        text = (
            self.writer.engine.spelling(prompt)(tokens)
            if settings.get("skip_special_tokens", True)
            else self.tokenizer.decode(tokens, skip_special_tokens=False)
        )
        if not settings.get("return_full_text", True):
            return {"generated_text": text}
        if isinstance(given, str):
            return {"generated_text": given + text}
        if _goes_on(given, settings):
            return {"generated_text": [*given[:-1], {**given[-1], "content": given[-1]["content"] + text}]}
        return {"generated_text": [*given, {"role": "assistant", "content": text}]}


def open_pipeline(
    name: str,
    model: str | None,
    *,
    device: int | str | None,
    revision: str,
    batch_size: int | None,
    **settings: Any,
) -> TextGenerationPipeline:
    """A pipeline by its name.

    Args:
        name: Its name.
        model: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder.
        device: A GPU's number, -1 for the CPU, or a name; None: the best there is.
        revision: Branch, tag or commit of a hub id.
        batch_size: Texts written at once at most; None: as many as a token budget holds.
        settings: Those of a call, for every call.

    Raises:
        UsageError: If there is no model, or a setting is unknown.
        HftoolkitError: If the model cannot be had, or does not write.
    """
    _checked(settings)  # before anything is loaded
    if model is None:
        raise UsageError(f'{name}: which model?\n  name one:   pipeline("{name}", model="runs/mine")')
    return TextGenerationPipeline(open_writer(model, device=device, revision=revision), batch_size, **settings)


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that hold.

    Raises:
        UsageError: If one is unknown, or is nothing that it could be.
    """
    for name, value in settings.items():
        check_name(name, (*_OWN, *_SAMPLING, *_FURTHER))
        least = _SMALLEST.get(name)
        if least is not None and (type(value) is not int or value < least):
            raise UsageError(f"{name}: expected a whole number from {least}, got {value!r}")
    if settings.get("return_tensors") and settings.get("return_full_text") is not None:
        raise UsageError("return_tensors: tokens are returned with the prompt\n  leave out return_full_text")
    kept = dict(settings)
    if "stop_sequence" in settings:
        given = settings["stop_sequence"]
        stops = (given,) if isinstance(given, str) else given
        if not isinstance(stops, list | tuple) or not all(isinstance(stop, str) and stop for stop in stops):
            raise UsageError(f"stop_sequence: expected a text or a list of texts, got {given!r}")
        kept["stop_sequence"] = tuple(stops)
    return kept


def _is_chat(given: Any) -> bool:
    """Whether an input is a list of messages."""
    return (
        isinstance(given, list | tuple)
        and bool(given)
        and all(isinstance(message, Mapping) and "role" in message and "content" in message for message in given)
    )


def _goes_on(messages: Any, settings: Mapping[str, Any]) -> bool:
    """Whether the last turn of a chat is gone on with: where the user says so, else the model's own."""
    said = settings.get("continue_final_message")
    return bool(messages[-1]["role"] == "assistant" if said is None else said)
