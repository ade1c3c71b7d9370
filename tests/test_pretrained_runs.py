"""Runs of pretraining from end to end: adapted, from scratch, with an adapter; and other tasks that start from them."""

import json
from pathlib import Path
from typing import Any

import pytest
import transformers
from reviews import REVIEWS
from running import hftoolkit, write_jsonl

from hftoolkit.checking import check
from hftoolkit.errors import ModelError
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.pipelines import load, pipeline
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import UNTOUCHED

pytestmark = pytest.mark.usefixtures("no_pictures")

SIZES = {"vocabulary": 120, "layers": 1, "width": 16, "feed_forward": 32, "heads": 2, "positions": 32}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of several sentences, parted by blank lines."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    sentences = [f"{row['text'].capitalize()}." for row in REVIEWS]
    documents = ["\n".join(sentences[place : place + 2 + place % 4]) for place in range(0, len(sentences), 2)]
    path.write_text("\n\n".join([*documents, *reversed(sentences)]), encoding="utf-8")
    return path


def recipe(corpus: Path, model: dict[str, Any], output: Path, **others: Any) -> dict[str, Any]:
    source = {"files": {"text": str(corpus)}}
    return {
        "task": "pretraining",
        "model": model,
        "data": {"train": source, "validation": {"split": 0.2}, "test": {"split": 0.3}},
        "training": {"max_steps": 3, "batch_tokens": 128, "learning_rate": 1e-3, "max_tokens": 32, "epochs": 9},
        "output": str(output),
        **others,
    }


@pytest.fixture(scope="module")
def adapted(corpus: Path, bert: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """A run from an encoder without a head."""
    folder = tmp_path_factory.mktemp("runs") / "adapted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hftoolkit.reports.figures.training_curve", lambda *_, **__: b"")
        patch.setenv("HFTOOLKIT_CACHE", str(folder.parent / "cache"))
        return folder, finetune(recipe(corpus, {"name": str(bert)}, folder, options={"whole_words": True}))


def test_a_run_from_an_encoder_without_a_head(adapted: tuple[Path, Report]) -> None:
    folder, report = adapted
    assert report.steps == 3
    assert report.model.architecture == "BertForMaskedLM"
    (test,) = report.tests
    assert [score.name for score in test.after] == ["masked accuracy", "perplexity"]
    assert test.baseline == "the most frequent token everywhere"
    size = transformers.AutoConfig.from_pretrained(str(folder)).vocab_size
    weights = 16 * 16 + 3 * 16 + size  # dense, its bias, a norm; the output's bias: its weights are the embeddings
    assert report.notes[0] == (
        f"a new head: cls.predictions, {weights:,} weights: there is no model to compare with, so the baseline is "
        "the most frequent token everywhere"
    )
    assert any("has blank lines" in note for source in report.data for note in source.notes)


def test_what_was_written_is_a_standard_checkpoint(adapted: tuple[Path, Report]) -> None:
    folder, _ = adapted
    model, info = transformers.AutoModelForMaskedLM.from_pretrained(str(folder), output_loading_info=True)
    assert not any(info.values())
    assert model.get_output_embeddings().weight is model.bert.embeddings.word_embeddings.weight
    saved = json.loads((folder / "hftoolkit.json").read_text(encoding="utf-8"))
    assert saved["task"] == "pretraining"
    assert saved["state"]["options"]["whole_words"] is True


def test_it_is_evaluated_as_the_run_did(adapted: tuple[Path, Report]) -> None:
    folder, report = adapted
    (test,) = report.tests
    found = evaluate(folder)
    assert [score.value for score in found.tests["test"]] == [score.value for score in test.after]


def test_it_fills_masks(adapted: tuple[Path, Report], tmp_path: Path) -> None:
    folder, _ = adapted
    pipe = load(str(folder), device="cpu")
    assert pipe.task == "fill-mask"
    found = hftoolkit("predict", "--model", folder, "--device", "cpu", "The [MASK] was good.")
    record = json.loads(found.out)
    (best, *_) = pipe("The [MASK] was good.")
    assert record["text"] == "The [MASK] was good."
    assert record["score"] == [pytest.approx(best["score"], rel=1e-4)]
    (tmp_path / "texts.txt").write_text("The [MASK] was good.\nNothing here\n", encoding="utf-8")
    found = hftoolkit("predict", "--model", folder, "--device", "cpu", "--file", tmp_path / "texts.txt", "--top-k", "2")
    first, second = map(json.loads, found.out.splitlines())
    assert first["prediction"] == record["prediction"]
    assert [one["tokens"] for one in first["top"]] == [[each["token_str"]] for each in pipe(record["text"])[:2]]
    assert (second["prediction"], second["score"], second["top"]) == ("Nothing here", [], [])


