"""Variables that matter are told, secrets without their values."""

import os

import pytest

from hftoolkit.diagnosing.environment import environment


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(
            ("HF", "HUGG", "XDG", "TRANSF", "SSL", "REQ", "OPENAI", "OMP", "CUDA", "DISABLE", "PYTH")
        ):
            monkeypatch.delenv(name)
        if name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


def told() -> dict[str, str]:
    return {finding.name: finding.text for finding in environment()}


def test_what_is_not_set_is_said() -> None:
    assert told() == {"not set": "HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE, HF_TOKEN"}


def test_what_is_set_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hf-mirror.com")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert told() == {
        "HF_ENDPOINT": "https://hf-mirror.com",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "2",
        "not set": "HF_HOME, HF_TOKEN",
    }


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY"])
def test_a_secret_is_only_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "secret")
    assert told()[name] == "set"


@pytest.mark.parametrize("name", ["HF_ENDPOINT", "HTTPS_PROXY", "OPENAI_BASE_URL"])
def test_an_address_is_shown_without_a_password(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://jo:pass@there.example:8080")
    assert told()[name] == "http://there.example:8080"
