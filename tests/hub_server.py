"""A small hub on this machine: serves folders as repositories over HTTP, in the hub's own protocol, faults included.

Large files are kept at another host, as the hub keeps them: the answer to a request for one is a redirection.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".bin", ".parquet")
"""Endings of files that lie at the other host."""


@dataclass
class Fault:
    """What goes wrong instead of an answer, or with it."""

    path: str
    """Beginning of the paths that it is about; those at the other host begin with ``/large/ORG/NAME/``."""

    times: int = -1
    """How often; left out: always."""

    status: int | None = None
    """Answered with instead of what was asked for, with ``headers``."""

    headers: dict[str, str] = field(default_factory=dict)

    silent: float = 0.0
    """Seconds in which nothing is said."""

    cut: int | None = None
    """Bytes of the content after which the connection breaks."""

    content: bytes | None = None
    """Sent in the place of the content, with its true length."""

    slow: float = 0.0
    """Seconds between two bytes of the answer."""

    ranges: bool = True
    """Whether a part of the content may be asked for."""

    method: str = ""
    """``HEAD`` or ``GET``; left out: both."""


@dataclass
class Hub:
    """What is served, and what was asked for.

    Example:
        with serve(models={"acme/tiny": folder}) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.address)
    """

    models: dict[str, Path] = field(default_factory=dict)
    """Repository id -> folder with its files."""

    datasets: dict[str, Path] = field(default_factory=dict)
    """The same for data sets."""

    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Beginning of a path -> status and ``X-Error-Code`` (may be empty) given instead of an answer."""

    faults: list[Fault] = field(default_factory=list)
    """What goes wrong, first come first served."""

    commits: dict[str, str] = field(default_factory=dict)
    """Repository id -> its newest commit, where that is another than `COMMIT`."""

    requests: list[str] = field(default_factory=list)
    """Every request as ``METHOD /path``, in order."""

    headers: list[dict[str, str]] = field(default_factory=list)
    """The headers of each."""

    address: str = ""
    """What belongs into ``HF_ENDPOINT``."""

    elsewhere: str = ""
    """Address of the host of large files."""

    def commit_of(self, name: str) -> str:
        return self.commits.get(name, COMMIT)


@contextmanager
def serve(
    models: Mapping[str, Path] | None = None,
    datasets: Mapping[str, Path] | None = None,
    refusals: Mapping[str, tuple[int, str]] | None = None,
) -> Iterator[Hub]:
    """Run a hub on free ports of this machine until the block ends."""
    hub = Hub(dict(models or {}), dict(datasets or {}), dict(refusals or {}))
    with _running(_Server(hub)) as address, _running(_Server(hub)) as other:
        # The same machine by another name, so that it is another host.
        hub.address, hub.elsewhere = address, other.replace("127.0.0.1", "localhost")
        yield hub


