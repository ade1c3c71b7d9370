"""Standard output, which may be full."""

import click

from hftoolkit.errors import OutputError


def put_out(text: str, *, end: str = "\n") -> None:
    """Write to standard output.

    Raises:
        OutputError: If there is no room for it.
    """
    try:
        click.echo(text + end, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"standard output: cannot be written: {error.strerror}\n  free some space, or write elsewhere"
        ) from error
