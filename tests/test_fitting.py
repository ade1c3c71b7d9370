import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from running import run_in_two_processes
from safetensors.torch import load_file

from hftoolkit import fitting
from hftoolkit.data.features import build_features
from hftoolkit.data.prepared import load_run
from hftoolkit.errors import ModelError, OutputError
from hftoolkit.finetuning import finetune
from hftoolkit.fitting import Fitted, fit
from hftoolkit.job import Job
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.reader import recipe_from
from hftoolkit.reports.files import read_report
from hftoolkit.reports.folder import RunFolder
from hftoolkit.tasks import task_options
from hftoolkit.tasks.translation import Translation
from hftoolkit.training.loop import Step


@dataclass
class Workplace:
    """Where jobs are made: every one has a fresh copy of the model, and the folder it is told."""

    root: Path
    marian: Path
    pairs: Path

    def recipe(self, output: str = "run", evaluation: Any = None, **training: Any) -> dict[str, Any]:
        """Ten steps, an evaluation after every fifth, and dropout, so that random numbers matter."""
        source = {"source": str(self.pairs), "columns": {"source": "en", "target": "zh"}}
        usual = {
            "epochs": 9,
            "max_steps": 10,
            "batch_tokens": 80,
            "micro_batches": 2,
            "learning_rate": 2e-3,
            "warmup_ratio": 0.2,
            "dropout": 0.1,
            "label_smoothing": 0.1,
            "precision": "float32",
        }
        return {
            "task": "translation",
            "model": {"name": str(self.marian)},
            "data": {
                "train": source,
                "validation": source,
                "test": source,
                "languages": {"source": "en", "target": "zh-Hans"},
            },
            "training": usual | training,
            "evaluation": {"beams": 1, "every": 5, "validation_rows": 3} | (evaluation or {}),
            "output": str(self.root / output),
        }

    def job(self, output: str = "run", **changes: Any) -> Job:
        recipe = recipe_from(self.recipe(output, **changes), tasks=task_options())
        rows = load_run(recipe.data, ["source"], ["target"], folder=self.root / "rows", seed=1)
        task = Translation(Translation.Options(), recipe.data.languages)
        loaded = load_checkpoint(str(self.marian), task.auto_class, dropout=recipe.training.dropout)
        task.bind(loaded.tokenizer, loaded.model.config)
        features = build_features(
            rows.train,
            partial(task.encode, tokenizer=loaded.tokenizer, limit=64),
            padded=task.padded,
            max_tokens=64,
            folder=self.root / "features",
            key=[],
        )
        folder = RunFolder(self.root / output)
        folder.path.mkdir(exist_ok=True)
        return Job(recipe, task, loaded.tokenizer, loaded.model, features, features, rows.validation, folder)

    def fitted(self, output: str = "run", **changes: Any) -> Fitted:
        return fit(self.job(output, **changes), Accelerator(cpu=True))

    def log(self, output: str = "run") -> list[dict[str, Any]]:
        """The step log without what differs from one run to the next."""
        return [{k: v for k, v in line.items() if k != "seconds"} for line in RunFolder(self.root / output).lines()]

    def checkpoint(self, output: str = "run") -> dict[str, Any]:
        state: dict[str, Any] = torch.load(RunFolder(self.root / output).last, weights_only=True)
        return state


@pytest.fixture
def at(tmp_path: Path, marian: Path, pairs_file: Path) -> Workplace:
    lines = pairs_file.read_text(encoding="utf-8").splitlines()
    sources, targets = zip(*(line.split("\t") for line in lines[1:]), strict=True)
    # Every source has another's target: something that the model does not know.
    rows = zip(sources, [*targets[1:], targets[0]], strict=True)
    pairs = tmp_path / "taught.tsv"
    pairs.write_text("en\tzh\n" + "".join(f"{a}\t{b}\n" for a, b in rows), encoding="utf-8")
    return Workplace(tmp_path, marian, pairs)


