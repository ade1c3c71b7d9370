"""What looks wrong about sentence pairs and a model's languages: other scripts, sides that do not belong together."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.errors import UsageError
from hftoolkit.languages import THREE_LETTERS, normalise
from hftoolkit.models.target_tokens import target_tokens

Pair = tuple[str, str]

_SCRIPTS: Final = {
    "CJK": "zh yue",
    "CJK HIRAGANA KATAKANA": "ja",
    "HANGUL CJK": "ko",
    "CYRILLIC": "ru uk bg be mk",
    "ARABIC": "ar fa ur ps",
    "HEBREW": "he yi",
    "GREEK": "el",
    "THAI": "th",
    "DEVANAGARI": "hi mr ne sa",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "KHMER": "km",
    "LATIN": "en de fr es pt it nl sv da nb nn no fi is et lv lt pl cs sk sl hr hu ro tr vi id ms ca eu gl af mt",
}
"""First words of the Unicode names of letters, and the languages that are written in nothing else."""

_FEW: Final = 30
"""Pairs below which nothing is concluded."""

_WRONG: Final = 0.3
"""Share of rows in another script above which it is said."""

_OWN: Final = 0.1
"""Share of a text's letters that must be of its language's script: names and code of others stand among them."""

# Correlations of the lengths (in logarithms) of two sides. Of true pairs it is 0.8 and more, among nothing but short
# sentences 0.3; of neighbours in a text up to 0.6.
_UNRELATED, _TRUE, _BETTER = 0.2, 0.6, 0.3

_ALIKE: Final = 0.1
"""Spread of lengths (in logarithms) below which all are about as long, and nothing can be concluded from them."""

_FAR: Final = 3
"""Rows by which sides are looked for that are shifted."""

_PARTS: Final = 4
"""Pieces of the rows that are looked at on their own: a missing line shifts only those behind it."""

_BEGINNINGS: Final = (
    "from the beginning",
    "at the latest behind the first quarter of the rows",
    "at the latest behind the first half of the rows",
    "at the latest behind three quarters of the rows",
)
"""Since where the sides are shifted, by the piece in which they are for the first time."""


def doubts_about_pairs(pairs: Sequence[Pair], source: str, target: str) -> list[str]:
    """Sentences about pairs that look wrong, none where all is well.

    Args:
        pairs: Source and target texts; neighbours as they stand in the file.
        source: Language tag of the sources.
        target: Language tag of the targets.
    """
    if len(pairs) < _FEW:
        return []
    return _doubts_about_scripts(pairs, source, target) or _doubts_about_lengths(pairs)


def may_be(said: str | None, language: str) -> bool:
    """Whether what a tokenizer says of its language can mean this one.

    Args:
        said: As in a tokenizer's settings: ``eng``, ``pt_br``, a group such as ``roa`` or ``cat+spa``, or None.
        language: Language tag.
    """
    try:
        codes = {normalise(tag).language for tag in (said or "", language)}
    except UsageError:
        return True
    if "sh" in codes or not codes <= THREE_LETTERS.keys():  # groups of languages have three letters, as small ones have
        return True
    return not set(target_tokens(said or "")).isdisjoint(target_tokens(language))


def _doubts_about_scripts(pairs: Sequence[Pair], source: str, target: str) -> list[str]:
    sources, targets = zip(*pairs, strict=True)
    wrong = _in_other_scripts(sources, source), _in_other_scripts(targets, target)
    swapped = _in_other_scripts(sources, target), _in_other_scripts(targets, source)
    if max(wrong) > _WRONG > max(swapped):
        return [
            f"source and target look swapped: {_words(wrong, source, target)}\n  swap the columns, or data.languages"
        ]
    return [f"{_words(wrong, source, target)}\n  look at the columns, and at data.languages"] * (max(wrong) > _WRONG)


def _words(wrong: tuple[float, float], source: str, target: str) -> str:
    """Which sides are in another script than their languages'."""
    return " and ".join(
        f"{share:.0%} of the {side} are not written in the script of '{tag}'"
        for side, tag, share in zip(("sources", "targets"), (source, target), wrong, strict=True)
        if share > _WRONG
    )


def _in_other_scripts(texts: Sequence[str], tag: str) -> float:
    """Share of the texts with letters that have hardly any of the language's script."""
    judged = [text for text in texts if any(map(str.isalpha, text))]
    return sum(in_another_script(text, tag) for text in judged) / len(judged) if len(judged) >= _FEW else 0.0


def in_another_script(text: str, tag: str) -> bool:
    """Whether hardly any letter of a text is of its language's script.

    Args:
        text: A text; one without letters is in no script.
        tag: Language tag; a language that several scripts are used for never has another one.
    """
    scripts = _scripts_of(normalise(tag).language)
    letters = [_script(character) for character in text if character.isalpha()]
    return scripts is not None and sum(letter in scripts for letter in letters) < len(letters) * _OWN


def _scripts_of(language: str) -> list[str] | None:
    return next((names.split() for names, tags in _SCRIPTS.items() if language in tags.split()), None)


@lru_cache(maxsize=1 << 14)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").replace("-", " ").partition(" ")[0]


def _doubts_about_lengths(pairs: Sequence[Pair]) -> list[str]:
    lengths = np.log([[max(1, len(text)) for text in pair] for pair in pairs])  # [pairs, 2]
    parts = np.array_split(lengths, _PARTS) if len(lengths) >= _PARTS * _FEW else [lengths]
    for number, part in enumerate(parts):
        together = {shift: _correlation(part, shift) for shift in range(-_FAR, _FAR + 1)}
        best = max(together, key=lambda shift: together[shift])
        if together[best] > max(_TRUE, together[0] + _BETTER):
            return [
                f"the targets look shifted by {abs(best)} {'row' if abs(best) == 1 else 'rows'}, "
                f"{_BEGINNINGS[number]}: the lengths of both sides go together then (correlation {together[best]:.2f}; "
                f"as they stand {together[0]:.2f})\n"
                "  find the line that is missing or too many on one side"
            ]
    related = _correlation(lengths, 0)
    if related >= _UNRELATED:
        return []
    return [
        f"the lengths of source and target hardly go together (correlation {related:.2f}): the sides may not belong to "
        "each other\n  look at some rows: each source needs its own translation beside it"
    ]


def _correlation(lengths: NDArray[np.float64], shift: int) -> float:
    """Of the lengths of sources with those of the targets some rows further; 1 where there is nothing to compare."""
    rows = len(lengths) - abs(shift)
    sources, targets = lengths[max(0, -shift) :][:rows, 0], lengths[max(0, shift) :][:rows, 1]
    if min(sources.std(), targets.std()) < _ALIKE:
        return 1.0 if shift == 0 else -1.0
    return float(np.corrcoef(sources, targets)[0, 1])
