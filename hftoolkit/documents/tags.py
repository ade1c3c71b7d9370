"""Languages of a document that are those of the settings, however each of the two names them."""

from collections.abc import Sequence

from hftoolkit.data.languages import nearest
from hftoolkit.errors import UsageError
from hftoolkit.models.languages import normalise


def nearest_tag(wanted: str, tags: Sequence[str]) -> int | None:
    """Number of the tag that is nearest to the wanted one, the first of equally near ones; None: all are others.

    ``cmn`` and ``zh_CN`` are near to ``zh-Hans``, ``zh-TW`` is not; ``deu`` and ``de-AT`` are near to ``de``.
    """
    return next(iter(nearest(_short(wanted), [_short(tag) for tag in tags])), None)


def _short(tag: str) -> str:
    """A tag with two letters for its language where there are two, and what the tag has besides."""
    first, mark, rest = tag.replace("_", "-").partition("-")
    try:
        return f"{normalise(first)}{mark}{rest}"
    except UsageError:
        return tag
