"""How a model's output is chosen: the settings that a score depends on, and those that transformers knows besides."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from hftoolkit.errors import UsageError

if TYPE_CHECKING:
    from hftoolkit.recipe.schema import Evaluation

_SMALLEST = {
    "num_beams": 1,
    "max_length": 2,
    "max_new_tokens": 1,
    "min_length": 0,
    "min_new_tokens": 0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "top_k": 0,
}
"""Generation settings that are whole numbers, each with its smallest value; lengths count the start token."""

_OTHERS = """
bad_words_ids begin_suppress_tokens do_sample early_stopping encoder_repetition_penalty epsilon_cutoff eta_cutoff
exponential_decay_length_penalty forced_bos_token_id length_penalty max_time min_p remove_invalid_values
renormalize_logits repetition_penalty sequence_bias suppress_tokens temperature top_p typical_p
"""
KNOWN = sorted((*_SMALLEST, *_OTHERS.split()))
"""Every generation setting that is passed on to transformers."""


@dataclass(frozen=True)
class Decoding:
    """Settings of one decoding."""

    beams: int = 4
    """1 is greedy."""

    length_penalty: float = 1.0
    """Exponent of the length by which a beam's score is divided."""

    longest: float = 3.0
    """Output tokens at most per source token; 20 more are always allowed."""

    no_repeat_ngram: int = 0
    """No sequence of so many tokens is written twice; 0: any may be."""

    repetition_penalty: float = 1.0
    """Divisor of the scores of tokens already written, which stops loops; 1 does nothing. With several beams engines
    apply it at different places, and may differ."""

    def __post_init__(self) -> None:
        if not isinstance(self.beams, int) or self.beams < 1:
            raise UsageError(f"beams: expected a whole number from 1, got {self.beams!r}")

    @classmethod
    def of(cls, evaluation: "Evaluation") -> "Decoding":
        """As a recipe has its test sets decoded."""
        return cls(evaluation.beams, evaluation.length_penalty)

    def limit(self, source_tokens: int, positions: int) -> int:
        """Output tokens at most for one source, the start and the end token included.

        It depends on the row alone, so that an answer does not depend on its batch neighbours.
        """
        return min(positions, int(self.longest * source_tokens) + 20)

    def __str__(self) -> str:
        penalty = f"|lp:{self.length_penalty:g}" if self.beams > 1 else ""
        ngram = f"|ngram:{self.no_repeat_ngram}" if self.no_repeat_ngram else ""
        repetition = f"|rp:{self.repetition_penalty:g}" if self.repetition_penalty != 1 else ""
        return f"beams:{self.beams}{penalty}|max:{self.longest:g}x+20{ngram}{repetition}"


def check_settings(settings: Mapping[str, Any]) -> None:
    """Check generation settings of transformers, which ignores those it does not know.

    Raises:
        UsageError: If one is unknown, or no number that it could be.
    """
    for name, value in settings.items():
        if name not in KNOWN:
            close = get_close_matches(name, KNOWN, n=1)
            raise UsageError(
                f"unknown generation setting '{name}'"
                + (f"; did you mean '{close[0]}'?" if close else "")
                + f"\n  known: {', '.join(KNOWN)}"
            )
        least = _SMALLEST.get(name)
        if least is not None and (type(value) is not int or value < least):
            raise UsageError(f"{name}: expected a whole number from {least}, got {value!r}")
