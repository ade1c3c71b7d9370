"""Hub data sets, read as `datasets` reads them: its rules tell which files belong to which subset and split."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hftoolkit.data.census import Census
from hftoolkit.data.sources.raw import Raw
from hftoolkit.recipe.schema import Source


def read(source: Source, roles: Sequence[str], census: Census) -> Iterator[Raw]:
    raise NotImplementedError
    yield


def files_of(source: Source) -> list[Path]:
    raise NotImplementedError
