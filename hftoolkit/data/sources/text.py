"""Parallel plain text: one file per role, line N of each is row N."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from hftoolkit.data.census import Census
from hftoolkit.data.sources.columns import present
from hftoolkit.data.sources.lines import bare, read_lines
from hftoolkit.data.sources.raw import Raw
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source


def read(source: Source, roles: Sequence[str], census: Census) -> Iterator[Raw]:
    """Rows of files with equally many lines; several files of one role are alternatives, such as references."""
    files = files_of(source)
    columns = {role: _indexes(source, files, role) for role in roles}
    place = f"{files[0]}: line"
    streams = [read_lines(path, source.encoding, census) for path in files]
    for number, lines in enumerate(zip_longest(*streams), 1):
        if None in lines:
            raise _unequal(files, lines, number, streams)
        texts = [bare(line) for line in lines]
        yield (
            {
                role: texts[at] if isinstance(at, int) else present([texts[each] for each in at])
                for role, at in columns.items()
            },
            place,
            number,
        )


def files_of(source: Source) -> list[Path]:
    """The files of all roles, each once."""
    values = (source.files or {}).values()
    return [Path(n) for n in dict.fromkeys(n for v in values for n in ([v] if isinstance(v, str) else v))]


def _indexes(source: Source, files: list[Path], role: str) -> int | list[int]:
    value = (source.files or {})[role]
    return files.index(Path(value)) if isinstance(value, str) else [files.index(Path(each)) for each in value]


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
