"""Translating with a decoder alone, such as GPT-2 or SmolLM2: the translation goes on with a prompt.

By a separator the prompt is ``Where is the library? <to-fr>``, and what stands behind it is to be the translation; by a
chat it is an instruction in the checkpoint's own chat template. Its trap: the loss is on the translation alone and on
the token that ends it, without which the model never stops; and a separator is a token that no model knows before.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.messages import USER, Message
from hftoolkit.errors import ModelError
from hftoolkit.languages import normalise
from hftoolkit.models.added_tokens import add_token, make_room
from hftoolkit.models.decoders import EXAMPLE, reach, stop_at
from hftoolkit.models.saved import END, Saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.base import Feature
from hftoolkit.tasks.instruction_tuning.template import Template
from hftoolkit.tasks.translation.form import Pair
from hftoolkit.tasks.translation.names import name_of
from hftoolkit.tasks.translation.options import PROMPT, PromptKind

if TYPE_CHECKING:
    from torch import Tensor

    from hftoolkit.engines.prompted import PromptedEngine
    from hftoolkit.training.batches import Batch

ROW: Final = 1024
"""Tokens of a row in which several rows of the data stand in training, if the model can read so many."""


class Decoder:
    """How a decoder translates.

    Args:
        tokenizer: The checkpoint's; it is given the separator, if it has none.
        config: The checkpoint's.
        languages: From what to what.
        kind: How the model is asked; None: by the separator where the tokenizer has it, which is of a model that was
            tuned so, else by a chat where there is a template.
        learns: Whether the separator may be new.

    Raises:
        ModelError: If the checkpoint cannot be asked like this.
    """

    padded: tuple[str, ...] = ("input_ids",)
    others: tuple[str, ...] = ("labels",)

    def __init__(
        self, tokenizer: Any, config: Any, languages: Languages, kind: PromptKind | None, *, learns: bool = True
    ) -> None:
        self._tokenizer = tokenizer
        tuned = separator(languages.target) in tokenizer.get_vocab()
        self.kind: PromptKind = kind or ("separator" if tuned or tokenizer.chat_template is None else "chat")
        self._contradicts = tuned and kind == "chat"
        self.token: str | None = None
        self.new_tokens: tuple[int, ...] = ()
        self.packed = False
        self._plain: bool | None = None
        self._row = min(ROW, reach(config) or ROW)
        if self.kind == "chat":
            self._template = _template(tokenizer)
            self._end = self._template.end
            self._instruction = instruction(languages)
        else:
            self._separate(languages, learns=learns)
        self._pad = self._end if tokenizer.pad_token_id is None else tokenizer.pad_token_id

    def _separate(self, languages: Languages, *, learns: bool) -> None:
        tokenizer, self.token = self._tokenizer, separator(languages.target)
        if tokenizer.eos_token_id is None:
            raise ModelError(
                "this model's tokenizer has no token for the end of a text: the model would never end a translation\n"
                f"  choose a causal language model, such as {EXAMPLE}"
            )
        known = self.token in tokenizer.get_vocab()
        if not known and not learns:
            raise ModelError(
                f"this model was not trained to translate to '{languages.target}': it has no token '{self.token}'\n"
                "  train it first:   hftoolkit finetune RECIPE"
            )
        add_token(tokenizer, self.token)
        self.new_tokens = () if known else (tokenizer.convert_tokens_to_ids(self.token),)
        self._end = tokenizer.eos_token_id
        begin = tokenizer.bos_token_id
        first = tokenizer("a")["input_ids"][:1]
        self._begin = tokenizer.bos_token if begin is not None and first == [begin] else ""

    def prompt(self, source: str) -> str:
        if self.token is not None:
            return f"{self._begin}{source} {self.token}"
        return self._template.asked([Message(USER, f"{self._instruction}{source}")])

    def fingerprint(self) -> str:
        if self.token is None:  # as it is written, not as it reads today: templates may name the date
            form = f"{self._tokenizer.chat_template}{self._instruction}"
        else:
            form = f"{self._begin}{self.token}"
        return f"{self.kind}|{hashlib.sha256(form.encode()).hexdigest()}|{self._end}"

    def begin(self, model: Any) -> list[str]:
        from hftoolkit.models.packed_rows import keeps_apart

        make_room(model, self._tokenizer, self.new_tokens)
        stop_at(model, self._end)
        notes = [
            f"options.prompt: {self.kind}; what the model reads ends with "
            + (f"'{self.token}'" if self.token else "its chat template's beginning of an answer")
        ]
        if self.new_tokens:
            notes.append(f"'{self.token}' is a new token, and learned: what stands behind it is the translation")
        if self._contradicts:
            notes.append("options.prompt: this model was tuned by a separator, and is asked by a chat now")
        self.packed = keeps_apart(model)
        if not self.packed:
            kind = model.config.model_type
            notes.append(f"a model of the kind '{kind}' does not keep packed rows apart: each is padded instead")
        return notes

    def encode(self, pairs: Sequence[Pair], tokenizer: Any) -> list[list[Feature]]:
        from hftoolkit.training.next_tokens import IGNORED

        read = self._tokens([self.prompt(source) for source, _ in pairs])
        written = iter(self._tokens([text for _, texts in pairs for text in texts], target=True))
        found: list[list[Feature]] = []
        for ids, (_, texts) in zip(read, pairs, strict=True):
            answers = [[*next(written), self._end] for _ in texts]
            found.append([{"input_ids": ids + own, "labels": [IGNORED] * len(ids) + own} for own in answers])
        return found

    def collate(self, features: Sequence[Mapping[str, NDArray[np.int32]]], *, widest: int) -> "Batch":
        from hftoolkit.training.next_tokens import next_token_batch

        return next_token_batch(features, pad=self._pad, row=self._row if self.packed else None, widest=widest)

    def loss(self, model: Any, batch: "Batch", *, smoothing: float) -> dict[str, "Tensor"]:
        from hftoolkit.models.projection import scores_plainly
        from hftoolkit.training.next_tokens import next_token_loss

        if self._plain is None:
            self._plain = scores_plainly(model)
        return next_token_loss(model, batch, plain=self._plain, smoothing=smoothing)

    def engine(self, model: Any, tokenizer: Any, *, batch_tokens: int | None) -> "PromptedEngine":
        from hftoolkit.engines.prompted import PromptedEngine

        make_room(model, tokenizer)
        number = () if self.token is None else (tokenizer.convert_tokens_to_ids(self.token),)
        behind = len(self._tokens([self.prompt("")])[0])
        return PromptedEngine(model, tokenizer, end=self._end, never=number, behind=behind, batch_tokens=batch_tokens)

    def answer_tokens(self, texts: Iterable[str], tokenizer: Any) -> int:
        return 1 + max(map(len, self._tokens(list(texts), target=True)))

    def saved(self, facts: Saved) -> Saved:
        return replace(facts, state={PROMPT: self.kind, END: self._end})

    def _tokens(self, texts: list[str], *, target: bool = False) -> list[list[int]]:
        """Tokens of texts that say themselves how they begin; a special token spelled in a translation is text."""
        given = {"text_target": texts, "split_special_tokens": True} if target else {"text": texts}
        found: list[list[int]] = self._tokenizer(**given, add_special_tokens=False)["input_ids"] if texts else []
        return found


def _template(tokenizer: Any) -> Template:
    """The chat template, or what else can be done where there is none that serves."""
    if tokenizer.chat_template is None:
        why = "options.prompt: this model has no chat template by which it could be asked"
    else:
        try:
            return Template(tokenizer)
        except ModelError as error:
            why = str(error).partition("\n")[0]
    raise ModelError(f"{why}\n  ask it by a new token:   options: {{prompt: separator}}")


def instruction(languages: Languages) -> str:
    """What stands before a source in a chat."""
    return f"Translate from {name_of(languages.source)} to {name_of(languages.target)}:\n"


def separator(target: str) -> str:
    """The token that asks a decoder for a language, such as ``<to-fr>``; ``zh_CN`` and ``zh-Hans`` have the same.

    Raises:
        UsageError: If the tag names no language.
    """
    language = normalise(target)
    return f"<to-{replace(language, region=None) if language.script else language}>"
