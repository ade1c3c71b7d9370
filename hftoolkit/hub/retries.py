"""Asking again what a busy hub does not answer at first, as late as it says."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import sleep
from typing import Any, Final, TypeVar

log = logging.getLogger("hftoolkit")

T = TypeVar("T")

PAUSES: Final = (1.0, 2.0)
"""Seconds before asking again, where the hub does not say."""

LONGEST: Final = 60.0
"""Seconds that are waited where the hub asks for it; what takes longer is left to the user."""

_BUSY: Final = (408, 429, 500, 502, 503, 504)


def patiently(ask: Callable[[], T]) -> T:
    """What ``ask`` gives, asked again after a while when the hub is busy or out of order.

    Raises:
        HfHubHTTPError: If it still refuses, or asks to wait too long. What else ``ask`` raises is raised here.
    """
    from huggingface_hub.errors import HfHubHTTPError

    for pause in PAUSES:
        try:
            return ask()
        except HfHubHTTPError as error:
            status = error.response.status_code
            seconds = pause if (said := said_to_wait(error.response)) is None else said
            if status not in _BUSY or seconds > LONGEST:
                raise
            log.info("the hub is busy (%d %s); asking again in %g s", status, error.response.reason_phrase, seconds)
            sleep(seconds)
    return ask()


def said_to_wait(response: Any) -> float | None:
    """Seconds that an answer asks to wait, by its ``Retry-After`` (RFC 9110, 10.2.3); None where it says nothing."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
