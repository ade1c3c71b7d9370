"""Runs of instruction tuning from end to end: all weights, with an adapter, with a template that was given."""

from pathlib import Path
from typing import Any

import pytest
import transformers
from conftest import PAIRS
from running import hftoolkit, values, write_jsonl

from hftoolkit import load
from hftoolkit.checking import check
from hftoolkit.engines.prompts import chat_prompt
from hftoolkit.errors import DataError, ModelError
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.generating import open_writer
from hftoolkit.reports.folder import RunFolder
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import UNTOUCHED
from hftoolkit.reports.sections import Listing

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conversations of two kinds, some of two turns."""
    asked = {"role": "user", "content": "And now?"}
    rows: list[dict[str, Any]] = []
    for number, (english, _) in enumerate(PAIRS):
        turns = [{"role": "user", "content": english}, {"role": "assistant", "content": f"No {number}."}]
        rows += [
            {"prompt": f"Say {number}.", "answer": english, "system": "Obey." if number % 3 else None},
            {"messages": turns if number % 2 else [*turns, asked, {"role": "assistant", "content": "Yes."}]},
        ]
    return write_jsonl(tmp_path_factory.mktemp("chats") / "chats.jsonl", rows)


def recipe(chats: Path, model: Path, output: Path, **others: Any) -> dict[str, Any]:
    training = {"max_steps": 3, "batch_tokens": 512, "learning_rate": 1e-3, "epochs": 9, "precision": "float32"}
    return {
        "task": "instruction_tuning",
        "model": {"name": str(model)},
        "data": {"train": {"source": str(chats)}, "validation": {"split": 0.2}, "test": {"split": 0.3}},
        "training": training | others.pop("training", {}),
        "output": str(output),
        **others,
    }


@pytest.fixture(scope="module")
def tuned(chats: Path, llama: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    folder = tmp_path_factory.mktemp("runs") / "tuned"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hftoolkit.reports.figures.training_curve", lambda *_, **__: b"")
        patch.setenv("HFTOOLKIT_CACHE", str(folder.parent / "cache"))
        return folder, finetune(recipe(chats, llama, folder))


def test_a_model_is_tuned(tuned: tuple[Path, Report]) -> None:
    folder, report = tuned
    assert (report.steps, report.model.architecture, report.notes) == (3, "LlamaForCausalLM", [])
    (test,) = report.tests
    assert test.baseline == UNTOUCHED
    assert [score.name for score in test.after] == ["perplexity"]
    assert values(report)["perplexity"] < values(report, before=True)["perplexity"]
    found = evaluate(folder)
    assert [score.value for score in found.tests["test"]] == [score.value for score in test.after]


def test_its_report_shows_answers_before_and_after(tuned: tuple[Path, Report]) -> None:
    folder, report = tuned
    (section,) = [one for one in report.tests[0].sections if isinstance(one, Listing)]
    assert (section.title, section.header) == ("Samples", ["given", "written before", "written after"])
    assert len(section.items) == 4
    assert "## Samples on 'test'" in (folder / "report.md").read_text(encoding="utf-8")


def test_it_is_talked_to_in_its_template(tuned: tuple[Path, Report]) -> None:
    folder, _ = tuned
    writer = open_writer(str(folder))
    assert writer.answers
    asked = [{"role": "system", "content": "Obey."}, {"role": "user", "content": "Say 1."}]
    assert writer.prompt("Say 1.", system="Obey.") == chat_prompt(writer.engine.tokenizer, asked)
    found = hftoolkit("generate", "--model", folder, "--max-tokens", "5", "--temperature", "0", "Say 1.")
    assert found.code == 0
    answer = load(str(folder))([asked[1]], max_new_tokens=5, do_sample=False)[0]["generated_text"][-1]
    assert (answer["role"], answer["content"].strip()) == ("assistant", found.out.strip())


def test_plain_transformers_loads_it(tuned: tuple[Path, Report], llama: Path) -> None:
    folder, _ = tuned
    _, info = transformers.AutoModelForCausalLM.from_pretrained(str(folder), output_loading_info=True)
    assert not any(info.values())
    own, before = (transformers.AutoTokenizer.from_pretrained(str(place)) for place in (folder, llama))
    assert own.chat_template == before.chat_template


def test_packed_and_padded_rows_teach_the_same(chats: Path, llama: Path, tmp_path: Path) -> None:
    found = []
    for packing in (True, False):
        output = tmp_path / str(packing)
        training = {"batch_tokens": 100_000}  # all rows in every step: they come in another order
        finetune(recipe(chats, llama, output, training=training, options={"packing": packing}))
        found.append(RunFolder(output).lines())
    for packed, padded in zip(*found, strict=True):
        assert packed.get("loss", 0) == pytest.approx(padded.get("loss", 0), rel=1e-4)
        assert packed.get("gradient_norm", 0) == pytest.approx(padded.get("gradient_norm", 0), rel=1e-3)
        assert packed.get("tokens", 0) == padded.get("tokens", 0)


def test_an_adapter_with_a_template_that_was_given(chats: Path, gpt2: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        finetune(recipe(chats, gpt2, tmp_path / "none"))
    assert str(caught.value).startswith(f"{gpt2}: this model has no chat template: ")
    assert "options: {template: chatml}" in str(caught.value)
    training = {"max_tokens": 96}
    wanted = recipe(
        chats,
        gpt2,
        tmp_path / "run",
        adapter={"kind": "lora", "rank": 2},
        options={"template": "chatml"},
        training=training,
    )
    report = finetune(wanted)
    assert (tmp_path / "run" / "adapter_config.json").is_file()
    (test,) = report.tests
    found = evaluate(tmp_path / "run")
    assert [score.value for score in found.tests["test"]] == [score.value for score in test.after]
    writer = open_writer(str(tmp_path / "run"))
    assert writer.answers
    tokens = writer.prompt("Say 1.").tokens
    assert writer.engine.tokenizer.decode(tokens) == "<|im_start|>user\nSay 1.<|endoftext|>\n<|im_start|>assistant\n"


def test_an_adapter_stops_where_its_model_did_not(chats: Path, llama: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    model = transformers.AutoModelForCausalLM.from_pretrained(str(llama))
    model.generation_config.eos_token_id = 1
    model.save_pretrained(base)
    transformers.AutoTokenizer.from_pretrained(str(llama)).save_pretrained(base)
    report = finetune(recipe(chats, base, tmp_path / "run", adapter={"kind": "lora", "rank": 2}))
    assert report.notes == [
        "the chat template ends answers with '<|im_end|>', where this model did not stop: now it does"
    ]
    assert open_writer(str(tmp_path / "run")).engine.model.generation_config.eos_token_id == [1, 3]


def test_what_is_too_long_is_counted(chats: Path, llama: Path, tmp_path: Path) -> None:
    found = {}
    for too_long in ("drop", "left"):
        options = {"too_long": too_long, "window": 64}
        found[too_long] = finetune(recipe(chats, llama, tmp_path / too_long, options=options)).notes
    assert len(found["drop"]) == len(found["left"]) == 2
    for note, other in zip(found["drop"], found["left"], strict=True):
        assert note.endswith("more than 64 tokens on a side and were dropped")
        assert other == note.replace(" on a side", "").replace("dropped", "cut")
    with pytest.raises(
        DataError, match=r"chats\.jsonl: line \d+: a conversation has \d+ tokens: at most 64 are learned from\n"
    ):
        finetune(recipe(chats, llama, tmp_path / "error", options={"too_long": "error", "window": 64}))


def test_it_is_checked(chats: Path, llama: Path, tmp_path: Path) -> None:
    found = check(recipe(chats, llama, tmp_path / "run"))
    assert (found.exit_code, {one.message.split(":")[0] for one in found.findings}) == (
        0,
        {"data.validation", "data.test.test", "training"},  # rows and steps are few
    )
    assert str(found.example["messages"]).startswith(("system: Obey. user: ", "user: "))
    bad = write_jsonl(tmp_path / "bad.jsonl", [{"messages": [{"role": "user", "content": ""}]}])
    found = check(recipe(bad, llama, tmp_path / "run"))
    assert found.exit_code == 1
    assert found.findings[0].message.startswith(f"{bad}: line 1: messages[0].content: is empty\n  a row is ")
