"""How a model's output is chosen: the settings that a score depends on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decoding:
    """Settings of one decoding."""

    beams: int = 4
    """1 is greedy."""

    length_penalty: float = 1.0
    """Exponent of the length by which a beam's score is divided."""

    longest: float = 3.0
    """Output tokens at most per source token; 20 more are always allowed."""

    def limit(self, source_tokens: int, positions: int) -> int:
        """Output tokens at most for one source, the end token included.

        It depends on the row alone, so that an answer does not depend on its batch neighbours.
        """
        return min(positions, int(self.longest * source_tokens) + 20)

    def __str__(self) -> str:
        penalty = f"|lp:{self.length_penalty:g}" if self.beams > 1 else ""
        return f"beams:{self.beams}{penalty}|max:{self.longest:g}x+20"
