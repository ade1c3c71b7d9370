"""Languages of a document that are those of the settings, however each of the two names them."""

from collections.abc import Sequence

from hftoolkit.data.languages import nearest


def nearest_tag(wanted: str, tags: Sequence[str]) -> int | None:
    """Number of the tag that is nearest to the wanted one, the first of equally near ones; None: all are others.

    ``cmn`` and ``zh_CN`` are near to ``zh-Hans``, ``zh-TW`` is not; ``deu`` and ``de-AT`` are near to ``de``.
    """
    return next(iter(nearest(wanted, tags)), None)
