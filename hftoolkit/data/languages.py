"""Which of a file's languages a recipe means: the same tag, else the same language and script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SAME = {"cmn": "zh", "iw": "he", "in": "id", "ji": "yi"}
_SCRIPT_WORDS = {"chs": "Hans", "cht": "Hant", "latin": "Latn", "cyrillic": "Cyrl"}
_TRADITIONAL = ("TW", "HK", "MO")


def nearest(wanted: str, tags: Sequence[str]) -> list[int]:
    """Positions of the tags that are nearest to the wanted one; several that differ leave open which is meant.

    ``zh-CN``, ``zh_CN`` and ``zh`` are near to ``zh-Hans``, ``zh-TW`` is not; ``en`` and ``en-GB`` are to ``en-US``.
    """
    one = _parsed(wanted)
    distances = [_distance(one, _parsed(tag)) for tag in tags]
    least = min((distance for distance in distances if distance is not None), default=None)
    return [] if least is None else [number for number, distance in enumerate(distances) if distance == least]


def same_region(one: str, other: str) -> bool:
    """False where two tags name two regions, as pt-BR and pt-PT do."""
    regions = {_parsed(tag).region for tag in (one, other)} - {None}
    return len(regions) < 2


@dataclass(frozen=True)
class _Tag:
    language: str
    script: str | None
    region: str | None


def _parsed(tag: str) -> _Tag:
    """A tag as people and programs write it: ``pt_BR``, ``zh-Hant-HK``, ``sr@latin``, ``de_DE.UTF-8``."""
    first, *rest = re.split(r"[-_@]", tag.strip().partition(".")[0])
    language = first.lower()
    script = region = None
    for part in rest:
        if part.lower() in _SCRIPT_WORDS or (len(part) == 4 and part.isalpha()):
            script = script or _SCRIPT_WORDS.get(part.lower(), part.title())
        elif re.fullmatch(r"[A-Za-z]{2}|\d{3}", part):
            region = region or part.upper()
    language = _SAME.get(language, language)
    if language == "zh" and script is None and region is not None:
        script = "Hant" if region in _TRADITIONAL else "Hans"
    return _Tag(language, script, region)


def _distance(one: _Tag, other: _Tag) -> tuple[bool, int] | None:
    """How far two tags of one language are from each other; None: they are of two languages or scripts."""
    scripts = {one.script, other.script}
    if one.language != other.language or len(scripts - {None}) > 1:
        return None
    regions = {one.region, other.region}
    return len(scripts) > 1, 0 if len(regions) == 1 else 1 if None in regions else 2
