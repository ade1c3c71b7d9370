"""Writing with a checkpoint: going on with texts, or answering them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import TYPE_CHECKING, Final

from hftoolkit import hub
from hftoolkit.engines.sampling import Sampling, usual
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models.decoders import EXAMPLE, causal_class, stop_at
from hftoolkit.models.saved import END, read_saved

if TYPE_CHECKING:
    from hftoolkit.engines.causal import CausalEngine
    from hftoolkit.engines.prompts import Prompt

log = logging.getLogger("hftoolkit")

CONTINUES: Final = "language_modelling"
"""The task whose checkpoints go on with texts, even those that began as one that answers."""

TASKS: Final = (CONTINUES, "instruction_tuning")
"""The tasks whose checkpoints write."""


@dataclass(frozen=True)
class Writer:
    """A checkpoint that writes."""

    name: str
    """As the user wrote it."""

    engine: "CausalEngine"

    answers: bool
    """Whether a text given to it is a question; otherwise it is a beginning."""

    notes: tuple[str, ...]
    """What should be said about it."""

    def prompt(self, text: str, *, system: str | None = None, raw: bool = False) -> "Prompt":
        """A text as the model was trained to read it.

        Args:
            text: A question, or a beginning.
            system: What the model is told before a question.
            raw: Go on with the text, even where the model answers.

        Raises:
            UsageError: If it cannot be read, or a beginning has a system prompt.
            ModelError: If the model has no place for a system prompt.
        """
        from hftoolkit.engines.prompts import chat_prompt, text_prompt

        tokenizer = self.engine.tokenizer
        if raw and system is not None:
            raise UsageError("system: a text that is gone on with has no system prompt\n  leave out either of the two")
        if system is not None and tokenizer.chat_template is None:
            raise ModelError(
                f"{self.name}: this model has no chat template, and no place for a system prompt\n"
                "  leave it out, or choose a model that was tuned to answer"
            )
        if raw or (system is None and not self.answers):
            return text_prompt(tokenizer, text)
        told = [] if system is None else [{"role": "system", "content": system}]
        return chat_prompt(tokenizer, [*told, {"role": "user", "content": text}])

    def sampling(
        self,
        *,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        seed: int = 1,
        max_new_tokens: int | None = None,
        stop: str | Sequence[str] = (),
    ) -> Sampling:
        """How tokens are chosen; None: as the checkpoint says, else as in transformers' pipeline.

        Raises:
            UsageError: If something is nothing that it could be.
        """
        said = {"temperature": temperature, "top_p": top_p, "top_k": top_k, "seed": seed}
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
        return usual(self.engine.model.generation_config, {**said, "max_new_tokens": max_new_tokens, "stop": stops})


def open_writer(
    model: str | PathLike[str] | None, *, device: int | str | None = None, revision: str = "main"
) -> Writer:
    """Load a checkpoint that writes, in float32.

    In bf16, which is faster on some processors, what a text becomes hangs on the texts beside it.

    Args:
        model: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder.
        device: A GPU's number, -1 for the CPU, or a name; None: the best there is.
        revision: Branch, tag or commit of a hub id.

    Raises:
        UsageError: If no model is named.
        HubError: If it cannot be fetched.
        ModelError: If it cannot be loaded, or does not write.
    """
    if model is None:
        raise UsageError(f"which model?\n  name a run, a folder or a hub id, such as {EXAMPLE}")
    if not isinstance(model, str | PathLike):
        raise UsageError(f"model: expected a name or a folder, got {type(model).__name__}")
    from hftoolkit.models.devices import choose_device

    name = fspath(model)
    saved = read_saved(hub.resolve(name, revision))
    if saved is not None and saved.task not in TASKS:
        raise ModelError(
            f"{name}: this model was tuned for {saved.task.replace('_', ' ')}, not for writing\n"
            f"  use it:   hftoolkit {'translate' if saved.task == 'translation' else 'predict'} --model {name}"
        )
    from hftoolkit.engines.causal import CausalEngine
    from hftoolkit.models.loading import load_checkpoint

    loaded = load_checkpoint(name, causal_class, revision=revision)
    if loaded.saved is not None and END in loaded.saved.state:
        stop_at(loaded.model, loaded.saved.state[END])
    engine = CausalEngine(loaded.model.to(choose_device(device)), loaded.tokenizer)
    tuned = None if loaded.saved is None else loaded.saved.task
    answers = loaded.tokenizer.chat_template is not None and tuned != CONTINUES
    return Writer(name, engine, answers, loaded.notes)


def generate(
    prompt: str | Sequence[str],
    *,
    model: str | PathLike[str] | None = None,
    system: str | None = None,
    raw: bool = False,
    max_new_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    seed: int = 1,
    stop: str | Sequence[str] = (),
    device: int | str | None = None,
    show: Callable[[str], None] | None = None,
) -> str | list[str]:
    """Answer a text, or go on with it: whichever the model was made for.

    Args:
        prompt: A text, or a list of texts.
        model: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder.
        system: What a model that answers is told before.
        raw: Go on with the text, even where the model answers.
        max_new_tokens: Tokens written at most; left out: what the model says, else 256.
        temperature: Below 1 likely tokens become likelier, 0 always takes the likeliest; left out: what the model says,
            else 0.7.
        top_p: Only the likeliest tokens that have this share together are drawn from; left out: what the model says.
        top_k: Only so many of the likeliest tokens are drawn from; left out: what the model says, else 50.
        seed: Another one gives another text.
        stop: Texts before which to stop.
        device: A GPU's number, -1 for the CPU, or a name; left out: the best there is.
        show: Is given the text in pieces, as it comes; for one text.

    Returns:
        What was written, without the prompt; a list for a list.

    Raises:
        HftoolkitError: As `open_writer` says.
        UsageError: If a prompt is longer than the model can read, or a setting is nothing that it could be.

    Example:
        ``generate("Why is the sky blue?", model="HuggingFaceTB/SmolLM2-135M-Instruct")``
    """
    texts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"expected a text or a list of texts, got {type(prompt).__name__}")
    if show is not None and not isinstance(prompt, str):
        raise UsageError("show: pieces of several texts could not be told apart\n  give one text")
    writer = open_writer(model, device=device)
    sampling = writer.sampling(
        temperature=temperature, top_p=top_p, top_k=top_k, seed=seed, max_new_tokens=max_new_tokens, stop=stop
    )
    prompts = [writer.prompt(text, system=system, raw=raw) for text in texts]
    if show is not None:
        found = [writer.engine.stream(prompts[0], sampling, show).text]
    else:
        found = [written.text for (written,) in writer.engine.write(prompts, sampling)]
    for note in writer.engine.notes:
        log.warning(note)
    return found[0] if isinstance(prompt, str) else found
