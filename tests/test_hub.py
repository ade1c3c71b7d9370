"""A name becomes a folder: by folder, package, cache, endpoint, in this order, and every refusal says what to do."""

import errno
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hub_server import COMMIT, Hub, allowed, serve

from hftoolkit.errors import HubError, OutputError, UsageError
from hftoolkit.hub import cache_folder, find, offline, refusals, resolve
from hftoolkit.hub.choice import choose

MARIAN = ("config.json", "generation_config.json", "source.spm", "target.spm", "tokenizer_config.json", "vocab.json")
OTHERS = (".gitattributes", "README.md", "onnx/model.onnx", "tf_model.h5", "rust_model.ot", "training_args.bin")


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with allowed(tmp_path / "home", monkeypatch):
        yield


@pytest.fixture
def opus(tmp_path: Path) -> Path:
    return repository(tmp_path / "opus", *MARIAN, *OTHERS, "pytorch_model.bin")


@pytest.fixture
def hub(opus: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve(models={"acme/opus-mt-en-zh": opus}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        yield running


def repository(folder: Path, *files: str) -> Path:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{{}} {name}", encoding="utf-8")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def refusal(ask: Callable[[], object], kind: type[Exception] = HubError) -> str:
    with pytest.raises(kind) as caught:
        ask()
    return str(caught.value)


# Folders and packages


def test_a_folder_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path / "runs" / "mine", "config.json")
    assert resolve(str(tmp_path / "runs" / "mine")) == tmp_path / "runs" / "mine"
    monkeypatch.chdir(tmp_path)
    assert resolve("runs/mine") == Path("runs/mine")


@pytest.mark.parametrize("name", ["./mine", "a/b/c", "C:\\mine", "", "a..b/c", "acme/", "häm/ster"])
def test_what_is_neither_folder_nor_hub_id(name: str) -> None:
    assert refusal(lambda: resolve(name), UsageError) == (
        f"there is no folder {name!r}, and it is no hub id\n"
        "  expected a folder, a hub id such as Helsinki-NLP/opus-mt-en-zh, or package:NAME/FOLDER"
    )


@pytest.mark.parametrize("revision", ["", "../main", "a b", "/main"])
def test_what_is_no_revision(revision: str) -> None:
    assert refusal(lambda: resolve("acme/model", revision), UsageError) == (
        f"'acme/model': {revision!r} is no revision\n  expected a branch, a tag or a commit"
    )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site" / "hft_models"
    repository(folder, "model/deep/config.json", "other/config.json", "_private/x", "__init__.py")
    (folder / "__init__.py").write_text("raise RuntimeError('run')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


def test_a_folder_in_a_package_is_found_without_running_the_package(package: Path) -> None:
    assert resolve("package:hft_models/model") == package / "model"
    assert resolve("package:hft_models/model/deep") == package / "model" / "deep"


def test_a_package_that_is_not_installed() -> None:
    assert refusal(lambda: resolve("package:hft_absent/model")) == (
        "'package:hft_absent/model': the package 'hft_absent' is not installed\n  install it:  pip install hft_absent"
    )


def test_a_package_without_the_folder(package: Path) -> None:
    assert refusal(lambda: resolve("package:hft_models/modle")) == (
        "'package:hft_models/modle': the package 'hft_models' has no folder 'modle'\n  it has:  model"
    )
    assert refusal(lambda: resolve("package:hft_models/zzz")).endswith("\n  it has:  model, other")


@pytest.mark.parametrize("name", ["package:", "package:hft_models", "package:hft_models/../..", "package:a b/c"])
def test_a_package_name_that_leads_nowhere(name: str) -> None:
    assert refusal(lambda: resolve(name), UsageError) == (
        f"{name!r} names no folder of a package\n  expected package:NAME/FOLDER"
    )


# Downloads


def test_a_model_comes_with_one_weight_format(hub: Hub) -> None:
    folder = resolve("acme/opus-mt-en-zh")
    assert names(folder) == sorted([*MARIAN, "pytorch_model.bin"])
    assert (folder / "vocab.json").read_text(encoding="utf-8") == "{} vocab.json"
    assert hub.requests[0] == "GET /api/models/acme/opus-mt-en-zh/revision/main"
    assert not any(other in request for request in hub.requests for other in OTHERS)


def test_a_second_time_nobody_is_asked(hub: Hub) -> None:
    folder = resolve("acme/opus-mt-en-zh")
    hub.requests.clear()
    assert resolve("acme/opus-mt-en-zh") == folder
    assert resolve("acme/opus-mt-en-zh", COMMIT) == folder
    assert hub.requests == []


def test_a_file_that_was_lost_is_fetched_again(hub: Hub) -> None:
    folder = resolve("acme/opus-mt-en-zh")
    (folder / "source.spm").unlink()
    assert resolve("acme/opus-mt-en-zh") == folder
    assert (folder / "source.spm").is_file()


def test_a_cache_without_a_list_of_files_is_used_when_it_looks_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    repository_folder = tmp_path / "home" / "hub" / "models--acme--older"
    snapshot = repository(repository_folder / "snapshots" / COMMIT, *MARIAN, "pytorch_model.bin")
    (repository_folder / "refs").mkdir()
    (repository_folder / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    assert resolve("acme/older") == snapshot

    (snapshot / "target.spm").unlink()
    assert "connection refused" in refusal(lambda: resolve("acme/older"))


def test_a_cache_without_a_list_of_files_needs_every_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    snapshot = tmp_path / "home" / "hub" / "models--acme--big" / "snapshots" / COMMIT
    shards = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    repository(snapshot, "config.json", "tokenizer.json", *shards)
    index = {"weight_map": {"a": shards[0], "b": shards[1]}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert resolve("acme/big", COMMIT) == snapshot

    (snapshot / shards[1]).unlink()
    assert "is not complete in the cache" in refusal(lambda: resolve("acme/big", COMMIT))


def test_safetensors_are_preferred(tmp_path: Path) -> None:
    folder = repository(tmp_path / "both", *MARIAN, "pytorch_model.bin", "model.safetensors")
    assert "model.safetensors" in choose(names(folder), "model", None)
    assert "pytorch_model.bin" not in choose(names(folder), "model", None)


def test_sharded_safetensors_come_with_their_index() -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = "model.safetensors.index.json"
    there = ["config.json", "tokenizer.json", index, *shards, "pytorch_model.bin.index.json", "pytorch_model.bin"]
    assert choose(there, "model", None) == sorted(["config.json", "tokenizer.json", index, *shards])


def test_an_adapter_beside_a_model_is_what_a_repository_is() -> None:
    there = ["adapter_config.json", "adapter_model.safetensors", "config.json", "model.safetensors"]
    assert choose(there, "model", None) == there[:3]


def test_a_data_set_comes_whole_or_by_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository(tmp_path / "rows", "README.md", "data/train.parquet", "data/test.parquet")
    with serve(datasets={"acme/rows": folder}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        assert names(resolve("acme/rows", kind="dataset", files=["*/test.parquet"])) == ["data/test.parquet"]
        assert names(resolve("acme/rows", kind="dataset")) == names(folder)
        hub.requests.clear()
        resolve("acme/rows", kind="dataset")
        assert hub.requests == []
        assert refusal(lambda: resolve("acme/rows", kind="dataset", files=["*.csv", "*.tsv"])) == (
            f"the data set 'acme/rows' at {hub.address} has no *.csv, *.tsv\n"
            "  it has:  README.md, data/test.parquet, data/train.parquet"
        )


def test_the_endpoint_is_the_one_of_the_moment(hub: Hub, opus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(models={"acme/elsewhere": opus}) as other:
        monkeypatch.setenv("HF_ENDPOINT", other.address + "/")
        resolve("acme/elsewhere")
        assert other.requests
    assert hub.requests == []


# Refusals


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert refusal(lambda: resolve("acme/model")) == (
            f"cannot reach {address} to load 'acme/model' (connection refused)\n"
            f"  {address} is what --endpoint, HF_ENDPOINT or the recipe says: check it, or leave it out\n"
            "  without network:   use a folder, or 'demo', the built-in English-to-Chinese translator (--model demo)"
        )


def test_the_name_of_the_hub_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **settings: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    for key in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refusal(lambda: resolve("Helsinki-NLP/opus-mt-en-zh")) == (
        "cannot reach https://huggingface.co to load 'Helsinki-NLP/opus-mt-en-zh' (name not found)\n"
        "  behind a mirror:   HF_ENDPOINT=https://hf-mirror.com hftoolkit ...\n"
        "  without network:   use a folder, or 'demo', the built-in English-to-Chinese translator (--model demo)"
    )


def test_a_server_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        message = refusal(lambda: resolve("acme/rows", kind="dataset", timeout=0.2))
        assert time.monotonic() - start < 2
    lines = message.split("\n")
    assert lines[0].endswith("to load 'acme/rows' (no answer in 0.2 s)")
    assert lines[2] == "  without network:   use a file or a folder"


def test_a_name_server_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    released = Event()

    def hang(*args: object, **settings: object) -> None:
        released.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert "(no answer in 0.2 s)" in refusal(lambda: resolve("acme/model", timeout=0.2))
    released.set()


def test_a_page_that_is_no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serve(refusals={"/api/": (200, "")}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        assert f"cannot reach {hub.address} to load 'acme/model' (the answer is not a hub's)" in refusal(
            lambda: resolve("acme/model")
        )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "certificate not trusted: "),
        (ConnectionResetError(), "connection broken"),
        (TimeoutError(), "no answer in 5 s"),
        (OSError(101, "Network is unreachable"), "no network"),
        (ValueError("our own mistake"), None),
    ],
)
def test_reasons_are_told_apart(error: Exception, reason: str | None) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = ""
    assert refusals.reason(error, 5) == reason
    if reason is not None:
        wrapped = RuntimeError("outer")
        wrapped.__cause__ = error
        assert refusals.reason(wrapped, 5) == reason


def test_our_own_mistakes_are_not_called_the_networks(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def break_down(*args: object, **settings: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(huggingface_hub, "snapshot_download", break_down)
    with pytest.raises(ZeroDivisionError):
        resolve("acme/opus-mt-en-zh")


def test_an_endpoint_that_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "hf-mirror.com")
    assert refusal(lambda: resolve("acme/model")) == (
        "HF_ENDPOINT: 'hf-mirror.com' is not an address\n  write:  https://hf-mirror.com"
    )


def test_a_model_that_is_not_there(hub: Hub) -> None:
    assert refusal(lambda: resolve("acme/opus-mt")) == (
        f"no model 'acme/opus-mt' at {hub.address}\n"
        "  did you mean 'acme/opus-mt-en-zh'?\n"
        "  if it is private:   log in with `hf auth login`, or set HF_TOKEN\n"
        "  if it is a folder:  there is none of this name here"
    )
    assert "did you mean" not in refusal(lambda: resolve("acme/xyz"))


def test_a_revision_that_is_not_there(hub: Hub) -> None:
    assert refusal(lambda: resolve("acme/opus-mt-en-zh", "v9")) == (
        f"the model 'acme/opus-mt-en-zh' at {hub.address} has no revision 'v9'\n  left out, it is 'main'"
    )


def test_a_mirror_that_does_not_say_what_is_missing(hub: Hub) -> None:
    hub.refusals["/api/models/acme/opus-mt-en-zh/revision/v9"] = (404, "")
    message = refusal(lambda: resolve("acme/opus-mt-en-zh", "v9"))
    assert message.startswith(f"no model 'acme/opus-mt-en-zh' at {hub.address}, or it has no revision 'v9'\n")


@pytest.mark.parametrize("place", ["/api/models/acme", "/acme/opus-mt-en-zh/resolve"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_model(hub: Hub, status: int, place: str) -> None:
    hub.refusals[place] = (status, "GatedRepo")
    assert refusal(lambda: resolve("acme/opus-mt-en-zh")) == (
        f"'acme/opus-mt-en-zh' at {hub.address} is gated: its authors want you to accept conditions first\n"
        "  accept them at https://huggingface.co/acme/opus-mt-en-zh\n"
        "  then log in with `hf auth login`, or set HF_TOKEN"
    )


def test_a_private_model_looks_like_none(hub: Hub) -> None:
    hub.refusals["/api/models/acme"] = (401, "")
    message = refusal(lambda: resolve("acme/opus-mt-en-zh"))
    assert message.startswith(f"no model 'acme/opus-mt-en-zh' at {hub.address}\n")
    assert "if it is private:   log in with `hf auth login`, or set HF_TOKEN" in message


def test_a_token_without_the_right(hub: Hub) -> None:
    hub.refusals["/api/models/acme"] = (403, "")
    assert refusal(lambda: resolve("acme/opus-mt-en-zh")) == (
        f"{hub.address} does not let you read 'acme/opus-mt-en-zh'\n  log in with `hf auth login`, or set HF_TOKEN"
    )


def test_a_hub_out_of_order(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.hub.retries.sleep", lambda seconds: None)
    hub.refusals["/api/models/acme"] = (503, "")
    assert refusal(lambda: resolve("acme/opus-mt-en-zh")) == (
        f"{hub.address} cannot give 'acme/opus-mt-en-zh' now (503 Service Unavailable)\n"
        "  try again later, or name another mirror in HF_ENDPOINT"
    )


def test_weights_in_no_format_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository(tmp_path / "flax", "config.json", "flax_model.msgpack")
    with serve(models={"acme/flax": folder}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        assert refusal(lambda: resolve("acme/flax")) == (
            f"the model 'acme/flax' at {hub.address} has no weights in a format that is read here\n"
            "  expected:  model.safetensors or pytorch_model.bin\n"
            "  it has:    config.json, flax_model.msgpack"
        )
        assert not any("resolve" in request for request in hub.requests)


def test_a_refused_download_leaves_nothing_that_looks_complete(hub: Hub) -> None:
    hub.refusals[f"/acme/opus-mt-en-zh/resolve/{COMMIT}/pytorch_model.bin"] = (403, "")
    refusal(lambda: resolve("acme/opus-mt-en-zh"))
    hub.refusals.clear()
    assert "pytorch_model.bin" in names(resolve("acme/opus-mt-en-zh"))


# Offline, and the caches


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_asks_nobody(hub: Hub, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    assert refusal(lambda: resolve("acme/opus-mt-en-zh")) == (
        f"the model 'acme/opus-mt-en-zh' is not complete in the cache ({tmp_path / 'home' / 'hub'}), "
        "and no connection is allowed\n"
        "  where there is a network:   leave out --offline, or unset HF_HUB_OFFLINE\n"
        "  where there is none:        use a folder, or 'demo', the built-in English-to-Chinese translator (--model "
        "demo)\n"
        "  to bring it there:          hftoolkit prefetch RECIPE --bundle FILE.tar"
    )
    assert hub.requests == []
    monkeypatch.delenv(variable)
    folder = resolve("acme/opus-mt-en-zh")
    monkeypatch.setenv(variable, "1")
    assert resolve("acme/opus-mt-en-zh") == folder


def test_our_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    assert (tmp_path / "mine").is_dir()
    monkeypatch.delenv("HFTOOLKIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "hftoolkit"


def test_a_cache_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError) as caught:
        cache_folder()
    assert str(caught.value) == (
        f"{tmp_path / 'file' / 'cache'}: the cache cannot be kept here: {os.strerror(errno.ENOTDIR)}\n"
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
    )


def test_no_conversion_service_is_told_what_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISABLE_SAFETENSORS_CONVERSION", raising=False)
    resolve(str(tmp_path))
    assert os.environ["DISABLE_SAFETENSORS_CONVERSION"] == "1"


def test_nobody_is_asked_which_program_this_is(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """huggingface_hub would, once a day, at the hub or at the endpoint that stood in the environment when it began."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _detect_agent

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr(_detect_agent, "_registry", None)
    monkeypatch.setattr(_detect_agent, "_fetch_registry", lambda: pytest.fail("asked"))
    resolve("acme/opus-mt-en-zh")


def test_importing_costs_nothing() -> None:
    heavy = "{'torch', 'transformers', 'huggingface_hub', 'numpy', 'datasets'}"
    code = f"import sys, hftoolkit.hub, hftoolkit.models.pairs; print({heavy} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"


# What is here already


def test_what_is_nowhere_here_is_not_asked_for(hub: Hub) -> None:
    assert find("acme/opus-mt-en-zh") is None
    assert hub.requests == []


def test_what_was_fetched_is_found_without_a_request(hub: Hub) -> None:
    fetched = resolve("acme/opus-mt-en-zh")
    hub.requests.clear()
    assert find("acme/opus-mt-en-zh") == fetched
    assert find("acme/opus-mt-en-zh", "other") is None
    assert find("acme/opus-mt-en-zh", kind="dataset") is None
    assert hub.requests == []


def test_a_folder_is_found_and_a_wrong_name_is_refused(tmp_path: Path) -> None:
    assert find(str(tmp_path)) == tmp_path
    assert refusal(lambda: find("a..b/c"), UsageError) == refusal(lambda: resolve("a..b/c"), UsageError)
    assert refusal(lambda: find("package:nowhere/model")) == refusal(lambda: resolve("package:nowhere/model"))


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_whether_the_network_is_forbidden(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not offline()
    monkeypatch.setenv(variable, "1")
    assert offline()
