"""What mutants of recipes and of data files share: what they are, and damage done to bytes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fuzzed_files import FILES
from hypothesis import strategies as st

TOP = "/TOP"
"""Stands in mutants for the folder of the world that they come into."""

Draw = Callable[[st.SearchStrategy[Any]], Any]
"""What a composite strategy is given."""


@dataclass(frozen=True, repr=False)
class Mutant:
    """A recipe with its data files, of which something was changed."""

    recipe: bytes
    files: dict[str, bytes]
    """By their names below ``data``."""

    broken: str = ""
    """The data file that was changed, if one was."""

    overrides: tuple[str, ...] = ()
    """What is changed on the command line, each ``KEY=VALUE``."""

    def __repr__(self) -> str:
        changed = f"{self.broken}: {self.files[self.broken]!r:.10000}" if self.broken else ""
        return "\n".join([self.recipe.decode("utf-8", "backslashreplace"), *self.overrides, changed])


def damaged(draw: Draw, content: bytes) -> bytes:
    """Bytes as disks, transfers and editors leave them: cut off, in another encoding, with other line ends, noise."""
    place = draw(st.integers(0, len(content)))
    match draw(st.sampled_from(["cut", "encoding", "line ends", "inserted", "repeated", "removed", "noise"])):
        case "cut":
            return content[:place]
        case "encoding":
            return content.decode("utf-8", "replace").encode(draw(st.sampled_from(_ENCODINGS)), "replace")
        case "line ends":
            return content.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\r", b"\n\n"])))
        case "inserted":
            return content[:place] + draw(st.sampled_from(_STRAY)) + content[place:]
        case "repeated":
            return content * draw(st.sampled_from([0, 2, 20]))
        case "removed":
            return content[:place] + content[place + draw(st.integers(1, 100)) :]
        case _:
            found = bytearray(content or b"\n")
            for _ in range(draw(st.integers(1, 4))):
                found[draw(st.integers(0, len(found) - 1))] = draw(st.integers(0, 255))
            return bytes(found)


_ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "gb18030", "utf-7"]
_STRAY = [b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1a", b"\xed\xa0\x80"]


def as_yaml(value: Any, depth: int = 0) -> str:
    """A recipe as people write it: the outer keys on lines of their own, what is in them in brackets."""
    if isinstance(value, dict) and value and depth < 2:
        lines = []
        for key, part in value.items():
            inner = as_yaml(part, depth + 1)
            lines.append(f"{'  ' * depth}{_word(key)}:{'' if inner.startswith(chr(10)) else ' '}{inner}")
        return ("\n" if depth else "") + "\n".join(lines) + ("" if depth else "\n")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word(key)}: {as_yaml(part, 2)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_yaml(part, 2) for part in value) + "]"
    if isinstance(value, str):
        return _word(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}.get(repr(value), repr(value))


def _word(text: str) -> str:
    """A text, in quotes where it needs them."""
    plain = text.replace("/", "").replace("_", "").replace("-", "").replace(".", "")
    if plain.isascii() and plain.isalpha() and text[0].isalpha() and len(text) < 200:
        return text
    return json.dumps(text, ensure_ascii=any("\ud800" <= character < "\ue000" for character in text))


def changed(recipe: dict[str, Any], *, file: str = "", content: bytes = b"") -> Mutant:
    """A mutant of a recipe, or of one of its files."""
    files = {**FILES, file: content} if file else FILES
    return Mutant(as_yaml(recipe).encode("utf-8", "surrogatepass"), files, file)
