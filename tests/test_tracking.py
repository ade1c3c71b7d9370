"""What trackers are told of a run: the same as its own log says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from accelerate import Accelerator
from accelerate.utils import LoggerType
from running import hftoolkit, run_in_two_processes, write_recipe

from hftoolkit import fitting
from hftoolkit.errors import UsageError
from hftoolkit.finetuning import finetune
from hftoolkit.recipe.schema import Tracker
from hftoolkit.training.tracking import closing_trackers, require_trackers, start_tracking, track

pytestmark = pytest.mark.usefixtures("no_pictures")

Points = dict[str, list[tuple[int, float]]]


@pytest.fixture
def recipe(marian: Path, tmp_path: Path) -> Path:
    """Six steps, an evaluation after every second."""
    return write_recipe(
        tmp_path / "recipe.yaml",
        f"{{name: {marian}}}",
        training="{max_steps: 6, epochs: 9, learning_rate: 1e-3, batch_tokens: 256, precision: float32}",
        evaluation="{beams: 1, every: 2}",
        tracking="[tensorboard]",
    )


def told(run: Path) -> Points:
    """What TensorBoard's own reader finds: step and value of every point, by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run / "tracking" / "hftoolkit"), size_guidance={"scalars": 0})
    found.Reload()
    return {name: [(point.step, point.value) for point in found.Scalars(name)] for name in found.Tags()["scalars"]}


def logged(run: Path) -> Points:
    """The same from the run's own log and report."""
    points: Points = {}
    for line in map(json.loads, (run / "steps.jsonl").read_text(encoding="utf-8").splitlines()):
        if "loss" in line:
            values = {name: line[name] for name in ("loss", "learning_rate", "gradient_norm")}
            values["tokens_per_second"] = line["tokens"] / line["seconds"]
        else:
            values = line["validation"]
        for name, value in values.items():
            points.setdefault(f"{'train' if 'loss' in line else 'validation'}/{name}", []).append((line["step"], value))
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    for test in report["tests"]:
        for score in test["after"]:
            points[f"test/{test['name']}/{score['name']}"] = [(report["steps"], score["value"])]
    return points


def assert_same(found: Points, expected: Points) -> None:
    assert found.keys() == expected.keys()
    for name, points in expected.items():
        assert [step for step, _ in found[name]] == [step for step, _ in points], name
        # The log rounds, to 0.1 ms where it says seconds.
        loose = 0.05 if name == "train/tokens_per_second" else 1e-5
        values = [value for _, value in points]
        assert [value for _, value in found[name]] == pytest.approx(values, rel=loose, abs=1e-6), name


def test_tensorboard_is_told_what_the_log_says(recipe: Path) -> None:
    outcome = hftoolkit("finetune", recipe)
    assert outcome.code == 0, outcome.err
    run = recipe.parent / "run"
    found = told(run)
    assert_same(found, logged(run))
    assert [step for step, _ in found["train/loss"]] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in found["validation/BLEU"]] == [0, 2, 4, 6]
    assert [step for step, _ in found["test/old/chrF2"]] == [6]


