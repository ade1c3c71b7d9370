"""A whole run on a tiny translator, started as a user starts it, and what becomes of the folder when it fails."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS
from running import SWAPPED, Outcome, hftoolkit, tree, write_pairs, write_recipe

from hftoolkit.errors import DataError, OutputError, UsageError
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.reports.files import read_report
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import UNTOUCHED, Score
from hftoolkit.translating import open_translator

pytestmark = pytest.mark.usefixtures("no_pictures")  # the runs shared by several tests have them all the same

ENOUGH = "{epochs: 40, learning_rate: 3e-3, batch_tokens: 512, precision: float32}"
"""Training after which the tiny translator knows the new world, and has forgotten the old one."""


@dataclass(frozen=True)
class Run:
    """A run that was made once for several tests."""

    folder: Path
    recipe: Path
    outcome: Outcome
    report: Report

    @property
    def output(self) -> Path:
        return self.folder / "run"


def make(folder: Path, cache: Path, model: str, **parts: str) -> Run:
    recipe = write_recipe(folder / "recipe.yaml", model, **parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HFTOOLKIT_CACHE", str(cache))
        outcome = hftoolkit("finetune", recipe)
    assert outcome.code == 0, outcome.err
    return Run(folder, recipe, outcome, read_report(folder / "run"))


@pytest.fixture(scope="module")
def tuned(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make(
        tmp_path_factory.mktemp("tuned"),
        tmp_path_factory.mktemp("cache"),
        f"{{name: {marian}}}",
        training=ENOUGH,
        evaluation="{beams: 2, every: 20}",
    )


@pytest.fixture(scope="module")
def adapted(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make(
        tmp_path_factory.mktemp("adapted"),
        tmp_path_factory.mktemp("cache"),
        f"{{name: {marian}}}",
        adapter="{rank: 8}",
        training="{epochs: 10, learning_rate: 1e-2, batch_tokens: 512}",
    )


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run from scratch."""
    return make(
        tmp_path_factory.mktemp("begun"),
        tmp_path_factory.mktemp("cache"),
        "{scratch: {vocabulary: 360, encoder_layers: 1, decoder_layers: 1, width: 16, feed_forward: 32, heads: 2}}",
    )


def scores(found: list[Score]) -> dict[str, float]:
    return {score.name: score.value for score in found}


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


# What a run leaves


REPORTS = {"recipe.yaml", "report.json", "report.md", "report.html", "training.png", "steps.jsonl", "hftoolkit.json"}
TOKENIZER = {"source.spm", "target.spm", "vocab.json", "tokenizer_config.json"}
PREDICTIONS = {
    f"predictions/{test}.{what}.txt" for test in ("new", "old") for what in ("source", "reference", "before", "after")
}


def test_a_run_leaves_a_model_a_report_and_predictions(tuned: Run) -> None:
    weights = {"config.json", "generation_config.json", "model.safetensors"}
    assert set(tree(tuned.output)) == REPORTS | TOKENIZER | PREDICTIONS | weights | {"predictions"}


def test_an_adapted_run_leaves_an_adapter_instead_of_a_model(adapted: Run) -> None:
    weights = {"adapter_config.json", "adapter_model.safetensors"}
    assert set(tree(adapted.output)) == REPORTS | TOKENIZER | PREDICTIONS | weights | {"predictions"}


def test_nothing_else_is_left_beside_a_run(tuned: Run) -> None:
    assert sorted(path.name for path in tuned.folder.iterdir()) == ["new.tsv", "old.tsv", "recipe.yaml", "run"]


def test_the_new_world_is_learned_and_the_old_one_forgotten(tuned: Run) -> None:
    new, old = tuned.report.tests
    assert (new.name, old.name) == ("new", "old")
    assert scores(new.after)["BLEU"] > 95 > 60 > scores(new.before)["BLEU"]
    assert scores(old.before)["BLEU"] > 95 > 60 > scores(old.after)["BLEU"]
    assert new.changes["BLEU"].significant
    assert new.baseline == UNTOUCHED


