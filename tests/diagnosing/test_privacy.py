"""What is pasted in public shows no token, no password and no home."""

import os
from pathlib import Path

import pytest

from hftoolkit.diagnosing.privacy import fit_to_paste


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "jo"))


def test_the_home_is_a_tilde(tmp_path: Path) -> None:
    home = str(tmp_path / "jo")
    assert fit_to_paste(f"{home}: '{home}{os.sep}x' {home}") == f"~: '~{os.sep}x' ~"
    assert fit_to_paste(f"{home}hn/x {home}.old/x /mnt{home}") == f"{home}hn/x {home}.old/x /mnt{home}"


def test_nobodys_home_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setenv("USERPROFILE", "C:\\")
    assert fit_to_paste("/a/b C:\\a") == "/a/b C:\\a"


@pytest.mark.parametrize("variable", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY"])
def test_secrets_of_the_environment_are_hidden(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, " my-own-secret\n")
    assert fit_to_paste("Illegal header value b'Bearer my-own-secret': my-own-secret") == (
        "Illegal header value b'Bearer (hidden)': (hidden)"
    )


def test_tokens_from_elsewhere_are_hidden() -> None:
    assert fit_to_paste("b'Bearer abc.def\\n' hf_AbCdEfGhIjKl, hf_hub") == "b'Bearer (hidden)' (hidden), hf_hub"


def test_addresses_in_messages_are_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "jo:pa/ss@mirror.example/")
    monkeypatch.setenv("https_proxy", "http://jo:p w@proxy")
    assert fit_to_paste("'jo:pa/ss@mirror.example' https://jo:pa/ss@mirror.example http://jo:p w@proxy") == (
        "'mirror.example' https://mirror.example http://proxy"
    )
    assert fit_to_paste("GET https://a:b@c.example/d@e") == "GET https://c.example/d@e"
