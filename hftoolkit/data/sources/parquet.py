"""Parquet files, read a batch at a time."""

from collections.abc import Iterator
from pathlib import Path

from hftoolkit.data.sources.class_labels import features_in, with_names
from hftoolkit.data.sources.columns import missing_column, row_of, there, wanted_names
from hftoolkit.data.sources.files import opened_anywhere
from hftoolkit.data.sources.reading import BadRows, Raw, Reading, told
from hftoolkit.errors import DataError

_BATCH_ROWS = 512


def read(path: Path, reading: Reading) -> Iterator[Raw]:
    """Rows of a Parquet file; a column is a name, or a dotted path such as ``translation.en``.

    Numbers of labels become names where the file has them.
    """
    import pyarrow as pa
    from pyarrow import parquet

    names = wanted_names(reading.source, reading.roles)
    place = f"{path}: row"
    bad = BadRows("expected a value for every role, null where there is none")
    with opened_anywhere(path) as file:
        try:
            # Small reads, no map, no read-ahead: a whole row group would be in memory otherwise.
            table = parquet.ParquetFile(file, memory_map=False, pre_buffer=False, buffer_size=1 << 16)
            available = list(dict.fromkeys(_told(column.path) for column in table.schema))
            names = there(names, [*available, *table.schema_arrow.names])
            columns = [column for value in names.values() for column in ([value] if isinstance(value, str) else value)]
            for name in columns:
                if not any(name == each or each.startswith(f"{name}.") for each in available):
                    raise missing_column(str(path), name, names, available)
            number = 0
            features = features_in(table.schema_arrow.metadata)
            for batch in table.iter_batches(_BATCH_ROWS, columns=list(dict.fromkeys(columns)), use_threads=False):
                for record in batch.to_pylist():
                    number += 1
                    try:
                        row = row_of(record, names)
                    except KeyError as error:  # of a record that is null itself
                        bad.add(told(place, number), f"no {error.args[0]!r}")
                    else:
                        yield with_names(row, names, features), place, number
            bad.check()
        except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
            raise DataError(f"{path}: cannot be read as Parquet: {error}\n  copy or convert the file again") from error


def _told(path: str) -> str:
    """A column's name as people write it: lists have steps of their own in Parquet's paths."""
    return path.removesuffix(".list.element").removesuffix(".list.item").removesuffix(".array")
