"""A report as Markdown, for a terminal, a merge request or a model card."""

from collections.abc import Iterable

from hftoolkit.metrics.significance import SAMPLES
from hftoolkit.reports.markdown_sections import render_sections
from hftoolkit.reports.markdown_text import plain, table
from hftoolkit.reports.run import DataSource, Report
from hftoolkit.reports.scores import UNTOUCHED, Change, Example, Score, TestSet
from hftoolkit.reports.wording import (
    amount,
    counted,
    duration,
    gained,
    memory,
    number,
    probability,
    reached,
    share,
    signed,
)


def render(report: Report, picture: str = "") -> str:
    """The report as Markdown, the verdict first.

    Args:
        report: The run.
        picture: Path of the training curve from where the text will stand; empty: no picture.
    """
    parts = [
        f"# {plain(report.verdict())}",
        *(f"**Caution:** {plain(caution)}" for caution in report.cautions()),
        "## Scores",
        _scores(report.tests),
        _signatures(report),
        *(
            ["## Training", f"![Training loss, validation loss and validation score by step]({picture})"]
            * bool(picture)
        ),
        *(["## Notes", "\n".join(f"- {plain(note)}" for note in report.notes)] * bool(report.notes)),
        *(block for test in report.tests for block in render_sections(test.sections, test.name)),
        *_examples(report.tests),
        "## Data",
        _data(report.data),
        "## The run",
        _facts(report),
    ]
    return "\n\n".join(parts) + "\n"


def _scores(tests: Iterable[TestSet]) -> str:
    lines = []
    for test in tests:
        for after in test.after:
            before = test.score_before(after.name)
            lines.append(
                [
                    f"{plain(test.name)} ({counted(test.rows, 'row')})",
                    plain(after.name),
                    _score(before) if before else "none",
                    _score(after),
                    *_change(before, after, test.changes.get(after.name)),
                ]
            )
    return table(["test set", "score", "before", "after", "change", "paired test"], lines)


def _change(before: Score | None, after: Score, change: Change | None) -> tuple[str, str]:
    if change is not None:
        low, high = signed(change.low, after.decimals), signed(change.high, after.decimals)
        difference = f"{signed(change.difference, after.decimals)} ({low} to {high})"
        return difference, f"{probability(change.p)}{'' if change.significant else ', not significant'}"
    return (gained(before, after), "not tested") if before else ("", "")


def _signatures(report: Report) -> str:
    lines = []
    for test in report.tests:
        name = plain(test.name)
        lines += [f"- {plain(score.name)} on {name}: `{score.signature}`" for score in test.after if score.signature]
        if test.before and test.baseline != UNTOUCHED:
            lines.append(f"- before on {name} is {plain(test.baseline)}, not a model")
    lines.append(f"- {report.decoding_title}: `{report.decoding}`")
    lines.append(
        f"- in brackets: 95 % intervals from {SAMPLES:,} bootstrap resamples; the test is sacreBLEU's paired bootstrap"
    )
    return "\n".join(lines)


def _examples(tests: Iterable[TestSet]) -> list[str]:
    parts = []
    for test in tests:
        for title, examples in (("Best wins", test.best_wins), ("Worst regressions", test.worst_regressions)):
            if examples:
                parts.append(f"## {title} on '{plain(test.name)}', by {plain(test.row_score)}")
                parts += [_example(example, test.row_decimals) for example in examples]
    return parts


def _example(example: Example, decimals: int) -> str:
    lines = [
        ["source", plain(example.source)],
        *(["reference", plain(reference)] for reference in example.references),
        ["before", plain(example.before)],
        ["after", plain(example.after)],
    ]
    return table([f"row {example.row:,}", signed(example.change, decimals)], lines)


def _data(sources: Iterable[DataSource]) -> str:
    lines = [
        [
            plain("; ".join([source.name, *source.notes])),
            plain(source.use),
            f"{source.read:,}",
            f"{source.kept:,}",
            plain(", ".join(f"{count:,} {reason}" for reason, count in source.dropped.items() if count)) or "none",
            f"{source.weight:g}",
            f"`{source.fingerprint[:12]}`",
        ]
        for source in sources
    ]
    return table(["source", "used for", "read", "used", "dropped", "weight", "SHA-256"], lines)


def _facts(report: Report) -> str:
    model = report.model
    targets = f" on {', '.join(model.adapter_targets)}" if model.adapter_targets else ""
    phases = ", ".join(f"{phase} {duration(seconds)}" for phase, seconds in report.seconds.items())
    revision = f" at {model.revision[:12]}" if model.revision else ""
    facts = {
        "model": f"{model.name}{revision}, {model.architecture}",
        "weights trained": f"{amount(model.trainable)} of {amount(model.parameters)} "
        f"({share(model.trainable, model.parameters)}), {model.how}{targets}",
        "number format": model.number_format,
        "device": model.device,
        "steps": f"{report.steps:,} in {report.epochs:.3g} epochs, weights kept: {report.weights_kept}",
        "speed": f"{report.tokens_per_second:,.0f} tokens/s, {amount(report.tokens)} tokens, padding left out",
        "peak memory": memory(report.peak_memory_bytes),
        "time": f"{duration(sum(report.seconds.values()))}: {phases}",
        "started": report.started,
        "versions": ", ".join(f"{name} {version}" for name, version in report.versions.items()),
    }
    return "\n".join(f"- {name}: {plain(fact)}" for name, fact in facts.items())


def _score(score: Score) -> str:
    if score.low is None or score.high is None:
        return reached(score)
    return f"{reached(score)} ({number(score.low, score.decimals)} to {number(score.high, score.decimals)})"
