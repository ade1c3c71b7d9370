"""Keys of rows, 64-bit hashes of their texts: making them, and finding equal ones in little memory."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 16


def content_of(values: Iterable[str | list[str] | list[int]]) -> bytes:
    """Values as bytes, different for different values: no byte from 0xF8 occurs in UTF-8, so they can separate.

    Raises:
        UnicodeEncodeError: If a text holds half of a surrogate pair.
    """
    return b"\xff".join([value.encode() if isinstance(value, str) else _joined(value) for value in values])


def key_of(content: bytes) -> int:
    """A hash of 64 bits: among a million rows, two different ones share a key once in 37 million data sets."""
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")


def first_occurrences(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True where a key stands for the first time; takes some 18 bytes a key while it runs."""
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    first = np.ones(len(keys), dtype=np.bool_)
    seen = np.zeros(len(repeated), dtype=np.bool_)
    for start in range(0, len(keys) if len(repeated) else 0, _CHUNK):
        chunk = keys[start : start + _CHUNK]
        places = np.searchsorted(repeated, chunk)
        places[places == len(repeated)] = 0
        candidates = np.flatnonzero(repeated[places] == chunk)
        which, earliest = np.unique(places[candidates], return_index=True)
        first[start + candidates] = False
        first[start + candidates[earliest[~seen[which]]]] = True
        seen[which] = True
    return first


def standing_in(keys: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True where a key is one of ``others``, which are gone through in chunks."""
    ordered = np.unique(keys)
    found = np.zeros(len(ordered), dtype=np.bool_)
    for start in range(0, len(others) if len(ordered) else 0, _CHUNK):
        chunk = others[start : start + _CHUNK]
        places = np.searchsorted(ordered, chunk)
        places[places == len(ordered)] = 0
        found[places[ordered[places] == chunk]] = True
    return found[np.searchsorted(ordered, keys)]


def _joined(items: list[str] | list[int]) -> bytes:
    return b"\xfd" + b"\xfe".join([str(item).encode() for item in items]) if items else b"\xfc"
