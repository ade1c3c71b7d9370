"""Options of every command that may need the hub."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from hftoolkit.hub.settings import using

Command = TypeVar("Command", bound=Callable[..., Any])


def hub_options(command: Command) -> Command:
    """Add ``--endpoint``, ``--offline`` and ``--refresh``, which hold while the command runs."""
    for option in (
        click.option("--refresh", is_flag=True, help="Ask whether the hub has a newer copy.", **_SAID),
        click.option("--offline", is_flag=True, help="Make no connection: use what is in the cache.", **_SAID),
    ):
        command = option(command)
    return endpoint_option(command)


def endpoint_option(command: Command) -> Command:
    """Add ``--endpoint`` alone, for a command that always asks."""
    option = click.option("--endpoint", metavar="URL", help="Of a mirror of the hub; left out: HF_ENDPOINT.", **_SAID)
    return option(command)


def _use(context: click.Context, option: click.Parameter, value: Any) -> None:
    if not value:
        return
    given = context.meta.setdefault(__name__, set())
    given.add(option.name)
    if given >= {"refresh", "offline"}:
        raise click.UsageError("--refresh asks the hub, --offline forbids it: give one of them")
    context.with_resource(using(**{str(option.name): value}))


_SAID: dict[str, Any] = {"expose_value": False, "callback": _use}
