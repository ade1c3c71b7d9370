"""Texts of strangers and tables as Markdown."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&#])")


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table of texts that are Markdown already."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def plain(text: str) -> str:
    """A text on one line, with nothing in it that Markdown or HTML would act on."""
    return _SPECIAL.sub(r"\\\1", " ↵ ".join(text.splitlines()))
