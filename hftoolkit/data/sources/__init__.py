"""Readers of rows, one file per format family: each turns a source into rows under the names of the roles.

A reader is a function ``read(source, roles, census)`` that yields a `Raw` for every row and counts what it leaves out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hftoolkit.data.census import Census
from hftoolkit.data.sources import delimited, hub, jsonl, parquet, po, text
from hftoolkit.data.sources.formats import check_roles, format_of
from hftoolkit.data.sources.raw import Raw
from hftoolkit.recipe.schema import Source

_READERS = {
    "jsonl": jsonl.read,
    "csv": delimited.read,
    "tsv": delimited.read,
    "parquet": parquet.read,
    "po": po.read,
    "text": text.read,
    "hub": hub.read,
}


def read(source: Source, roles: Sequence[str], census: Census) -> Iterator[Raw]:
    """Rows of a source, in file order, one at a time.

    Raises:
        DataError: If the source is missing, has no such columns, or has lines that are not of its format.
        HubError: If a hub data set cannot be had.
    """
    check_roles(source, roles)
    return _READERS[format_of(source)](source, roles, census)


def files_of(source: Source) -> list[Path]:
    """Every file that a source may be read from.

    Raises:
        DataError: If a folder has none.
        HubError: If a hub data set cannot be had.
    """
    match format_of(source):
        case "text":
            return text.files_of(source)
        case "po":
            return po.files_of(source)
        case "hub":
            return hub.files_of(source)
        case _:
            return [Path(source.source or "")]
