"""What goes wrong between a hub and the cache: each fault has its own words, and none leaves a damaged cache."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hub_server import COMMIT, Fault, Hub, allowed, serve

from hftoolkit.errors import HubError, OutputError
from hftoolkit.hub import downloading, resolve, retries
from hftoolkit.hub.cached import repository_folder
from hftoolkit.hub.folders import hub_cache

NAME = "acme/opus-mt-en-zh"
WEIGHTS = bytes(range(256)) * 800
FILES = {
    "config.json": b"{}",
    "vocab.json": b'{"a": 0}',
    "source.spm": b"source",
    "target.spm": b"target",
    "pytorch_model.bin": WEIGHTS,
}
LOCAL = "a folder, or 'demo', the built-in English-to-Chinese translator (--model demo)"


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited; nobody waits in tests."""
    seconds: list[float] = []
    monkeypatch.setattr(retries, "sleep", seconds.append)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", seconds.append)
    return seconds


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: list[float]) -> Iterator[Hub]:
    monkeypatch.setattr(downloading, "LARGE", 100_000)
    monkeypatch.setattr(downloading, "CHUNK", 10_000)
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    with allowed(tmp_path / "home", monkeypatch), serve(models={NAME: folder}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield running


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(HubError) as caught:
        ask()
    said = str(caught.value)
    assert "secret" not in said
    return said


def whole() -> Path:
    """What is in the cache after all is exactly what the hub has."""
    folder = resolve(NAME)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert list(hub_cache().rglob("*.incomplete")) == []
    return folder


def nothing_looks_complete() -> None:
    """No file in a snapshot has another content than the hub's."""
    for path in (repository_folder(NAME, "model") / "snapshots").rglob("*"):
        assert not path.is_file() or path.read_bytes() == FILES[path.name]


# Nobody there


def test_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert refusal(lambda: resolve(NAME)) == (
            f"cannot reach {address} to load '{NAME}' (connection refused)\n"
            f"  {address} is what --endpoint, HF_ENDPOINT or the recipe says: check it, or leave it out\n"
            f"  without network:   use {LOCAL}"
        )


def test_silent(hub: Hub) -> None:
    hub.faults.append(Fault("/api/", silent=0.6, times=1))
    said = refusal(lambda: resolve(NAME, timeout=0.2))
    assert said.startswith(f"cannot reach {hub.address} to load '{NAME}' (no answer in 0.2 s)\n")
    whole()


def test_slow(hub: Hub) -> None:
    """Each byte comes in time, all of them never would."""
    hub.faults.append(Fault("/api/", slow=0.05, times=1))
    before = time.monotonic()
    said = refusal(lambda: resolve(NAME, timeout=0.3))
    assert time.monotonic() - before < 2
    assert said.startswith(f"cannot reach {hub.address} to load '{NAME}' (no answer in 0.3 s)\n")


def test_a_name_that_is_not_found(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **settings: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    said = refusal(lambda: resolve(NAME))
    assert said.startswith(f"cannot reach http://hub.invalid to load '{NAME}' (name not found)\n")


def test_a_certificate_that_nobody_trusts(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "nobody_trusts.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"https://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    said = refusal(lambda: resolve(NAME))
    server.shutdown()
    server.server_close()
    assert said.startswith(
        f"cannot reach {address} to load '{NAME}' (certificate not trusted: self-signed certificate)\n"
    )


def test_a_password_in_the_address_is_not_shown(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://me:secret@127.0.0.1:9")
    assert refusal(lambda: resolve(NAME)).startswith(f"cannot reach http://127.0.0.1:9 to load '{NAME}' (")
    monkeypatch.setenv("HF_ENDPOINT", "ftp://me:secret@mirror")
    assert refusal(lambda: resolve(NAME)).startswith("HF_ENDPOINT: 'ftp://mirror' is not an address\n")


# Refusals


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, "", "no model '{name}' at {hub}\n  if it is private:   log in with `hf auth login`, or set HF_TOKEN"),
        (404, "RepoNotFound", "no model '{name}' at {hub}\n  if it is private:   log in with"),
        (
            403,
            "GatedRepo",
            "'{name}' at {hub} is gated: its authors want you to accept conditions first\n  accept them",
        ),
        (403, "", "{hub} does not let you read '{name}'\n  log in with `hf auth login`, or set HF_TOKEN"),
        (404, "RevisionNotFound", "the model '{name}' at {hub} has no revision 'main'\n  left out, it is 'main'"),
        (
            429,
            "",
            "{hub} cannot give '{name}' now (429 Too Many Requests)\n  try again later, log in (`hf auth login`)",
        ),
        (
            503,
            "",
            "{hub} cannot give '{name}' now (503 Service Unavailable)\n  try again later, or name another mirror",
        ),
    ],
)
@pytest.mark.parametrize("place", ["/api/models/acme/", "/acme/"])
def test_refusals(hub: Hub, place: str, status: int, code: str, said: str) -> None:
    """At the first question, and in the middle of a download."""
    hub.faults.append(Fault(place, status=status, headers={"X-Error-Code": code} if code else {}))
    assert refusal(lambda: resolve(NAME)).startswith(said.format(name=NAME, hub=hub.address))
    nothing_looks_complete()
    hub.faults.clear()
    whole()


def test_out_of_order_and_then_fine(hub: Hub, waited: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "hftoolkit")
    hub.faults.append(Fault("/api/", status=500, times=1))
    whole()
    assert waited == [1.0]
    assert caplog.messages == ["the hub is busy (500 Internal Server Error); asking again in 1 s"]


@pytest.mark.parametrize("place", ["/api/", "/acme/", "/large/"])
def test_too_many_requests_wait_as_long_as_the_hub_says(hub: Hub, waited: list[float], place: str) -> None:
    hub.faults.append(Fault(place, status=429, headers={"Retry-After": "7"}, times=1))
    whole()
    assert 7.0 <= waited[0] <= 8.0  # huggingface_hub adds one


def test_a_wait_that_is_too_long_is_left_to_the_user(hub: Hub, waited: list[float]) -> None:
    hub.faults.append(Fault("/api/", status=429, headers={"Retry-After": "600"}))
    said = refusal(lambda: resolve(NAME))
    assert said.startswith(
        f"{hub.address} cannot give '{NAME}' now (429 Too Many Requests; it asks to wait 600 s)\n  try again later"
    )
    assert waited == []


def test_a_date_to_wait_for_is_read(hub: Hub, waited: list[float]) -> None:
    hub.faults.append(Fault("/api/", status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, times=1))
    whole()
    assert waited == [0.0]


# Damage on the way


def test_cut_in_the_middle_goes_on_where_it_was(hub: Hub) -> None:
    hub.faults.append(Fault("/large/", cut=50_000, times=1))
    whole()
    asked = [headers.get("range") for headers in hub.headers if "range" in headers]
    assert asked == ["bytes=50000-"]


def test_what_has_arrived_is_there_the_next_time(hub: Hub) -> None:
    hub.faults += [Fault("/large/", cut=50_000, times=1), Fault("/large/", cut=0)]
    assert refusal(lambda: resolve(NAME)) == (
        f"the download of '{NAME}' from {hub.address} broke off (connection broken by localhost, where it keeps this"
        " file)\n  run the same command again: what has arrived is kept"
    )
    nothing_looks_complete()
    (kept,) = hub_cache().rglob("*.incomplete")
    assert kept.stat().st_size == 50_000
    hub.faults.clear()
    hub.headers.clear()
    whole()
    assert [headers["range"] for headers in hub.headers if "range" in headers] == ["bytes=50000-"]


def test_what_was_kept_and_is_bad_is_fetched_anew(hub: Hub) -> None:
    hub.faults += [Fault("/large/", cut=50_000, times=1), Fault("/large/", cut=0)]
    refusal(lambda: resolve(NAME))
    (kept,) = hub_cache().rglob("*.incomplete")
    kept.write_bytes(b"x" * 50_000)
    hub.faults.clear()
    whole()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (WEIGHTS[:-1], "204,799 bytes, the hub says 204,800"),
        (b"", "0 bytes, the hub says 204,800"),
        (WEIGHTS + b"x", "more bytes than the 204,800 that the hub says"),
        (WEIGHTS * 9, "more bytes than the 204,800 that the hub says"),
    ],
)
def test_a_wrong_length(hub: Hub, content: bytes, said: str) -> None:
    hub.faults.append(Fault("/large/", content=content))
    assert refusal(lambda: resolve(NAME)) == (
        f"what {hub.address} sends of '{NAME}' is damaged: pytorch_model.bin has {said}"
        "\n  it was thrown away; try again later, or name another mirror in HF_ENDPOINT"
    )
    nothing_looks_complete()
    assert list(hub_cache().rglob("*.incomplete")) == []
    hub.faults.clear()
    whole()


