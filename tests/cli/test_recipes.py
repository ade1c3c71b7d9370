"""`hftoolkit recipes`, a shell over the library."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import hftoolkit

from hftoolkit.cli.recipes import recipes
from hftoolkit.errors import UsageError
from hftoolkit.recipe import library


def test_list_says_what_each_recipe_is_for() -> None:
    lines = CliRunner().invoke(recipes, ["list"], catch_exceptions=False).stdout.splitlines()
    assert [line.split()[0] for line in lines] == library.names()
    said = "Fine-tune opus-mt English to Chinese on your own sentence pairs; all weights are trained."
    assert f"{'marian-en-zh':{max(map(len, library.names()))}}  {said}" in lines


def test_show_prints_the_file() -> None:
    shown = CliRunner().invoke(recipes, ["show", "marian-en-zh"], catch_exceptions=False).stdout
    assert shown == library.find("marian-en-zh").read_text(encoding="utf-8")


def test_copy_names_what_it_wrote(tmp_path: Path) -> None:
    written = CliRunner().invoke(recipes, ["copy", "marian-en-zh", str(tmp_path)], catch_exceptions=False).stdout
    assert written == f"{tmp_path / 'marian-en-zh.yaml'}\n"
    assert (tmp_path / "marian-en-zh.yaml").is_file()


def test_schema_is_json() -> None:
    schema = json.loads(CliRunner().invoke(recipes, ["schema"], catch_exceptions=False).stdout)
    assert schema["title"] == "Recipe"


def test_an_unknown_recipe_is_an_error_for_main() -> None:
    with pytest.raises(UsageError, match="did you mean 'marian-en-zh'"):
        CliRunner().invoke(recipes, ["show", "marian-en-z"], catch_exceptions=False)


def test_help() -> None:
    assert hftoolkit("recipes", "--help").out == (
        "Usage: hftoolkit recipes [OPTIONS] COMMAND [ARGS]...\n"
        "\n"
        "  Show and copy the built-in recipes.\n"
        "\n"
        "Options:\n"
        "  -h, --help  Show this message and exit.\n"
        "\n"
        "Commands:\n"
        "  copy    Copy a built-in recipe, with its data, to FOLDER.\n"
        "  list    Name every built-in recipe and say what it is for.\n"
        "  schema  Print what a recipe may say, as JSON Schema for editors.\n"
        "  show    Print a built-in recipe.\n"
    )
