"""What is said when the endpoint does not take a repository."""

from typing import Any, Final

from hftoolkit.hub.settings import PUBLIC

_LOG_IN: Final = "log in with `hf auth login`, or set HF_TOKEN to a token that may write"
_LOOK: Final = "\n  to see what would be sent:   --dry-run"
_LONGEST: Final = 300
"""Characters of what a hub says that are shown."""


def offline(name: str) -> str:
    """The network is forbidden."""
    return f"{name!r} cannot be pushed: HF_HUB_OFFLINE forbids it\n  unset HF_HUB_OFFLINE{_LOOK}"


def nobody(name: str, endpoint: str) -> str:
    """There is no token."""
    return f"{name!r} cannot be pushed to {endpoint}: nobody is logged in\n  {_LOG_IN}{_LOOK}"


def no_token(name: str) -> str:
    """What is set as the token cannot be one."""
    return f"{name!r} cannot be pushed: the token has blanks or letters in it that no token has\n  {_LOG_IN}"


def public(name: str, endpoint: str) -> str:
    """The repository is there, and everybody sees it."""
    return (
        f"{name!r} is there already at {endpoint}, and is public; nothing was sent"
        f"\n  make it private:   {endpoint}/{name}/settings"
        "\n  or leave out --private, or choose another name"
    )


def unreachable(name: str, endpoint: str, why: str) -> str:
    """The endpoint gives no answer at all."""
    mirror = f"{endpoint} is what --endpoint or HF_ENDPOINT says: check it, or leave it out to push to {PUBLIC}"
    remedy = "try again later" if endpoint == PUBLIC else mirror
    return f"cannot reach {endpoint} to push {name!r} ({why})\n  {remedy}{_LOOK}"


def broken_off(name: str, endpoint: str, why: str) -> str:
    """Sending began and did not end."""
    return (
        f"sending {name!r} to {endpoint} broke off ({why})"
        "\n  run the same command again: large files that have arrived are not sent twice"
    )


def refused(error: Any, name: str, endpoint: str, token: str) -> str:
    """The endpoint answers, but does not take it (a ``HfHubHTTPError``)."""
    status = error.response.status_code
    if status == 401:
        return f"{endpoint} does not know the token with which {name!r} is pushed\n  {_LOG_IN}"
    words = _words(error.server_message or "", token)
    if status == 403:
        return f"{endpoint} does not let you write to {name!r}{words}\n  choose a name of yours, or {_LOG_IN} there"
    if endpoint != PUBLIC and status in (404, 405, 501):
        return (
            f"{endpoint} does not take {name!r} ({status} {error.response.reason_phrase}): a mirror may only give"
            f"\n  to push to {PUBLIC}:   leave out --endpoint and HF_ENDPOINT"
        )
    return f"{endpoint} does not take {name!r} ({status} {error.response.reason_phrase}){words}\n  try again later"


def said(sentence: str, name: str, endpoint: str, token: str) -> str:
    """What the endpoint said against it, where there is no more than that."""
    return f"{endpoint} does not take {name!r}{_words(sentence, token)}\n  mend that, and push again"


def _words(message: str, token: str) -> str:
    """What a hub said, on one line and without the token, which it may repeat."""
    line = " ".join(message.split())
    shown = (line.replace(token, "***") if token else line)[:_LONGEST]
    return f": {shown}" if shown else ""