def test_the_verdict_names_both_and_stands_first_everywhere(tuned: Run) -> None:
    verdict = tuned.report.verdict()
    assert verdict.startswith("BLEU rose from ")
    assert " on 'new' (" in verdict
    assert " and fell from " in verdict
    assert " on 'old' (" in verdict
    assert tuned.outcome.out.split("\n")[0] == verdict
    assert lines(tuned.output / "report.md")[0].replace("\\<", "<") == f"# {verdict}"


def test_predictions_are_what_both_models_write(tuned: Run, marian: Path) -> None:
    said = tuned.output / "predictions"
    sources = [source for source, _ in PAIRS]
    assert lines(said / "new.source.txt") == lines(said / "old.source.txt") == sources
    assert lines(said / "new.reference.txt") == [target for _, target in SWAPPED]
    assert lines(said / "old.reference.txt") == [target for _, target in PAIRS]
    for file, model in (("new.before.txt", marian), ("new.after.txt", tuned.output)):
        assert lines(said / file) == list(open_translator(str(model), device="cpu").translate(sources))


def sacrebleu(folder: Path, test: str, system: str, references: int = 1) -> dict[str, tuple[float, str]]:
    """Scores and signatures of the sacrebleu command for predictions on disk."""
    names = [f"{test}.reference{f'.{number}' if references > 1 else ''}.txt" for number in range(references)]
    command = [sys.executable, "-m", "sacrebleu", *(str(folder / name) for name in names)]
    command += ["-i", str(folder / f"{test}.{system}.txt"), "-l", "en-zh", "-m", "bleu", "chrf", "-w", "17"]
    printed = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8").stdout
    return {one["name"]: (one["score"], one["signature"]) for one in json.loads(printed)}


@pytest.mark.parametrize("system", ["before", "after"])
def test_scores_are_those_of_the_sacrebleu_command_to_the_last_digit(tuned: Run, system: str) -> None:
    for test in tuned.report.tests:
        ours = {score.name: (score.value, score.signature) for score in getattr(test, system)}
        assert ours == sacrebleu(tuned.output / "predictions", test.name, system)


def test_the_checkpoint_that_was_best_on_validation_is_what_is_left(marian: Path, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path / "recipe.yaml",
        f"{{name: {marian}}}",
        training="{epochs: 9, learning_rate: 3e-3, batch_tokens: 512, precision: float32}",
        evaluation="{beams: 1, every: 3}",
    )
    # The old world is forgotten little by little: the first weights that were measured are the best.
    report = finetune(recipe, overrides=[f"data.validation.source={tmp_path}/old.tsv"])
    measured = {point.step: point.validation["chrF2"] for point in report.curve if point.validation}
    assert measured[3] > measured[6] > measured[9]
    assert report.best_step == 3
    assert scores(evaluate(tmp_path / "run").tests["old"])["chrF2"] == measured[3]


def test_the_step_log_and_the_report_agree(tuned: Run) -> None:
    steps = [step for step in map(json.loads, lines(tuned.output / "steps.jsonl")) if "loss" in step]
    assert [step["step"] for step in steps] == list(range(1, tuned.report.steps + 1))
    assert sum(step["tokens"] for step in steps) == tuned.report.tokens
    assert tuned.report.epochs == 40


def test_the_report_says_what_was_trained_on(tuned: Run) -> None:
    assert [(Path(source.name).name, source.use, source.kept) for source in tuned.report.data] == [
        ("new.tsv", "train", 16),
        ("new.tsv", "validation", 16),
        ("new.tsv", "test: new", 16),
        ("old.tsv", "test: old", 16),
    ]
    assert [test.leakage for test in tuned.report.tests] == [16, 16]


def test_all_weights_are_trained_unless_there_is_an_adapter(tuned: Run, adapted: Run) -> None:
    assert tuned.report.model.trainable == tuned.report.model.parameters
    assert 0 < adapted.report.model.trainable < adapted.report.model.parameters == tuned.report.model.parameters
    assert adapted.report.model.adapter == "LoRA, rank 8, alpha 16"
    assert adapted.report.model.adapter_targets == ["k_proj", "v_proj", "q_proj", "out_proj", "fc1", "fc2"]
    assert f"all {tuned.report.model.parameters:,} weights are trained, float32, CPU" in tuned.outcome.err


