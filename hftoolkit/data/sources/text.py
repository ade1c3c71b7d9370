"""Plain text: one file per role, line N of each is row N; with patterns or folders, several such sets.

Where a task has a single role, a file with blank lines is one of documents: those are its rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path

from hftoolkit.data.census import Census
from hftoolkit.data.sources.columns import present
from hftoolkit.data.sources.files import File, expand
from hftoolkit.data.sources.lines import bare, read_lines
from hftoolkit.data.sources.reading import Part, Raw, Reading
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source

Files = Mapping[str, Path | list[Path]]
"""Role to its file, or to several files that are alternatives, such as references."""


def parts_of(source: Source) -> list[Part]:
    """The parallel files of every set: those for which the wildcards stand for the same.

    Raises:
        DataError: If a file has no partner, or a pattern matches nothing.
    """
    named = source.files or {}
    first = next(iter(_names(source)))
    partners = {name: _by_match(name) for name in _names(source)}
    sets = list(partners[first])
    for name, found in partners.items():
        _check_partners(first, partners[first], name, found)
    return [
        Part(
            partners[first][each].name,
            partial(
                read,
                {
                    role: partners[names][each].path
                    if isinstance(names, str)
                    else [partners[name][each].path for name in names]
                    for role, names in named.items()
                },
            ),
        )
        for each in sets
    ]


def files_of(source: Source) -> list[Path]:
    """The files of all roles, each once."""
    return list(dict.fromkeys(file.path for name in _names(source) for file in expand(name)))


def read(files: Files, reading: Reading) -> Iterator[Raw]:
    """Rows of files with equally many lines; several files of one role are alternatives, such as references."""
    paths = list(dict.fromkeys(path for value in files.values() for path in _listed(value)))
    if len(reading.roles) == 1 and len(paths) == 1 and _has_documents(paths[0], reading):
        yield from _documents(paths[0], reading)
        return
    columns = {role: _indexes(files[role], paths) for role in reading.roles if role in files}
    place = f"{paths[0]}: line"
    streams = [read_lines(path, reading.source.encoding, reading) for path in paths]
    for number, lines in enumerate(zip_longest(*streams), 1):
        if None in lines:
            raise _unequal(paths, lines, number, streams)
        texts = [bare(line) for line in lines]
        yield (
            {
                role: texts[at] if isinstance(at, int) else present([texts[each] for each in at])
                for role, at in columns.items()
            },
            place,
            number,
        )


def _has_documents(path: Path, reading: Reading) -> bool:
    """Whether a blank line parts what stands before it from what stands behind it."""
    begun = parted = False
    for line in read_lines(path, reading.source.encoding, Reading(reading.source, reading.roles, None, Census(""))):
        blank = line.isspace()
        if not blank and parted:
            return True
        begun, parted = begun or not blank, begun and blank
    return False


def _documents(path: Path, reading: Reading) -> Iterator[Raw]:
    """What stands between blank lines, in one text; its place is that of its first line."""
    place = f"{path}: line"
    lines: list[str] = []
    for number, line in enumerate(chain(read_lines(path, reading.source.encoding, reading), ["\n"]), 1):
        if not line.isspace():
            lines.append(bare(line))
        elif lines:
            yield {reading.roles[0]: "\n".join(lines)}, place, number - len(lines)
            lines = []
    reading.note(path, "has blank lines: what stands between two of them is one row")


def _names(source: Source) -> list[str]:
    values = (source.files or {}).values()
    return list(dict.fromkeys(name for value in values for name in ([value] if isinstance(value, str) else value)))


def _by_match(name: str) -> dict[tuple[str, ...], File]:
    found: dict[tuple[str, ...], File] = {}
    for file in expand(name):
        found.setdefault(file.matched, file)
    return found


def _check_partners(
    first: str, ones: Mapping[tuple[str, ...], File], name: str, others: Mapping[tuple[str, ...], File]
) -> None:
    for here, there, pattern in ((ones, others, name), (others, ones, first)):
        for matched, file in here.items():
            if matched not in there:
                raise DataError(
                    f"{file.path}: no partner among the {len(there)} files of {pattern}\n"
                    "  parallel files have names that differ only outside the wildcards:  "
                    "files: {source: train/*.en, target: train/*.zh}"
                )


def _listed(value: Path | list[Path]) -> list[Path]:
    return [value] if isinstance(value, Path) else value


def _indexes(value: Path | list[Path], paths: Sequence[Path]) -> int | list[int]:
    return paths.index(value) if isinstance(value, Path) else [paths.index(each) for each in value]


def _unequal(
    files: Sequence[Path], lines: Sequence[str | None], number: int, streams: Sequence[Iterator[str]]
) -> DataError:
    counts = [
        number - 1 if line is None else number + sum(1 for _ in stream)
        for line, stream in zip(lines, streams, strict=True)
    ]
    found = ", ".join(f"{path} has {count}" for path, count in zip(files, counts, strict=True))
    return DataError(
        f"{files[0]}: parallel files need equally many lines: {found}\n"
        "  line N of each file must be the same row; the missing lines are not always at the end"
    )
