"""Sources -> windows of a stream, and batches of a window: sorted by length, within a budget of tokens."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def windows(sources: Iterable[T], size: int) -> Iterator[list[T]]:
    """So many sources at a time: memory stays the same for any number of them."""
    stream = iter(sources)
    while window := list(islice(stream, size)):
        yield window


def token_batches(
    lengths: Sequence[int], budget: int, most_rows: int | None = None, *, step: int | None = None
) -> Iterator[list[int]]:
    """Places of rows that go together, longest first: a batch too large fails at once, and short ones fill the end.

    Args:
        lengths: Tokens of every row.
        budget: Tokens at once, padding included; a row longer than that goes alone.
        most_rows: Rows at once at most.
        step: Lengths that differ when they are rounded up to a multiple of it do not go together.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        full = most_rows is not None and len(batch) >= most_rows
        apart = batch and step and -(-lengths[batch[0]] // step) != -(-lengths[place] // step)
        if batch and (full or apart or lengths[batch[0]] * (len(batch) + 1) > budget):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