@pytest.mark.parametrize("stop", [1, 5])
def test_a_continued_run_has_every_point_once(recipe: Path, monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
    watched = fitting.watched

    def interrupted(steps: Any, **settings: Any) -> Iterator[Any]:
        for step in watched(steps, **settings):
            yield step
            if step.number == stop:
                raise KeyboardInterrupt

    run = recipe.parent / "run"
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "watched", interrupted)
        # As where the power fails: nothing is put back.
        patch.setattr("hftoolkit.reports.folder._put_back", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            finetune(recipe)
    assert [step for step, _ in told(run)["train/loss"]] == list(range(1, stop + 1))
    finetune(recipe)
    assert_same(told(run), logged(run))


def test_a_run_that_is_overwritten_takes_its_tracking_along(recipe: Path) -> None:
    finetune(recipe)
    finetune(recipe, overwrite=True)
    run = recipe.parent / "run"
    assert len(list((run / "tracking" / "hftoolkit").iterdir())) == 1
    assert_same(told(run), logged(run))


def test_of_several_processes_one_tells(recipe: Path) -> None:
    run_in_two_processes(recipe)
    run = recipe.parent / "run"
    assert len(list((run / "tracking" / "hftoolkit").iterdir())) == 1
    assert_same(told(run), logged(run))


def test_nothing_is_tracked_unless_asked_for(recipe: Path) -> None:
    finetune(recipe, overrides=["tracking=[]"])
    assert not (recipe.parent / "run" / "tracking").exists()


# What is not installed


def test_a_tracker_that_is_not_installed_is_told_before_anything_is_read(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accelerate.tracking._available_trackers", [LoggerType.WANDB])
    (recipe.parent / "new.tsv").unlink()
    outcome = hftoolkit("finetune", recipe, "--set", "tracking=[wandb, tensorboard, comet_ml, mlflow, aim]")
    assert outcome.code == 2
    assert outcome.err == (
        "error: tracking: not installed here: aim, comet_ml, mlflow, tensorboard\n"
        "  install what is missing:   pip install 'aim<4' comet-ml mlflow 'hftoolkit[tracking]'\n"
        "  or go without:             --set tracking=[]\n"
    )
    assert not (recipe.parent / "run").exists()


def test_what_is_installed_may_be_asked_for() -> None:
    require_trackers([])
    require_trackers(["tensorboard", "tensorboard"])


def test_a_recipe_may_name_what_accelerate_knows() -> None:
    assert sorted(get_args(Tracker)) == sorted({str(known) for known in LoggerType} - {"all"})


def test_the_package_need_not_be_there_for_other_runs() -> None:
    code = "import sys; import hftoolkit.training.tracking; sys.exit('tensorboard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Other trackers, and closing


def test_other_trackers_are_told_the_same_and_write_into_the_output_folder(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, Any]] = []

    class Wandb:
        """As much of wandb as Accelerate calls."""

        def init(self, **settings: Any) -> "Wandb":
            calls.append(("init", settings))
            return self

        def log(self, values: dict[str, float], step: int) -> None:
            calls.append(("log", (step, sorted(values))))

        def finish(self) -> None:
            calls.append(("finish", None))

    monkeypatch.setattr("accelerate.tracking._available_trackers", [LoggerType.WANDB])
    monkeypatch.setitem(sys.modules, "wandb", Wandb())
    finetune(recipe, overrides=["tracking=[wandb]", "training.max_steps=1"])
    folder = recipe.parent / "run" / "tracking"
    steps = ["train/gradient_norm", "train/learning_rate", "train/loss", "train/tokens_per_second"]
    held_out = ["validation/BLEU", "validation/chrF2", "validation/loss"]
    assert calls == [
        ("init", {"project": "hftoolkit", "dir": str(folder), "name": "run"}),
        ("log", (0, held_out)),
        ("log", (1, steps)),
        ("log", (1, held_out)),
        ("log", (1, ["test/new/BLEU", "test/new/chrF2"])),
        ("log", (1, ["test/old/BLEU", "test/old/chrF2"])),
        ("finish", None),
    ]
    assert folder.is_dir()  # wandb would go elsewhere


def test_a_tracker_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ConnectionError("no account")

    monkeypatch.setattr("accelerate.tracking._available_trackers", [LoggerType.WANDB])
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=refuse))
    accelerator = Accelerator(cpu=True, log_with=["wandb"], project_dir=tmp_path)
    with pytest.raises(UsageError) as error, closing_trackers(accelerator):
        start_tracking(accelerator, step=0)
    assert str(error.value) == (
        "tracking: wandb did not start: no account\n  log in to it or set it up, or go without:   --set tracking=[]"
    )


def test_trackers_are_closed_when_a_run_fails(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True, log_with=["tensorboard"], project_dir=tmp_path / "run" / "tracking")
    writers = []

    def fail() -> None:
        with closing_trackers(accelerator):
            start_tracking(accelerator, step=0)
            track(accelerator, "train", 1, {"loss": 0.5})
            writers.append(accelerator.get_tracker("tensorboard", unwrap=True))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert writers[0].file_writer is None
    assert accelerator.trackers == []
    assert told(tmp_path / "run") == {"train/loss": [(1, 0.5)]}
    track(accelerator, "train", 2, {"loss": 0.5})  # none is open: nothing happens
