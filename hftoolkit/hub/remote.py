"""A hub id -> a folder in the cache, downloaded from the endpoint."""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hftoolkit.errors import HubError
from hftoolkit.hub import refusals
from hftoolkit.hub.cached import remember_revision
from hftoolkit.hub.choice import choose
from hftoolkit.hub.folders import hub_cache

PUBLIC = "https://huggingface.co"

T = TypeVar("T")


def fetch(name: str, revision: str, kind: str, patterns: Sequence[str] | None, timeout: float) -> Path:
    """Download what is wanted of a repository, after asking the endpoint once what it has.

    Raises:
        HubError: If the endpoint cannot be reached, refuses, or has nothing of use under this name.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    if offline():
        raise HubError(refusals.offline(name, kind, hub_cache()))
    address = endpoint()
    api = HfApi(endpoint=address)
    try:
        commit, listing = answer_within(timeout, lambda: _commit_and_files(api, name, revision, kind, timeout))
    except HfHubHTTPError as error:
        near = _near_names(api, name, kind, timeout) if error.response.status_code in (401, 404) else []
        raise HubError(refusals.refused(error, name, revision, kind, address, near)) from error
    except Exception as error:
        reason = refusals.reason(error, timeout)
        if reason is None:
            raise
        raise HubError(refusals.unreachable(name, kind, address, reason)) from error

    wanted = choose(listing, kind, patterns)
    if not wanted:
        raise HubError(refusals.nothing_wanted(name, kind, address, listing, patterns))
    try:
        with _plain_downloads(address):
            folder = snapshot_download(
                name,
                repo_type=kind,
                revision=commit,
                cache_dir=hub_cache(),
                allow_patterns=wanted,
                endpoint=address,
            )
    except HfHubHTTPError as error:
        raise HubError(refusals.refused(error, name, revision, kind, address, [])) from error
    except Exception as error:
        reason = refusals.reason(error)
        if reason is None:
            raise
        raise HubError(refusals.broken_off(name, address, reason)) from error
    remember_revision(name, revision, kind, commit)
    return Path(folder)


def endpoint() -> str:
    """Where the hub is, as the environment says now; huggingface_hub reads it only once, when it is imported.

    Raises:
        HubError: If ``HF_ENDPOINT`` is not an address.
    """
    address = (os.environ.get("HF_ENDPOINT") or PUBLIC).rstrip("/")
    if not address.startswith(("https://", "http://")):
        raise HubError(f"HF_ENDPOINT: {address!r} is not an address\n  write:  HF_ENDPOINT=https://{address}")
    return address


def answer_within(seconds: float, ask: Callable[[], T]) -> T:
    """Wait for an answer, but not longer; a name server or a slow trickle of bytes counts too.

    Raises:
        TimeoutError: If there is none in time. What ``ask`` raises is raised here.
    """
    answers: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((ask(), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]


def _commit_and_files(api: Any, name: str, revision: str, kind: str, timeout: float) -> tuple[str, list[str]]:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        info = api.repo_info(name, repo_type=kind, revision=revision, timeout=timeout)
        return str(info.sha), [file.rfilename for file in info.siblings]
    except HfHubHTTPError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # a web page, or JSON of something else
        raise refusals.NoHub from error


def offline() -> bool:
    """Whether the environment forbids every connection to the hub."""
    from huggingface_hub import constants

    said = (os.environ.get(key, "").upper() for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return constants.HF_HUB_OFFLINE or any(value in ("1", "ON", "YES", "TRUE") for value in said)


def _near_names(api: Any, name: str, kind: str, timeout: float) -> list[str]:
    last = name.rpartition("/")[2]
    look = api.list_models if kind == "model" else api.list_datasets
    try:
        return answer_within(timeout, lambda: [found.id for found in look(search=last, limit=3)])
    except Exception as error:  # a suggestion is not worth a second error
        from huggingface_hub.errors import HfHubHTTPError

        if isinstance(error, HfHubHTTPError) or refusals.reason(error) is not None:
            return []
        raise


@contextmanager
def _plain_downloads(address: str) -> Iterator[None]:
    """Keep downloads at a mirror: Xet goes round it, to servers of its own."""
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_XET
    constants.HF_HUB_DISABLE_XET = before or address != PUBLIC
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before
