"""What a run will take: real steps and real decoding, multiplied by what the run does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from accelerate import Accelerator
from conftest import PAIRS
from running import write_pairs

from hftoolkit import hub
from hftoolkit.data.prepared import load_run
from hftoolkit.forecasting import _Growth, _input_lengths, _shapes, _usual_batch, evaluations, forecast, free_disk
from hftoolkit.job import Job, plan_of
from hftoolkit.models.heads import NewHead
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.schema import Recipe
from hftoolkit.reports.checkup import Forecast
from hftoolkit.reports.folder import RunFolder
from hftoolkit.starting import does_already, features_of, start_of, trainable
from hftoolkit.tasks.pretraining import Pretraining
from hftoolkit.tasks.translation import Translation
from hftoolkit.training.plan import Plan

LOAD = 2.0

Made = Callable[..., tuple[Forecast, Job]]


@pytest.fixture
def made(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A forecast for the tiny translator, with these changes of the recipe; every prediction takes a second."""
    source = {"source": str(write_pairs(tmp_path / "pairs.tsv", PAIRS)), "columns": {"source": "en", "target": "zh"}}
    monkeypatch.setattr("hftoolkit.forecasting._SECONDS", 0.0)

    def make(training: dict[str, Any] | None = None, **changes: Any) -> tuple[Forecast, Job]:
        recipe = Recipe.model_validate(
            {
                "task": "translation",
                "model": {"name": str(marian)},
                "data": {
                    "train": [source],
                    "validation": source,
                    "test": {"a": source, "b": source},
                    "languages": {"source": "en", "target": "zh-Hans"},
                },
                "training": {"epochs": 5, "batch_tokens": 256, "precision": "float32"} | (training or {}),
                "output": str(tmp_path / "run"),
            }
            | changes
        )
        task = Translation(Translation.Options(), recipe.data.languages)
        rows = load_run(recipe.data, task.inputs, task.answers, folder=hub.cache_folder() / "rows", seed=1)
        start, _ = start_of(recipe, task, rows.train, tmp_path / "start")
        train, validation = (features_of(recipe, task, start, part) for part in (rows.train, rows.validation))
        accelerator = Accelerator(cpu=True)
        model, facts = trainable(recipe, task, start, accelerator)
        folder, able = RunFolder(tmp_path / "run"), does_already(recipe, task, start)
        job = Job(recipe, task, start.tokenizer, model, train, validation, rows.validation, folder, able=able)
        return forecast(job, rows.tests, accelerator, facts, LOAD)[0], job

    return make


def test_phases_are_those_of_a_run_that_finds_its_rows_in_the_cache(made: Made) -> None:
    found, job = made()
    assert list(found.seconds) == ["load", "baseline", "train", "validate", "test"]
    assert found.seconds["load"] == LOAD
    plan = plan_of(job)
    assert found.steps == plan.total
    assert found.seconds["train"] == pytest.approx(plan.total * found.step_seconds)
    assert found.seconds["baseline"] == found.seconds["test"] > 0
    assert 0 <= found.padding < 1
    assert found.peak_memory_bytes > 1 << 20


def test_a_new_model_has_no_baseline(made: Made) -> None:
    sizes = {"vocabulary": 360, "encoder_layers": 1, "decoder_layers": 1, "width": 16, "feed_forward": 32, "heads": 2}
    found, _ = made(model={"scratch": sizes})
    assert found.seconds["baseline"] == 0.0 < found.seconds["test"]


