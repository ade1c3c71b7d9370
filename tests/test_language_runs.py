"""Runs of language modelling from end to end: tuned, with an adapter, from scratch; packed and padded alike."""

import json
from pathlib import Path
from typing import Any

import pytest
import transformers
from accelerate import Accelerator
from conftest import PAIRS
from running import hftoolkit, values
from tiny_models import tiny_llama

from hftoolkit import hub
from hftoolkit.checking import check
from hftoolkit.data.prepared import load_run
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.recipe.reader import recipe_from
from hftoolkit.reports.folder import RunFolder
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import UNTOUCHED
from hftoolkit.reports.sections import Listing
from hftoolkit.starting import start_of, trainable
from hftoolkit.tasks import task_options
from hftoolkit.tasks.language_modelling import LanguageModelling

pytestmark = pytest.mark.usefixtures("no_pictures")

SIZES = {"vocabulary": 300, "layers": 1, "width": 16, "feed_forward": 32, "heads": 2, "positions": 32}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of one to five lines, parted by blank lines."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    sentences = [text for pair in PAIRS for text in pair]
    documents = ["\n".join(sentences[place : place + 1 + place % 5]) for place in range(len(sentences))]
    path.write_text("\n\n".join(documents), encoding="utf-8")
    return path


def recipe(corpus: Path, model: dict[str, Any], output: Path, **others: Any) -> dict[str, Any]:
    source = {"files": {"text": str(corpus)}}
    training = {"max_steps": 3, "batch_tokens": 256, "learning_rate": 1e-3, "epochs": 9, "precision": "float32"}
    return {
        "task": "language_modelling",
        "model": model,
        "data": {"train": source, "validation": {"split": 0.2}, "test": {"split": 0.3}},
        "training": training | others.pop("training", {}),
        "output": str(output),
        **others,
    }


def logged(folder: Path) -> list[dict[str, Any]]:
    """The step log of a run."""
    return RunFolder(folder).lines()


