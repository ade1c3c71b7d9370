"""Readers of rows, one file per format family: each turns a file into rows under the names of the roles.

A reader is a function ``read(path, reading)`` that yields a `Raw` for every row and counts what it leaves out; the loop
over the files of a source is here.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from hftoolkit.data.census import Census
from hftoolkit.data.roles import PARTS
from hftoolkit.data.sources import conll, delimited, hub, json_lists, jsonl, parquet, po, squad, text, tmx, xliff
from hftoolkit.data.sources.cells import uniform
from hftoolkit.data.sources.formats import check_roles, files_of_format, format_of
from hftoolkit.data.sources.reading import Part, Raw, Reading
from hftoolkit.recipe.schema import Format, Languages, Source

_READERS: dict[Format, Callable[[Path, Reading], Iterator[Raw]]] = {
    "jsonl": jsonl.read,
    "json": json_lists.read,
    "csv": delimited.read_csv,
    "tsv": delimited.read_tsv,
    "parquet": parquet.read,
    "po": po.read,
    "tmx": tmx.read,
    "xliff": xliff.read,
    "conll": conll.read,
    "conllu": conll.read_conllu,
    "squad": squad.read,
}


def read(
    source: Source, roles: Sequence[str], census: Census, languages: Languages | None = None
) -> Iterator[tuple[str, Iterator[Raw]]]:
    """The name of every file of a source with its rows, in file order, one at a time.

    Args:
        source: Where rows come from.
        roles: What is wanted of each row.
        census: Gets what is left out, and the notes when the last file was read.
        languages: Those of a translation, for formats that name the languages of their texts.

    Raises:
        DataError: If the source is missing, has no such columns, or has lines that are not of its format.
        HubError: If a hub data set cannot be had.
    """
    roles = (*roles, *(part for role in roles for part in PARTS.get(role, ())))
    check_roles(source, roles)
    reading = Reading(source, roles, languages, census)
    for part in _parts_of(source):
        yield part.name, uniform(part.read(reading), reading)
    reading.finish()


def files_of(source: Source) -> list[Path]:
    """Every file that a source may be read from.

    Raises:
        DataError: If a folder or a pattern has none.
        HubError: If a hub data set cannot be had.
    """
    match form := format_of(source):
        case "text":
            return text.files_of(source)
        case "hub":
            return hub.files_of(source)
        case _:
            return [file.path for file in files_of_format(source, form)]


def _parts_of(source: Source) -> list[Part]:
    match form := format_of(source):
        case "text":
            return text.parts_of(source)
        case "hub":
            return hub.parts_of(source)
        case _:
            return [Part(file.name, partial(_READERS[form], file.path)) for file in files_of_format(source, form)]
