"""What stands for marks where a model reads, in the styles that there are, and how models write it."""

import re
from dataclasses import dataclass
from functools import cached_property

_FULL_WIDTH = 0xFEE0  # from ASCII to the same character as wide as a Chinese one


@dataclass(frozen=True)
class Style:
    """What stands for marks: a number between two strings."""

    before: str
    after: str

    def stand_in(self, number: int) -> str:
        return f"{self.before}{number}{self.after}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds stand-ins as models write them: with blanks, in full width, in small letters."""
        before, after = (r"\s?".join(_either(each) for each in text) for text in (self.before, self.after))
        opening = rf"(?<![A-Za-z0-9]){before}" if self.before[-1].isalpha() else before
        closing = rf"\s?{after}" if after else r"(?![\dA-Za-z])"
        return re.compile(rf"{opening}\s?(\d{{1,4}}){closing}")


# Of three opus-mt vocabularies (uk-en, zh-en, tc-big-fr-en) all have X, [] and __, none has ⟦⟧: that is what the
# built-in model has learned.
STYLES = (Style("X", ""), Style("[", "]"), Style("{", "}"), Style("__", "__"), Style("⟦", "⟧"))
"""Candidates: which one is copied differs from model to model."""


def _either(character: str) -> str:
    """A pattern for a character of a stand-in, as models write it."""
    forms = {character, character.lower()}
    if "!" <= character <= "~":
        forms |= {chr(ord(form) + _FULL_WIDTH) for form in forms}
    return f"[{re.escape(''.join(sorted(forms)))}]"
