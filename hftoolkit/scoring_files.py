"""Scores of translations in plain text files: BLEU, chrF and TER, one system alone or beside another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftoolkit.data.census import Census
from hftoolkit.data.sources.lines import bare, read_lines
from hftoolkit.data.sources.reading import Reading
from hftoolkit.errors import DataError, UsageError
from hftoolkit.languages import normalise
from hftoolkit.metrics import translations
from hftoolkit.metrics.ngrams import Explanation, explain
from hftoolkit.metrics.significance import bootstrap, paired_test
from hftoolkit.recipe.schema import Source
from hftoolkit.reports.scores import Change, Score
from hftoolkit.reports.wording import counted, interval, number, probability, signed

Row = tuple[str, Sequence[str]]


@dataclass(frozen=True)
class Scored:
    """How good the translations in a file are."""

    name: str
    """The file."""

    rows: int

    references: int
    """References of every row."""

    scores: list[Score]

    other: "Scored | None" = None
    """The system that it is compared with."""

    changes: list[Change] | None = None
    """What each score is more than the other system's."""

    explanation: Explanation | None = None
    """How BLEU comes about, if that was asked for."""

    notes: tuple[str, ...] = ()
    """What should be said about it."""

    def lines(self) -> Iterator[str]:
        """The scores as a table."""
        yield f"{self.name}  ({counted(self.rows, 'row')}, {counted(self.references, 'reference')})"
        for place, score in enumerate(self.scores):
            yield f"  {score.name:5}  {number(score.value, 2):>6}{interval(score)}  {score.signature}"
            if self.other and self.changes:
                before, change = self.other.scores[place], self.changes[place]
                ends = f"{signed(change.low)} to {signed(change.high)}"
                yield f"         {signed(change.difference, 2):>6}  [{ends}]  {probability(change.p)} against " + (
                    f"{number(before.value, 2)} of {self.other.name}"
                )
        if self.explanation:
            yield from _told(self.explanation)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def score(
    hypotheses: str | Path,
    references: str | Path | Sequence[str | Path],
    *,
    target: str,
    against: str | Path | None = None,
    explained: bool = False,
) -> Scored:
    """Score translations in a text file, a line each, by BLEU, chrF2 and TER.

    The scores are those of the sacrebleu command, with its signatures, its bootstrap intervals and its paired test.

    Args:
        hypotheses: File of translations.
        references: File of what they are to be, line for line, or several such files.
        target: Language translated to: it chooses how words are told apart.
        against: File of another system's translations of the same lines: a paired test says whether they differ.
        explained: Whether to show how BLEU comes about.

    Raises:
        UsageError: If the language is unknown, or no reference is named.
        DataError: If a file cannot be read, is empty, or has other lines than the rest.

    Example:
        ``score("out.txt", "reference.txt", target="zh")``
    """
    normalise(target)
    files = [references] if isinstance(references, str | Path) else list(references)
    if not files:
        raise UsageError("no file of references: there is nothing to score against\n  name one or more behind it")
    metrics: dict[str, Any] = {"BLEU": translations.bleu(target), "chrF2": translations.chrf()}
    if translations.has_words(target):
        metrics["TER"] = translations.ter(target)
    named = [Path(hypotheses), *([] if against is None else [Path(against)]), *map(Path, files)]
    texts, notes = read_texts(named)
    rows = [list(row) for row in zip(*texts, strict=True)]
    systems = 1 if against is None else 2
    first, *others = (_scored(str(named[place]), rows, place, systems, metrics) for place in range(systems))
    note = translations.tokenizer_note(target)
    known = [note] if note else []
    if not translations.has_words(target):
        known.append(
            f"no TER of '{target}', which has no blanks between words: sacrebleu would take a sentence for one"
        )
    found, counts = first
    changes = None
    if others:
        changes = []
        for name, metric in metrics.items():
            paired = paired_test(others[0][1][name], counts[name], _total(metric))
            changes.append(Change(paired.difference, paired.low, paired.high, paired.p))
    return Scored(
        found.name,
        found.rows,
        found.references,
        found.scores,
        other=others[0][0] if others else None,
        changes=changes,
        explanation=explain(metrics["BLEU"], [(row[0], row[systems:]) for row in rows]) if explained else None,
        notes=(*notes, *known),
    )


