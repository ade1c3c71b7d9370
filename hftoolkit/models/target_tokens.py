"""The target tokens that Marian vocabularies have for languages."""

from collections.abc import Iterable, Iterator

from hftoolkit.languages import MEMBERS, THREE_LETTERS, Language, normalise

# Where a label names the script, the usual one.
_SCRIPTS = """
zh=Hans yue=Hant sr=Cyrl bs=Latn kk=Cyrl ky=Cyrl tg=Cyrl mn=Cyrl uz=Latn az=Latn ku=Latn ug=Arab sd=Arab pa=Guru
sa=Deva ms=Latn
"""
_LIKELY_SCRIPT = dict(pair.split("=") for pair in _SCRIPTS.split())


def target_token(vocabulary: Iterable[str], target: str, source: str | None = None) -> str | None:
    """The token that asks a Marian model for a language, such as ``>>cmn_Hans<<``; it stands in front of the source.

    Args:
        vocabulary: Every entry of the tokenizer's vocabulary; a mapping from entries will do.
        target: Language translated to.
        source: Language translated from. If it is given and the vocabulary has no token for a third language or a
            second variety, then there is nothing to choose and the model was trained without: None.

    Returns:
        The token of the closest variety the vocabulary has, or None.

    Raises:
        UsageError: If a tag is no language tag.
    """
    tokens = {entry for entry in vocabulary if len(entry) > 4 and entry.startswith(">>") and entry.endswith("<<")}
    found = next((token for token in target_tokens(target) if token in tokens), None)
    if found is None or source is None:
        return found
    others = tokens - {found} - set(target_tokens(source))
    return found if others else None


def target_tokens(language: str) -> list[str]:
    """The tokens by which models may know a language, the closest first.

    Source:
        The ISO 639-3 and ISO 15924 labels of the Tatoeba Translation Challenge (Tiedemann 2020, arXiv:2010.06354), and
        the older labels of OPUS, such as ``pt_br``.
    """
    return [f">>{label}<<" for label in dict.fromkeys(_labels(normalise(language)))]


def _labels(language: Language) -> Iterator[str]:
    code, script, region = language.language, language.script, language.region
    codes = [THREE_LETTERS.get(code, code), *(member for member, whole in MEMBERS.items() if whole == code), code]
    if first := {"zh": "cmn", "no": "nob"}.get(code):
        codes.insert(0, first)
    if region:
        yield from (f"{known}_{place}" for known in reversed(codes) for place in (region, region.lower()))
        if (code, region) == ("pt", "BR"):
            yield "pob"
    script = script or _LIKELY_SCRIPT.get(code)
    if script:
        yield from (f"{known}_{script}" for known in codes)
    if code == "zh":
        yield from ("zh_TW", "zh_tw", "zht") if script == "Hant" else ("zh_CN", "zh_cn", "zhs")
    yield from codes
    if code in ("nb", "nn"):
        yield from ("nor", "no")
