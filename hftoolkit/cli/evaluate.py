"""`hftoolkit evaluate`."""

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out


@click.command()
@click.argument("recipe", type=click.Path(path_type=str), metavar="RECIPE|RUN")
@click.option("--model", metavar="MODEL", help="Score this checkpoint or adapter.")
@click.option(
    "--data",
    metavar="FILE",
    type=click.Path(path_type=str),
    help="Score on this file, read as the recipe's test set is.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key, as in --set evaluation.beams=1."
)
@hub_options
def evaluate(recipe: str, model: str | None, data: str | None, overrides: tuple[str, ...]) -> None:
    """Score a model on the test sets of a recipe, or of the run in a folder.

    Without --model, that is the result of the run, or the model the recipe starts from.
    """
    from hftoolkit.evaluation import evaluate as run

    found = run(recipe, model=model, data=data, overrides=overrides)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    put_out(str(found))
