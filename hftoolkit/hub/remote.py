"""A hub id -> a folder in the cache, downloaded from the endpoint."""

import errno
import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from hftoolkit.errors import HubError, OutputError
from hftoolkit.hub import refusals
from hftoolkit.hub.cached import cached_snapshot, remember_revision, repository_folder
from hftoolkit.hub.choice import choose
from hftoolkit.hub.downloading import Promise, Repository, WrongContent, download
from hftoolkit.hub.folders import hub_cache
from hftoolkit.hub.names import is_commit, stays_inside
from hftoolkit.hub.retries import patiently
from hftoolkit.hub.settings import endpoint, is_token, offline, shown

T = TypeVar("T")

_LISTING: Final = 60.0
"""Seconds in which a hub has to list a repository."""

_OF_DISKS: Final = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT, errno.ENOSPC),
    *(errno.EIO, errno.ENAMETOOLONG, errno.EMFILE),
}
"""What keeps files from being written."""


def fetch(name: str, revision: str, kind: str, patterns: Sequence[str] | None, timeout: float) -> Path:
    """Download what is wanted of a repository, after asking the endpoint once what it has.

    Raises:
        HubError: If the endpoint cannot be reached, refuses, or has nothing of use under this name.
        OutputError: If the cache cannot be written.
    """
    from huggingface_hub import HfApi, get_token, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    if offline():
        raise HubError(refusals.offline(name, kind, hub_cache()))
    address = endpoint()
    if not is_token(get_token()):
        raise HubError(refusals.no_token(name, kind))
    said = shown(address)
    api = HfApi(endpoint=address)
    ask = partial(answer_within, timeout, partial(_commit_and_files, api, name, revision, kind, timeout))
    try:
        with _without_warnings():
            commit, files = patiently(ask)
    except HfHubHTTPError as error:
        near = _near_names(api, name, kind, timeout) if error.response.status_code in (401, 404) else []
        raise HubError(refusals.refused(error, name, revision, kind, said, near)) from error
    except Exception as error:
        if (words := refusals.misconfigured(error)) is not None:
            raise HubError(words) from error
        reason = refusals.reason(error, timeout)
        if reason is None:
            raise
        raise HubError(refusals.unreachable(name, kind, said, reason)) from error

    wanted = choose(files, kind, patterns)
    if not wanted:
        raise HubError(refusals.nothing_wanted(name, kind, said, list(files), patterns))
    repository = Repository(name, kind, commit, address, repository_folder(name, kind))
    try:
        with _without_warnings():
            download(repository, [files[file] for file in wanted])
            # Everything is there: it only notes what the repository has, for itself and for `cached_snapshot`.
            note = partial(snapshot_download, name, repo_type=kind, revision=commit, allow_patterns=wanted)
            folder = answer_within(_LISTING, partial(note, cache_dir=hub_cache(), endpoint=address))
            remember_revision(name, revision, kind, commit)
    except HfHubHTTPError as error:
        raise HubError(refusals.refused(error, name, revision, kind, said, [])) from error
    except WrongContent as error:
        raise HubError(refusals.wrong(name, said, str(error))) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_DISKS:
            raise OutputError(refusals.unwritable(hub_cache(), error)) from error
        reason = refusals.reason(error)
        if reason is None:
            raise
        raise HubError(refusals.broken_off(name, said, reason + refusals.elsewhere(error, address))) from error
    if cached_snapshot(name, commit, kind, patterns) is None:  # without the note it could not be used offline
        raise HubError(refusals.broken_off(name, said, "its list of files did not come"))
    return Path(folder)


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


def _commit_and_files(api: Any, name: str, revision: str, kind: str, timeout: float) -> tuple[str, dict[str, Promise]]:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        info = api.repo_info(name, repo_type=kind, revision=revision, timeout=timeout, files_metadata=True)
        commit, files = str(info.sha), [_promise(file) for file in info.siblings]
    except HfHubHTTPError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # a web page, or JSON of something else
        raise refusals.NoHub from error
    if not is_commit(commit):
        raise refusals.NoHub
    return commit, {file.path: file for file in files if stays_inside(file.path)}


def _promise(file: Any) -> Promise:
    if file.lfs is not None:
        return Promise(file.rfilename, file.lfs.size, file.lfs.sha256, None)
    return Promise(file.rfilename, file.size, None, file.blob_id if is_commit(file.blob_id or "") else None)


def _near_names(api: Any, name: str, kind: str, timeout: float) -> list[str]:
    last = name.rpartition("/")[2]
    look = api.list_models if kind == "model" else api.list_datasets
    try:
        return answer_within(timeout, lambda: [found.id for found in look(search=last, limit=3) if found.id != name])
    except Exception as error:  # a suggestion is not worth a second error
        from huggingface_hub.errors import HfHubHTTPError

        nonsense = isinstance(error, ValueError | KeyError | TypeError | AttributeError)
        if nonsense or isinstance(error, HfHubHTTPError) or refusals.reason(error) is not None:
            return []
        raise


@contextmanager
def _without_warnings() -> Iterator[None]:
    """What goes wrong is said by us, once, and without addresses that let whoever reads them in."""
    from huggingface_hub.utils import logging as said

    before = said.get_verbosity()
    said.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        said.set_verbosity(before)