@contextmanager
def _running(server: "_Server") -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def allowed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let huggingface_hub ask the endpoint of the environment, which the other tests forbid, with an empty cache.

    Args:
        home: Folder of the cache.
        monkeypatch: Undoes it.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils._http import close_session
    from huggingface_hub.utils.tqdm import disable_progress_bars

    for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # read from the environment where it was first imported
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    disable_progress_bars()
    yield
    close_session()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked has gone away, which is their affair."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet; the requests stand in ``Hub.requests``."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub = self.server.hub
        url = urlsplit(self.path)
        path = unquote(url.path)
        hub.requests.append(f"{self.command} {path}")
        hub.headers.append({key.lower(): value for key, value in self.headers.items()})
        for beginning, (status, code) in hub.refusals.items():
            if path.startswith(beginning):
                return self._refuse(status, code)
        self.fault = self._fault_for(path)
        if self.fault.silent:
            _wait(self.fault.silent)
        if self.fault.status is not None:
            return self._send(self.fault.content or b"{}", self.fault.headers, self.fault.status)
        if path in ("/api/models", "/api/datasets"):
            there = hub.models if path.endswith("models") else hub.datasets
            wanted = parse_qs(url.query).get("search", [""])[0]
            return self._send_json([{"id": name} for name in there if wanted.lower() in name.lower()])
        if path.startswith("/api/"):
            return self._api(path.removeprefix("/api/"))
        if path.startswith("/large/"):
            return self._large(path.removeprefix("/large/"))
        return self._file(path.removeprefix("/"))

    def _fault_for(self, path: str) -> Fault:
        for fault in self.server.hub.faults:
            if path.startswith(fault.path) and fault.times and fault.method in ("", self.command):
                fault.times -= 1
                return fault
        return Fault(path)

    def _api(self, path: str) -> None:
        hub = self.server.hub
        kind, _, rest = path.partition("/")
        name, rest = _split_name(rest)
        folder = (hub.models if kind == "models" else hub.datasets).get(name)
        if folder is None:
            return self._refuse(404, "RepoNotFound")
        action, _, revision = rest.partition("/")
        if revision not in ("", "main", hub.commit_of(name)):
            return self._refuse(404, "RevisionNotFound")
        files = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if file.is_file()]
        if action == "tree":
            return self._send_json([{"type": "file", "path": file, **_facts(folder / file)} for file in files])
        siblings = [{"rfilename": file, **_facts(folder / file)} for file in files]
        for one in siblings:
            one["blobId"] = one.pop("oid")
            if "lfs" in one:
                one["lfs"] = {"sha256": one["lfs"]["oid"], "size": one["size"], "pointerSize": 100}  # type: ignore[index]
        return self._send_json({"id": name, "sha": hub.commit_of(name), "siblings": siblings})

    def _file(self, path: str) -> None:
        hub = self.server.hub
        there = hub.datasets if path.startswith("datasets/") else hub.models
        name, rest = _split_name(path.removeprefix("datasets/"))
        if name not in there:
            return self._refuse(404, "RepoNotFound")
        action, _, rest = rest.partition("/")
        revision, _, file = rest.partition("/")
        if action != "resolve" or revision not in ("main", hub.commit_of(name)):
            return self._refuse(404, "RevisionNotFound")
        if not (there[name] / file).is_file():
            return self._refuse(404, "EntryNotFound")
        commit, facts = {"X-Repo-Commit": hub.commit_of(name)}, _facts(there[name] / file)
        if "lfs" in facts:
            etag = f'"{facts["lfs"]["oid"]}"'  # type: ignore[index]
            kept = f"{hub.elsewhere}/large/{name}/{file}?Signature=secret"
            linked = {"X-Linked-Etag": etag, "X-Linked-Size": str(facts["size"]), "Location": kept}
            linked |= {"X-Xet-Hash": "0" * 64, "X-Xet-Refresh-Route": "/api/xet"}
            return self._send(b"", {**commit, **linked}, 302)
        return self._content((there[name] / file).read_bytes(), {**commit, "ETag": f'"{facts["oid"]}"'})

    def _large(self, path: str) -> None:
        name, file = _split_name(path)
        hub = self.server.hub
        there = (hub.models.get(name), hub.datasets.get(name))
        folder = next(folder for folder in there if folder is not None and (folder / file).is_file())
        return self._content((folder / file).read_bytes(), {})

    def _content(self, content: bytes, headers: Mapping[str, str]) -> None:
        if self.fault.content is not None:
            content = self.fault.content
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None or not self.fault.ranges:
            return self._send(content, {**headers, "Accept-Ranges": "bytes"})
        first, last = int(asked[1]), int(asked[2] or len(content) - 1)
        if first >= len(content):
            return self._send(b"", {"Content-Range": f"bytes */{len(content)}"}, 416)
        span = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return self._send(content[first : last + 1], {**headers, **span}, 206)

    def _send_json(self, answer: object) -> None:
        self._send(json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str) -> None:
        self.fault = Fault("")
        self._send(b"{}", {"X-Error-Code": code} if code else {}, status)

    def _send(self, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault.cut is not None and len(content) > self.fault.cut:
            self.wfile.write(content[: self.fault.cut])
            self.close_connection = True
        elif self.fault.slow:
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                _wait(self.fault.slow)
        else:
            self.wfile.write(content)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)  # tests replace time.sleep


def _split_name(path: str) -> tuple[str, str]:
    owner, _, rest = path.partition("/")
    name, _, rest = rest.partition("/")
    return f"{owner}/{name}", rest


def _facts(file: Path) -> dict[str, object]:
    content = file.read_bytes()
    found: dict[str, object] = {
        "size": len(content),
        "oid": hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest(),
    }
    if file.suffix in LARGE:
        found["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 100}
    return found
