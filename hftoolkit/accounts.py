"""What a run says of itself: where its rows came from, what it begins with, its versions, its time."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from platform import python_version

from hftoolkit.data.features import Features
from hftoolkit.data.prepared import RunRows
from hftoolkit.errors import DataError
from hftoolkit.reports.run import DataSource, ModelFacts
from hftoolkit.reports.wording import counted


def sources(rows: RunRows) -> list[DataSource]:
    """Every source with its census."""
    uses = {
        "train": rows.train,
        "validation": rows.validation,
        **{f"test: {n}": part for n, part in rows.tests.items()},
    }
    found = []
    for use, part in uses.items():
        split = use != "train" and part.folder == rows.train.folder
        for number, census in enumerate(part.census):
            kept = int((part.source_numbers == number).sum())
            dropped = {} if split else dict(census.dropped)
            if use == "train" and kept < census.kept:
                dropped["held out for validation or test"] = census.kept - kept
            found.append(
                DataSource(
                    name=census.name,
                    use=use,
                    read=kept if split else census.read,
                    kept=kept,
                    fingerprint=part.fingerprint,
                    dropped=dropped,
                    weight=part.weights[number] if use == "train" else 1.0,
                    notes=[] if split else list(census.notes),
                )
            )
    return found


def long_rows(limit: int, found: Mapping[str, Features], cut_part: tuple[str, int] | None) -> list[str]:
    """What encoding dropped, and what it cut.

    Args:
        limit: Tokens of the longest side.
        found: Features by their use.
        cut_part: As `Task.cut_part`.

    Raises:
        DataError: If it left nothing.
    """
    for use, features in found.items():
        if not len(features) and not features.too_long:
            raise DataError(
                f"data: the {use} rows hold nothing to learn, like questions without an answer where one is always "
                "given\n  look at the columns, and at options"
            )
        if not len(features):
            raise DataError(
                f"training.max_tokens: none of the {features.too_long:,} {use} rows has at most {limit} tokens on each "
                "side\n  raise it, or split the rows into sentences"
            )
    part, most = cut_part or ("row", limit)
    return [
        _left_out(features.too_long, f"{use} row", f"{limit} tokens on a side", "dropped")
        for use, features in found.items()
        if features.too_long
    ] + [
        _left_out(features.cut, f"{use} {part}", f"{most} tokens", "cut")
        for use, features in found.items()
        if features.cut
    ]


def _left_out(count: int, what: str, limit: str, how: str) -> str:
    have, were = ("has", "was") if count == 1 else ("have", "were")
    return f"{counted(count, what)} {have} more than {limit} and {were} {how}"


def beginning(rows: RunRows, facts: ModelFacts) -> list[str]:
    """What a person wants to know before the first step."""
    notes = [
        f"{len(rows.train):,} training rows, {len(rows.validation):,} for validation, "
        + ", ".join(f"{len(part):,} in test set '{name}'" for name, part in rows.tests.items()),
        (
            f"{facts.adapter} on {' '.join(facts.adapter_targets)}: {facts.trainable:,} weights are trained beside "
            f"{facts.parameters:,}"
            if facts.adapter
            else f"all {facts.parameters:,} weights are trained"
            if facts.trainable == facts.parameters
            else f"{facts.trainable:,} weights are trained, {facts.parameters - facts.trainable:,} stay as they are"
        )
        + f", {facts.number_format}, {facts.device}",
    ]
    for census in rows.train.census:
        if census.dropped:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in census.dropped.items())
            notes.append(f"{census.name}: dropped {reasons}")
    notes += [f"{name}: {count:,} rows stand in the training rows too" for name, count in rows.leaks.items() if count]
    return notes


def versions() -> dict[str, str]:
    names = ("hftoolkit", "torch", "transformers", "accelerate", "peft", "datasets", "sacrebleu", "sentencepiece")
    return {"python": python_version()} | {name: version(name) for name in names}


class Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self._seconds[phase] = time.perf_counter() - begin

    def phases(self, *, train: float) -> dict[str, float]:
        """Seconds by phase, those of training told apart from those of validation."""
        found: dict[str, float] = {}
        for phase, seconds in self._seconds.items():
            if phase == "train and validate":
                found |= {"train": train, "validate": max(0.0, seconds - train)}
            else:
                found[phase] = seconds
        return found
