"""What was found about a recipe before it runs: problems, doubts, its rows and tokens, what it will take."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Literal

from hftoolkit.reports.run import DataSource, ModelFacts
from hftoolkit.reports.wording import amount, counted, duration, memory, share

_ORDER = ("note", "warning", "error")
"""What matters most stands last, where a terminal ends."""


@dataclass(frozen=True)
class Finding:
    """One thing a user should know before the run."""

    level: Literal["error", "warning", "note"]
    """An error stops the run; a warning says what it may suffer from; a note what will be done unasked."""

    message: str
    """Where, what, and in further lines what to do."""


@dataclass(frozen=True)
class Lengths:
    """Tokens of the training rows on one side."""

    side: str
    """`inputs` or `answers`, or the name in a feature."""

    median: int
    nearly_all: int
    """95 of 100 rows have at most so many."""

    most: int
    """Longest that is kept."""

    total: int
    """Tokens of all rows that are kept, each once."""


@dataclass(frozen=True)
class Tokens:
    """What the tokenizer makes of the training rows."""

    sides: list[Lengths]
    limit: int
    """Longest side that is kept."""

    rows: int
    """Encoded rows that are kept."""

    too_long: int
    """Encoded rows that are dropped because a side is longer."""

    cut: int = 0
    """Encoded rows of which something is cut because they are longer."""


@dataclass(frozen=True)
class Forecast:
    """What a run takes on this machine, from a few real steps and real decoding."""

    steps: int
    """Optimizer steps, if it is not stopped earlier."""

    step_seconds: float
    """Mean of the steps that were measured."""

    tokens_per_second: float
    """Padding left out."""

    padding: float
    """Share of what is computed that is padding."""

    seconds: dict[str, float]
    """By phase, as in a report."""

    peak_memory_bytes: int
    """Largest memory of the process, or of the accelerator where there is one."""

    disk_bytes: int
    """Largest size of the output folder during the run."""

    @property
    def total_seconds(self) -> float:
        """All phases together."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Checkup:
    """All that is known of a recipe before it runs; a part that could not be looked at is None or empty."""

    recipe: str
    """The recipe as the user named it."""

    findings: list[Finding] = field(default_factory=list)
    """In the order in which they were met."""

    data: list[DataSource] = field(default_factory=list)
    """Every source, training first."""

    leaks: dict[str, int] = field(default_factory=dict)
    """Rows of the validation and test sets whose input stands in the training rows too."""

    example: dict[str, str] = field(default_factory=dict)
    """A training row, by role."""

    model_state: str = ""
    """Where the checkpoint is, or what would have to be downloaded."""

    model: ModelFacts | None = None
    tokens: Tokens | None = None
    forecast: Forecast | None = None

    exit_code: int = 0
    """0: nothing stops the run; 1: data, the model or the folder do; 2: the recipe itself does."""

    @property
    def ok(self) -> bool:
        """Whether nothing stops the run."""
        return self.exit_code == 0

    def of_level(self, level: str) -> list[str]:
        """The messages of all errors, warnings or notes."""
        return [finding.message for finding in self.findings if finding.level == level]

    def to_json(self) -> str:
        """The same for programs."""
        return json.dumps({"ok": self.ok, **asdict(self)}, ensure_ascii=False, indent=2) + "\n"

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        facts = list(self._facts())
        width = max((len(label) for label, _ in facts), default=0)
        before = ""
        for label, text in facts:
            yield f"{label if label != before else '':{width}}  {text}"
            before = label
        for level in _ORDER:
            yield from (f"{level}: {message}" for message in self.of_level(level))
        yield self._verdict()

    def _facts(self) -> Iterator[tuple[str, str]]:
        """Lines of text, each under what it is about."""
        width = max((len(source.name) for source in self.data), default=0)
        for source in self.data:
            of = "" if source.kept == source.read else f" of {source.read:,}"
            yield source.use, f"{source.name:{width}}  {counted(source.kept, 'row')}{of}"
            if source.dropped:
                reasons = ", ".join(f"{number:,} {reason}" for reason, number in source.dropped.items())
                yield source.use, f"  left out: {reasons}"
            yield from ((source.use, f"  {note}") for note in source.notes)
        yield from (("example", f"{role}: {text}") for role, text in self.example.items())
        if self.model_state:
            yield "model", self.model_state
        if self.model:
            yield "model", _trained(self.model)
        if self.tokens:
            yield from (("tokens", line) for line in _token_lines(self.tokens))
        if self.forecast:
            yield from _forecast_lines(self.forecast)

    def _verdict(self) -> str:
        found = [counted(len(self.of_level(level)), level) for level in ("error", "warning") if self.of_level(level)]
        return f"this recipe {'can' if self.ok else 'cannot'} run" + (f": {', '.join(found)}" if found else "")

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def _trained(model: ModelFacts) -> str:
    what = (
        f"{model.adapter} on {' '.join(model.adapter_targets)}: {amount(model.trainable)} weights trained beside "
        f"{amount(model.parameters)} ({share(model.trainable, model.parameters)})"
        if model.adapter
        else f"all {amount(model.parameters)} weights trained"
        if model.trainable == model.parameters
        else f"{amount(model.trainable)} of {amount(model.parameters)} weights trained "
        f"({share(model.trainable, model.parameters)})"
    )
    return f"{model.architecture}, {what}, {model.number_format}, {model.device}"


def _token_lines(tokens: Tokens) -> Iterator[str]:
    width = max((len(side.side) for side in tokens.sides), default=0)
    for side in tokens.sides:
        yield (
            f"{side.side:{width}}  median {side.median}, 95 % up to {side.nearly_all}, longest {side.most}; "
            f"{amount(side.total)} in all"
        )
    if tokens.too_long:
        yield f"{tokens.too_long:,} of {tokens.rows + tokens.too_long:,} rows are left out: over {tokens.limit} tokens"
    if tokens.cut:
        yield f"{tokens.cut:,} of {tokens.rows:,} rows are cut: over {tokens.limit} tokens"


def _forecast_lines(forecast: Forecast) -> Iterator[tuple[str, str]]:
    phases = [f"{phase} {duration(seconds)}" for phase, seconds in forecast.seconds.items() if seconds >= 0.05]
    yield "time", f"{duration(forecast.total_seconds)}: {', '.join(phases)}"
    yield (
        "time",
        f"{counted(forecast.steps, 'step')} of {forecast.step_seconds:.2f} s, "
        f"{forecast.tokens_per_second:,.0f} tokens/s, {100 * forecast.padding:.0f} % padding",
    )
    yield "room", f"{memory(forecast.peak_memory_bytes)} of memory, {memory(forecast.disk_bytes)} on disk"
