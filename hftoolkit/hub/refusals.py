"""What is said when the endpoint does not give a repository."""

import errno
import os
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hftoolkit.hub.retries import said_to_wait
from hftoolkit.hub.settings import PUBLIC

_LOCAL = "a folder, or 'demo', the built-in English-to-Chinese translator (--model demo)"
NOUNS = {"model": "model", "dataset": "data set"}


_WORDS = {
    "RemoteProtocolError": "connection broken",
    "TooManyRedirects": "it sends in circles",
    "UnsupportedProtocol": "it sends to an address that is none",
}
"""What errors of the network mean that stand on no error of the system."""


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
            case ssl.SSLError():
                return f"no secure connection: {cause.reason or cause}"
    network = next((cause for cause in chain if type(cause).__module__.startswith(("httpx", "httpcore"))), None)
    if network is None:
        return None
    return _WORDS.get(type(network).__name__) or str(network) or type(network).__name__


def misconfigured(error: BaseException) -> str | None:
    """Which variable of the environment keeps a connection from being made, in words; None if none does."""
    chain = _chain(error)
    if any(isinstance(cause, ConnectionError | TimeoutError | socket.gaierror) for cause in chain):
        return None  # one was made, or would have been
    for cause in chain:
        match cause:
            case ssl.SSLCertVerificationError():
                return None
            case FileNotFoundError() | PermissionError() | IsADirectoryError():
                wrong = f"a file of certificates cannot be read: {cause.strerror}"
            case ssl.SSLError(library="X509" | "PEM"):
                wrong = "a file of certificates has none in it"
            case ImportError():
                wrong = "a SOCKS proxy needs a package: pip install socksio"
            case ValueError() if "proxy" in str(cause).lower():
                wrong = "the address of a proxy is none"
            case _:
                continue
        variables = "SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY"
        said = [name for name in variables.split(", ") if os.environ.get(name) or os.environ.get(name.lower())]
        return f"no connection can be made: {wrong}\n  check what is set:   {', '.join(said) or variables}"
    return None


def elsewhere(error: BaseException, endpoint: str) -> str:
    """The host that failed, in words, where it is not the endpoint's: large files are often kept at another one."""
    for cause in _chain(error):
        if type(cause).__module__.startswith("httpx") and (request := getattr(cause, "_request", None)) is not None:
            host = request.url.host
            return "" if host == urlsplit(endpoint).hostname else f" by {host}, where it keeps this file"
    return ""


def unreachable(name: str, kind: str, endpoint: str, why: str) -> str:
    """The endpoint gives no answer at all."""
    if endpoint == PUBLIC:
        mirror = "  behind a mirror:   HF_ENDPOINT=https://hf-mirror.com hftoolkit ..."
    else:
        mirror = f"  {endpoint} is what --endpoint, HF_ENDPOINT or the recipe says: check it, or leave it out"
    local = _LOCAL if kind == "model" else "a file or a folder"
    return f"cannot reach {endpoint} to load {name!r} ({why})\n{mirror}\n  without network:   use {local}"


def offline(name: str, kind: str, cache: Path) -> str:
    """Nothing is complete in the cache, and the network is forbidden."""
    return (
        f"the {NOUNS[kind]} {name!r} is not complete in the cache ({cache}), and no connection is allowed"
        "\n  where there is a network:   leave out --offline, or unset HF_HUB_OFFLINE"
        f"\n  where there is none:        use {_LOCAL if kind == 'model' else 'a folder'}"
        "\n  to bring it there:          hftoolkit prefetch RECIPE --bundle FILE.tar"
    )


def refused(error: Any, name: str, revision: str, kind: str, endpoint: str, near: Sequence[str]) -> str:
    """The endpoint answers, but does not give the repository (a ``HfHubHTTPError``)."""
    from huggingface_hub.errors import GatedRepoError, RevisionNotFoundError

    status = error.response.status_code
    noun = NOUNS[kind]
    if isinstance(error, GatedRepoError):
        page = f"{PUBLIC}/{'datasets/' if kind == 'dataset' else ''}{name}"
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
    phrase, wait = error.response.reason_phrase, said_to_wait(error.response)
    said = f"{status} {phrase}" if wait is None else f"{status} {phrase}; it asks to wait {wait:.0f} s"
    also = "" if status != 429 else ", log in (`hf auth login`) to be allowed more"
    return (
        f"{endpoint} cannot give {name!r} now ({said})\n  try again later{also}, or name another mirror in HF_ENDPOINT"
    )


def broken_off(name: str, endpoint: str, why: str) -> str:
    """The download began and did not end."""
    return (
        f"the download of {name!r} from {endpoint} broke off ({why})"
        "\n  run the same command again: what has arrived is kept"
    )


def unwritable(cache: Path, error: OSError) -> str:
    """The cache, as on a disk that is full."""
    return f"{cache}: cannot be written: {error.strerror}\n  make room, or name another folder in HF_HOME"


def no_token(name: str, kind: str) -> str:
    """What is set as the token cannot be one."""
    return (
        f"the {NOUNS[kind]} {name!r} cannot be loaded: the token has blanks or letters in it that no token has"
        "\n  log in with `hf auth login`, or set or unset HF_TOKEN"
    )


def wrong(name: str, endpoint: str, what: str) -> str:
    """What has arrived is not what the hub said it is."""
    return (
        f"what {endpoint} sends of {name!r} is damaged: {what}"
        "\n  it was thrown away; try again later, or name another mirror in HF_ENDPOINT"
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
