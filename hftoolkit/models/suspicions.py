"""What looks wrong about one translation: loops, lengths, a copy of the source, another script."""

import re
from typing import Final

from hftoolkit.models.plausibility import in_another_script

_WIDE: Final = re.compile("[\u1100-\u11ff\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Characters of which one says about as much as three letters."""

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_TOKEN: Final = re.compile(rf"{_WIDE.pattern}|[^\W_]+")
"""A wide character, or a word."""

_LETTERS_AND_DIGITS: Final = re.compile(r"[^\W_]+")

_STRETCHED: Final = re.compile(r"(\w)\1{7}")
"""One letter eight times."""

_PHRASE: Final = 20
"""Words of the longest phrase that is looked for again behind itself."""

# Of true pairs (Tatoeba and FLORES, English and Chinese, French or Portuguese; 3AM) fewer than one in a thousand is
# outside.
_TOO_LONG, _TOO_SHORT, _SLACK = 3.0, 0.25, 20

_COPIED: Final = 3
"""Words of the shortest source whose copy is no translation: shorter ones are often names."""


def suspicions(source: str, translation: str, target: str) -> list[str]:
    """What looks wrong about a translation, in a few words each; nothing where all is well.

    Args:
        source: What was translated; text with letters in it.
        translation: What came out.
        target: Tag of the language translated to.

    Raises:
        UsageError: If the tag is no language tag.
    """
    if not translation.strip():
        return ["empty"]
    found = []
    if _loops(translation) and not _loops(source):
        found.append("repetition")
    before, after = _width(source), _width(translation)
    if after > _TOO_LONG * before + _SLACK:
        found.append("too long")
    if after + _SLACK / 2 < _TOO_SHORT * before:
        found.append("too short")
    if len(_WORD.findall(source)) >= _COPIED and _core(source) == _core(translation):
        found.append("copy of the source")
    elif in_another_script(_without(translation, source), target):
        found.append("wrong script")
    return found


def _loops(text: str) -> bool:
    """Whether a phrase comes three times in a row, or a word four times."""
    words = [word.casefold() for word in _TOKEN.findall(text)]
    for length in range(1, min(_PHRASE, len(words) // 3) + 1):
        again = 0
        for word, before in zip(words[length:], words, strict=False):
            again = again + 1 if word == before else 0
            if again >= max(2 * length, 3):
                return True
    return _STRETCHED.search(text) is not None


def _width(text: str) -> int:
    """How much a text says, in letters of an alphabet."""
    return len(re.sub(r"\s", "", text)) + 2 * len(_WIDE.findall(text))


def _core(text: str) -> str:
    return "".join(_LETTERS_AND_DIGITS.findall(text.casefold()))


def _without(translation: str, source: str) -> str:
    """A translation without the words that it has from the source: names and code are of any script."""
    known = set(_WORD.findall(source.casefold()))
    return " ".join(word for word in _WORD.findall(translation) if word.casefold() not in known)
