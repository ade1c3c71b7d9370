"""What looks wrong about rows to learn language from."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from hftoolkit.tasks.base import Row

_SHORT: Final = 5
"""Words of a row below which there is little to learn of how a text goes on."""


def doubts_about_rows(rows: Sequence[Row]) -> Iterator[str]:
    """Doubts whether rows are documents."""
    # Where nothing parts words, two Chinese characters are about one.
    words = [max(len(row["text"].split()), len(row["text"].encode()) / 6) for row in rows]
    if words and median(words) < _SHORT:
        yield (
            f"half of the rows have fewer than {_SHORT} words: hardly anything is learned of how a text goes on\n"
            "  make rows of whole documents; in a plain text file blank lines part them"
        )
