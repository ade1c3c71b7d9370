"""What is said when the endpoint does not give a repository."""

import errno
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PUBLIC_PAGE = "https://huggingface.co"
_LOCAL = "a folder, or 'demo', the built-in English-to-Chinese translator (--model demo)"
NOUNS = {"model": "model", "dataset": "data set"}


class NoHub(Exception):
    """Something answers at the endpoint, but not as a hub does."""


def reason(error: BaseException, timeout: float | None = None) -> str | None:
    """Why there was no answer, in a few words; None if it was not the network's fault."""
    chain = _chain(error)
    for cause in chain:
        match cause:
            case socket.gaierror():
                return "name not found"
            case ConnectionRefusedError():
                return "connection refused"
            case ssl.SSLCertVerificationError():
                return f"certificate not trusted: {cause.verify_message}"
            case TimeoutError():
                return "no answer" if timeout is None else f"no answer in {timeout:g} s"
            case ConnectionError():
                return "connection broken"
            case NoHub():
                return "the answer is not a hub's"
            case OSError() if cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
                return "no network"
            case OSError() if cause.errno == errno.ENOSPC:
                return "no space left on the disk"
    if any(type(cause).__module__.startswith(("httpx", "httpcore")) for cause in chain):
        return str(error) or type(error).__name__
    return None


def unreachable(name: str, kind: str, endpoint: str, why: str) -> str:
    """The endpoint gives no answer at all."""
    if endpoint == PUBLIC_PAGE:
        mirror = "  behind a mirror:   HF_ENDPOINT=https://hf-mirror.com hftoolkit ..."
    else:
        mirror = f"  HF_ENDPOINT is set to {endpoint}: check it, or unset it to use {PUBLIC_PAGE}"
    local = _LOCAL if kind == "model" else "a file or a folder"
    return f"cannot reach {endpoint} to load {name!r} ({why})\n{mirror}\n  without network:   use {local}"


def offline(name: str, kind: str, cache: Path) -> str:
    """Nothing is complete in the cache, and the network is forbidden."""
    return (
        f"the {NOUNS[kind]} {name!r} is not complete in the cache ({cache}), and HF_HUB_OFFLINE forbids to load it"
        f"\n  unset HF_HUB_OFFLINE, or use {_LOCAL if kind == 'model' else 'a folder'}"
    )


def refused(error: Any, name: str, revision: str, kind: str, endpoint: str, near: Sequence[str]) -> str:
    """The endpoint answers, but does not give the repository (a ``HfHubHTTPError``)."""
    from huggingface_hub.errors import GatedRepoError, RevisionNotFoundError

    status = error.response.status_code
    noun = NOUNS[kind]
    if isinstance(error, GatedRepoError):
        page = f"{PUBLIC_PAGE}/{'datasets/' if kind == 'dataset' else ''}{name}"
        return (
            f"{name!r} at {endpoint} is gated: its authors want you to accept conditions first"
            f"\n  accept them at {page}"
            "\n  then log in with `hf auth login`, or set HF_TOKEN"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"the {noun} {name!r} at {endpoint} has no revision {revision!r}\n  left out, it is 'main'"
    if status in (401, 404):
        also = "" if revision == "main" else f", or it has no revision {revision!r}"
        lines = [f"no {noun} {name!r} at {endpoint}{also}"]
        if near:
            lines.append("did you mean " + " or ".join(map(repr, near)) + "?")
        lines.append("if it is private:   log in with `hf auth login`, or set HF_TOKEN")
        lines.append("if it is a folder:  there is none of this name here")
        return "\n  ".join(lines)
    if status == 403:
        return f"{endpoint} does not let you read {name!r}\n  log in with `hf auth login`, or set HF_TOKEN"
    return (
        f"{endpoint} cannot give {name!r} now ({status} {error.response.reason_phrase})"
        "\n  try again later, or name another mirror in HF_ENDPOINT"
    )


def broken_off(name: str, endpoint: str, why: str) -> str:
    """The download began and did not end."""
    return (
        f"the download of {name!r} from {endpoint} broke off ({why})"
        "\n  run the same command again: what has arrived is kept"
    )


def nothing_wanted(name: str, kind: str, endpoint: str, there: Sequence[str], patterns: Sequence[str] | None) -> str:
    """The repository exists and holds nothing that is read."""
    has = ", ".join(sorted(there)[:8]) + (", ..." if len(there) > 8 else "") if there else "nothing"
    if patterns is not None or kind != "model":
        wanted = ", ".join(patterns) if patterns else "a file"
        return f"the {NOUNS[kind]} {name!r} at {endpoint} has no {wanted}\n  it has:  {has}"
    return (
        f"the model {name!r} at {endpoint} has no weights in a format that is read here"
        f"\n  expected:  model.safetensors or pytorch_model.bin\n  it has:    {has}"
    )


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        following = following.__cause__ or following.__context__
    return chain
