"""Which of a file's languages a recipe means: the same tag, else the same language and script."""

from collections.abc import Sequence

from hftoolkit.languages import Language, read_tag


def nearest(wanted: str, tags: Sequence[str]) -> list[int]:
    """Positions of the tags that are nearest to the wanted one; several that differ leave open which is meant.

    ``zh-CN``, ``cmn`` and ``zho`` are near to ``zh-Hans``, ``zh-TW`` is not; ``en`` and ``en-GB`` are to ``en-US``.
    """
    distances = [_distance(wanted, tag) for tag in tags]
    least = min((distance for distance in distances if distance is not None), default=None)
    return [] if least is None else [number for number, distance in enumerate(distances) if distance == least]


def same_region(one: str, other: str) -> bool:
    """False where two tags name two regions, as pt-BR and pt-PT do."""
    regions = {read_tag(tag).region for tag in (one, other)} - {None}
    return len(regions) < 2


def _distance(wanted: str, tag: str) -> tuple[bool, int, bool] | None:
    """How far two tags of one language are from each other; None: they are of two languages or scripts."""
    one, other = read_tag(wanted), read_tag(tag)
    scripts = {one.script, other.script}
    if one.language != other.language or len(scripts - {None}) > 1:
        return None
    return len(scripts) > 1, _between_regions(one, other), _written(wanted) != _written(tag)


def _between_regions(one: Language, other: Language) -> int:
    regions = {one.region, other.region}
    return 0 if len(regions) == 1 else 1 if None in regions else 2


def _written(tag: str) -> str:
    return tag.strip().replace("_", "-").lower()