@pytest.fixture(scope="module")
def tuned(corpus: Path, llama: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    folder = tmp_path_factory.mktemp("runs") / "tuned"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hftoolkit.reports.figures.training_curve", lambda *_, **__: b"")
        patch.setenv("HFTOOLKIT_CACHE", str(folder.parent / "cache"))
        return folder, finetune(recipe(corpus, {"name": str(llama)}, folder))


def test_a_model_is_tuned(tuned: tuple[Path, Report]) -> None:
    _, report = tuned
    assert (report.steps, report.model.architecture, report.notes) == (3, "LlamaForCausalLM", [])
    (test,) = report.tests
    assert test.baseline == UNTOUCHED
    assert [score.name for score in test.after] == ["bits per byte", "perplexity"]
    assert values(report)["bits per byte"] < values(report, before=True)["bits per byte"]
    assert report.verdict().startswith("bits per byte fell from ")
    assert all(example.change > 0 for example in test.best_wins)


def test_its_report_shows_what_it_wrote_before_and_after(tuned: tuple[Path, Report]) -> None:
    folder, report = tuned
    (section,) = [one for one in report.tests[0].sections if isinstance(one, Listing)]
    assert (section.title, section.header) == ("Samples", ["given", "written before", "written after"])
    assert len(section.items) == 4
    lines = (folder / "predictions" / "test.source.txt").read_text(encoding="utf-8").splitlines()
    for row, (given, *_) in section.items:
        assert lines[row - 1].startswith(" ".join(given.splitlines()))
    assert any(before != after for _, (_, before, after) in section.items)
    assert "## Samples on 'test'" in (folder / "report.md").read_text(encoding="utf-8")


def test_it_is_evaluated_as_the_run_did(tuned: tuple[Path, Report]) -> None:
    folder, report = tuned
    found = evaluate(folder)
    (test,) = report.tests
    assert [score.value for score in found.tests["test"]] == [score.value for score in test.after]
    bits, perplexity = found.tests["test"]
    assert f"bits per byte {bits.value:6.3f}  [" in str(found)
    assert f"perplexity    {perplexity.value:6.2f}  [" in str(found)


def test_plain_transformers_loads_it(tuned: tuple[Path, Report]) -> None:
    folder, _ = tuned
    model, info = transformers.AutoModelForCausalLM.from_pretrained(str(folder), output_loading_info=True)
    assert not any(info.values())
    assert json.loads((folder / "hftoolkit.json").read_text(encoding="utf-8"))["task"] == "language_modelling"
    assert len(transformers.AutoTokenizer.from_pretrained(str(folder))) == model.config.vocab_size


def test_packed_and_padded_rows_teach_the_same(corpus: Path, llama: Path, tmp_path: Path) -> None:
    reports = {}
    for packing in (True, False):
        training = {"batch_tokens": 100_000}  # all rows in every step: they come in another order
        output = tmp_path / str(packing)
        model, options = {"name": str(llama)}, {"packing": packing}
        reports[packing] = finetune(recipe(corpus, model, output, training=training, options=options))
    for packed, padded in zip(logged(tmp_path / "True"), logged(tmp_path / "False"), strict=True):
        assert packed.get("loss", 0) == pytest.approx(padded.get("loss", 0), rel=1e-4)
        assert packed.get("gradient_norm", 0) == pytest.approx(padded.get("gradient_norm", 0), rel=1e-3)
        assert packed.get("tokens", 0) == padded.get("tokens", 0)
        assert packed.get("padding", 0) <= padded.get("padding", 0)
    assert values(reports[True]) == pytest.approx(values(reports[False]), rel=1e-3)


def test_a_step_in_pieces_is_the_same_step(corpus: Path, llama: Path, tmp_path: Path) -> None:
    found = []
    for pieces in (1, 3):
        output = tmp_path / str(pieces)
        finetune(recipe(corpus, {"name": str(llama)}, output, training={"micro_batches": pieces}))
        found.append(logged(output))
    for one, other in zip(*found, strict=True):
        assert one.get("loss", 0) == pytest.approx(other.get("loss", 0), rel=1e-4)


@pytest.mark.parametrize(("name", "kind"), [("gpt2", "lora"), ("llama", "dora")])
def test_with_an_adapter(name: str, kind: str, corpus: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name)
    adapter = {"kind": kind, "rank": 2}
    report = finetune(recipe(corpus, {"name": str(folder)}, tmp_path / "run", adapter=adapter))
    assert report.model.trainable < report.model.parameters
    assert (tmp_path / "run" / "adapter_config.json").is_file()
    found = evaluate(tmp_path / "run")
    (test,) = report.tests
    assert [score.value for score in found.tests["test"]] == [score.value for score in test.after]


def test_from_scratch(corpus: Path, tmp_path: Path) -> None:
    wanted = recipe(corpus, {"scratch": SIZES}, tmp_path / "scratch")
    looked = check(wanted)
    assert looked.exit_code == 0, str(looked)
    assert not any("unknown to the tokenizer" in one.message for one in looked.findings)
    report = finetune(wanted)
    assert report.model.architecture == "GPT2LMHeadModel"
    assert report.notes == [
        "a new model from scratch: there is no model to compare with, so the baseline is how often each token is"
    ]
    (test,) = report.tests
    assert test.baseline == "how often each token is"
    (section,) = test.sections
    assert isinstance(section, Listing)
    assert section.header == ["given", "written after"]
    scratch = str(tmp_path / "scratch")
    _, info = transformers.AutoModelForCausalLM.from_pretrained(scratch, output_loading_info=True)
    assert not any(info.values())
    found = hftoolkit("generate", "--model", tmp_path / "scratch", "--max-tokens", "5", "The library")
    assert (found.code, found.out[:0]) == (0, "")


def test_windows_shorter_than_those_of_use_are_said(corpus: Path, llama: Path, tmp_path: Path) -> None:
    report = finetune(recipe(corpus, {"name": str(llama)}, tmp_path / "run", training={"max_tokens": 24}))
    assert report.notes == [
        "training.max_tokens: windows of 24 tokens are learned from, but 96 are read at once in use: set "
        "options.window to the same"
    ]
    wanted = recipe(corpus, {"scratch": SIZES | {"positions": 64}}, tmp_path / "new", options={"window": 32})
    assert [one.message for one in check(wanted).findings if one.message.startswith("model.scratch")] == [
        "model.scratch.positions: training.max_tokens lets 32 of 64 be trained: longer texts will be misread\n"
        "  set both to the same"
    ]


@pytest.mark.parametrize(
    ("window", "dropout", "attention"), [(256, 0.0, "eager"), (512, 0.0, "sdpa"), (512, 0.1, "eager")]
)
def test_attention_is_that_which_is_faster(
    window: int, dropout: float, attention: str, corpus: Path, tmp_path: Path
) -> None:
    """On a processor, where each way of attention is quicker for other rows."""
    tiny_llama(tmp_path / "llama", positions=600)
    path = tmp_path / "llama" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"attention_dropout": dropout}), encoding="utf-8")
    wanted = recipe_from(
        recipe(corpus, {"name": str(tmp_path / "llama")}, tmp_path / "run", options={"window": window}),
        tasks=task_options(),
    )
    task = LanguageModelling(wanted.options, None)
    rows = load_run(wanted.data, task.inputs, task.answers, folder=hub.cache_folder() / "rows", seed=1)
    start, _ = start_of(wanted, task, rows.train, tmp_path / "start")
    model, _ = trainable(wanted, task, start, Accelerator(cpu=True))
    assert model.config._attn_implementation == attention
