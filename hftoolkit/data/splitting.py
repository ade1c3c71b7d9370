"""Rows held out by a hash of their inputs or as whole files, and rows of a test set that stand in the training set."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.keys import standing_in
from hftoolkit.data.rows import Rows
from hftoolkit.errors import DataError


def hold_out(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Split rows in two; equal inputs are on the same side, whatever else is in the rows.

    Which side a row is on depends on its inputs and the seed alone, so rows keep their side when others are added.
    A second split of what is left needs another seed.

    Args:
        rows: Rows to split.
        share: Share of the different inputs to hold out, between 0 and 1; small sets meet it roughly.
        seed: Another seed holds out other rows.

    Returns:
        The rows that are kept, and those held out, both in their order.

    Raises:
        DataError: If no row is left on one side.
    """
    held = _spread(rows.input_keys, seed) < share * 2.0**64
    count = int(held.sum())
    if count in (0, len(rows)):
        side = "held out" if count == 0 else "left to learn from"
        raise DataError(
            f"{' + '.join(one.name for one in rows.census)}: split: {share:g} of {len(rows)} rows: no row is {side}\n"
            "  take another share, add rows, or name a file of its own:  {source: FILE}"
        )
    return rows.subset(np.flatnonzero(~held)), rows.subset(np.flatnonzero(held))


def hold_out_files(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Split rows in two by whole files, so that no text is taken apart; equal inputs may come to stand on both sides.

    Files are gone through in an order that their names and the seed decide, and each is held out that still fits into
    the share; at the end one more, if that meets it better. A second split of what is left needs another seed.

    Args:
        rows: Rows to split.
        share: Share of the rows to hold out, between 0 and 1; met as nearly as whole files allow.
        seed: Another seed holds out other files.

    Returns:
        The rows that are kept, and those held out, both in their order.

    Raises:
        DataError: If the rows are all from one file.
    """
    files, names = rows.file_numbers, rows.file_names
    sizes = np.bincount(files, minlength=len(names))
    order = sorted(np.flatnonzero(sizes).tolist(), key=lambda file: (_drawn(names[file], seed), file))
    if len(order) < 2:
        raise DataError(
            f"{' + '.join(one.name for one in rows.census)}: split: by: file: all {len(rows)} rows are from one file"
            f" ({names[order[0]]})\n  split by row:  {{split: {share:g}}}"
        )
    room = share * len(rows)
    held: list[int] = []
    for file in order:
        if sizes[file] <= room:
            held.append(file)
            room -= sizes[file]
    left = [file for file in order if file not in set(held)]
    nearest = min(left, key=lambda file: abs(sizes[file] - room))
    if not held or (len(left) > 1 and abs(sizes[nearest] - room) < room):
        held.append(nearest)
    chosen = np.isin(files, held)
    return rows.subset(np.flatnonzero(~chosen)), rows.subset(np.flatnonzero(chosen))


def leakage(train: Rows, test: Rows) -> int:
    """Number of rows in ``test`` whose inputs stand in ``train``, word for word."""
    return int(standing_in(test.input_keys, train.input_keys).sum())


def _drawn(name: str, seed: int) -> bytes:
    return blake2b(name.encode(errors="surrogateescape"), digest_size=8, key=seed.to_bytes(8, "little")).digest()


def _spread(keys: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Keys mixed with a seed, so that every seed orders them differently.

    Source:
        The finalizer of SplitMix64: Steele, Lea and Flood, 2014, Fast Splittable Pseudorandom Number Generators.
    """
    mixed = keys + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result
