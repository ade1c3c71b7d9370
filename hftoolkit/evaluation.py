"""How good a model is: predictions for named test sets, scores with intervals, before against after."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hftoolkit import hub
from hftoolkit.data.prepared import load_tests
from hftoolkit.data.rows import Rows
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import DataError, OutputError, UsageError
from hftoolkit.metrics.significance import bootstrap, paired_test
from hftoolkit.models.devices import choose_device, choose_precision
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.reader import read_recipe, recipe_from
from hftoolkit.recipe.schema import Data, Recipe, Source
from hftoolkit.reports.folder import RunFolder
from hftoolkit.reports.run import Change, Example, Score, TestSet
from hftoolkit.tasks import find_task, task_options
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


def score(task: Task, predictions: Iterable[Any], rows: Iterable[Row], tally: Tally | None = None) -> Scored:
    """Measure predictions against the answers of their rows, and show them to what gathers more than scores."""
    measures = task.measures()
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
    return f"{engine.signature}|{decoding}" if task.generates else engine.signature


def score_model(task: Task, engine: Any, rows: Rows, decoding: Decoding, tally: Tally | None = None) -> Scored:
    """Predict and measure every row."""
    return score(task, task.predict(engine, rows, decoding), rows, tally)


def score_trivial(task: Task, rows: Rows) -> Scored:
    """Measure the baseline that knows nothing."""
    return score(task, task.trivials(rows), rows)


def scores(task: Task, scored: Scored) -> list[Score]:
    """The scores of a system, with 95 % intervals and signatures."""
    found = []
    for measure in task.measures():
        counts = scored.counts[measure.name]
        interval = bootstrap(counts, measure.total, whole=measure.whole)
        value = measure.of(counts)
        signature = scored.signatures[measure.name]
        found.append(Score(measure.name, value, interval.low, interval.high, signature, measure.higher))
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


@dataclass(frozen=True)
class Evaluated:
    """Scores of one model on named test sets."""

    model: str
    """Which model."""

    decoding: str
    """How its answers were generated."""

    tests: Mapping[str, list[Score]]
    """Scores by test set."""

    predictions: Mapping[str, list[str]]
    """Predictions by test set, as lines of text."""

    notes: tuple[str, ...]
    """What should be said about it."""

    def lines(self) -> Iterator[str]:
        """The scores as a table."""
        yield f"{self.model}  ({self.decoding})"
        wide = max(map(len, self.tests))
        long = max(len(one.name) for found in self.tests.values() for one in found)
        for name, found in self.tests.items():
            for place, one in enumerate(found):
                interval = "" if one.low is None else f"  [{one.low:.1f}, {one.high:.1f}]"
                label = name if not place else ""
                yield f"  {label:{wide}}  {one.name:{long}} {one.value:6.2f}{interval}  {one.signature}".rstrip()

    def __str__(self) -> str:
        return "\n".join(self.lines())


def evaluate(
    recipe: Recipe | Mapping[str, Any] | str | Path,
    *,
    model: str | None = None,
    data: str | Path | None = None,
    overrides: Iterable[str] = (),
) -> Evaluated:
    """Score a checkpoint or adapter as a run of this recipe does.

    Args:
        recipe: A recipe, its file, or the folder of a run.
        model: What to score; left out: the result of the run, or the model the recipe starts from.
        data: A file to score on in the place of the recipe's test sets, with their columns.
        overrides: ``key=value`` pairs that change the recipe.

    Raises:
        RecipeError: If the recipe has problems.
        UsageError: If there is no such recipe, or no model to evaluate yet.
        DataError: If the rows cannot be read.
        ModelError: If the model cannot be loaded or does not suit.
        OutputError: If the run is not finished.
    """
    run = _run_folder(recipe)
    recipe = read(run / "recipe.yaml" if run else recipe, list(overrides))
    if run and model is None and not (run / "report.json").is_file():
        raise OutputError(
            f"{run}: this run is not finished: there is no result to evaluate yet\n"
            f"  finish it:           hftoolkit finetune {run / 'recipe.yaml'}\n"
            "  or name a model:     --model FOLDER"
        )
    task = find_task(recipe.task)(recipe.options, recipe.data.languages)
    extra = extra_metrics(recipe)
    settings = recipe.data if data is None else _with_file(recipe.data, str(data))
    rows = load_tests(
        settings, task.inputs, task.answers, folder=hub.cache_folder() / "rows", seed=recipe.training.seed
    )
    if model is None and run is None and recipe.model.name is None:
        raise UsageError(
            "this recipe starts from scratch: there is no model to evaluate yet\n"
            f"  train it first:   hftoolkit finetune ..., then evaluate {recipe.output}\n"
            "  or name a model:   --model FOLDER"
        )
    name = model or (str(run) if run else str(recipe.model.name))
    loaded = load_checkpoint(name, task.auto_class, revision="main" if model or run else recipe.model.revision)
    loaded.model.to(choose_device())
    task.restore(loaded.saved, loaded.model.config)
    task.bind(loaded.tokenizer, loaded.model.config)
    engine = engine_of(task, loaded.model, loaded.tokenizer, recipe)
    decoding = Decoding.of(recipe.evaluation)
    found = {test: score_model(task, engine, part, decoding) for test, part in rows.items()}
    return Evaluated(
        model=name,
        decoding=made(task, engine, decoding),
        tests={test: [*scores(task, one), *extra_scores(task, extra, rows[test], one)] for test, one in found.items()},
        predictions={test: one.shown for test, one in found.items()},
        notes=(
            *loaded.notes,
            *engine.notes,
            *(f"{test}: {note}" for test, part in rows.items() for one in part.census for note in one.notes),
        ),
    )


def read(recipe: Recipe | Mapping[str, Any] | str | Path, overrides: Sequence[str]) -> Recipe:
    """The recipe, in whatever form it is given.

    Raises:
        RecipeError: If it has problems.
        UsageError: If there is no such file, or overrides have no file to change.
    """
    if isinstance(recipe, str | Path):
        found = read_recipe(recipe, overrides, tasks=task_options())
        home = RunFolder(Path(recipe).parent)
        if (
            Path(recipe).name == "recipe.yaml"
            and home.begun
            and not any(one.startswith("output=") for one in overrides)
        ):
            # A run's own recipe means the run it lies in, from whatever folder it is named and wherever it was moved.
            return found.model_copy(update={"output": str(home.path)})
        return found
    if not isinstance(recipe, Recipe | Mapping):
        raise UsageError(f"expected a recipe, its file or a mapping, got {type(recipe).__name__}")
    if overrides:
        raise UsageError("overrides change a recipe's file; this recipe was made in Python\n  change it there")
    return recipe if isinstance(recipe, Recipe) else recipe_from(recipe, tasks=task_options())


def _run_folder(recipe: Recipe | Mapping[str, Any] | str | Path) -> Path | None:
    """The folder of the run that is meant; None for a recipe."""
    if not isinstance(recipe, str | Path) or not (Path(recipe) / "recipe.yaml").is_file():
        return None
    return Path(recipe)


def _with_file(data: Data, file: str) -> Data:
    """The same data with one file in the place of the test sets, with the columns of the first of them."""
    if not Path(file).exists():
        raise DataError(f"{file}: no such file\n  --data counts from the current folder")
    parts = [part for part in (*data.test.values(), *data.train) if isinstance(part, Source) and part.source]
    columns = parts[0].columns if parts else {}
    return data.model_copy(update={"test": {Path(file).name: Source(source=file, columns=columns)}})
