"""`hftoolkit push`."""

import click

from hftoolkit.cli.hub_options import endpoint_option
from hftoolkit.cli.output import put_out


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=str))
@click.argument("name", metavar="ORG/NAME")
@click.option("--private", is_flag=True, help="Make a repository that others do not see.")
@click.option("--dry-run", is_flag=True, help="Send nothing: show the files and the model card.")
@endpoint_option
def push(run: str, name: str, private: bool, dry_run: bool) -> None:
    """Publish the model or adapter of a finished RUN, with a model card.

    The card has its scores with signatures and intervals, languages, data and recipe. Rows, predictions and folders of
    this machine are not sent. Log in with `hf auth login`, or set HF_TOKEN.
    """
    from hftoolkit.publishing import push as publish

    found = publish(run, name, private=private, dry_run=dry_run)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    put_out(found.preview() if dry_run else str(found))
