"""`hftoolkit doctor`."""

import sys

import click

from hftoolkit.cli.hub_options import endpoint_option
from hftoolkit.cli.output import put_out


@click.command()
@endpoint_option
def doctor() -> None:
    """Look at this installation: versions, machine, folders, the hub.

    Prints a page that can be pasted into a report of a bug: no secret is on it. Leaves with 0 if everything works that
    is needed, with 1 if not. HF_HUB_OFFLINE=1 asks the hub nothing.
    """
    from hftoolkit.diagnosing import doctor as run

    found = run()
    put_out(str(found))
    sys.exit(found.exit_code)
