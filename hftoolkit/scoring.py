"""Predictions -> scores: measured row by row, with intervals and signatures, before against after."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit.data.rows import Rows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.metrics.measure import Measure
from hftoolkit.metrics.significance import bootstrap, paired_test
from hftoolkit.models.devices import choose_precision
from hftoolkit.models.quantizing import in_4bit
from hftoolkit.recipe.schema import Recipe
from hftoolkit.reports.scores import Change, Example, Score, TestSet
from hftoolkit.tasks.base import Row, Tally, Task

SHOWN = 5
"""Wins and regressions listed in a report."""


@dataclass(frozen=True)
class Scored:
    """One system on one test set: all that scores, intervals and paired tests are made of."""

    shown: list[str]
    """Predictions as lines of text, in row order."""

    counts: dict[str, NDArray[np.number[Any]]]
    """Per-row counts by measure; shape ``[N, K]``."""

    signatures: dict[str, str]
    """What makes each score comparable: of a threshold the one that this system had."""

    def to_json(self) -> str:
        """The same as text."""
        counts = {name: part.tolist() for name, part in self.counts.items()}
        return json.dumps(vars(self) | {"counts": counts}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Scored":
        """From what `to_json` gave."""
        found = json.loads(text)
        counts = {name: np.array(part) for name, part in found["counts"].items()}
        return cls(found["shown"], counts, found["signatures"])


def score(
    task: Task,
    predictions: Iterable[Any],
    rows: Iterable[Row],
    tally: Tally | None = None,
    *,
    measures: Sequence[Measure] | None = None,
) -> Scored:
    """Measure predictions against the answers of their rows, and show them to what gathers more than scores.

    Args:
        task: Whose predictions.
        predictions: For every row.
        rows: With their answers.
        tally: Is shown all of it.
        measures: Scores wanted; None: the task's own.
    """
    measures = task.measures() if measures is None else measures
    shown: list[str] = []
    counts: dict[str, list[NDArray[np.number[Any]]]] = {measure.name: [] for measure in measures}
    answers: set[int] = set()
    for number, (prediction, row) in enumerate(zip(predictions, rows, strict=True), 1):
        if tally:
            tally.add(number, prediction, row)
        shown.append(task.shown(prediction))
        answers.add(len(task.shown_row(row)[1]))
        for measure in measures:
            counts[measure.name].append(measure.counts(prediction, row))
    signatures = {measure.name: measure.signature(answers) for measure in measures}
    return Scored(shown, {name: np.stack(parts) for name, parts in counts.items()}, signatures)


def engine_of(task: Task, model: Any, tokenizer: Any, recipe: Recipe) -> Any:
    """What runs a model on its device, as a run of this recipe does."""
    precision = choose_precision(recipe.training.precision, model.device, adapter=recipe.adapter is not None)
    return task.engine(model, tokenizer, batch_tokens=recipe.evaluation.batch_tokens, precision=precision)


def made(task: Task, engine: Any, decoding: Decoding) -> str:
    """How predictions come about: engine, number format and, where texts are written, decoding."""
    kept = "|4bit" if in_4bit(engine.model) else ""
    return f"{engine.signature}{kept}" + (f"|{decoding}" if task.generates else "")


def score_model(task: Task, engine: Any, rows: Rows, decoding: Decoding, tally: Tally | None = None) -> Scored:
    """Predict and measure every row."""
    return score(task, task.predict(engine, rows, decoding), rows, tally)


def score_trivial(task: Task, rows: Rows) -> Scored:
    """Measure the baseline that knows nothing."""
    return score(task, task.trivials(rows), rows)


def scores(task: Task, scored: Scored, *, measures: Sequence[Measure] | None = None) -> list[Score]:
    """The scores of a system, with 95 % intervals and signatures; ``measures`` as `score` was given them."""
    found = []
    for measure in task.measures() if measures is None else measures:
        counts = scored.counts[measure.name]
        interval = bootstrap(counts, measure.total, whole=measure.whole)
        value = measure.of(counts)
        signature = scored.signatures[measure.name]
        ends = interval.low, interval.high
        found.append(Score(measure.name, value, *ends, signature, measure.higher, measure.decimals))
    return found


def extra_metrics(recipe: Recipe) -> dict[str, Any]:
    """The metrics that a recipe names besides the task's own, loaded before anything is trained.

    Raises:
        UsageError: If one is code from the hub that was not trusted by name.
        HubError: If one cannot be loaded.
    """
    if not recipe.evaluation.metrics:
        return {}
    from hftoolkit.metrics.hub_metrics import load_metric

    language = recipe.data.languages.target if recipe.data.languages else ""
    trusted = recipe.evaluation.trust_metric_code
    return {name: load_metric(name, language, trusted) for name in recipe.evaluation.metrics}


def extra_scores(task: Task, metrics: Mapping[str, Any], rows: Rows, scored: Scored) -> list[Score]:
    """What these metrics give for a system; they do not decompose into rows, so there is no interval."""
    if not metrics:
        return []
    from hftoolkit.metrics.hub_metrics import metric_scores

    shown = [task.shown_row(row) for row in rows]
    sources, references = [source for source, _ in shown], [answers for _, answers in shown]
    return [
        Score(name, value, None, None, "")
        for metric, module in metrics.items()
        for name, value in metric_scores(module, metric, scored.shown, references, sources).items()
    ]


def compared(task: Task, name: str, rows: Rows, before: Scored, after: Scored, baseline: str, leakage: int) -> TestSet:
    """A test set's part of the report: both systems, the paired test, the rows that changed most."""
    changes = {}
    for measure in task.measures():
        both = before.counts[measure.name], after.counts[measure.name]
        result = paired_test(*both, measure.total, whole=measure.whole)
        changes[measure.name] = Change(result.difference, result.low, result.high, result.p)
    ranking = next(measure for measure in task.measures() if measure.name == (task.ranking or task.goal))
    gains = np.array(
        [
            ranking.total(new) - ranking.total(old)
            for old, new in zip(before.counts[ranking.name], after.counts[ranking.name], strict=True)
        ]
    ) * (1 if ranking.higher else -1)
    order = np.argsort(gains, kind="stable")
    return TestSet(
        name=name,
        rows=len(rows),
        before=scores(task, before),
        after=scores(task, after),
        baseline=baseline,
        changes=changes,
        leakage=leakage,
        row_score=ranking.name,
        best_wins=_examples(task, rows, [n for n in order[::-1][:SHOWN] if gains[n] > 0], gains, before, after),
        worst_regressions=_examples(task, rows, [n for n in order[:SHOWN] if gains[n] < 0], gains, before, after),
    )


def _examples(
    task: Task, rows: Rows, numbers: list[Any], gains: NDArray[np.float64], before: Scored, after: Scored
) -> list[Example]:
    found = []
    for number, row in zip(numbers, rows.take(numbers), strict=True):
        source, references = task.shown_row(row)
        found.append(
            Example(
                int(number) + 1,
                source,
                references,
                before.shown[number],
                after.shown[number],
                change=float(gains[number]),
            )
        )
    return found
