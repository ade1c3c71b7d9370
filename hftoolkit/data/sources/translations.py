"""Units with texts in several languages -> rows: which of the texts has which role."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftoolkit.data.languages import nearest, same_region
from hftoolkit.data.sources.columns import present, wanted_names
from hftoolkit.data.sources.reading import Reading
from hftoolkit.errors import DataError

Places = dict[str, list[int]]
"""Role to the numbers of its texts within a unit."""

_SHOWN = 20
_REMEMBERED = 10_000


@dataclass
class Translations:
    """The units of one file."""

    path: Path
    reading: Reading

    wanted: dict[str, list[str]] = field(init=False)
    """The language of every role, or its languages: what ``columns`` says, else ``data.languages``."""

    _single: set[str] = field(init=False)
    _known: dict[tuple[str, ...], Places | None] = field(default_factory=dict)
    _languages: set[str] = field(default_factory=set)
    _fits: bool = False

    def __post_init__(self) -> None:
        source, languages = self.reading.source, self.reading.languages
        found = wanted_names(source, [role for role in self.reading.roles if role in source.columns])
        said = {"source": languages.source, "target": languages.target} if languages else {}
        for role in self.reading.roles:
            if role not in found and role not in said:
                raise DataError(f"{self.path}: which of its languages is the role {role!r}?\n{self._advice()}")
        values = {role: found.get(role) or said[role] for role in self.reading.roles}
        self.wanted = {role: [value] if isinstance(value, str) else value for role, value in values.items()}
        self._single = {role for role, value in values.items() if isinstance(value, str)}

    def places(self, tags: tuple[str, ...], number: int) -> Places | None:
        """Which text of a unit has which role; None where it lacks one.

        Args:
            tags: Languages of the unit's texts.
            number: The unit's, from 1, for messages.

        Raises:
            DataError: If it stays open which language is meant.
        """
        if tags not in self._known:
            if len(self._known) >= _REMEMBERED:  # some memories have another set of languages in every unit
                self._known.clear()
            self._known[tags] = found = self._resolved(tags, number)
            self._languages.update(tags)
            self._fits = self._fits or found is not None
        return self._known[tags]

    def row(self, places: Places, texts: Sequence[str]) -> dict[str, Any]:
        """The row of a unit with these texts."""
        return {
            role: texts[at[0]] if role in self._single else present([texts[each] for each in at])
            for role, at in places.items()
        }

    def finish(self) -> None:
        """Say whether any unit has all that is wanted: a source of which no file has one is refused."""
        if self._fits or not self._languages:
            self.reading.fits |= self._fits
            return
        have = sorted(self._languages)
        shown = ", ".join(tag or "(none named)" for tag in have[:_SHOWN]) + (", ..." if len(have) > _SHOWN else "")
        wanted = " and ".join(" or ".join(tags) for tags in self.wanted.values())
        both = "both " if len(self.wanted) == 2 else ""
        message = f"no unit is in {both}{wanted}; the languages in this file are: {shown}"
        self.reading.unfit.append((self.path, message, self._advice()))

    def _resolved(self, tags: tuple[str, ...], number: int) -> Places | None:
        found: Places = {}
        used: set[int] = set()
        for role, wanted in self.wanted.items():
            places = {tag: self._place(role, tag, tags, number) for tag in wanted}
            found[role] = [place for place in places.values() if place is not None]
            if not found[role] or not used.isdisjoint(found[role]):
                return None
            used.update(found[role])
            for tag, place in places.items():
                if place is not None and not same_region(tag, tags[place]):
                    self.reading.note(self.path, f"is in {tags[place]}, which is taken for {tag}")
        return found

    def _place(self, role: str, wanted: str, tags: Sequence[str], number: int) -> int | None:
        near = nearest(wanted, tags)
        names = {tags[each].replace("_", "-").lower(): tags[each] for each in near}
        if len(names) > 1:
            raise DataError(
                f"{self.path}: unit {number}: the {role} is wanted in {wanted}: {' or '.join(names.values())}?\n"
                f"  say which:  columns: {{{role}: {tags[near[0]]}}}"
            )
        return near[0] if near else None

    def _advice(self) -> str:
        pairs = ", ".join(f"{role}: LANGUAGE" for role in self.reading.roles)
        return f"  say which one holds which role:  columns: {{{pairs}}}  (or data.languages, for translation)"
