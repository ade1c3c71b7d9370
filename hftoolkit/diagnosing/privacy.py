"""What a page that is pasted where everybody reads it must not show: tokens, passwords, the user's name."""

import os
import re
from pathlib import Path
from typing import Final

from hftoolkit.hub import shown

SECRETS: Final = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY")
"""Variables whose values are shown nowhere."""

ADDRESSES: Final = (
    *("HF_ENDPOINT", "OPENAI_BASE_URL"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)
"""Variables whose values may hold a user's name and password."""

_LEAST: Final = 8
"""Characters of a secret that is looked for in texts: no real one is shorter, and what is stands in many words."""


def fit_to_paste(text: str) -> str:
    """A text without secrets, without passwords in addresses, and with ``~`` in the place of the user's home.

    Messages of other libraries may hold any of them, such as a header that could not be sent.
    """
    values = {}
    for address in (os.environ.get(name, "").strip() for name in ADDRESSES):
        for written in (address, address.rstrip("/")):
            values[written] = shown(written)
    for secret in (os.environ.get(name, "").strip() for name in SECRETS):
        if len(secret) >= _LEAST:
            values[secret] = "(hidden)"
    for value in sorted(filter(None, values), key=len, reverse=True):  # one may hold another
        text = text.replace(value, values[value])
    text = re.sub(r"(?<=//)[^\s/'\"]*@", "", text)
    text = re.sub(r"\bhf_\w{8,}|(?<=Bearer )[^\s'\"]+", "(hidden)", text)
    for home in sorted(_homes(), key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(home)}(?![\w.-])", "~", text)
    return text


def _homes() -> set[str]:
    """The user's home as it may be written, in messages of Windows with every backslash twice."""
    home = os.path.expanduser("~")
    if len(Path(home).parts) < 2:  # nobody's, as in many containers
        return set()
    return {way for place in (home, os.path.realpath(home)) for way in (place, place.replace("\\", "\\\\"))}
