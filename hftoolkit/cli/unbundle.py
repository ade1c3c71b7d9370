"""`hftoolkit unbundle`."""

from pathlib import Path

import click

from hftoolkit.cli.output import put_out


@click.command()
@click.argument("bundle", metavar="FILE", type=click.Path(path_type=Path))
def unbundle(bundle: Path) -> None:
    """Put what a bundle holds into the hub's cache.

    FILE is one that hftoolkit prefetch --bundle has made. Everything is compared with its hash, and hftoolkit.lock is
    written into the current folder.
    """
    from hftoolkit.hub.bundle import unbundle as run
    from hftoolkit.prefetching import Prefetched

    put_out(str(Prefetched(run(bundle))))
