"""A small hub on this machine: serves folders as repositories over HTTP, in the hub's own protocol."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


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

    requests: list[str] = field(default_factory=list)
    """Every request as ``METHOD /path``, in order."""

    address: str = ""
    """What belongs into ``HF_ENDPOINT``."""


@contextmanager
def serve(
    models: Mapping[str, Path] | None = None,
    datasets: Mapping[str, Path] | None = None,
    refusals: Mapping[str, tuple[int, str]] | None = None,
) -> Iterator[Hub]:
    """Run a hub on a free port of this machine until the block ends."""
    hub = Hub(dict(models or {}), dict(datasets or {}), dict(refusals or {}))
    server = _Server(hub)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
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
    from huggingface_hub.utils import _detect_agent
    from huggingface_hub.utils._http import close_session
    from huggingface_hub.utils.tqdm import disable_progress_bars

    for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # read from the environment where it was first imported
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Otherwise the first request of a process asks the endpoint that stood in the environment for one more thing.
    monkeypatch.setattr(_detect_agent, "_registry", {"standardEnvVars": [], "harnesses": {}})
    disable_progress_bars()
    yield
    close_session()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), _Handler)


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
        for beginning, (status, code) in hub.refusals.items():
            if path.startswith(beginning):
                return self._refuse(status, code)
        if path in ("/api/models", "/api/datasets"):
            there = hub.models if path.endswith("models") else hub.datasets
            wanted = parse_qs(url.query).get("search", [""])[0]
            return self._send_json([{"id": name} for name in there if wanted.lower() in name.lower()])
        if path.startswith("/api/"):
            return self._api(path.removeprefix("/api/"))
        return self._file(path.removeprefix("/"))

    def _api(self, path: str) -> None:
        kind, _, rest = path.partition("/")
        name, rest = _split_name(rest)
        folder = (self.server.hub.models if kind == "models" else self.server.hub.datasets).get(name)
        if folder is None:
            return self._refuse(404, "RepoNotFound")
        action, _, revision = rest.partition("/")
        if revision not in ("", "main", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        files = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if file.is_file()]
        if action == "tree":
            return self._send_json([_tree_entry(folder, file) for file in files])
        return self._send_json({"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]})

    def _file(self, path: str) -> None:
        there = self.server.hub.datasets if path.startswith("datasets/") else self.server.hub.models
        name, rest = _split_name(path.removeprefix("datasets/"))
        if name not in there:
            return self._refuse(404, "RepoNotFound")
        action, _, rest = rest.partition("/")
        revision, _, file = rest.partition("/")
        if action != "resolve" or revision not in ("main", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        if not (there[name] / file).is_file():
            return self._refuse(404, "EntryNotFound")
        content = (there[name] / file).read_bytes()
        return self._send(content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})

    def _send_json(self, answer: object) -> None:
        self._send(json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str) -> None:
        self._send(b"{}", {"X-Error-Code": code} if code else {}, status)

    def _send(self, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _split_name(path: str) -> tuple[str, str]:
    owner, _, rest = path.partition("/")
    name, _, rest = rest.partition("/")
    return f"{owner}/{name}", rest


def _tree_entry(folder: Path, file: str) -> dict[str, object]:
    content = (folder / file).read_bytes()
    return {
        "type": "file",
        "path": file,
        "size": len(content),
        "oid": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    }
