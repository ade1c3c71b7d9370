"""How the next token of a text is chosen, and where the text ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hftoolkit.errors import UsageError

MAX_NEW_TOKENS: Final = 256
TEMPERATURE: Final = 0.7
TOP_K: Final = 50
"""What holds where neither the user nor the checkpoint says anything: as in transformers' own pipeline."""


@dataclass(frozen=True)
class Sampling:
    """Settings of a continuation."""

    temperature: float = 0.0
    """Scores are divided by it: below 1 likely tokens become likelier; 0 always takes the likeliest."""

    top_k: int = 0
    """Only so many of the likeliest tokens are drawn from; 0: all."""

    top_p: float = 1.0
    """Only the likeliest tokens that have this share of the probability together are drawn from."""

    seed: int = 1
    """A prompt has one continuation for every seed, whatever stands before or beside it."""

    max_new_tokens: int = MAX_NEW_TOKENS
    """Tokens written at most."""

    stop: tuple[str, ...] = ()
    """Texts at which to stop."""

    def __post_init__(self) -> None:
        for name, least in (("max_new_tokens", 1), ("top_k", 0), ("seed", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise UsageError(f"{name}: expected a whole number from {least}, got {value!r}")
        if not _number(self.temperature) or not 0 <= self.temperature < float("inf"):
            raise UsageError(f"temperature: expected a number from 0, got {self.temperature!r}")
        if not _number(self.top_p) or not 0 < self.top_p <= 1:
            raise UsageError(f"top_p: expected a number above 0, up to 1, got {self.top_p!r}")
        if not isinstance(self.stop, tuple) or not all(isinstance(text, str) and text for text in self.stop):
            raise UsageError(f"stop: expected texts at which to stop, got {self.stop!r}")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0


def usual(config: Any, wishes: Mapping[str, Any]) -> Sampling:
    """A sampling in which what the user does not say is as the checkpoint says, and else as in transformers.

    Args:
        config: The checkpoint's generation configuration.
        wishes: Fields of a `Sampling`, and ``do_sample``; None stands for what is not said.

    Raises:
        UsageError: If a wish is nothing that it could be.
    """
    said = {name: value for name, value in wishes.items() if value is not None}
    samples = said.pop("do_sample", None)
    if samples is None:
        samples = "temperature" in said or config.do_sample is not False
    usually = {"temperature": TEMPERATURE, "top_k": TOP_K, "top_p": 1.0, "max_new_tokens": MAX_NEW_TOKENS}
    for name, otherwise in usually.items():
        own = getattr(config, name)
        said.setdefault(name, otherwise if own is None else own)
    return Sampling(**said | ({} if samples else {"temperature": 0.0}))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
