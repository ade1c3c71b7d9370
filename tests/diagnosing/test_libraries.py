"""Libraries that are there, too old, broken or missing; optional parts with the command that installs them."""

import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from hftoolkit.diagnosing import libraries
from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.libraries import SHOWN, USES, needed_libraries, optional_parts

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that comes before all others."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(site: Path, name: str, version: str, *metadata: str, code: str = "") -> None:
    """Put a package where Python finds it."""
    folder = site / f"{name}-{version or 0}.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", *([f"Version: {version}"] if version else []), *metadata]
    (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not metadata:
        (site / f"{name}.py").write_text(code, encoding="utf-8")


def ours(site: Path, *metadata: str) -> None:
    """Say what this program needs."""
    install(site, "hftoolkit", "0.2", *metadata)


def by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def only(name: str, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """What is found of a library that is shown."""
    monkeypatch.setattr(libraries, "SHOWN", (name,))
    return by_name(needed_libraries())[name]


def test_what_is_shown_is_needed_and_can_be_loaded_by_its_name() -> None:
    needed = {each.partition(">")[0] for each in PROJECT["dependencies"]}
    assert set(SHOWN) <= needed


def test_versions_are_told(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours(site, "Requires-Dist: acme-good>=1.0", "Requires-Dist: acme-other>=1")
    install(site, "acme_good", "1.10")
    install(site, "acme_other", "1")
    monkeypatch.setattr(libraries, "SHOWN", ("acme_good",))
    found = by_name(needed_libraries())
    assert list(found) == ["hftoolkit", "Python", "system", "acme_good", "others"]
    assert {finding.state for finding in found.values()} == {"ok"}
    assert found["hftoolkit"].text == "0.2"
    assert found["acme_good"].text == "1.10"
    assert found["others"].text == "1 of 1 there, in versions that will do"


def test_a_library_that_is_too_old(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours(site, "Requires-Dist: acme-old>=1.10")
    install(site, "acme_old", "1.9")
    assert only("acme_old", monkeypatch) == Finding(
        "acme_old", "1.9, where >=1.10 is needed", "problem", "pip install 'acme-old>=1.10'"
    )


def test_one_that_is_not_shown_is_told_when_it_is_wrong(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours(site, "Requires-Dist: acme-old>=2", "Requires-Dist: acme-absent>=1")
    install(site, "acme_old", "1")
    monkeypatch.setattr(libraries, "SHOWN", ())
    found = by_name(needed_libraries())
    assert found["acme_old"].state == found["acme_absent"].state == "problem"
    assert found["others"].text == "0 of 2 there, in versions that will do"


def test_a_library_that_is_missing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours(site, "Requires-Dist: acme-absent>=1.0")
    assert only("acme_absent", monkeypatch) == Finding(
        "acme_absent", "not installed", "problem", "pip install 'acme-absent>=1.0'"
    )


def test_what_an_interrupted_pip_left_is_not_installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours(site, "Requires-Dist: acme-half>=1.0")
    install(site, "acme_half", "")
    assert only("acme_half", monkeypatch).text == "not installed"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise ImportError('DLL load failed\\nmore')", "ImportError: DLL load failed"),
        ("raise AttributeError", "AttributeError"),
        ("raise OSError('libcudart.so.12: cannot open')", "OSError: libcudart.so.12: cannot open"),
    ],
)
def test_a_library_that_does_not_load(site: Path, monkeypatch: pytest.MonkeyPatch, code: str, why: str) -> None:
    ours(site, "Requires-Dist: acme-broken>=1")
    install(site, "acme_broken", "1.2", code=code)
    assert only("acme_broken", monkeypatch) == Finding(
        "acme_broken",
        f"1.2 does not load: {why}",
        "problem",
        "install it again:  pip install --force-reinstall --no-deps 'acme_broken==1.2'",
    )


def test_a_build_is_installed_again_from_where_such_builds_are(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours(site, "Requires-Dist: acme-torch>=1")
    install(site, "acme_torch", "2.6.0+cu124", code="raise ImportError")
    assert only("acme_torch", monkeypatch).advice.endswith(
        "'acme_torch==2.6.0+cu124' --index-url https://download.pytorch.org/whl/cu124"
    )


def test_a_program_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(libraries, "SHOWN", ())
    monkeypatch.setattr(libraries, "metadata", unknown)
    monkeypatch.setattr(libraries, "version", unknown)
    found = by_name(needed_libraries())
    assert found["hftoolkit"].text == "not installed, its version is not known"
    assert found["others"] == Finding(
        "others", "not looked at: what hftoolkit needs is known where it is installed", "note"
    )
    assert list(optional_parts()) == []


def test_every_optional_part_of_users_has_a_use() -> None:
    assert set(USES) == set(PROJECT["optional-dependencies"]) - {"dev"}


def test_optional_parts(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours(
        site,
        "Provides-Extra: dev",
        "Provides-Extra: good",
        "Provides-Extra: old",
        "Requires-Dist: acme-good>=1",
        "Requires-Dist: acme-nice>=1; extra == 'good'",
        "Requires-Dist: acme-nice>=2; extra == 'old'",
        "Requires-Dist: acme-absent>=1; extra == 'old'",
        "Requires-Dist: acme-elsewhere>=1; sys_platform == 'nowhere' and extra == 'old'",
        "Requires-Dist: acme-test>=1; extra == 'dev'",
    )
    install(site, "acme_nice", "1.5")
    monkeypatch.setattr(libraries, "USES", {"good": "goodness", "old": "the old", "gone": "nothing"})
    assert list(optional_parts()) == [
        Finding("good", "acme_nice 1.5; for goodness"),
        Finding(
            "old",
            "acme_nice 1.5, where >=2 is needed, acme_absent not installed; for the old",
            "note",
            "pip install 'hftoolkit[old]'",
        ),
    ]
