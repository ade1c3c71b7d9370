"""What the hub gives on this network: asked for a few bytes of each kind, in the same ways as downloads."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.loading import load
from hftoolkit.hub import endpoint, offline, shown
from hftoolkit.hub.refusals import NoHub, reason
from hftoolkit.hub.remote import answer_within
from hftoolkit.hub.settings import PUBLIC

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

_SECONDS: Final = 3.5
"""In which the hub has to say what a repository has, and then to give the first byte of a file."""

MODEL: Final = "Helsinki-NLP/opus-mt-en-zh"
DATA_SET: Final = "rajpurkar/squad"


@dataclass(frozen=True)
class _Artefact:
    """Something that downloads ask for."""

    title: str
    kind: str
    repository: str

    file: str | None
    """None: what the hub says of the repository."""


_FIRST: Final = _Artefact("model", "model", MODEL, None)

_ARTEFACTS: Final = (
    _Artefact("small file", "model", MODEL, "config.json"),
    _Artefact("large file", "model", MODEL, "pytorch_model.bin"),
    _Artefact("data set", "dataset", DATA_SET, None),
    _Artefact("data set file", "dataset", DATA_SET, "plain_text/validation-00000-of-00001.parquet"),
)


def network() -> Iterator[Finding]:
    """The endpoint, what it reaches, and what would go round it.

    Raises:
        HubError: If ``HF_ENDPOINT`` is not an address.
    """
    address = endpoint()
    if load("huggingface_hub")[0] is None:
        yield Finding("endpoint", f"{shown(address)}, not asked: huggingface_hub does not load", "note")
    elif offline():
        yield Finding("endpoint", f"{shown(address)}, not asked: HF_HUB_OFFLINE forbids it", "note")
    else:
        yield from _asked(address)
    yield from _round_about()


def _asked(address: str) -> Iterator[Finding]:
    from huggingface_hub import get_token

    first, said = _look(address, _FIRST), shown(address)
    if isinstance(first.why, str):
        mirror = "behind a mirror:   HF_ENDPOINT=https://hf-mirror.com hftoolkit ..."
        advice = mirror if address == PUBLIC else f"check HF_ENDPOINT, or unset it to use {PUBLIC}"
        advice += "\nwithout network:   HF_HUB_OFFLINE=1 hftoolkit ... uses what is here"
        yield Finding("endpoint", f"{said} cannot be reached ({first.why})", "problem", advice)
        return
    yield Finding("endpoint", f"{said} answers ({first.seconds:.2f} s)")
    with ThreadPoolExecutor(len(_ARTEFACTS)) as pool:
        outcomes = list(pool.map(partial(_look, address), _ARTEFACTS))
    yield from (_told(outcome, address) for outcome in (first, *outcomes))
    sent = "sent to the endpoint" if _sent_token() else "not sent"
    yield Finding("token", f"there is one, and it is {sent}" if get_token() else "none")


def _sent_token() -> str | None:
    """The user's token, if requests carry it."""
    from huggingface_hub import constants, get_token

    return None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()


@dataclass(frozen=True)
class _Outcome:
    artefact: _Artefact
    host: str
    """That was asked last."""

    seconds: float

    why: "str | HfHubHTTPError | None" = None
    """Why there was no answer, or what the host refused with; None if all is well."""


def _look(address: str, artefact: _Artefact) -> _Outcome:
    """Ask for an artefact; for a file also where the endpoint sends on."""
    from huggingface_hub.errors import HfHubHTTPError

    begin, host = time.perf_counter(), _host(address)
    why: str | HfHubHTTPError | None = None

    def answer(ask: Callable[[], Any]) -> Any:
        return answer_within(max(0.0, _SECONDS - (time.perf_counter() - begin)), ask)

    try:
        if artefact.file is None:
            answer(partial(_describe, address, artefact))
        else:
            location = answer(partial(_locate, address, artefact))
            host = _host(location)
            host = answer(partial(_first_byte, location, of_endpoint=host == _host(address)))
    except HfHubHTTPError as error:
        why = error
    except Exception as error:
        why = reason(error, _SECONDS)
        if why is None:
            raise
    return _Outcome(artefact, host, time.perf_counter() - begin, why)


def _describe(address: str, artefact: _Artefact) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(endpoint=address)
    try:
        there = api.repo_info(artefact.repository, repo_type=artefact.kind, timeout=_SECONDS).sha is not None
    except HfHubHTTPError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # a web page, or JSON of something else
        raise NoHub from error
    if not there:
        raise NoHub


def _locate(address: str, artefact: _Artefact) -> str:
    """Where the content of a file is, as the endpoint says."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(artefact.repository, artefact.file or "", repo_type=artefact.kind, endpoint=address)
    found = get_hf_file_metadata(url, timeout=_SECONDS, endpoint=address)
    if found.commit_hash is None or found.etag is None:  # without them nothing is downloaded
        raise NoHub
    return urljoin(url, found.location)


def _first_byte(location: str, *, of_endpoint: bool) -> str:
    """The host that a file came from in the end."""
    from huggingface_hub import get_session, hf_raise_for_status

    headers = {"Range": "bytes=0-0"}
    if of_endpoint and (token := _sent_token()):  # it is nobody else's business
        headers["Authorization"] = f"Bearer {token}"
    # As a stream, so that a server that knows no ranges does not send everything.
    with get_session().stream("GET", location, headers=headers, timeout=_SECONDS, follow_redirects=True) as answer:
        hf_raise_for_status(answer)
        next(answer.iter_raw(), b"")
        return _host(str(answer.url))


def _told(outcome: _Outcome, address: str) -> Finding:
    title, host, why = outcome.artefact.title, outcome.host, outcome.why
    own = host == _host(address)
    if why is None:
        return Finding(title, f"comes from {host}{'' if own else ', not from the endpoint'} ({outcome.seconds:.2f} s)")
    if isinstance(why, str):
        advice = "run it again, or name another mirror in HF_ENDPOINT"
        if not own:
            advice = f"the endpoint sends there for it: let {host} through, or name another mirror in HF_ENDPOINT"
        return Finding(title, f"{host} cannot be reached ({why})", "problem", advice)
    status = why.response.status_code
    said = f"{host} does not give {outcome.artefact.repository} ({status} {why.response.reason_phrase})"
    if status == 404:
        return Finding(title, said, "note", "it may have what you need all the same: this was only an example")
    if status in (401, 403):
        return Finding(
            title, said, "problem", "if a token is set, it may be wrong or too old; if none is, set HF_TOKEN"
        )
    return Finding(title, said, "problem", "try again later, or name another mirror in HF_ENDPOINT")


def _round_about() -> Iterator[Finding]:
    """What would tell or ask somebody else than the endpoint."""
    yield Finding("Xet", "not used: files come by HTTP, from where the endpoint says")
    if os.environ.get("DISABLE_SAFETENSORS_CONVERSION", "1").upper() in ("1", "ON", "YES", "TRUE"):
        yield Finding("conversion", "off: no service is told which model without safetensors is loaded")
    else:
        advice = "unset DISABLE_SAFETENSORS_CONVERSION"
        yield Finding("conversion", "on: a service outside the endpoint may be told what is loaded", "note", advice)
    yield Finding("dataset viewer", "not used: data sets are read from their files")


def _host(address: str) -> str:
    return shown(urlsplit(address).netloc)
