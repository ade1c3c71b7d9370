"""Where things are kept on this machine, as the environment says at the moment of asking."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Our own cache, created if it is not there: ``HFTOOLKIT_CACHE``, otherwise ``~/.cache/hftoolkit``.

    Raises:
        OSError: If it cannot be created.
    """
    folder = Path(os.environ.get("HFTOOLKIT_CACHE") or _caches() / "hftoolkit").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def hub_cache() -> Path:
    """The cache that huggingface_hub, transformers and datasets share.

    huggingface_hub reads these variables once, when it is imported; a notebook may set them later.
    """
    home = os.environ.get("HF_HOME") or _caches() / "huggingface"
    folder = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or Path(home) / "hub"
    return Path(os.path.expandvars(folder)).expanduser()


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