@pytest.mark.parametrize(
    ("place", "file", "algorithm"),
    [
        ("/large/", "pytorch_model.bin", "SHA-256"),
        (f"/acme/opus-mt-en-zh/resolve/{COMMIT}/vocab", "vocab.json", "SHA-1"),
    ],
)
def test_a_wrong_hash(hub: Hub, place: str, file: str, algorithm: str) -> None:
    hub.faults.append(Fault(place, content=FILES[file][::-1], method="GET"))
    said = refusal(lambda: resolve(NAME))
    assert re.fullmatch(
        rf"what {hub.address} sends of '{NAME}' is damaged: {file} has {algorithm} [0-9a-f]{{12}}\.\.\., the hub says "
        r"[0-9a-f]{12}\.\.\.\n  it was thrown away; try again later, or name another mirror in HF_ENDPOINT",
        said,
    )
    nothing_looks_complete()
    hub.faults.clear()
    whole()


def test_a_host_that_cannot_go_on_in_the_middle(hub: Hub) -> None:
    hub.faults.append(Fault("/large/", cut=50_000, ranges=False, times=3))
    whole()
    hub.faults.append(Fault("/large/", cut=50_000, ranges=False))
    for file in repository_folder(NAME, "model").rglob("pytorch_model.bin"):
        file.resolve().unlink()
        file.unlink()
    assert "broke off (connection broken" in refusal(lambda: resolve(NAME))
    assert sum(request.startswith("GET /large/") for request in hub.requests) < 20


