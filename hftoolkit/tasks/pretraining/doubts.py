"""What looks wrong about rows to pretrain on."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from hftoolkit.tasks.base import Row
from hftoolkit.tasks.pretraining.options import Options
from hftoolkit.tasks.pretraining.pairs import sentences_of

_SHORT: Final = 5
"""Words of a row below which there is little to guess from."""


def doubts_about_rows(rows: Sequence[Row], options: Options) -> Iterator[str]:
    """Doubts whether rows are texts from which something can be guessed."""
    # Where nothing parts words, two Chinese characters are about one.
    words = [max(len(row["text"].split()), len(row["text"].encode()) / 6) for row in rows]
    if words and median(words) < _SHORT and not (options.packed or options.next_sentence):
        yield (
            f"half of the rows have fewer than {_SHORT} words: there is little to guess from\n"
            "  make rows of whole documents, or fill windows with several:   options: {packed: true}"
        )
    if options.next_sentence:
        single = sum(len(sentences_of(row["text"], options.language)) < 2 for row in rows)
        if single > len(rows) / 2:
            yield (
                f"{single:,} of {len(rows):,} rows looked at have a single sentence: they do not teach what comes "
                "next\n  make rows of whole documents, or leave out options.next_sentence"
            )
