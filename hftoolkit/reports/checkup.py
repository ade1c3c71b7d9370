"""What was found about a recipe before it runs: problems, doubts, its rows and tokens, what it will take."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal

from hftoolkit.reports.run import DataSource, ModelFacts
from hftoolkit.reports.wording import amount, counted, duration, memory, share


@dataclass(frozen=True)
class Finding:
    """One thing a user should know before the run."""

    level: Literal["error", "warning"]
    """An error stops the run; a warning says what it may suffer from."""

    message: str
    """Where, what, and in further lines what to do."""


@dataclass(frozen=True)
class Lengths:
    """Tokens of the training rows on one side."""

    side: str
    """Name in a feature, such as `input_ids`."""

    median: int
    most: int
    """Longest that is kept."""

    nearly_all: int
    """95 of 100 rows have at most so many."""

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

    def to_json(self) -> str:
        """The same for programs."""
        return json.dumps({"ok": self.ok, **asdict(self)}, ensure_ascii=False, indent=2) + "\n"

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        for source in self.data:
            dropped = ", ".join(f"{number:,} {reason}" for reason, number in source.dropped.items())
            yield f"{source.use}: {source.name}: {counted(source.kept, 'row')}" + (
                f" of {source.read:,}; dropped {dropped}" if dropped else ""
            )
            yield from (f"  {note}" for note in source.notes)
        for role, text in self.example.items():
            yield f"  {role}: {text}"
        if self.model_state:
            yield f"model: {self.model_state}"
        if self.model:
            yield f"  {_trained(self.model)}"
        if self.tokens:
            yield from _token_lines(self.tokens)
        if self.forecast:
            yield from _forecast_lines(self.forecast)
        for finding in self.findings:
            yield f"{finding.level}: {finding.message}"
        yield self._verdict()

    def _verdict(self) -> str:
        errors, warnings = (sum(finding.level == level for finding in self.findings) for level in ("error", "warning"))
        if errors:
            return f"this recipe cannot run: {counted(errors, 'error')}" + (
                f", {counted(warnings, 'warning')}" if warnings else ""
            )
        return "this recipe can run" + (f": {counted(warnings, 'warning')}" if warnings else "")

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _trained(model: ModelFacts) -> str:
    of = share(model.trainable, model.parameters)
    what = f"{model.adapter} on {' '.join(model.adapter_targets)}, " if model.adapter else ""
    return (
        f"{model.architecture}, {what}{amount(model.trainable)} of {amount(model.parameters)} weights trained ({of}), "
        f"{model.number_format}, {model.device}"
    )


def _token_lines(tokens: Tokens) -> Iterator[str]:
    yield f"tokens of {counted(tokens.rows, 'training row')}:"
    for side in tokens.sides:
        yield (
            f"  {side.side}: {amount(side.total)} in all; median {side.median}, 95 % up to {side.nearly_all}, "
            f"longest {side.most}"
        )
    if tokens.too_long:
        yield f"  dropped because a side is longer than {tokens.limit}: {tokens.too_long:,}"


def _forecast_lines(forecast: Forecast) -> Iterator[str]:
    phases = ", ".join(f"{phase} {duration(seconds)}" for phase, seconds in forecast.seconds.items())
    yield f"forecast: {duration(forecast.total_seconds)}: {phases}"
    yield (
        f"  {counted(forecast.steps, 'step')} of {forecast.step_seconds:.2f} s, "
        f"{forecast.tokens_per_second:,.0f} tokens/s, {forecast.padding:.0%} padding"
    )
    yield f"  {memory(forecast.peak_memory_bytes)} of memory, {memory(forecast.disk_bytes)} on disk"