def test_decoding_is_measured_once_and_multiplied(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 rows in each of two test sets with four beams, before and after; some rows of validation, greedily."""
    asked: list[tuple[list[int], int]] = []

    def seconds(job: Job, parts: dict[str, Any], decoding: Any) -> float:
        asked.append(([len(rows) for rows in parts.values()], decoding.beams))
        return 100.0

    monkeypatch.setattr("hftoolkit.forecasting._seconds_to_predict", seconds)
    found, job = made(evaluation={"every": 7, "validation_rows": 5})
    assert asked == [([16, 16], 4), ([5], 1)]
    assert found.seconds["baseline"] == found.seconds["test"] == 100.0
    times = -(-plan_of(job).total // 7) + 1  # and before the first step
    assert times * 100 <= found.seconds["validate"] < times * 100 + 10


@pytest.mark.parametrize(
    ("training", "evaluation", "times"),
    [({}, {}, 5), ({"max_steps": 6}, {"every": 4}, 2), ({"max_steps": 8}, {"every": 4}, 2), ({"max_steps": 1}, {}, 1)],
)
def test_how_often_it_is_measured(made: Made, training: dict[str, Any], evaluation: dict[str, Any], times: int) -> None:
    _, job = made(training, evaluation=evaluation)
    assert evaluations(job.recipe, plan_of(job)) == times


def test_a_run_of_one_step_is_measured_by_it(made: Made) -> None:
    found, _ = made({"max_steps": 1})
    assert found.steps == 1
    assert found.step_seconds > 0


def test_the_disk_holds_the_model_and_what_is_kept_to_go_on(made: Made) -> None:
    whole, job = made()
    weights = sum(p.numel() for p in job.model.parameters() if p.requires_grad)
    assert whole.disk_bytes == 4 * 7 * weights  # the best, and the last with two moments, twice while it is written
    averaged, _ = made({"averaging": {"checkpoints": 3}})
    assert averaged.disk_bytes == 4 * 11 * weights
    adapted, job = made(adapter={"rank": 2})
    small = sum(p.numel() for p in job.model.parameters() if p.requires_grad)
    assert small < weights
    assert adapted.disk_bytes == 4 * 7 * small


def test_a_usual_batch_has_rows_of_middling_length() -> None:
    rows = [{"number": number} for number in range(100)]
    lengths = np.array([4] * 50 + [8] * 49 + [1000])[::-1].copy()
    batch, tokens = _usual_batch(rows, lengths, 64)
    assert (len(batch), tokens) == (1, 1000)  # half of all tokens are in one row
    batch, tokens = _usual_batch(rows[1:], lengths[1:], 64)
    assert (len(batch), tokens) == (8, 64)
    assert {lengths[row["number"]] for row in batch} == {8}


@pytest.mark.parametrize("lengths", [[3], [5, 5], [0, 1]])
def test_a_usual_batch_of_a_few_rows_is_all_of_them(lengths: list[int]) -> None:
    rows = [{"number": number} for number in range(len(lengths))]
    assert _usual_batch(rows, np.array(lengths), 4096) == (rows, sum(lengths))


def test_free_room_is_that_of_the_folder_that_will_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    class Usage:
        free = 7

    def usage(folder: Path) -> Usage:
        asked.append(folder)
        return Usage()

    monkeypatch.setattr("hftoolkit.forecasting.shutil.disk_usage", usage)
    assert free_disk(tmp_path / "runs" / "mine") == free_disk(tmp_path) == 7
    monkeypatch.chdir(tmp_path)
    assert free_disk(Path("runs/mine")) == 7
    assert asked == [tmp_path, tmp_path, tmp_path]


@pytest.mark.parametrize(
    ("growth", "shapes", "more"),
    [
        (_Growth(1000, 1300, 4), 10, 600),  # 100 for each of the six that are to come
        (_Growth(1000, 1300, 4), 36, 3200),
        (_Growth(1000, 1300, 4), 3, 0),
        (_Growth(1000, 900, 4), 10, 0),
        (_Growth(1000, 1300, 1), 10, 0),
    ],
)
def test_memory_grows_with_new_shapes_as_far_as_they_are_kept(growth: _Growth, shapes: int, more: int) -> None:
    assert growth.to_come(shapes) == more


def test_shapes_are_those_of_padded_batches_of_all_epochs_until_no_more_are_kept() -> None:
    lengths = np.array([[4, 8], [8, 4], [8, 8], [8, 8]], np.int32)
    plan = Plan(lengths, np.zeros(4, np.uint16), [1.0], batch_tokens=16, epochs=2)  # a row a step
    assert _shapes(plan) == _shapes(plan, 8) == 3
    assert _shapes(replace(plan, batch_tokens=32)) == 1  # two rows of 8 and 8 in every step
    assert _shapes(plan, 1) == 1
    many = Plan(np.arange(4, 404, 4, dtype=np.int32)[:, None], np.zeros(100, np.uint16), [1.0], 1, epochs=1)
    assert _shapes(many) == 36
    assert _shapes(many, 50) == 50


def test_all_windows_of_a_long_row_are_counted(bert: Path) -> None:
    task = Pretraining({}, None)
    start = load_checkpoint(str(bert), task.auto_class, head=NewHead(task.head, 1))
    task.bind(start.tokenizer, start.model.config)
    recipe = SimpleNamespace(adapter=None)
    job: Any = SimpleNamespace(task=task, tokenizer=start.tokenizer, model=start.model, recipe=recipe)
    rows = [{"text": "good film"}, {"text": "good film " * 60}, {"text": " "}]
    assert _input_lengths(job, rows).tolist() == [4, 120 + 2 * 3, 0]