def test_an_adapter_learns_and_finds_its_base_from_anywhere(
    adapted: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    new = adapted.report.tests[0]
    assert scores(new.after)["BLEU"] > scores(new.before)["BLEU"] + 10
    found = evaluate(adapted.output)
    assert found.tests["new"] == new.after


@pytest.mark.parametrize(("kind", "words"), [("dora", "DoRA, rank 8, alpha 16"), ("rslora", "rsLoRA, rank 8, alpha 8")])
def test_other_kinds_of_adapters_learn_and_are_used_alike(
    marian: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, words: str
) -> None:
    run = make(
        tmp_path,
        tmp_path_factory.mktemp("cache"),
        f"{{name: {marian}}}",
        adapter=f"{{kind: {kind}, rank: 8, dropout: 0.1}}",
        training="{epochs: 10, learning_rate: 1e-2, batch_tokens: 512}",
    )
    new = run.report.tests[0]
    assert run.report.model.adapter == words
    assert f"{words} on k_proj v_proj q_proj out_proj fc1 fc2" in run.outcome.err
    assert scores(new.after)["BLEU"] > scores(new.before)["BLEU"] + 10
    assert evaluate(run.output).tests["new"] == new.after


def test_a_model_from_scratch_is_compared_with_a_copy_of_the_source(begun: Run) -> None:
    new = begun.report.tests[0]
    assert new.baseline == "a copy of the source"
    assert lines(begun.output / "predictions" / "new.before.txt") == [source for source, _ in PAIRS]
    assert begun.report.verdict().startswith("There was no model to compare with; against a copy of the source, ")
    assert begun.report.model.name == "scratch"
    assert any(note.startswith("a new model from scratch") for note in begun.report.notes)


def test_plain_transformers_loads_the_result(tuned: Run) -> None:
    from transformers import AutoTokenizer, MarianMTModel

    model, tokenizer = MarianMTModel.from_pretrained(tuned.output), AutoTokenizer.from_pretrained(tuned.output)
    batch = tokenizer(["Where is the library?"], return_tensors="pt")
    assert tokenizer.decode(model.generate(**batch)[0], skip_special_tokens=True) == "食堂在哪里？"


def test_plain_transformers_loads_a_model_from_scratch(begun: Run) -> None:
    from transformers import AutoTokenizer, MarianMTModel

    _, found = MarianMTModel.from_pretrained(begun.output, output_loading_info=True)
    assert not any(found.values())
    ids = AutoTokenizer.from_pretrained(begun.output)("Where is the library?")["input_ids"]
    assert AutoTokenizer.from_pretrained(begun.output).decode(ids, skip_special_tokens=True) == "Where is the library?"


# One door


@pytest.mark.parametrize("kind", ["tuned", "adapted", "begun"])
def test_evaluating_a_run_gives_the_scores_of_its_report(kind: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(kind)
    found = evaluate(run.output)
    assert {test.name: test.after for test in run.report.tests} == found.tests
    assert found.decoding == run.report.decoding
    for name, said in found.predictions.items():
        assert list(said) == lines(run.output / "predictions" / f"{name}.after.txt")


def test_evaluating_a_recipe_with_a_model_gives_the_same(tuned: Run) -> None:
    found = evaluate(tuned.recipe, model=str(tuned.output))
    assert {test.name: test.after for test in tuned.report.tests} == found.tests


def test_evaluating_a_recipe_alone_gives_the_scores_before(tuned: Run) -> None:
    assert {test.name: test.before for test in tuned.report.tests} == evaluate(tuned.recipe).tests


@pytest.mark.parametrize("of", ["recipe", "run"])
def test_evaluating_on_a_file_gives_the_same(tuned: Run, of: str) -> None:
    found = evaluate(
        tuned.recipe if of == "recipe" else tuned.output, model=str(tuned.output), data=tuned.folder / "old.tsv"
    )
    assert found.tests == {"old.tsv": tuned.report.tests[1].after}


# The baseline is scored once


@pytest.fixture(scope="module")
def kept(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which what is kept of the baseline's answers is made recognisable."""
    cache = tmp_path_factory.mktemp("cache")
    make(tmp_path_factory.mktemp("kept"), cache, f"{{name: {marian}}}")
    for path in (cache / "baselines").iterdir():
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(content | {"shown": ["kept"] * len(content["shown"])}), encoding="utf-8")
    return cache


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("training.learning_rate=1e-4", ["kept", "kept"]),
        ("evaluation.beams=1", ["scored", "scored"]),
        ("evaluation.length_penalty=0.5", ["scored", "scored"]),
        ("data.test.old.source=CHANGED", ["kept", "scored"]),
        ("model.name=TUNED", ["scored", "scored"]),
    ],
)
def test_the_baseline_is_kept_as_long_as_nothing_changes(
    change: str, again: list[str], kept: Path, tuned: Run, marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(shutil.copytree(kept, tmp_path / "cache")))
    recipe = write_recipe(tmp_path / "recipe.yaml", f"{{name: {marian}}}")
    changed = write_pairs(tmp_path / "changed.tsv", [*PAIRS[:-1], ("Thank you very much!", "谢谢！")])
    finetune(recipe, overrides=[change.replace("TUNED", str(tuned.output)).replace("CHANGED", str(changed))])
    found = [set(lines(tmp_path / "run" / "predictions" / f"{test}.before.txt")) for test in ("new", "old")]
    assert ["kept" if one == {"kept"} else "scored" for one in found] == again


