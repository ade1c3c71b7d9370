"""What looks wrong about sentence pairs: another script than the languages', sides that do not belong together."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from hftoolkit.models.languages import normalise

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
"""First words of the Unicode names of letters, and the languages written in them."""

_FEW: Final = 30
"""Pairs below which nothing is concluded."""

_WRONG: Final = 0.3
"""Share of rows in another script above which it is said."""

_UNRELATED: Final = 0.3
"""Correlation of the lengths of two sides that do not belong together; of true pairs it is 0.7 and more."""


def doubts_about_pairs(pairs: Sequence[Pair], source: str, target: str) -> list[str]:
    """Sentences about pairs that look wrong, none where all is well.

    Args:
        pairs: Source and target texts.
        source: Language tag of the sources.
        target: Language tag of the targets.
    """
    return _doubts_about_scripts(pairs, source, target) or _doubts_about_lengths(pairs)


def _doubts_about_scripts(pairs: Sequence[Pair], source: str, target: str) -> list[str]:
    sides = list(zip(*pairs, strict=True)) if pairs else [(), ()]
    wrong = [_in_other_scripts(texts, tag) for texts, tag in zip(sides, (source, target), strict=True)]
    swapped = [_in_other_scripts(texts, tag) for texts, tag in zip(sides, (target, source), strict=True)]
    if max(wrong) > _WRONG and max(swapped) < min(_WRONG, max(wrong)):
        return [
            f"source and target look swapped: the sources are not written as '{source}' is, or the targets not as "
            f"'{target}' is\n  swap the columns, or data.languages"
        ]
    return [
        f"{role}: {share:.0%} of the rows are not written in the script of '{tag}'\n"
        "  look at the columns, and at data.languages"
        for role, tag, share in zip(("source", "target"), (source, target), wrong, strict=True)
        if share > _WRONG
    ]


def _in_other_scripts(texts: Sequence[str], tag: str) -> float:
    """Share of texts with letters, most of which are not of the language's script."""
    language = normalise(tag).language
    scripts = next((names.split() for names, tags in _SCRIPTS.items() if language in tags.split()), None)
    if scripts is None:
        return 0.0
    judged = wrong = 0
    for text in texts:
        letters = [_script(character) for character in text if character.isalpha()]
        if letters:
            judged += 1
            wrong += sum(letter in scripts for letter in letters) < len(letters) * 0.3
    return wrong / judged if judged >= _FEW else 0.0


@lru_cache(maxsize=1 << 14)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _doubts_about_lengths(pairs: Sequence[Pair]) -> list[str]:
    lengths = np.log([[max(1, len(text)) for text in pair] for pair in pairs]) if pairs else np.zeros((0, 2))
    if len(pairs) < _FEW or lengths.std(axis=0).min() < 0.1:
        return []
    related = float(np.corrcoef(lengths.T)[0, 1])
    if related >= _UNRELATED:
        return []
    return [
        f"the lengths of source and target hardly go together (correlation {related:.2f}): the sides may not belong to "
        "each other\n  look at some rows; a line missing on one side shifts all that follow"
    ]
