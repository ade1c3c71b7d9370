"""The built-in recipes, and copying them."""

import re
from pathlib import Path

import pytest

from hftoolkit.errors import UsageError
from hftoolkit.recipe import library
from hftoolkit.recipe.reader import read_recipe
from hftoolkit.tasks import task_options


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder with one recipe that has data, as in a wheel."""
    inside = tmp_path / "package" / "_recipes"
    (inside / "quick").mkdir(parents=True)
    (inside / "quick.yaml").write_text("# Learn 中文 quickly.\ntask: translation\n", encoding="utf-8")
    (inside / "quick" / "rows.tsv").write_text("a\tb\n", encoding="utf-8")
    (inside / "README.md").write_text("# Recipes\n", encoding="utf-8")
    monkeypatch.setattr(library, "_PACKAGE", tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    return inside


@pytest.mark.parametrize("name", library.names())
def test_every_recipe_is_read_strictly_and_says_what_it_is_for(name: str) -> None:
    recipe = read_recipe(name, tasks=task_options())
    assert recipe.output == f"runs/{name}"
    assert library.header(name).endswith(".")


def test_the_readme_has_a_row_for_every_recipe_and_no_other() -> None:
    readme = (library.find("scratch-en-zh").parent / "README.md").read_text(encoding="utf-8")
    before, after = readme.split("\n## Scores\n")  # that table names the measured recipes a second time
    lists = before + after[after.index("\n## ") :]
    assert sorted(re.findall(r"^\| \[([^]]+)\]\(\1\.yaml\) \|", lists, re.MULTILINE)) == library.names()


def test_an_unknown_name_has_a_near_miss() -> None:
    with pytest.raises(UsageError) as caught:
        library.find("marian-en-hz")
    assert str(caught.value) == (
        "no built-in recipe 'marian-en-hz'; did you mean 'marian-en-zh'?\n  to see them all:   hftoolkit recipes list"
    )
    with pytest.raises(UsageError) as caught:
        library.find("../README")
    assert str(caught.value) == "no built-in recipe '../README'\n  to see them all:   hftoolkit recipes list"


def test_recipes_in_a_wheel_lie_inside_the_package(own: Path) -> None:
    assert library.names() == ["quick"]
    assert library.header("quick") == "Learn 中文 quickly."


def test_a_copy_brings_its_data(own: Path) -> None:
    assert library.copy("quick", "here/there") == [Path("here/there/quick.yaml"), Path("here/there/quick")]
    assert Path("here/there/quick.yaml").read_text(encoding="utf-8").startswith("# Learn 中文")
    assert Path("here/there/quick/rows.tsv").read_text(encoding="utf-8") == "a\tb\n"
    assert sorted(path.name for path in Path("here/there").iterdir()) == ["quick", "quick.yaml"]


def test_a_copy_brings_data_that_recipes_share_once(own: Path) -> None:
    for name in ("quick-lora", "quick-dora"):
        (own / f"{name}.yaml").write_text("# Learn quickly.\n", encoding="utf-8")
    assert library.copy("quick-lora") == [Path("quick-lora.yaml"), Path("quick")]
    Path("quick/rows.tsv").write_text("mine", encoding="utf-8")
    assert library.copy("quick-dora") == [Path("quick-dora.yaml")]
    assert Path("quick/rows.tsv").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("there", ["quick.yaml", "quick"])
def test_a_copy_never_overwrites(own: Path, there: str) -> None:
    Path(there).write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        library.copy("quick")
    assert str(caught.value) == f"{there}: exists already\n  another folder:   hftoolkit recipes copy quick FOLDER"
    assert Path(there).read_text(encoding="utf-8") == "mine"


def test_a_copy_into_a_file(own: Path) -> None:
    Path("there").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        library.copy("quick", "there")
    assert str(caught.value) == "there: a file, expected a folder\n  name another one, or move the file"
