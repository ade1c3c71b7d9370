"""Parquet files, read a batch at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hftoolkit.data.census import Census
from hftoolkit.data.sources.columns import missing_column, row_of, wanted_names
from hftoolkit.data.sources.formats import missing_file
from hftoolkit.data.sources.raw import Raw
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source

_BATCH_ROWS = 512


def read(source: Source, roles: Sequence[str], census: Census) -> Iterator[Raw]:
    """Rows of a Parquet file; a column is a name, or a dotted path such as ``translation.en``."""
    import pyarrow as pa
    from pyarrow import parquet

    path = Path(source.source or "")
    names = wanted_names(source, roles)
    place = f"{path}: row"
    try:
        # Small reads, no map, no read-ahead: a whole row group would be in memory otherwise.
        with parquet.ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=1 << 16) as file:
            paths = [column.path for column in file.schema]
            available = [_told(name) for name in paths]
            columns = [column for value in names.values() for column in ([value] if isinstance(value, str) else value)]
            for name in columns:
                if not any(name == each or each.startswith(f"{name}.") for each in available):
                    raise missing_column(str(path), name, names, list(dict.fromkeys(available)))
            number = 0
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(dict.fromkeys(columns)), use_threads=False):
                for record in batch.to_pylist():
                    number += 1
                    yield row_of(record, names), place, number
    except FileNotFoundError:
        raise missing_file(path) from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}\n  copy or convert the file again") from error


def _told(path: str) -> str:
    """A column's name as people write it: lists have steps of their own in Parquet's paths."""
    return path.removesuffix(".list.element").removesuffix(".list.item").removesuffix(".array")
