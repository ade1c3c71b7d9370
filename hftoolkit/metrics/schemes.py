"""Which tag scheme some data has, told by its tags."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from hftoolkit.metrics.tags import Scheme

_OUTSIDE: Final = "O"
_TAG: Final = re.compile(r"([BIMES])(-.+)?", re.DOTALL)


class SchemeFinder:
    """Looks at the tags of sentences one by one."""

    def __init__(self) -> None:
        self.tags: Counter[str] = Counter()
        """How often each was met."""
        self._first: Counter[str] = Counter()
        """The same of tags that do not stand behind one of their own type."""

    def add(self, tags: Sequence[str]) -> None:
        """Take in a sentence."""
        self.tags.update(tags)
        last = _OUTSIDE
        for tag in tags:
            if tag[1:] != last[1:] or last == _OUTSIDE:
                self._first[tag] += 1
            last = tag

    def scheme(self) -> Scheme:
        """The scheme that fits most of what was met.

        Tags that say nothing of entities are told by being no tags of the other schemes; a few of them among others are
        mistakes.
        """
        named = [tag for tag in self.tags if tag != _OUTSIDE]
        known = {tag: found[1] for tag in named if (found := _TAG.fullmatch(tag))}
        if len(known) < len(named) and not (_OUTSIDE in self.tags and any("-" in tag for tag in known)):
            return "none"
        letters = Counter[str]()
        first = Counter[str]()
        for tag, letter in known.items():
            letters[letter] += self.tags[tag]
            first[letter] += self._first[tag]
        ends = letters["E"] + letters["S"]  # in schemes that have them, of every entity
        if ends and 2 * ends >= letters["B"] + first["I"]:
            return "BMES" if letters["M"] > letters["I"] else "BIOES"
        return "IOB1" if first["I"] > first["B"] else "IOB2"