# Data


def test_several_references_are_scored_and_written_one_file_each(marian: Path, tmp_path: Path) -> None:
    rows = [{"source": source, "target": [target, f"{target}好"]} for source, target in SWAPPED]
    rows[6]["target"] = ["食堂\n开着。", "食堂\u2028开。", "开着。"]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "several.jsonl").write_text(text, encoding="utf-8")
    recipe = write_recipe(tmp_path / "recipe.yaml", f"{{name: {marian}}}", training="{max_steps: 1, batch_tokens: 512}")
    report = finetune(recipe, overrides=[f"data.test={{source: {tmp_path}/several.jsonl}}"])
    said = tmp_path / "run" / "predictions"
    assert lines(said / "test.reference.0.txt")[5:8] == ["食堂关着。", "食堂 开着。", "食堂开着。"]
    assert lines(said / "test.reference.2.txt") == [""] * 6 + ["开着。"] + [""] * 9
    ours = {score.name: (score.value, score.signature) for score in report.tests[0].after}
    theirs = sacrebleu(said, "test", "after", references=3)
    assert 10 < ours["BLEU"][0] < 90
    # The command counts files; in its own Python it says "var" too, where rows have different numbers of references.
    assert ours == {name: (score, said.replace("nrefs:3", "nrefs:var")) for name, (score, said) in theirs.items()}


