"""What `import hftoolkit` gives, and what it costs."""

import inspect
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import hftoolkit

ROOT = Path(__file__).parent.parent


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout


def test_importing_the_package_loads_none_of_its_modules() -> None:
    loaded = python("import sys, hftoolkit; print(*(name for name in sys.modules if name.startswith('hftoolkit')))")
    assert loaded.split() == ["hftoolkit"]


def test_a_name_loads_what_it_needs_and_no_more() -> None:
    code = "import sys\nfrom hftoolkit import Recipe\nprint(*{name.split('.')[0] for name in sys.modules})"
    loaded = set(python(code).split())
    assert "pydantic" in loaded
    assert not loaded & {"torch", "transformers", "datasets"}


@pytest.mark.parametrize("name", hftoolkit.__all__)
def test_every_public_name_is_there_and_says_what_it_is_for(name: str) -> None:
    value = getattr(hftoolkit, name)
    assert name == "__version__" or inspect.getdoc(value)


def test_a_name_is_looked_up_once() -> None:
    assert hftoolkit.evaluate is vars(hftoolkit)["evaluate"] is import_module("hftoolkit.evaluation").evaluate


def test_the_names_are_those_that_type_checkers_see() -> None:
    source = inspect.getsource(hftoolkit)
    seen = {line.split(" as ")[1] for line in source.splitlines() if line.startswith("    from hftoolkit.")}
    assert seen | {"__version__"} == set(hftoolkit.__all__) == set(dir(hftoolkit))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'hftoolkit' has no attribute 'finetun'$"):
        hftoolkit.finetun  # noqa: B018


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert hftoolkit.__version__ == project["version"]


def test_the_layers_in_the_docstring_are_those_that_are_checked() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [layer.replace("hftoolkit.", "").replace(" | ", ", ") for layer in contract["contracts"][0]["layers"]]
    said = " ".join((hftoolkit.__doc__ or "").split()).split("left may import right: ")[1].split(". ")[0]
    assert said.split(" > ") == layers
