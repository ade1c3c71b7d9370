"""The built-in model by its name."""

from pathlib import Path

import pytest

from hftoolkit.errors import HubError
from hftoolkit.hub import builtin, find, resolve
from hftoolkit.hub.builtin import builtin_folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation in another place."""
    monkeypatch.setattr(builtin, "__file__", str(tmp_path / "hftoolkit" / "hub" / "builtin.py"))
    return tmp_path / "hftoolkit"


def test_it_lies_in_the_package(package: Path) -> None:
    folder = package / "builtin" / "demo"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    assert builtin_folder() == folder
    assert find("demo") == resolve("demo") == folder


@pytest.mark.parametrize("empty", [False, True])
def test_an_installation_without_it(package: Path, empty: bool) -> None:
    folder = package / "builtin" / "demo"
    if empty:
        folder.mkdir(parents=True)
    with pytest.raises(HubError) as caught:
        resolve("demo")
    assert str(caught.value) == (
        f"'demo': this installation has no built-in model: {folder} is missing or empty\n"
        "  install the package again, or choose another model:   --model Helsinki-NLP/opus-mt-en-zh"
    )


def test_a_folder_of_that_name_needs_its_path(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("./demo") == Path("demo")
    with pytest.raises(HubError, match="no built-in model"):
        resolve("demo")


def test_a_data_set_may_be_called_so(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("demo", kind="dataset") == Path("demo")
