"""`hftoolkit prefetch`."""

from pathlib import Path

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out


@click.command()
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True)
@click.option(
    "--bundle", metavar="FILE", type=click.Path(path_type=Path), help="Pack it all for a machine without a network."
)
@hub_options
def prefetch(recipes: tuple[str, ...], bundle: Path | None) -> None:
    """Download all that recipes name, and lock it.

    Writes hftoolkit.lock into the current folder, with commits and hashes: from then on commands there take exactly
    that. On the other machine, hftoolkit unbundle FILE puts a bundle into its cache.
    """
    from hftoolkit.prefetching import prefetch as run

    found = run(recipes, bundle=bundle)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    put_out(str(found))