def test_it_goes_on_from_its_own_head(adapted: tuple[Path, Report], corpus: Path, tmp_path: Path) -> None:
    folder, before = adapted
    options = {"whole_words": True}
    report = finetune(recipe(corpus, {"name": str(folder)}, tmp_path / "more", options=options))
    (test,), (earlier,) = report.tests, before.tests
    assert test.baseline == UNTOUCHED
    assert not any("new head" in note for note in report.notes)
    assert [score.value for score in test.before] == [pytest.approx(score.value, rel=1e-3) for score in earlier.after]


def test_an_adapter_needs_a_head(adapted: tuple[Path, Report], corpus: Path, bert: Path, tmp_path: Path) -> None:
    folder, _ = adapted
    adapter = {"kind": "lora", "rank": 2}
    with pytest.raises(ModelError) as caught:
        finetune(recipe(corpus, {"name": str(bert)}, tmp_path / "refused", adapter=adapter))
    assert str(caught.value).startswith("adapter: this checkpoint has no head for the task, and a new one, cls.")
    report = finetune(recipe(corpus, {"name": str(folder)}, tmp_path / "lora", adapter=adapter))
    assert report.model.adapter == "LoRA, rank 2, alpha 4"
    (test,) = report.tests
    found = evaluate(tmp_path / "lora")
    assert [score.value for score in found.tests["test"]] == [score.value for score in test.after]


def test_from_scratch_with_the_next_sentence(corpus: Path, tmp_path: Path) -> None:
    wanted = recipe(corpus, {"scratch": SIZES}, tmp_path / "scratch", options={"next_sentence": True})
    looked = check(wanted)
    assert looked.exit_code == 0, str(looked)
    report = finetune(wanted)
    assert report.model.architecture == "BertForPreTraining"
    (test,) = report.tests
    assert [score.name for score in test.after] == ["masked accuracy", "perplexity", "next sentence accuracy"]
    assert report.notes[0].startswith("a new model from scratch: ")
    model, info = transformers.AutoModelForPreTraining.from_pretrained(
        str(tmp_path / "scratch"), output_loading_info=True
    )
    assert not any(info.values())
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(tmp_path / "scratch"))
    assert len(tokenizer) == model.config.vocab_size
    pipe = pipeline("next-sentence-prediction", model=str(tmp_path / "scratch"), device="cpu")
    assert 0 < pipe({"text": "The film is good.", "text_pair": "It was bad."})["is_next"] < 1


@pytest.mark.parametrize("scratch", [False, True], ids=["from a pretrained model", "from scratch"])
def test_a_classification_can_start_so(adapted: tuple[Path, Report], tmp_path: Path, scratch: bool) -> None:
    folder, _ = adapted
    source = {"source": str(write_jsonl(tmp_path / "reviews.jsonl", REVIEWS))}
    report = finetune(
        {
            "task": "classification",
            "model": {"scratch": SIZES | {"lowercase": True}} if scratch else {"name": str(folder)},
            "data": {"train": source, "validation": {"split": 0.2}, "test": source},
            "training": {"max_steps": 2, "batch_tokens": 128, "learning_rate": 1e-3},
            "output": str(tmp_path / "run"),
        }
    )
    assert report.model.architecture == "BertForSequenceClassification"
    said = "a new model from scratch: " if scratch else "a new head: bert.pooler, classifier, "
    assert any(note.startswith(said) for note in report.notes), report.notes


def test_check_shows_a_row_that_has_no_answer(corpus: Path, bert: Path, tmp_path: Path) -> None:
    found = check(recipe(corpus, {"name": str(bert)}, tmp_path / "run"))
    assert found.exit_code == 0, str(found)
    assert list(found.example) == ["text"]


def test_check_doubts_positions_that_are_never_trained(corpus: Path, tmp_path: Path) -> None:
    found = check(recipe(corpus, {"scratch": SIZES | {"positions": 64}}, tmp_path / "run"))
    assert found.exit_code == 0, str(found)
    assert [one.message for one in found.findings if one.message.startswith("model.scratch")] == [
        "model.scratch.positions: training.max_tokens lets 32 of 64 be trained: longer texts will be misread\n"
        "  set both to the same"
    ]


def test_check_counts_characters_that_become_unknown(bert: Path, tmp_path: Path) -> None:
    path = tmp_path / "chinese.txt"
    path.write_text("\n".join(f"the film 图书馆 was good {number}" for number in range(60)), encoding="utf-8")
    found = check(recipe(path, {"name": str(bert)}, tmp_path / "run"))
    assert any("of the inputs are unknown to the tokenizer" in finding.message for finding in found.findings)
