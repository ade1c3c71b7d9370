"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from pathlib import Path

from hftoolkit.data.sources.columns import missing_column, names_in, row_of, wanted_names
from hftoolkit.data.sources.json_mistakes import check_depth, mistake
from hftoolkit.data.sources.lines import BadLines, read_lines
from hftoolkit.data.sources.reading import Raw, Reading


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of a file of JSON objects; a column is a key, or a dotted path such as ``translation.en``."""
    names = wanted_names(reading.source, reading.roles)
    bad = BadLines(path, "expected one JSON object a line with a value for every role, null where there is none")
    place = f"{path}: line"
    first = True
    for number, line in enumerate(read_lines(path, reading.source.encoding, reading), 1):
        if line.isspace():
            reading.census.drop("blank line")
            continue
        try:
            record = json.loads(line)
            check_depth(record, line)
        except (ValueError, RecursionError) as error:
            bad.add(number, f"not JSON: {mistake(error)}")
            continue
        if not isinstance(record, dict):
            bad.add(number, f"expected an object in braces, got {line.strip():.40}")
            continue
        try:
            row = row_of(record, names)
        except KeyError as error:
            if first:
                raise missing_column(str(path), error.args[0], names, names_in(record)) from None
            bad.add(number, f"no {error.args[0]!r}")
            continue
        first = False
        yield row, place, number
    bad.check()