def interrupt(at: Workplace, monkeypatch: pytest.MonkeyPatch, number: int, output: str = "run", **changes: Any) -> None:
    """Run, and interrupt when this step is done."""
    watched = fitting.watched

    def interrupted(steps: Any, **settings: Any) -> Iterator[Step]:
        for step in watched(steps, **settings):
            if step.number == number:
                raise KeyboardInterrupt
            yield step

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "watched", interrupted)
        with pytest.raises(KeyboardInterrupt):
            at.fitted(output, **changes)


def assert_same_run(at: Workplace, one: str, other: str) -> None:
    """Both runs logged the same, and hold the same weights and optimizer states, bit for bit."""
    assert at.log(one) == at.log(other)
    left, right = at.checkpoint(one), at.checkpoint(other)
    assert left["place"] == right["place"]
    for name, weight in left["weights"].items():
        assert torch.equal(weight, right["weights"][name]), name
    for number, state in left["optimizer"]["state"].items():
        for name, value in state.items():
            assert torch.equal(value, right["optimizer"]["state"][number][name]), (number, name)
    best = load_file(RunFolder(at.root / one).best), load_file(RunFolder(at.root / other).best)
    assert all(torch.equal(weight, best[1][name]) for name, weight in best[0].items())


def test_the_log_has_a_line_for_every_step_and_evaluation(at: Workplace) -> None:
    done = at.fitted()
    log = at.log()
    assert [line["step"] for line in log] == [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 10]
    assert [line["step"] for line in log if "validation" in line] == [0, 5, 10]
    assert all(line["validation"].keys() == {"loss", "BLEU", "chrF2"} for line in log if "validation" in line)
    assert log[1].keys() == {"step", "loss", "learning_rate", "gradient_norm", "tokens", "padding"}
    assert [line["learning_rate"] for line in log if "loss" in line][:3] == [1e-3, 2e-3, 2e-3]
    assert done.steps == 10
    assert done.tokens == sum(line["tokens"] for line in log if "loss" in line)
    assert done.seconds > 0
    assert done.notes == []


def test_the_best_weights_are_those_of_the_best_evaluation(at: Workplace) -> None:
    steady: dict[str, Any] = {"schedule": "constant", "warmup_ratio": 0.0}
    done = at.fitted("long", evaluation={"every": 2, "validation_rows": 16}, max_steps=16, **steady)
    scores = {line["step"]: line["validation"]["chrF2"] for line in at.log("long") if "validation" in line}
    del scores[0]
    assert len(set(scores.values())) > 3
    assert done.best_step == max(scores, key=lambda step: (scores[step], -step))  # of equals the first
    at.fitted("short", max_steps=done.best_step, evaluation={"every": 99}, **steady)
    best = load_file(RunFolder(at.root / "long").best)
    assert all(torch.equal(weight, best[name]) for name, weight in at.checkpoint("short")["weights"].items())


@pytest.mark.parametrize("schedule", ["linear", "constant"])
def test_it_learns(at: Workplace, schedule: str) -> None:
    at.fitted(max_steps=40, schedule=schedule, evaluation={"every": 40})
    first, last = (line["validation"]["loss"] for line in at.log() if "validation" in line)
    assert last < 0.7 * first


def test_evaluating_changes_no_step(at: Workplace) -> None:
    at.fitted("rarely", evaluation={"every": 10})
    at.fitted("often", evaluation={"every": 1})
    steps = [[line for line in at.log(name) if "loss" in line] for name in ("rarely", "often")]
    assert steps[0] == steps[1]
    weights = [at.checkpoint(name)["weights"] for name in ("rarely", "often")]
    assert all(torch.equal(weight, weights[1][name]) for name, weight in weights[0].items())


