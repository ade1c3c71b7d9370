"""How good a checkpoint or a run's result is: scores on named test sets, as a run of the recipe takes them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftoolkit import hub
from hftoolkit.data.prepared import load_tests
from hftoolkit.data.sources.formats import format_of_file
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import DataError, ModelError, OutputError, UsageError
from hftoolkit.models.devices import choose_device
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.reader import read_recipe, recipe_from
from hftoolkit.recipe.schema import Data, Recipe, Source
from hftoolkit.reports.folder import RunFolder
from hftoolkit.reports.scores import Score
from hftoolkit.reports.wording import interval
from hftoolkit.scoring import engine_of, extra_metrics, extra_scores, made, score_model, scores
from hftoolkit.tasks import find_task, task_options


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
                label = name if not place else ""
                value = f"{one.value:6.{max(2, one.decimals)}f}{interval(one)}"
                yield f"  {label:{wide}}  {one.name:{long}} {value}  {one.signature}".rstrip()

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
        data: A file to score on in the place of the recipe's test sets, read as the first of them is.
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
    with hub.using(hub.of_recipe(recipe.endpoint)):
        return _evaluate(recipe, run, model, data)


def _evaluate(recipe: Recipe, run: Path | None, model: str | None, data: str | Path | None) -> Evaluated:
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
    loaded = load_checkpoint(
        name,
        task.auto_class,
        revision="main" if model or run else recipe.model.revision,
        quantize=recipe.model.quantize is not None,
    )
    if loaded.saved is not None and loaded.saved.task != recipe.task:
        of, asked = (kind.replace("_", " ") for kind in (loaded.saved.task, recipe.task))
        raise ModelError(
            f"{name}: this model was tuned for {of}, not for {asked}\n  choose another model, or a recipe of its task"
        )
    loaded.model.to(choose_device())
    task.restore(loaded.saved, loaded.model.config)
    task.bind(loaded.tokenizer, loaded.model.config)
    if task.new_tokens:
        token = loaded.tokenizer.convert_ids_to_tokens(task.new_tokens[0])
        raise ModelError(
            f"{name}: this model was not trained for this task: its vocabulary has no '{token}'\n"
            "  train it first:   hftoolkit finetune RECIPE"
        )
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
    """The same data with one file in the place of the test sets, read as the first of them is."""
    if not Path(file).exists():
        raise DataError(f"{file}: no such file\n  --data counts from the current folder")
    told = format_of_file(Path(file))
    first, *others = [part for part in (*data.test.values(), *data.train) if isinstance(part, Source)]
    if told is None and first.files is not None and len(first.files) == 1:
        part = Source(files=dict.fromkeys(first.files, file), encoding=first.encoding)
    else:
        like = next((part for part in (first, *others) if part.source), Source(source=file))
        form = told or (None if like.format == "hub" else like.format)
        part = Source(source=file, columns=like.columns, encoding=like.encoding, format=form)
    return data.model_copy(update={"test": {Path(file).name: part}})
