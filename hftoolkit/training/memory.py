"""Memory that a processor's C library keeps although nobody uses it: a long run would take far more than its steps.

Every batch has another shape, and the holes between freed tensors of all sizes fit none of the next. What oneDNN
compiles for each shape (half a megabyte, 1,024 shapes at most) is kept, too, and should be: with room for 128 shapes
the steps of the quickstart took 2.6 times as long.
"""

import ctypes
import sys
from functools import cache
from typing import Any, Final

EVERY: Final = 16
"""Steps after which memory is given back; each time costs some 0.05 s."""


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
