"""English names of languages, as an instruction to a model calls them."""

from typing import Final

from hftoolkit.languages import normalise

_VARIETIES: Final = {
    "zh": "Chinese",
    "zh-Hans": "Simplified Chinese",
    "zh-Hant": "Traditional Chinese",
    "no": "Norwegian",
}


def name_of(tag: str) -> str:
    """The English name of a language, or the tag where none is known.

    Raises:
        UsageError: If the tag names no language.
    """
    from translate.lang.data import languages

    found = normalise(tag)
    if name := _VARIETIES.get(f"{found.language}-{found.script}", _VARIETIES.get(found.language)):
        return name
    for code in (f"{found.language}_{found.region}", found.language):
        if code in languages:
            return str(languages[code][0]).partition(";")[0]
    return tag
