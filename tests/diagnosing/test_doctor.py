"""The whole of it: a page whatever is broken, without secrets, that says to a shell whether something is."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hftoolkit
from hftoolkit import hub
from hftoolkit.diagnosing import Diagnosis, doctor, environment, libraries, rates
from hftoolkit.diagnosing.diagnosis import WIDTH, Finding
from hftoolkit.errors import HubError


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "SHOWN", ("click", "psutil"))
    monkeypatch.setattr(rates, "_SECONDS", 0.0)
    monkeypatch.setattr(rates, "_LONG", 0.0)


def names(found: Diagnosis, section: str) -> list[str]:
    return [each.name for part in found.sections if part.name == section for each in part.findings]


def test_it_is_a_public_function() -> None:
    assert hftoolkit.doctor is doctor


def test_what_is_asked_for_is_on_the_page() -> None:
    found = doctor()
    assert [section.name for section in found.sections] == [
        *("versions", "optional parts", "machine", "folders", "environment", "hub"),
    ]
    assert all(section.findings for section in found.sections if section.name != "optional parts")
    assert found.exit_code == 0  # offline by choice, as all tests are
    assert str(found).splitlines()[-1].startswith("everything works that is needed: ")


def test_the_page_fits_where_it_is_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    page = str(doctor())
    assert [line for line in page.splitlines() if len(line) > WIDTH] == []
    assert str(tmp_path) not in page
    assert "~/work" in page.replace("\\", "/")


def test_no_secret_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ["my-own-hf-token", "my-own-openai-key", "my-own-password", "my-proxy-password"]
    monkeypatch.setenv("HF_TOKEN", secrets[0])
    monkeypatch.setenv("OPENAI_API_KEY", secrets[1])
    monkeypatch.setenv("HF_ENDPOINT", f"jo:{secrets[2]}@mirror.example")  # an error tells it as it is
    monkeypatch.setenv("HTTPS_PROXY", f"http://jo:{secrets[3]}@proxy.example:3128")
    found = doctor()
    assert found.exit_code == 1
    page = str(found)
    assert "mirror.example" in page
    assert "http://proxy.example:3128" in page
    assert [secret for secret in [*secrets, "jo:"] if secret in page] == []


def test_an_error_of_ours_is_a_problem_with_its_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "hf-mirror.com")
    with pytest.raises(HubError) as caught:
        hub.endpoint()
    said, advice = str(caught.value).split("\n")
    assert doctor().of_state("problem") == [Finding("hub", said, "problem", advice.strip())]


def test_whatever_breaks_is_a_problem_and_takes_nothing_else_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Finding]:
        yield Finding("first", "of all")
        raise ZeroDivisionError("by nobody")

    complete = doctor()
    monkeypatch.setattr(environment, "environment", broken)
    found = doctor()
    assert found.of_state("problem") == [
        Finding("environment", "cannot be looked at: ZeroDivisionError: by nobody", "problem")
    ]
    assert names(found, "environment") == ["first", "environment"]
    assert names(found, "hub") == names(complete, "hub")


def test_a_section_that_does_not_load_takes_none_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hftoolkit.diagnosing.libraries", None)
    found = doctor()
    assert [finding.name for finding in found.of_state("problem")] == ["versions", "optional parts"]
    assert "processor" in names(found, "machine")
