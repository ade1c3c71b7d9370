"""A chat template in its parts: what stands around system prompts, what is asked and what is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import TemplateError

from hftoolkit.errors import ModelError

_SYSTEM, _ASKED, _ANSWERED, _AGAIN = "Sys7Tem.", "Ask3Ed?", "Ans5Wer.", "Aga9In?"
"""Said in trials: nothing that a template would write by itself."""

_TRIALS: Final = (
    ["user"],
    ["system", "user"],
    ["user", "assistant", "user"],
    ["system", "user", "assistant", "user"],
)

Around = tuple[str, str]
"""What stands before something and behind it."""


@dataclass(frozen=True)
class Turns:
    """What a template writes around what is said, without the token with which the tokenizer begins all texts."""

    system: Around | None
    """Around a system prompt; None: the template knows none."""

    default: str
    """The system prompt where none is given; empty: none."""

    asked: Around
    """Around what is asked; with what is behind it an answer begins."""

    ends: str
    """Behind an answer."""

    def written(self, messages: Sequence[tuple[str, str]]) -> str:
        """A conversation up to the beginning of an answer, from pairs of role and content."""
        if self.default and messages[0][0] != "system":
            messages = [("system", self.default), *messages]
        around = {"system": self.system or ("", ""), "user": self.asked, "assistant": ("", self.ends)}
        return "".join(around[role][0] + content + around[role][1] for role, content in messages)


def turns_of(tokenizer: Any) -> Turns:
    """Take a tokenizer's chat template apart, and check that its parts put together give the same.

    Raises:
        ModelError: If they do not: then the template does more than to write something around what is said.
    """
    once, told = _render(tokenizer, ["user"]), _render(tokenizer, ["system", "user"])
    done, again = (
        _render(tokenizer, ["user", "assistant"], asks=False),
        _render(tokenizer, ["user", "assistant", "user"]),
    )
    if once is None or done is None or again is None:
        raise _refused()
    first, _, behind = once.partition(_ASKED)
    ends = done.partition(_ANSWERED)[2]
    before = again.partition(_ANSWERED)[2].partition(_AGAIN)[0].removeprefix(ends)
    plain = Turns(None, "", (before, behind), ends)
    system, default = None, ""
    if told is not None and _SYSTEM in told:
        opens, _, rest = told.partition(_SYSTEM)
        system = opens, rest.partition(_ASKED)[0].removesuffix(before)
        if first != before:
            default = first.removesuffix(before).removesuffix(system[1]).removeprefix(opens)
    for found in (Turns(system, default, (before, behind), ends), plain):  # some put it into the first turn
        if all(_holds(found, tokenizer, roles) for roles in _TRIALS):
            return found
    raise _refused()


def _holds(found: Turns, tokenizer: Any, roles: Sequence[str]) -> bool:
    if found.system is None and "system" in roles:
        return True
    return found.written(_said(roles)) == _render(tokenizer, roles)


def _said(roles: Sequence[str]) -> list[tuple[str, str]]:
    words = {"system": [_SYSTEM], "user": [_ASKED, _AGAIN], "assistant": [_ANSWERED]}
    return [(role, words[role].pop(0)) for role in roles]


def _render(tokenizer: Any, roles: Sequence[str], *, asks: bool = True) -> str | None:
    """A trial as the template writes it; None where it refuses it."""
    messages = [{"role": role, "content": content} for role, content in _said(roles)]
    try:
        text = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=asks))
    except (TemplateError, ValueError, TypeError, KeyError):
        return None
    # Who reads texts adds the token that begins them only where the tokenizer does: to SmolLM2 it is what begins turns.
    begins = tokenizer.bos_token is not None and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    return text.removeprefix(tokenizer.bos_token) if begins else text


def _refused() -> ModelError:
    return ModelError(
        "this model's chat template does more than to write something around what is said: it cannot be written as "
        "Ollama's\n  export it as it is:   --to merged"
    )
