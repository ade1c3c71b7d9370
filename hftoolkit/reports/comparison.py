"""Systems beside each other on the same rows: as a table, as Markdown, as JSON, as a page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from hftoolkit.reports.html import environment
from hftoolkit.reports.markdown_text import plain, table
from hftoolkit.reports.scores import Change, Score
from hftoolkit.reports.wording import counted, interval, memory, number, probability, signed

SHOWN: Final = 20
"""Rows shown at most: those on which systems differ most."""


@dataclass(frozen=True)
class Side:
    """One system."""

    name: str

    made: str
    """How its answers came about: engine, number format, decoding; empty for those from a file."""

    scores: list[Score]

    changes: Mapping[str, Change]
    """What each score is more than the first system's; empty for the first, and where they cannot be compared."""

    rate: float | None
    """Rows per second, loading left out."""

    memory: int | None
    """Peak memory of its process in bytes."""

    flags: int | None
    """Answers that look wrong; None where nothing looks for that."""

    notes: tuple[str, ...]


@dataclass(frozen=True)
class Differing:
    """A row on which systems differ."""

    row: int
    """Its number, from 1."""

    source: str
    references: list[str]
    answers: list[str]
    """By system."""

    scores: list[float]
    """By system."""


@dataclass(frozen=True)
class Comparison:
    """Systems beside each other."""

    task: str
    rows: int
    sides: list[Side]

    ranked_by: str
    """The score of a single row by which rows are shown."""

    decimals: int

    differing: list[Differing]

    def lines(self) -> Iterator[str]:
        """As a terminal shows it."""
        wide = max(len(side.name) for side in self.sides)
        long = max(len(score.name) for side in self.sides for score in side.scores)
        yield f"{self.task.replace('_', ' ')}, {counted(self.rows, 'row')}"
        for side in self.sides:
            for place, score in enumerate(side.scores):
                change = side.changes.get(score.name)
                against = f"  {told(change, score.decimals)}" if change else ""
                label = side.name if not place else ""
                value = f"{number(score.value, max(2, score.decimals)):>7}"
                yield f"  {label:{wide}}  {score.name:{long}} {value}{interval(score)}{against}"
            yield f"  {'':{wide}}  {' · '.join(facts(side))}"
        for signature in self.signatures():
            yield f"  {signature}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def signatures(self) -> list[str]:
        """What makes the scores comparable, each once."""
        found = (f"{score.name}: {score.signature}" for side in self.sides for score in side.scores if score.signature)
        return list(dict.fromkeys(found))

    def to_json(self) -> str:
        """For programs."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def facts(side: Side) -> list[str]:
    """What is known of a system besides its scores, in words."""
    found = [side.made or "from a file"]
    if side.rate is not None:
        found.append(f"{number(side.rate)} rows/s")
    if side.memory is not None:
        found.append(memory(side.memory))
    if side.flags:
        found.append(f"{counted(side.flags, 'answer')} that {'looks' if side.flags == 1 else 'look'} wrong")
    return found


def told(change: Change, decimals: int) -> str:
    """What a system's score is more than the first one's, in words."""
    ends = f"{signed(change.low, decimals)} to {signed(change.high, decimals)}"
    return f"{signed(change.difference, decimals)} ({ends}), {probability(change.p)}" + (
        "" if change.significant else ", not significant"
    )


def markdown(found: Comparison) -> str:
    """The comparison as Markdown."""
    names = [score.name for score in found.sides[0].scores]
    head = ["system", *names, "rows/s", "memory", "looks wrong"]
    parts = [
        f"# {counted(len(found.sides), 'system')} on {counted(found.rows, 'row')}",
        table(head, [_line(side, names) for side in found.sides]),
        "\n".join(
            [
                "- in brackets: 95 % intervals; behind a score what it is more than the first system's, by a paired "
                "bootstrap test",
                *(f"- `{signature}`" for signature in found.signatures()),
                *(f"- {plain(side.name)}: {plain(side.made)}" for side in found.sides if side.made),
                *(f"- {plain(side.name)}: {plain(note)}" for side in found.sides for note in side.notes),
            ]
        ),
    ]
    if found.differing:
        parts.append(f"## Where they differ most, by {plain(found.ranked_by)} of a row")
        parts += [_row(one, found) for one in found.differing]
    return "\n\n".join(parts) + "\n"


def _line(side: Side, names: Sequence[str]) -> list[str]:
    by_name = {score.name: score for score in side.scores}
    cells = []
    for name in names:
        score, change = by_name.get(name), side.changes.get(name)
        if score is None:
            cells.append("none")
            continue
        cells.append(f"{number(score.value, score.decimals)}{interval(score)}")
        if change:
            cells[-1] += f"<br>{told(change, score.decimals)}"
    rate = "" if side.rate is None else number(side.rate)
    return [
        plain(side.name),
        *cells,
        rate,
        "" if side.memory is None else memory(side.memory),
        "" if side.flags is None else f"{side.flags:,}",
    ]


def _row(one: Differing, found: Comparison) -> str:
    lines = [["source", plain(one.source), ""], *(["reference", plain(text), ""] for text in one.references)]
    for side, answer, score in zip(found.sides, one.answers, one.scores, strict=True):
        lines.append([plain(side.name), plain(answer), number(score, found.decimals)])
    return f"Row {one.row:,}\n\n" + table(["", "", found.ranked_by], lines)


def page(found: Comparison) -> str:
    """The comparison as one HTML page that needs no network."""
    values: dict[str, Any] = {"found": found, "facts": facts, "told": told}
    return environment().get_template("comparison.html").render(values)
