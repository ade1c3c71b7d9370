"""Translation by decoders from end to end: with a separator or a chat, all weights or an adapter, or from nothing."""

import re
from pathlib import Path
from typing import Any

import peft
import pytest
import transformers
from conftest import PAIRS
from running import hftoolkit, values, write_pairs

from hftoolkit.checking import check
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import ModelError
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.pipelines import pipeline
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import UNTOUCHED
from hftoolkit.translating import open_translator, translate

pytestmark = pytest.mark.usefixtures("no_pictures")

LORA = {"kind": "lora", "rank": 4}
NEW = {"scratch": {"layers": 2, "width": 32, "feed_forward": 64, "heads": 2, "vocabulary": 400, "dropout": 0.0}}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("rows") / "rows.tsv", PAIRS)


def recipe(rows: Path, output: Path, model: Any, steps: int = 3, **others: Any) -> dict[str, Any]:
    return {
        "task": "translation",
        "model": model,
        "data": {
            "train": {"source": str(rows), "columns": {"source": "en", "target": "zh"}},
            "validation": {"split": 0.2},
            "test": {"split": 0.2},
            "languages": {"source": "en", "target": "zh"},
        },
        "training": {"max_steps": steps, "batch_tokens": 512, "learning_rate": 3e-3, "epochs": 200},
        "evaluation": {"beams": 1, "every": steps},
        "output": str(output),
        **others,
    }


def check_saved(folder: Path, report: Report) -> None:
    """What was saved, opened anew, is what was scored."""
    found = evaluate(folder)
    assert [one.value for one in found.tests["test"]] == [one.value for one in report.tests[0].after]
    sources = (folder / "predictions" / "test.source.txt").read_text(encoding="utf-8").splitlines()
    after = (folder / "predictions" / "test.after.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    written = list(open_translator(str(folder)).predict(sources, Decoding(1)))
    # Lines are written for people: whatever is white space in them is a blank.
    assert [re.sub(r"\s", " ", line) for line in written] == [re.sub(r"\s", " ", line) for line in after]


def test_a_new_decoder_learns_to_translate(rows: Path, tmp_path: Path) -> None:
    made = recipe(rows, tmp_path / "run", NEW, steps=150)
    made["data"] |= {"validation": {"split": 0.1}, "test": {"split": 0.1}}
    report = finetune(made)
    assert report.model.architecture == "GPT2LMHeadModel"
    assert report.steps == 150
    known = dict(PAIRS)
    found = translate(list(known), model=tmp_path / "run", beams=1)
    right = sum(one == target for one, target in zip(found, known.values(), strict=True))
    assert right > 0.6 * len(known), f"{right} of {len(known)}"


@pytest.mark.parametrize("model", ["gpt2", "llama"])
def test_a_separator_is_trained_with_an_adapter(
    rows: Path, tmp_path: Path, model: str, request: pytest.FixtureRequest
) -> None:
    base = request.getfixturevalue(model)
    options = {"prompt": "separator"}
    report = finetune(recipe(rows, tmp_path / "run", {"name": str(base)}, adapter=LORA, options=options))
    assert report.tests[0].baseline == "a copy of the source"  # no model knows the token
    check_saved(tmp_path / "run", report)
    saved = peft.PeftConfig.from_pretrained(tmp_path / "run")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "run")
    assert saved.trainable_token_indices == [tokenizer.convert_tokens_to_ids("<to-zh>")]


def test_the_row_of_a_separator_is_learned_and_saved(rows: Path, tmp_path: Path, llama: Path) -> None:
    finetune(recipe(rows, tmp_path / "run", {"name": str(llama)}, adapter=LORA, options={"prompt": "separator"}))
    translator = open_translator(str(tmp_path / "run"))
    model = translator.engine.model  # type: ignore[attr-defined]
    table = model.get_input_embeddings().weight.detach()
    base = transformers.AutoModelForCausalLM.from_pretrained(llama).get_input_embeddings().weight.detach()
    assert (table[:-1] == base).all()
    assert (table[-1] - base.mean(0)).abs().max() > 1e-3
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_all_weights_by_a_chat(rows: Path, tmp_path: Path, llama: Path) -> None:
    report = finetune(recipe(rows, tmp_path / "run", {"name": str(llama)}))
    assert report.tests[0].baseline == UNTOUCHED
    assert values(report)["chrF2"] >= 0
    check_saved(tmp_path / "run", report)
    plain = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "run")
    assert plain.num_parameters() == report.model.parameters


def test_check_foresees_it(rows: Path, tmp_path: Path, gpt2: Path) -> None:
    found = check(recipe(rows, tmp_path / "run", {"name": str(gpt2)}, adapter=LORA))
    assert found.ok, str(found)


def test_from_the_shell(rows: Path, tmp_path: Path, gpt2: Path) -> None:
    finetune(recipe(rows, tmp_path / "run", {"name": str(gpt2)}))
    outcome = hftoolkit("translate", "--model", str(tmp_path / "run"), "Good night!\n\nThe library is open.")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("\n") == 3
    pipe = pipeline("translation_en_to_zh", model=str(tmp_path / "run"))
    assert list(pipe("Good night!", max_length=5)[0]) == ["translation_text"]
    assert pipe.model.config.model_type == "gpt2"
    other = hftoolkit("translate", "--model", str(tmp_path / "run"), "--to", "fr", "Good night!")
    assert other.code == 1
    assert "this model was not trained to translate to 'fr': it has no token '<to-fr>'" in other.err


def test_a_model_that_answers_translates_untrained_and_another_does_not(rows: Path, llama: Path, gpt2: Path) -> None:
    assert isinstance(translate("Good night!", model=llama, beams=1), str)
    with pytest.raises(ModelError) as caught:
        translate("Good night!", model=gpt2)
    assert str(caught.value) == (
        "this model was not trained to translate to 'zh': it has no token '<to-zh>'\n"
        "  train it first:   hftoolkit finetune RECIPE"
    )
    made = recipe(gpt2, gpt2 / "none", {"name": str(gpt2)})
    made["data"] |= {"test": {"source": str(rows), "columns": {"source": "en", "target": "zh"}}}
    with pytest.raises(ModelError, match="was not trained for this task: its vocabulary has no '<to-zh>'"):
        evaluate(made)


def test_a_long_sentence_is_cut_into_pieces_that_the_model_can_read(
    llama: Path, caplog: pytest.LogCaptureFixture
) -> None:
    translator = open_translator(str(llama))
    assert translator.engine.longest is not None
    assert translator.engine.longest < 48
    assert not any("cut" in record.message for record in caplog.records)
    list(translator.predict(["a very long sentence " * 8]))
    assert any(record.message.endswith("tokens and was cut") for record in caplog.records)
