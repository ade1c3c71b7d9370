"""`hftoolkit recipes`: the recipes that come with the program, and what a recipe may say."""

import json
from pathlib import Path

import click

from hftoolkit.cli.output import put_out
from hftoolkit.recipe import library


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def recipes() -> None:
    """Show and copy the built-in recipes."""


@recipes.command("list")
def list_recipes() -> None:
    """Name every built-in recipe and say what it is for."""
    names = library.names()
    width = max((len(name) for name in names), default=0)
    for name in names:
        put_out(f"{name:{width}}  {library.header(name)}")


@recipes.command()
@click.argument("name")
def show(name: str) -> None:
    """Print a built-in recipe."""
    put_out(library.find(name).read_text(encoding="utf-8"), end="")


@recipes.command()
@click.argument("name")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def copy(name: str, folder: Path) -> None:
    """Copy a built-in recipe, with its data, to FOLDER.

    FOLDER is the current one if left out. Nothing is overwritten.
    """
    for path in library.copy(name, folder):
        put_out(str(path))


@recipes.command()
def schema() -> None:
    """Print what a recipe may say, as JSON Schema for editors."""
    from hftoolkit.recipe.schema import schema_json

    put_out(json.dumps(schema_json(), indent=2, ensure_ascii=False))
