"""Files -> one commit in a repository at the endpoint."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from hftoolkit.errors import HubError
from hftoolkit.hub import refusals, upload_refusals
from hftoolkit.hub.remote import answer_within
from hftoolkit.hub.retries import patiently
from hftoolkit.hub.settings import PUBLIC, endpoint, is_token, offline, shown, tell_nobody

log = logging.getLogger("hftoolkit")

_SILENCE: Final = 120.0
"""Seconds without a sign of the other side after which sending is given up; huggingface_hub would wait for ever."""

_NO_ANSWER: Final = (json.JSONDecodeError, KeyError, TypeError, AttributeError)
"""What huggingface_hub raises for a web page, and for JSON of something else."""


def upload(
    name: str,
    files: Mapping[str, Path | bytes],
    *,
    stale: Callable[[str], bool],
    private: bool,
    message: str,
    timeout: float = 3.5,
) -> None:
    """Put files into a model's repository, which is made if it is not there: all of them in one commit, or none.

    Args:
        name: ``ORG/NAME``.
        files: Where a file is to stand -> where it lies here, or its content.
        stale: Which files are removed there where they are not among these.
        private: Whether others are kept out.
        message: Of the commit.
        timeout: Seconds in which the endpoint has to answer; sending may take as long as it needs.

    Raises:
        HubError: If nobody is logged in, the endpoint cannot be reached or refuses, or the repository is public and
            was to be private.
    """
    tell_nobody()
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    if offline():
        raise HubError(upload_refusals.offline(name))
    address = endpoint()
    at = shown(address)
    with _in_words(name, at, timeout=timeout):
        token = _token(name, at)
    api = HfApi(endpoint=address, token=token)
    with _sending(address):
        with _in_words(name, at, token, timeout=timeout):
            there = patiently(partial(answer_within, timeout, partial(_opened, api, name, private)))
        if private and not there.private:
            raise HubError(upload_refusals.public(name, at))
        before = [file.rfilename for file in there.siblings or ()]
        gone = [file for file in before if file not in files and stale(file)]
        operations: list[Any] = [
            *(CommitOperationAdd(file, str(it) if isinstance(it, Path) else it) for file, it in files.items()),
            *map(CommitOperationDelete, gone),
        ]
        with _in_words(name, at, token, begun=True):
            api.create_commit(name, operations, commit_message=message)
    if gone:
        log.info("removed from %s, for they belong to what was there before: %s", name, ", ".join(gone))


def _token(name: str, at: str) -> str:
    """The user's token; in a notebook they may be asked for it."""
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise HubError(upload_refusals.nobody(name, at))
    if not is_token(token):
        raise HubError(upload_refusals.no_token(name))
    return token


def _opened(api: Any, name: str, private: bool) -> Any:
    """What the hub says of the repository, once it is there; who else may look the organisation's own rules say."""
    api.create_repo(name, private=True if private else None, exist_ok=True)
    return api.model_info(name)


@contextmanager
def _in_words(
    name: str, at: str, token: str = "", *, timeout: float | None = None, begun: bool = False
) -> Iterator[None]:
    """Say what goes wrong in our words, without the token.

    Raises:
        HubError: If the endpoint cannot be reached, or refuses.
    """
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        if (answer := _answer(error)) is not None:
            raise HubError(upload_refusals.refused(answer, name, at, token)) from error
        why = "the answer is not a hub's" if isinstance(error, _NO_ANSWER) else refusals.reason(error, timeout)
        if why is not None:
            words = upload_refusals.broken_off if begun else upload_refusals.unreachable
            raise HubError(words(name, at, why)) from error
        if type(error) is ValueError:  # what the store of large files says, as a sentence
            raise HubError(upload_refusals.said(str(error), name, at, token)) from error
        raise


def _answer(error: BaseException | None) -> Any:
    """What the hub answered where an error comes of that; None where it does not."""
    from huggingface_hub.errors import HfHubHTTPError

    while error is not None and not isinstance(error, HfHubHTTPError):
        error = error.__cause__ or error.__context__
    return error


@contextmanager
def _sending(address: str) -> Iterator[None]:
    """Send all to the endpoint: Xet goes round a mirror, to servers of its own. What goes wrong is said by us, and
    nothing that is for huggingface_hub's authors."""
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import logging as hub_logging

    client = get_session()
    before, loudness, patience = constants.HF_HUB_DISABLE_XET, hub_logging.get_verbosity(), client.timeout
    constants.HF_HUB_DISABLE_XET = before or address != PUBLIC
    client.timeout = _SILENCE
    hub_logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Use 'content=<...>' to upload raw bytes", DeprecationWarning)
            yield
    finally:
        constants.HF_HUB_DISABLE_XET = before
        client.timeout = patience
        hub_logging.set_verbosity(loudness)
