"""`hftoolkit export`."""

from typing import Literal

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--to", type=click.Choice(["merged", "ctranslate2", "ollama"]), required=True, help="For which program.")
@click.option("--output", "-o", metavar="FOLDER", type=click.Path(path_type=str), help="Left out: MODEL-FORM.")
@hub_options
def export(model: str, to: Literal["merged", "ctranslate2", "ollama"], output: str | None) -> None:
    """Write a model for other programs, adapters merged, and compare it with its source.

    MODEL is a run, a folder, an adapter or a hub id. merged is for transformers, ctranslate2 for CTranslate2, ollama
    writes a Modelfile beside the weights.
    """
    from hftoolkit.exporting import export as run

    found = run(model, to, output=output)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    put_out(str(found))
