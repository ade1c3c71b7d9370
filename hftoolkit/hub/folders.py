"""Where things are kept on this machine, as the environment says at the moment of asking."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hftoolkit.errors import OutputError


def cache_folder() -> Path:
    """Our own cache, created if it is not there: ``HFTOOLKIT_CACHE``, otherwise ``~/.cache/hftoolkit``.

    Raises:
        OutputError: If it cannot be created.
    """
    folder = Path(os.environ.get("HFTOOLKIT_CACHE") or _caches() / "hftoolkit").expanduser()
    with writing_cache(folder, "the cache"):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def writing_cache(folder: Path, what: str) -> Iterator[None]:
    """Say plainly that our cache cannot be written.

    Args:
        folder: A folder in it.
        what: What is to be written there, in words.

    Raises:
        OutputError: If it cannot.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{folder}: {what} cannot be kept here: {error.strerror or error}\n"
            "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
        ) from error


def hub_cache() -> Path:
    """The cache that huggingface_hub, transformers and datasets share.

    huggingface_hub reads these variables once, when it is imported; a notebook may set them later.
    """
    home = os.environ.get("HF_HOME") or _caches() / "huggingface"
    folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or Path(home) / "hub"
    return Path(os.path.expandvars(folder)).expanduser()


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
