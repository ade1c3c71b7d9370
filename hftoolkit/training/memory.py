"""Memory that a processor's libraries keep although nobody uses it: without this a long run takes several times more.

Every batch has another shape. oneDNN keeps what it compiled for the last 1,024 shapes, half a megabyte each; the C
library keeps the holes between tensors of all sizes.
"""

import ctypes
import os
import sys
from functools import cache
from typing import Any, Final

EVERY: Final = 16
"""Steps after which memory is given back; each time costs some 0.05 s."""

_SHAPES: Final = "128"
"""More than a step has, fewer than an epoch."""


def keep_few_shapes() -> None:
    """Let oneDNN keep little; only heard before it is first used."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _SHAPES)


def give_back() -> None:
    """Return to the system what the C library holds unused; where it is not GNU's, nothing is done."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@cache
def _library() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None
