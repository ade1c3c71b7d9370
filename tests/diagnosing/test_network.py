"""What a hub, a mirror, a broken one or none at all gives, told for each kind of artefact."""

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hub_server import COMMIT, Hub, allowed, serve

from hftoolkit.diagnosing import network as module
from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.network import DATA_SET, MODEL, network
from hftoolkit.errors import HubError

ROWS = f"{DATA_SET}/resolve/main/plain_text/validation-00000-of-00001.parquet"
KINDS = ["model", "small file", "large file", "data set", "data set file"]
ROUND_ABOUT = ["Xet", "conversion", "dataset viewer"]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with allowed(tmp_path / "home", monkeypatch):
        yield


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    model, rows = tmp_path / "model", tmp_path / "rows"
    for file in (model / "config.json", model / "pytorch_model.bin", rows / ROWS.rpartition("main/")[2]):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 1000)
    with serve(models={MODEL: model}, datasets={DATA_SET: rows}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


def found() -> dict[str, Finding]:
    """The findings by name, with times of the same length."""
    return {
        each.name: Finding(each.name, re.sub(r"\(\d+\.\d\d s\)", "(N s)", each.text), each.state, each.advice)
        for each in network()
    }


def host(address: str) -> str:
    return address.removeprefix("http://")


# A hub that gives everything


def test_a_hub_that_gives_everything(hub: Hub) -> None:
    here = found()
    assert list(here) == ["endpoint", *KINDS, "token", *ROUND_ABOUT]
    assert {finding.state for finding in here.values()} == {"ok"}
    assert here["endpoint"].text == f"{hub.address} answers (N s)"
    for kind in ("model", "small file", "data set"):
        assert here[kind].text == f"comes from {host(hub.address)} (N s)"
    assert here["token"].text == "none"


def test_it_is_asked_as_downloads_ask(hub: Hub) -> None:
    found()
    files = [f"/{MODEL}/resolve/main/config.json", f"/{MODEL}/resolve/main/pytorch_model.bin", f"/datasets/{ROWS}"]
    assert hub.requests[0] == f"GET /api/models/{MODEL}"
    assert {f"HEAD {file}" for file in files} < set(hub.requests)
    assert f"GET {files[0]}" in hub.requests


# A mirror that sends on


@dataclass
class Host:
    """An endpoint that sends on for large files, or the host that it sends to."""

    address: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Every path, with the token that came with it."""


@contextmanager
def running(sends_to: str = "") -> Iterator[Host]:
    """Run a host until the block ends; it knows no ranges."""
    here = Host()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

        def do_GET(self) -> None:
            here.asked.append((self.path, self.headers["Authorization"]))
            content = json.dumps({"id": "a", "sha": COMMIT, "siblings": []}).encode()
            headers = {"ETag": '"abc"', "X-Repo-Commit": COMMIT, "Content-Length": str(len(content))}
            if sends_to and self.path.endswith((".bin", ".parquet")):
                headers["Location"] = f"{sends_to}/{self.path.rpartition('/')[2]}?signature=secret"
            self.send_response(302 if "Location" in headers else 200)
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def store() -> Iterator[Host]:
    with running() as there:
        yield there


@pytest.fixture
def mirror(store: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with running(store.address) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.address)
        yield there


def test_large_files_may_come_from_elsewhere(mirror: Host, store: Host) -> None:
    here = found()
    for kind in ("model", "small file", "data set"):
        assert here[kind] == Finding(kind, f"comes from {host(mirror.address)} (N s)")
    for kind in ("large file", "data set file"):
        assert here[kind] == Finding(kind, f"comes from {host(store.address)}, not from the endpoint (N s)")
    assert sorted(path for path, _ in store.asked) == [
        "/pytorch_model.bin?signature=secret",
        "/validation-00000-of-00001.parquet?signature=secret",
    ]


def test_the_token_goes_to_the_endpoint_alone(mirror: Host, store: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "my-own-secret")
    here = found()
    assert {token for _, token in mirror.asked} == {"Bearer my-own-secret"}
    assert {token for _, token in store.asked} == {None}
    assert here["token"].text == "there is one, and it is sent to the endpoint"


def test_a_token_that_nobody_is_to_get(mirror: Host, store: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "my-own-secret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    here = found()
    assert {token for _, token in mirror.asked} == {None}
    assert here["token"].text == "there is one, and it is not sent"
    assert not any("my-own-secret" in finding.text + finding.advice for finding in here.values())


def test_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        elsewhere = f"127.0.0.1:{taken.getsockname()[1]}"
        with running(f"http://{elsewhere}") as endpoint:
            monkeypatch.setenv("HF_ENDPOINT", endpoint.address)
            here = found()
    assert [kind for kind in KINDS if here[kind].state != "ok"] == ["large file", "data set file"]
    assert here["large file"] == Finding(
        "large file",
        f"{elsewhere} cannot be reached (connection refused)",
        "problem",
        f"the endpoint sends there for it: let {elsewhere} through, or name another mirror in HF_ENDPOINT",
    )


def test_a_store_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.5)
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        running(f"http://127.0.0.1:{silent.getsockname()[1]}") as endpoint,
    ):
        monkeypatch.setenv("HF_ENDPOINT", endpoint.address)
        start = time.monotonic()
        here = found()
        assert time.monotonic() - start < 3
    assert here["large file"].text.endswith(" cannot be reached (no answer in 0.5 s)")


# Refusals


@pytest.mark.parametrize(
    ("status", "said", "state", "advice"),
    [
        (401, "401 Unauthorized", "problem", "if a token is set, it may be wrong or too old; if none is, set HF_TOKEN"),
        (403, "403 Forbidden", "problem", "if a token is set, it may be wrong or too old; if none is, set HF_TOKEN"),
        (404, "404 Not Found", "note", "it may have what you need all the same: this was only an example"),
        (503, "503 Service Unavailable", "problem", "try again later, or name another mirror in HF_ENDPOINT"),
    ],
)
def test_a_hub_that_refuses(hub: Hub, status: int, said: str, state: str, advice: str) -> None:
    hub.refusals["/api/"] = (status, "")
    hub.refusals[f"/{MODEL}/resolve/main/config.json"] = (status, "")
    here = found()
    assert here["endpoint"].state == here["large file"].state == here["data set file"].state == "ok"
    for kind, name in (("model", MODEL), ("small file", MODEL), ("data set", DATA_SET)):
        text = f"{host(hub.address)} does not give {name} ({said})"
        assert (here[kind].text, here[kind].state, here[kind].advice) == (text, state, advice)


def test_a_page_that_is_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(refusals={"/": (200, "")}) as page:
        monkeypatch.setenv("HF_ENDPOINT", page.address)
        here = found()
    assert here["endpoint"].text == f"{page.address} cannot be reached (the answer is not a hub's)"
    assert here["endpoint"].state == "problem"


# No hub


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        here = found()
    assert list(here) == ["endpoint", *ROUND_ABOUT]
    assert here["endpoint"] == Finding(
        "endpoint",
        f"{address} cannot be reached (connection refused)",
        "problem",
        "check HF_ENDPOINT, or unset it to use https://huggingface.co\n"
        "without network:   HF_HUB_OFFLINE=1 hftoolkit ... uses what is here",
    )


def test_the_public_hub_may_have_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **settings: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    for key in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert found()["endpoint"] == Finding(
        "endpoint",
        "https://huggingface.co cannot be reached (name not found)",
        "problem",
        "behind a mirror:   HF_ENDPOINT=https://hf-mirror.com hftoolkit ...\n"
        "without network:   HF_HUB_OFFLINE=1 hftoolkit ... uses what is here",
    )


def test_a_password_in_the_endpoint_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", f"http://jo:pass@{address}")
        endpoint = found()["endpoint"]
    assert endpoint.text == f"http://{address} cannot be reached (connection refused)"
    assert "pass" not in endpoint.advice


def test_a_server_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        here = found()
        assert time.monotonic() - start < 2
    assert here["endpoint"].text.endswith(" cannot be reached (no answer in 0.2 s)")


def test_a_name_server_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*args: object, **settings: object) -> None:
        released.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(module, "_SECONDS", 0.2)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert found()["endpoint"].text == "http://hub.invalid cannot be reached (no answer in 0.2 s)"
    released.set()


def test_what_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "hf-mirror.com")
    with pytest.raises(HubError, match=r"'hf-mirror\.com' is not an address"):
        found()


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_nobody_is_asked(hub: Hub, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    here = found()
    assert hub.requests == []
    assert list(here) == ["endpoint", *ROUND_ABOUT]
    assert here["endpoint"] == Finding("endpoint", f"{hub.address}, not asked: HF_HUB_OFFLINE forbids it", "note")


def test_without_the_hubs_library_nobody_is_asked(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert found()["endpoint"] == Finding(
        "endpoint", f"{hub.address}, not asked: huggingface_hub does not load", "note"
    )
    assert hub.requests == []


# Round the endpoint


@pytest.mark.parametrize(("value", "state"), [(None, "ok"), ("1", "ok"), ("0", "note")])
def test_the_conversion_service(value: str | None, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("DISABLE_SAFETENSORS_CONVERSION", raising=False)
    if value is not None:
        monkeypatch.setenv("DISABLE_SAFETENSORS_CONVERSION", value)
    assert found()["conversion"].state == state