@pytest.mark.parametrize("stop", [5, 7])
def test_interrupted_and_resumed_it_is_the_same_run(at: Workplace, monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
    at.fitted("whole")
    interrupt(at, monkeypatch, stop + 1, "parts")
    done = at.fitted("parts")
    assert done.notes == ["continued after step 5 of 10"]
    assert done.steps == 10
    assert_same_run(at, "whole", "parts")


def test_interrupted_before_the_first_checkpoint_it_begins_anew(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    at.fitted("whole")
    interrupt(at, monkeypatch, 3, "parts")
    assert [line["step"] for line in at.log("parts")] == [0]
    assert at.fitted("parts").notes == []
    assert_same_run(at, "whole", "parts")


def test_interrupted_between_best_weights_and_checkpoint(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    at.fitted("whole")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "save_checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            at.fitted("parts")
    assert RunFolder(at.root / "parts").best.is_file()
    with (at.root / "parts" / "steps.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 5, "validation": {"loss": 1.0}')  # torn where the machine stopped
    at.fitted("parts")
    assert_same_run(at, "whole", "parts")


def test_interrupted_behind_the_last_step_only_the_rest_is_done(at: Workplace) -> None:
    first = at.fitted()
    second = at.fitted()
    assert second.notes == ["continued after step 10 of 10"]
    assert (second.steps, second.best_step, second.tokens) == (first.steps, first.best_step, first.tokens)
    assert [line["step"] for line in at.log()].count(10) == 2


def room_for(size: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.parametrize(
    ("name", "file", "call", "step"), [("save_weights", "best.safetensors", 1, 0), ("save_checkpoint", "last.pt", 2, 5)]
)
def test_a_full_disk_leaves_a_run_that_can_be_resumed(
    at: Workplace, monkeypatch: pytest.MonkeyPatch, name: str, file: str, call: int, step: int
) -> None:
    resource = pytest.importorskip("resource", reason="the system has no limit for the size of files")
    at.fitted("whole")
    soft = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    save, saved = getattr(fitting, name), []

    def save_into_little_room(*arguments: Any) -> None:
        saved.append(arguments)
        if len(saved) == call:
            room_for(10_000)
        try:
            save(*arguments)
        finally:
            room_for(soft)

    with monkeypatch.context() as patch:
        patch.setattr(fitting, name, save_into_little_room)
        with pytest.raises(OutputError) as caught:
            at.fitted("parts")
    assert str(caught.value).startswith(f"{at.root / 'parts' / 'checkpoints' / file}: cannot be written: ")
    assert str(caught.value).endswith("\n  the run continues from its last checkpoint when started again")
    assert at.fitted("parts").notes == ([f"continued after step {step} of 10"] if step else [])
    assert_same_run(at, "whole", "parts")


def test_early_stopping(at: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hftoolkit")
    # Steps this small change no output: the first evaluation is the best there will be.
    settings = {"learning_rate": 1e-9, "patience": 2, "evaluation": {"every": 2}}
    done = at.fitted(**settings)
    assert [line["step"] for line in at.log() if "validation" in line] == [0, 2, 4, 6]
    assert done.steps == 6
    assert done.best_step == 2
    assert done.notes == ["stopped after step 6: no better chrF2 in 2 evaluations"]
    assert done.notes[0] in caplog.messages
    assert done.epochs < 9

    again = at.fitted(**settings)  # nothing is left to do
    assert again.notes == ["continued after step 6 of 10", *done.notes]
    assert (again.steps, again.best_step) == (6, 2)


def test_patience_is_kept_over_an_interruption(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"learning_rate": 1e-9, "patience": 2, "evaluation": {"every": 2}}
    interrupt(at, monkeypatch, 5, **settings)
    assert at.fitted(**settings).steps == 6


@pytest.mark.parametrize(
    ("patience", "steps", "best"),
    [(1, 2, 1), (2, 5, 3), (3, 9, 6), (None, 10, 6)],
)
def test_patience_begins_anew_with_every_better_score(
    at: Workplace, monkeypatch: pytest.MonkeyPatch, patience: int | None, steps: int, best: int
) -> None:
    scores = iter(
        [0.0, 50.0, 40.0, 60.0, 60.0, 50.0, 70.0, 65.0, 69.0, 70.0, 1.0]
    )  # the first is the untouched model's
    monkeypatch.setattr(fitting, "measure_of", lambda *_: lambda: {"loss": 1.0, "chrF2": next(scores)})
    done = at.fitted(patience=patience, evaluation={"every": 1})
    assert (done.steps, done.best_step) == (steps, best)


@pytest.fixture
def less_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure that decides is one of which less is better."""
    deciding = Translation.deciding
    monkeypatch.setattr(Translation, "deciding", lambda task: replace(deciding(task), higher=False))


@pytest.mark.usefixtures("less_is_better")
def test_less_may_be_better(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([9.0, 5.0, 6.0, 4.0, 4.0, 7.0, 3.0])
    monkeypatch.setattr(fitting, "measure_of", lambda *_: lambda: {"loss": 1.0, "chrF2": next(scores)})
    done = at.fitted(patience=2, evaluation={"every": 1})
    assert (done.steps, done.best_step) == (5, 3)


@pytest.mark.usefixtures("less_is_better")
def test_the_best_to_be_averaged_may_be_the_lowest(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([9.0, 5.0, 6.0, 4.0, 8.0, 7.0, 3.0])
    monkeypatch.setattr(fitting, "measure_of", lambda *_: lambda: {"loss": 1.0, "chrF2": next(scores)})
    averaging = {"checkpoints": 2, "choose": "best"}
    done = at.fitted(evaluation={"every": 2}, averaging=averaging)
    assert (done.averaged_steps, done.best_step) == ([2, 6], 6)


def kept_at(at: Workplace, steps: Iterable[int], output: str) -> dict[str, torch.Tensor]:
    """The mean of the weights after some steps of the same run without averaging, ended there."""
    steady: dict[str, Any] = {"schedule": "constant", "warmup_ratio": 0.0}
    found = []
    for step in steps:
        at.fitted(f"{output}-{step}", max_steps=step, **steady)
        found.append(at.checkpoint(f"{output}-{step}")["weights"])
    return {name: torch.stack([each[name] for each in found]).mean(0) for name in found[0]}


@pytest.mark.parametrize("choose", ["last", "best"])
def test_averaging(at: Workplace, choose: str) -> None:
    averaging = {"checkpoints": 2, "choose": choose}
    steady: dict[str, Any] = {"schedule": "constant", "warmup_ratio": 0.0}
    done = at.fitted("run", evaluation={"every": 2, "validation_rows": 16}, averaging=averaging, **steady)
    scores = {line["step"]: line["validation"]["chrF2"] for line in at.log() if line["step"] and "validation" in line}
    ranked = sorted(scores, key=lambda step: (scores[step], step)) if choose == "best" else sorted(scores)
    assert done.averaged_steps == sorted(ranked[-2:])
    assert done.best_step == max(scores, key=lambda step: (scores[step], -step))
    found = load_file(RunFolder(at.root / "run").best)
    wanted = kept_at(at, done.averaged_steps, "single")
    for name, weight in found.items():
        torch.testing.assert_close(weight, wanted[name], rtol=0, atol=1e-6)
    [note] = [note for note in done.notes if "averaged" in note]
    first, last = done.averaged_steps
    assert note.startswith(f"weights averaged over 2 evaluations, steps {first} to {last}: validation chrF2 ")
    assert note.endswith(f"; the best single one, step {done.best_step}, has {max(scores.values()):.1f}")
    kept = RunFolder(at.root / "run").averaged
    assert sorted(path.name for path in kept.iterdir()) == sorted(f"{step}.safetensors" for step in ranked[-2:])


@pytest.mark.parametrize(("choose", "averaged"), [("last", [6, 8, 10]), ("best", [2, 4, 10])])
def test_averaging_is_kept_over_an_interruption(
    at: Workplace, monkeypatch: pytest.MonkeyPatch, choose: str, averaged: list[int]
) -> None:
    # Of steps 0, 2, 4, ..., 10 and of the average: the two best are from before the interruption.
    scores = iter([0.0, 30.0, 50.0, 10.0, 20.0, 40.0, 45.0] * 2 + [45.0])
    monkeypatch.setattr(fitting, "measure_of", lambda *_: lambda: {"loss": 1.0, "chrF2": next(scores)})
    changes: dict[str, Any] = {"evaluation": {"every": 2}, "averaging": {"checkpoints": 3, "choose": choose}}
    assert at.fitted("whole", **changes).averaged_steps == averaged
    interrupt(at, monkeypatch, 7, "parts", **changes)
    assert at.fitted("parts", **changes).averaged_steps == averaged
    assert_same_run(at, "whole", "parts")
    assert at.fitted("parts", **changes).averaged_steps == averaged  # interrupted while it was scored
    assert_same_run(at, "whole", "parts")


def test_interrupted_before_weights_are_pruned_none_are_missing(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: dict[str, Any] = {"evaluation": {"every": 2, "validation_rows": 16}, "averaging": {"checkpoints": 2}}
    at.fitted("whole", **changes)
    save, seen = fitting.save_checkpoint, []

    def interrupted(*given: Any) -> None:
        seen.append(given)
        if len(seen) == 5:
            raise KeyboardInterrupt
        save(*given)

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "save_checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            at.fitted("parts", **changes)
    assert at.fitted("parts", **changes).averaged_steps == [8, 10]
    assert_same_run(at, "whole", "parts")


def test_warm_up_as_a_number_of_steps(at: Workplace) -> None:
    at.fitted(schedule="inverse_sqrt", warmup_steps=4, learning_rate=2e-3)
    rates = [line["learning_rate"] for line in at.log() if "loss" in line]
    assert rates[:4] == pytest.approx([5e-4, 1e-3, 1.5e-3, 2e-3])
    assert rates[4:] == pytest.approx([2e-3 * (4 / step) ** 0.5 for step in range(5, 11)])


def test_evaluation_once_an_epoch_and_at_the_end(at: Workplace) -> None:
    done = at.fitted(evaluation={"every": None}, epochs=3, max_steps=None)
    evaluated = [line["step"] for line in at.log() if "validation" in line]
    assert len(evaluated) == 4
    assert evaluated[1:] == [done.steps // 3, 2 * done.steps // 3, done.steps]
    assert done.epochs == 3.0


def test_epochs_are_counted_in_parts(at: Workplace) -> None:
    whole = at.fitted("whole", epochs=1, max_steps=None, evaluation={"every": None}).steps
    assert at.fitted(epochs=2, max_steps=whole + 1).epochs == pytest.approx(1 + 1 / 1)  # the last is cut to one step


def test_harmful_dropout_is_told_once(at: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="hftoolkit")
    done = at.fitted(dropout=0.9, label_smoothing=0.0, max_steps=2)
    (note,) = done.notes
    assert re.fullmatch(
        r"dropout raises the loss of the untouched model from \d\.\d to \d+\.\d on the first rows; "
        r"distilled models are made without it: try --set training\.dropout=0",
        note,
    )
    assert caplog.messages.count(note) == 1


def test_harmless_dropout_is_not_told(at: Workplace) -> None:
    assert at.fitted(dropout=0.01, max_steps=2).notes == []


def test_other_rows_do_not_continue_a_run(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(at, monkeypatch, 6)
    log = at.log()
    lines = at.pairs.read_text(encoding="utf-8").splitlines(keepends=True)
    at.pairs.write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        at.fitted()
    assert str(caught.value) == (
        f"{at.root / 'run'}: the training or validation rows are not those this run began with\n"
        "  put the files back, or start again:   add --overwrite"
    )
    assert at.log() == log
    at.pairs.write_text("".join(lines), encoding="utf-8")
    assert at.fitted().notes == ["continued after step 5 of 10"]


def test_a_run_that_diverges_is_stopped_before_its_weights_are_kept(at: Workplace) -> None:
    job = at.job()
    with torch.no_grad():
        job.model.model.encoder.layers[0].fc1.weight[0, 0] = torch.nan
    with pytest.raises(ModelError) as caught:
        fit(job, Accelerator(cpu=True))
    assert str(caught.value) == (
        "step 1: the loss is nan and the gradient's length nan: training has diverged\n"
        "  start again with a lower training.learning_rate, or a longer training.warmup_ratio:   add --overwrite"
    )
    assert not job.folder.last.exists()


def test_a_run_whose_last_step_diverges_is_stopped_too(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = {"loss": float("nan"), "chrF2": 0.0}
    monkeypatch.setattr(fitting, "measure_of", lambda job, accelerator: lambda: scores)
    job = replace(at.job(max_steps=1), able=False)
    with pytest.raises(ModelError) as caught:
        fit(job, Accelerator(cpu=True))
    assert str(caught.value) == (
        "step 1: the validation loss is nan: training has diverged\n"
        "  start again with a lower training.learning_rate, or a longer training.warmup_ratio:   add --overwrite"
    )
    assert not job.folder.best.exists()


def test_a_damaged_checkpoint_is_told(at: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(at, monkeypatch, 6)
    last = RunFolder(at.root / "run").last
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(OutputError) as caught:
        at.fitted()
    assert str(caught.value) == (
        f"{last}: this checkpoint is damaged, or of another model\n  start again:   add --overwrite"
    )


KILLED = """
import os, signal, sys
from hftoolkit import fitting
from hftoolkit.finetuning import finetune

watched = fitting.watched

def killed(steps, **settings):
    for step in watched(steps, **settings):
        if step.number == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        yield step

fitting.watched = killed
finetune(sys.argv[1])
"""


def recipe_file(at: Workplace, **changes: Any) -> Path:
    path = at.root / "recipe.yaml"
    path.write_text(json.dumps(at.recipe(**changes)), encoding="utf-8")  # JSON is YAML
    return path


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no process kills itself here")
def test_killed_and_started_again_it_ends_in_the_same_model(at: Workplace) -> None:
    recipe = recipe_file(at)
    done = subprocess.run([sys.executable, "-c", KILLED, str(recipe)], capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert at.checkpoint()["place"]["step"] == 5
    assert not (at.root / "run" / "report.json").exists()
    assert "continued after step 5 of 10" in finetune(recipe).notes

    finetune(recipe, overrides=[f"output={at.root / 'whole'}"])
    assert at.log("run") == at.log("whole")
    killed, whole = ((at.root / name / "model.safetensors").read_bytes() for name in ("run", "whole"))
    assert killed == whole


def test_two_processes_take_the_steps_of_one(at: Workplace) -> None:
    # The short rows make batches of many, the budget of one row batches of one: there a process has a stand-in.
    averaging = {"checkpoints": 2}
    recipe = recipe_file(at, dropout=0.0, max_steps=6, batch_tokens=40, evaluation={"every": 3}, averaging=averaging)
    run_in_two_processes(recipe)
    assert finetune(recipe, overrides=[f"output={at.root / 'whole'}"]).averaged_steps == [3, 6]
    assert read_report(at.root / "run").averaged_steps == [3, 6]
    for one, other in zip(at.log("whole"), at.log("run"), strict=True):
        assert one.keys() == other.keys()
        if "loss" in one:
            assert other["loss"] == pytest.approx(one["loss"], rel=1e-5)
            assert other["gradient_norm"] == pytest.approx(one["gradient_norm"], rel=1e-4)
            assert other["tokens"] == one["tokens"]
    whole, parts = (load_file(at.root / name / "model.safetensors") for name in ("whole", "run"))
    assert all(torch.allclose(weight, parts[name], atol=1e-4) for name, weight in whole.items())