def _scored(
    name: str, rows: Sequence[Sequence[str]], place: int, systems: int, metrics: dict[str, Any]
) -> tuple[Scored, dict[str, Any]]:
    counts = {
        key: np.stack([translations.sentence_counts(metric, row[place], row[systems:]) for row in rows])
        for key, metric in metrics.items()
    }
    references = len(rows[0]) - systems
    scores = []
    for key, metric in metrics.items():
        ends = bootstrap(counts[key], _total(metric))
        value = translations.total(metric, counts[key].sum(axis=0))
        signature = translations.signature(metric, {references})
        scores.append(Score(key, value, ends.low, ends.high, signature, higher=key != "TER"))
    return Scored(name, len(rows), references, scores), counts


def _total(metric: Any) -> Any:
    return lambda counts: translations.total(metric, counts)


def read_texts(files: Sequence[Path]) -> tuple[list[list[str]], tuple[str, ...]]:
    """The lines of files in which line N stands for the same.

    Returns:
        Those of each file, and what should be said about the files.

    Raises:
        DataError: If one cannot be read, is empty, or has other lines than the rest.
    """
    reading = Reading(Source(files={"text": str(files[0])}), ("text",), None, Census(""))
    lines = []
    for file in files:
        if not file.is_file():
            raise DataError(f"{file}: no such file\n  names count from the current folder")
        try:
            lines.append([bare(line) for line in read_lines(file, None, reading)])
        except DataError as error:
            first = str(error).partition("\n")[0]
            raise DataError(f"{first}\n  save it as UTF-8 first") from error
    if len(set(map(len, lines))) > 1:
        counts = ", ".join(f"{file} has {len(own):,}" for file, own in zip(files, lines, strict=True))
        raise DataError(
            f"{files[0]}: files need equally many lines: {counts}\n"
            "  line N of each must be the same row; an empty translation is an empty line"
        )
    if not lines[0]:
        raise DataError(f"{files[0]}: an empty file: there is nothing to score\n  expected a translation a line")
    return lines, tuple(reading.census.notes)


def _told(found: Explanation) -> Iterator[str]:
    """How BLEU comes about, for people."""
    yield ""
    yield f"BLEU {number(found.bleu, 2)} = brevity penalty x the geometric mean of the precisions"
    yield "   n  matched  written  precision"
    for order in found.orders:
        smoothed = "  smoothed: none is matched" if order.precision and not order.matched else ""
        yield f"   {order.size}  {order.matched:7,}  {order.written:7,}  {order.precision:7.1f} %{smoothed}"
    yield (
        f"   brevity penalty {found.brevity_penalty:.3f}: {found.written:,} tokens written, {found.closest:,} in the "
        "references closest in length"
    )
    for title, part in (("of the references, not written", "missed"), ("written, in no reference", "invented")):
        yield f"{title}:"
        for order in found.orders:
            listed = [f"{ngram} ({count:,})" for ngram, count in getattr(order, part)]
            yield f"   {order.size}  " + ("; ".join(listed) or "none")


def as_json(found: Scored) -> dict[str, Any]:
    """The same as values that JSON knows."""

    def of(part: Scored) -> dict[str, Any]:
        return {"name": part.name, "scores": [vars(one) for one in part.scores]}

    told: dict[str, Any] = {"rows": found.rows, "references": found.references, **of(found)}
    if found.other and found.changes is not None:
        names = [one.name for one in found.scores]
        told["against"] = of(found.other)
        told["changes"] = {name: vars(change) for name, change in zip(names, found.changes, strict=True)}
    if found.explanation:
        told["explanation"] = {
            "brevity_penalty": found.explanation.brevity_penalty,
            "written": found.explanation.written,
            "closest": found.explanation.closest,
            "orders": [vars(order) for order in found.explanation.orders],
        }
    return told