def test_two_contents_with_one_etag(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror may make ETags of its own, of lengths and times."""
    import huggingface_hub

    ask = huggingface_hub.get_hf_file_metadata
    monkeypatch.setattr(
        huggingface_hub, "get_hf_file_metadata", lambda *args, **settings: replace(ask(*args, **settings), etag="same")
    )
    whole()


def test_a_listing_that_does_not_come(hub: Hub) -> None:
    """Without it nothing would be found where there is no network."""
    hub.datasets["acme/rows"] = hub.models[NAME]
    hub.faults.append(Fault("/api/datasets/acme/rows/tree", status=500))
    assert refusal(lambda: resolve("acme/rows", kind="dataset")) == (
        f"the download of 'acme/rows' from {hub.address} broke off (its list of files did not come)\n"
        "  run the same command again: what has arrived is kept"
    )
    hub.faults.clear()
    assert (resolve("acme/rows", kind="dataset") / "config.json").read_bytes() == b"{}"


# What is wrong on this machine


@pytest.mark.parametrize("token", ["hf_secret\x1b", "\N{LEFT DOUBLE QUOTATION MARK}hf_secret", "hf secret"])
def test_a_token_that_is_none(hub: Hub, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    assert refusal(lambda: resolve(NAME)) == (
        f"the model '{NAME}' cannot be loaded: the token has blanks or letters in it that no token has\n"
        "  log in with `hf auth login`, or set or unset HF_TOKEN"
    )
    assert hub.requests == []


def test_a_cache_that_cannot_be_written(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError) as caught:
        resolve(NAME)
    assert str(caught.value) == (
        f"{tmp_path / 'file' / 'hub'}: cannot be written: Not a directory\n"
        "  make room, or name another folder in HF_HOME"
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SSL_CERT_FILE", "none.pem", "a file of certificates cannot be read: No such file or directory"),
        ("SSL_CERT_FILE", "empty.pem", "a file of certificates has none in it"),
        ("ALL_PROXY", "socks4://me:secret@127.0.0.1:9", "the address of a proxy is none"),
        ("ALL_PROXY", "socks5://me:secret@127.0.0.1:9", "a SOCKS proxy needs a package: pip install socksio"),
    ],
)
def test_a_connection_that_cannot_be_made(
    hub: Hub, variable: str, value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub.utils._http import close_session

    monkeypatch.chdir(tmp_path)
    Path("empty.pem").touch()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        for written in (name, name.lower()):
            monkeypatch.delenv(written, raising=False)
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    close_session()  # it is kept
    try:
        assert refusal(lambda: resolve(NAME)) == f"no connection can be made: {said}\n  check what is set:   {variable}"
    finally:
        close_session()


@pytest.mark.parametrize("content", [b"<html>", b'{"error": 1}', b'[{"name": "x"}]'])
def test_suggestions_that_make_no_sense(hub: Hub, content: bytes) -> None:
    hub.faults.append(Fault("/api/models", status=200, content=content))
    hub.refusals["/api/models/acme/none"] = (404, "RepoNotFound")
    assert refusal(lambda: resolve("acme/none")).startswith(
        f"no model 'acme/none' at {hub.address}\n  if it is private"
    )


# Another host


def test_the_host_of_large_files_gets_no_token(hub: Hub) -> None:
    whole()
    sent = dict(zip(hub.requests, hub.headers, strict=True))
    assert sent[f"GET /api/models/{NAME}/revision/main"]["authorization"] == "Bearer hf_secret"
    assert sent[f"HEAD /{NAME}/resolve/{COMMIT}/pytorch_model.bin"]["authorization"] == "Bearer hf_secret"
    assert "authorization" not in sent[f"GET /large/{NAME}/pytorch_model.bin"]


def test_a_token_that_nobody_is_to_get(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not trust a mirror keeps it with ``HF_HUB_DISABLE_IMPLICIT_TOKEN``, which is read at the start."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    whole()
    assert not any("authorization" in headers for headers in hub.headers)


def test_another_host_that_does_not_answer(hub: Hub) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        hub.elsewhere = f"http://localhost:{taken.getsockname()[1]}"
        assert refusal(lambda: resolve(NAME)) == (
            f"the download of '{NAME}' from {hub.address} broke off (connection refused by localhost, where it keeps "
            "this file)\n  run the same command again: what has arrived is kept"
        )


def test_nothing_goes_round_a_mirror(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Xet has servers of its own; it is not asked, though the hub offers it."""

    def xet(*args: object, **settings: object) -> None:
        raise AssertionError("Xet was asked")

    monkeypatch.setattr("huggingface_hub.file_download.xet_get", xet)
    whole()


# What a hub sends becomes no path


def test_names_that_lead_elsewhere_are_left_out(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = b'{"id": "a/b", "sha": "%s", "siblings": [{"rfilename": "../../evil.json"}]}' % COMMIT.encode()
    hub.faults.append(Fault("/api/", status=200, content=listing, headers={"Content-Type": "application/json"}))
    assert refusal(lambda: resolve(NAME)).endswith("it has:    nothing")


@pytest.mark.parametrize("commit", ["../../../evil", "main", "", "0123"])
def test_a_commit_that_is_none(hub: Hub, commit: str) -> None:
    hub.commits[NAME] = commit
    said = refusal(lambda: resolve(NAME))
    assert said.startswith(f"cannot reach {hub.address} to load '{NAME}' (the answer is not a hub's)\n")
