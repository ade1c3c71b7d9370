"""`hftoolkit check`."""

import sys

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out


@click.command()
@click.argument("recipe", type=click.Path(path_type=str))
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key, as in --set training.epochs=1."
)
@click.option("--overwrite", is_flag=True, help="For a run that will be started with --overwrite.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@hub_options
def check(recipe: str, overrides: tuple[str, ...], overwrite: bool, as_json: bool) -> None:
    """Look at all that RECIPE names: what would go wrong, and what a run takes.

    No model is downloaded, and nothing is written but the cache. Leaves with 0 if the recipe can run, with 1 if data,
    model or folder are in the way, with 2 if the recipe itself is wrong.
    """
    from hftoolkit.checking import check as run

    found = run(recipe, overrides=overrides, overwrite=overwrite)
    put_out(found.to_json() if as_json else str(found), end="" if as_json else "\n")
    sys.exit(found.exit_code)
