"""Which hub is asked, and whether it may be: as the environment says at the moment of asking.

huggingface_hub reads the same variables only once, when it is imported; a notebook may set them later.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from hftoolkit.errors import HubError

PUBLIC = "https://huggingface.co"

_YES = ("1", "ON", "YES", "TRUE")
_asked: set[tuple[str, str, str]] = set()
"""What was asked for again since newer copies are wanted."""


@contextmanager
def using(endpoint: str | None = None, *, offline: bool = False, refresh: bool = False) -> Iterator[None]:
    """What a command or a recipe says about the hub holds until the block ends; what is left out stays as it was.

    Args:
        endpoint: Address of the hub, or of a mirror of it.
        offline: Allow no connection to it.
        refresh: Ask it, once for each name, whether there is a newer copy of what is in the cache.

    Raises:
        HubError: If the endpoint is not an address.
    """
    said = {key: os.environ.get(key) for key in ("HF_ENDPOINT", "HF_HUB_OFFLINE", "HFTOOLKIT_REFRESH")}
    constants = sys.modules.get("huggingface_hub.constants")
    forbidden = getattr(constants, "HF_HUB_OFFLINE", False)
    if endpoint:
        os.environ["HF_ENDPOINT"] = checked(endpoint, "endpoint")
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
        if constants is not None:
            constants.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
    if refresh:
        os.environ["HFTOOLKIT_REFRESH"] = "1"  # for processes that a command starts, too
        _asked.clear()
    try:
        yield
    finally:
        for key, value in said.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
        if offline and (constants := sys.modules.get("huggingface_hub.constants")) is not None:
            constants.HF_HUB_OFFLINE = forbidden  # type: ignore[attr-defined]


def of_recipe(endpoint: str | None) -> str | None:
    """The endpoint that a recipe names, where neither the command nor the environment names another."""
    return None if os.environ.get("HF_ENDPOINT") else endpoint


def endpoint() -> str:
    """Where the hub is.

    Raises:
        HubError: If ``HF_ENDPOINT`` is not an address.
    """
    return checked(os.environ.get("HF_ENDPOINT") or PUBLIC, "HF_ENDPOINT")


def checked(address: str, what: str) -> str:
    """An address of a hub, without a slash at its end.

    Raises:
        HubError: If it is none.
    """
    address = address.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        meant = f"https://{shown(address)}" if address and "://" not in address else "https://hf-mirror.com, for one"
        raise HubError(f"{what}: {shown(address)!r} is not an address\n  write:  {meant}")
    return address


def shown(address: str) -> str:
    """An address as it may be printed: without a user's name and password, and what stands behind ``?`` or ``#``.

    Whatever stands before the last ``@`` goes, for a password may have any character in it.

    Example:
        >>> shown("http://me:p/w@proxy.example:8080"), shown("me:pw@proxy:3128")
        ('http://proxy.example:8080', 'proxy:3128')
    """
    address = address.strip()
    found = re.match(r"[A-Za-z][\w+.-]*://", address)
    scheme = found[0] if found else ""
    return scheme + re.sub(r"[?#].*", "", address.removeprefix(scheme).rpartition("@")[2])


def is_token(text: str | None) -> bool:
    """Whether a text can be sent as the user's token, or there is none; the libraries would show a bad one."""
    return not text or bool(re.fullmatch("[!-~]+", text))


def offline() -> bool:
    """Whether every connection to the hub is forbidden."""
    said = (os.environ.get(key, "").upper() for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    if any(value in _YES for value in said):
        return True
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def tell_nobody() -> None:
    """Keep what is done here from services that nobody asked for.

    For a repository without safetensors transformers would tell one outside the endpoint what is loaded, and send the
    user's token along; huggingface_hub would ask https://huggingface.co which program it is called by.
    """
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if (constants := sys.modules.get("huggingface_hub.constants")) is not None:
        constants.HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]  # read when it was imported


def to_be_asked_again(name: str, revision: str, kind: str) -> bool:
    """Whether a newer copy of this is wanted, and was not asked for yet; from now on it was."""
    if os.environ.get("HFTOOLKIT_REFRESH", "").upper() not in _YES or (name, revision, kind) in _asked:
        return False
    _asked.add((name, revision, kind))
    return True
