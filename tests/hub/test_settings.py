"""What commands, recipes and the environment say about the hub, and which of them counts."""

import os
from pathlib import Path

import pytest
from hub_server import COMMIT, allowed, serve

from hftoolkit import hub
from hftoolkit.errors import HubError, UsageError
from hftoolkit.hub.settings import PUBLIC, shown, using


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("HF_ENDPOINT", "HFTOOLKIT_REFRESH"):
        monkeypatch.delenv(key, raising=False)


def test_an_endpoint_holds_until_the_block_ends() -> None:
    assert hub.endpoint() == PUBLIC
    with using("https://one.example/"):
        assert hub.endpoint() == "https://one.example"
        with using("http://two.example:81/hf"), using():
            assert hub.endpoint() == "http://two.example:81/hf"
        assert hub.endpoint() == "https://one.example"
    assert "HF_ENDPOINT" not in os.environ


def test_the_environment_goes_before_a_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub.of_recipe("https://recipe.example") == "https://recipe.example"
    monkeypatch.setenv("HF_ENDPOINT", "https://environment.example")
    assert hub.of_recipe("https://recipe.example") is None


@pytest.mark.parametrize("address", ["hf-mirror.com", "ftp://x", "https://", "http://a:b", "https:/x"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(HubError, match="is not an address\n  write:  https://"), using(address):
        pass
    assert "HF_ENDPOINT" not in os.environ


@pytest.mark.parametrize(
    ("address", "printed"),
    [
        ("https://hf-mirror.com/", "https://hf-mirror.com/"),
        ("http://jo:pass@proxy:3128", "http://proxy:3128"),
        ("jo:pass@proxy:3128", "proxy:3128"),
        ("http://jo:a/b@c://d#e?f@proxy:3128/x", "http://proxy:3128/x"),
        ("https://mirror/path?token=secret#secret", "https://mirror/path"),
        ("socks5h://jo@proxy", "socks5h://proxy"),
        ("", ""),
    ],
)
def test_addresses_lose_what_may_let_somebody_in(address: str, printed: str) -> None:
    assert shown(address) == printed


def test_a_password_is_not_in_an_error() -> None:
    with pytest.raises(HubError) as caught, using("http://me:se/cret@mirror"):
        pass
    assert str(caught.value).startswith("endpoint: 'http://mirror' is not an address\n")


def test_offline_holds_until_the_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with using(offline=True):
        assert hub.offline()
        assert constants.HF_HUB_OFFLINE
    assert not hub.offline()
    assert not constants.HF_HUB_OFFLINE


def test_a_newer_copy_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            (folder / name).write_text(f"{folder.name} {name}", encoding="utf-8")
    with allowed(tmp_path / "home", monkeypatch), serve(models={"acme/tiny": first}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        old = hub.resolve("acme/tiny")
        server.models["acme/tiny"], server.commits["acme/tiny"] = second, "f" * 40
        assert hub.resolve("acme/tiny") == old
        asked = len(server.requests)
        with using(refresh=True):
            assert hub.resolve("acme/tiny", COMMIT) == old  # a commit stays what it is
            assert len(server.requests) == asked
            new = hub.resolve("acme/tiny")
            asked = len(server.requests)
            assert hub.resolve("acme/tiny") == new
        assert len(server.requests) == asked
        assert (new / "model.safetensors").read_text(encoding="utf-8") == "second model.safetensors"
        assert hub.resolve("acme/tiny") == new
        with using(refresh=True):
            assert hub.resolve("acme/tiny") == new
        assert len(server.requests) == asked + 1, "what is not newer is asked for and not downloaded"


def test_a_newer_copy_without_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_text(name, encoding="utf-8")
    with allowed(tmp_path / "home", monkeypatch), serve(models={"acme/tiny": folder}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        hub.resolve("acme/tiny")
        with using(offline=True, refresh=True), pytest.raises(UsageError) as caught:
            hub.resolve("acme/tiny")
    assert str(caught.value) == (
        "'acme/tiny': a newer copy is asked for (--refresh) where no connection is allowed\n"
        "  leave out --refresh, or --offline and HF_HUB_OFFLINE"
    )
