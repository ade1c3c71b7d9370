"""What was found of an installation, and the page that shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Final, Literal

from hftoolkit.reports.wording import counted

State = Literal["ok", "note", "problem"]

WIDTH: Final = 96
"""Columns of the page; only what cannot be broken, such as a path or a command, is wider."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    """What it is, in a few words."""

    text: str
    """What was found."""

    state: State = "ok"
    """A problem is in the way of what everybody needs; a note is worth knowing and in nobody's way."""

    advice: str = ""
    """What to do, in lines; empty where there is nothing to do."""


@dataclass(frozen=True)
class Section:
    """What was found of one part of the installation."""

    name: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found, in the order of the page; as a string it is the page."""

    sections: tuple[Section, ...]

    @property
    def ok(self) -> bool:
        """Whether everything works that is needed."""
        return not self.of_state("problem")

    @property
    def exit_code(self) -> int:
        """0: everything works that is needed; 1: something does not."""
        return 0 if self.ok else 1

    def of_state(self, state: State) -> list[Finding]:
        """The findings of one state."""
        return [finding for section in self.sections for finding in section.findings if finding.state == state]

    def lines(self) -> Iterator[str]:
        """The page."""
        for section in self.sections:
            yield section.name
            width = max((len(finding.name) for finding in section.findings), default=0)
            for finding in section.findings:
                yield from _shown(finding, width)
            yield ""
        yield self._verdict()

    def _verdict(self) -> str:
        problems, notes = self.of_state("problem"), self.of_state("note")
        found = [f"{counted(len(problems), 'problem')} ({', '.join(finding.name for finding in problems)})"]
        found = (found if problems else []) + ([counted(len(notes), "note")] if notes else [])
        begin = "everything works that is needed" if self.ok else "something does not work"
        return ": ".join([begin, ", ".join(found)] if found else [begin])

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def _shown(finding: Finding, width: int) -> Iterator[str]:
    text = finding.text if finding.state == "ok" else f"{finding.state}: {finding.text}"
    first, *others = wrap(text, WIDTH - width - 4, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"  {finding.name:{width}}  {first}".rstrip()
    indent = " " * (width + 4)
    yield from (f"{indent}{line}" for line in others)
    yield from (f"{indent}  {line}" for line in finding.advice.splitlines())