def test_a_test_set_can_be_split_from_the_training_rows(marian: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe.yaml", f"{{name: {marian}}}")
    split = ["data.test={held: {split: 0.3}}", "data.validation={split: 0.3}"]
    report = finetune(recipe, overrides=split)
    counts = {source.use: source.kept for source in report.data}
    assert sum(counts.values()) == 16
    assert min(counts.values()) > 0
    assert report.tests[0].leakage == 0
    assert len(lines(tmp_path / "run" / "predictions" / "held.after.txt")) == counts["test: held"]
    assert evaluate(tmp_path / "run").tests["held"] == report.tests[0].after


def test_a_weight_takes_a_share_of_a_source_in_every_epoch(marian: Path, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path / "recipe.yaml", f"{{name: {marian}}}", training="{epochs: 2, batch_tokens: 16, precision: float32}"
    )
    columns = "columns: {source: en, target: zh}"
    folder = tmp_path.as_posix()
    sources = f"[{{source: {folder}/new.tsv, {columns}}}, {{source: {folder}/old.tsv, {columns}, weight: 0.25}}]"
    report = finetune(recipe, overrides=[f"data.train={sources}", "data.filters.duplicates=false"])
    assert report.steps == 2 * (16 + 4)  # no two rows fit into a step
    assert [source.weight for source in report.data[:2]] == [1.0, 0.25]


# More metrics

SHOUTS = """
import datasets
import evaluate


class Shouts(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        features = datasets.Features({"predictions": text, "references": text})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        return {"shouts": sum(text.endswith("！") for text in predictions)}
"""


def test_a_trusted_metric_from_a_folder_is_reported_without_interval(
    marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shouts").mkdir()
    (tmp_path / "shouts" / "shouts.py").write_text(SHOUTS, encoding="utf-8")
    recipe = write_recipe(
        tmp_path / "recipe.yaml",
        f"{{name: {marian}}}",
        evaluation="{metrics: [./shouts], trust_metric_code: [./shouts]}",
    )
    monkeypatch.chdir(tmp_path)
    outcome = hftoolkit("finetune", recipe)
    assert outcome.code == 0, outcome.err
    after = read_report(tmp_path / "run").tests[0].after
    assert [(one.name, one.value, one.low) for one in after[2:]] == [("./shouts", 3.0, None)]
    assert "  new  ./shouts   3.00 ->   3.00\n" in outcome.out
    assert evaluate(tmp_path / "run").tests["new"] == after


def test_untrusted_code_is_refused_before_anything_happens(marian: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe.yaml", f"{{name: {marian}}}", evaluation="{metrics: [comet]}")
    before = tree(tmp_path)
    outcome = hftoolkit("finetune", recipe)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: metric 'comet' is Python code from the hub that would run here;")
    assert tree(tmp_path) == before


# What a failed run leaves


@pytest.fixture
def recipe(marian: Path, tmp_path: Path) -> Path:
    return write_recipe(
        tmp_path / "recipe.yaml",
        f"{{name: {marian}}}",
        training="{max_steps: 2, batch_tokens: 512, precision: float32}",
        output=f"{tmp_path}/runs/deep/run",
    )


MISSING = "data.validation.source=nowhere.tsv"


def test_a_run_that_does_not_begin_leaves_nothing(recipe: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    with pytest.raises(DataError):
        finetune(recipe, overrides=[MISSING])
    assert tree(tmp_path) == before


def test_an_empty_folder_stays_an_empty_folder(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "runs" / "deep" / "run").mkdir(parents=True)
    before = tree(tmp_path)
    with pytest.raises(DataError):
        finetune(recipe, overrides=[MISSING])
    assert tree(tmp_path) == before


def test_an_overwritten_run_comes_back_if_the_new_one_does_not_begin(recipe: Path, tmp_path: Path) -> None:
    finetune(recipe)
    before = tree(tmp_path)
    with pytest.raises(DataError):
        finetune(recipe, overrides=[MISSING], overwrite=True)
    assert tree(tmp_path) == before


def test_an_overwritten_run_is_gone_when_the_new_one_is_done(recipe: Path, tmp_path: Path) -> None:
    finetune(recipe)
    (tmp_path / "runs" / "deep" / "run" / "report.txt").write_text("old", encoding="utf-8")
    finetune(recipe, overwrite=True)
    assert not (tmp_path / "runs" / "deep" / "run" / "report.txt").exists()
    assert [path.name for path in (tmp_path / "runs" / "deep").iterdir()] == ["run"]


class Stop(BaseException):
    """As a keyboard interrupt: no error of ours."""


def stopping(*_: Any, **__: Any) -> None:
    raise Stop


def test_a_run_stopped_after_a_checkpoint_is_kept_and_finished_later(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finetune(recipe, overrides=[f"output={tmp_path}/whole"])
    with monkeypatch.context() as patch:
        patch.setattr("hftoolkit.finetuning._test", stopping)
        with pytest.raises(Stop):
            finetune(recipe)
    again = finetune(recipe)
    assert "continued after step 2 of 2" in again.notes
    assert (again.steps, again.tests) == (whole.steps, whole.tests)


def test_a_run_stopped_before_a_checkpoint_is_not_kept(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(tmp_path)
    monkeypatch.setattr("hftoolkit.finetuning.fit", stopping)
    with pytest.raises(Stop):
        finetune(recipe)
    assert tree(tmp_path) == before


@pytest.fixture
def unfinished(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a checkpoint and without a report."""
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("hftoolkit.finetuning._test", stopping)
        with pytest.raises(Stop):
            finetune("recipe.yaml", overrides=["output=runs/half"])
    return tmp_path / "runs" / "half"


def test_another_recipe_does_not_continue_a_run(unfinished: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    changes = ["output=runs/half", "training.learning_rate=0.5", "training.patience=3"]
    with pytest.raises(OutputError) as refusal:
        finetune("recipe.yaml", overrides=changes)
    assert str(refusal.value) == (
        "runs/half: this folder holds an unfinished run that began with another recipe\n"
        "  training.learning_rate: 0.0002 then, 0.5 now\n"
        "  training.patience: nothing then, 3 now\n"
        "  continue that one:   hftoolkit finetune runs/half/recipe.yaml\n"
        "  start again:         add --overwrite, or choose another folder with --set output=..."
    )
    assert tree(tmp_path) == before


def test_of_many_differences_the_first_are_shown(unfinished: Path) -> None:
    with pytest.raises(OutputError) as refusal:
        finetune("recipe.yaml", overrides=["output=runs/half", "adapter={rank: 4}", "model={scratch: {}}"])
    shown = str(refusal.value).split("\n")[1:-2]
    assert all(" then, " in line for line in shown[:5])
    assert re.fullmatch(r"  and \d+ more", shown[5])
    assert len(shown) == 6


def test_a_run_is_continued_from_wherever_its_folder_is_named(
    unfinished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "runs")
    report = finetune("../recipe.yaml", overrides=["output=half"])
    assert "continued after step 2 of 2" in report.notes


def test_a_run_is_continued_with_its_own_recipe(unfinished: Path) -> None:
    assert "continued after step 2 of 2" in finetune(unfinished / "recipe.yaml").notes


def test_a_run_is_continued_with_its_own_recipe_wherever_it_was_moved(
    unfinished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = unfinished.rename(unfinished.with_name("moved"))
    monkeypatch.chdir(tmp_path / "runs")
    assert "continued after step 2 of 2" in finetune("moved/recipe.yaml").notes
    assert (moved / "report.json").is_file()
    assert not unfinished.exists()


def test_other_users_can_read_the_result_like_the_rest(tuned: Run) -> None:
    modes = {name: (tuned.folder / "run" / name).stat().st_mode for name in ("recipe.yaml", "model.safetensors")}
    assert len(set(modes.values())) == 1


def test_a_finished_run_is_not_touched(recipe: Path, tmp_path: Path) -> None:
    finetune(recipe)
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="this folder holds a finished run"):
        finetune(recipe)
    assert tree(tmp_path) == before


# The function


def test_a_mapping_is_a_recipe_too(tuned: Run, marian: Path, tmp_path: Path) -> None:
    rows = {"source": str(tuned.folder / "new.tsv"), "columns": {"source": "en", "target": "zh"}}
    report = finetune(
        {
            "task": "translation",
            "model": {"name": str(marian)},
            "data": {
                "train": rows,
                "validation": rows,
                "test": rows,
                "languages": {"source": "en", "target": "zh-Hans"},
            },
            "training": {"max_steps": 1},
            "output": str(tmp_path / "run"),
        }
    )
    assert report.steps == 1
    assert report == read_report(tmp_path / "run")


def test_overrides_need_a_file_to_change(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        finetune({"task": "translation"}, overrides=["training.epochs=1"])
    assert str(refusal.value) == ("overrides change a recipe's file; this recipe was made in Python\n  change it there")


def test_the_same_recipe_gives_the_same_model(recipe: Path, tmp_path: Path) -> None:
    reports = [finetune(recipe, overrides=[f"output={tmp_path}/{name}"]) for name in ("one", "two")]
    assert reports[0].tests == reports[1].tests
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


def test_rows_longer_than_allowed_are_counted_and_said(recipe: Path, tmp_path: Path) -> None:
    outcome = hftoolkit("finetune", recipe, "--set", "training.max_tokens=14")
    assert outcome.code == 0
    notes = [note for note in read_report(tmp_path / "runs/deep/run").notes if note.endswith("were dropped")]
    assert [re.sub(r"^\d+", "N", note) for note in notes] == [
        "N training rows have more than 14 tokens on a side and were dropped",
        "N validation rows have more than 14 tokens on a side and were dropped",
    ]
    assert all(note in outcome.err for note in notes)


def test_no_row_short_enough_is_an_error(recipe: Path, tmp_path: Path) -> None:
    outcome = hftoolkit("finetune", recipe, "--set", "training.max_tokens=4")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.endswith(
        "error: training.max_tokens: none of the 16 training rows has at most 4 tokens on each side\n"
        "  raise it, or split the rows into sentences\n"
    )
    assert not (tmp_path / "runs").exists()
