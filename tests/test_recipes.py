"""Every built-in recipe is read strictly, and takes two steps with a tiny model of its family."""

from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS
from guesser import write_guesser
from running import write_jsonl

from hftoolkit.data.messages import messages_of
from hftoolkit.data.rows import load_rows
from hftoolkit.finetuning import finetune
from hftoolkit.recipe import library
from hftoolkit.recipe.reader import read_recipe
from hftoolkit.recipe.schema import Recipe, Scratch, Source
from hftoolkit.tasks import task_options

pytestmark = pytest.mark.usefixtures("no_pictures")

SIZES = "vocabulary: 360, width: 16, feed_forward: 32, heads: 2"
TRANSLATOR, OTHER = f"{{{SIZES}, encoder_layers: 1, decoder_layers: 1}}", f"{{{SIZES}, layers: 1}}"

ROWS: dict[str, list[dict[str, Any]]] = {
    "translation": [{"en": en, "zh": zh, "source": en, "target": zh} for en, zh in PAIRS],
    "classification": [
        {
            **dict.fromkeys(("text", "sentence", "#1 String"), f"{word} film {number}"),
            **dict.fromkeys(("pair", "#2 String"), f"a film {number}"),
            **dict.fromkeys(("label", "category", "Quality"), label),
            "labels": f"{label},1",
        }
        for number in range(20)
        for label, word in (("0", "bad"), ("1", "good"))
    ],
    "ner": [{"words": ["great", "film", str(number)], "tags": ["B-X", "I-X", "O"]} for number in range(30)],
    "question_answering": [
        {"question": "was it good?", "context": f"the film {number} was good", "answers": ["good"] * (number % 5 > 0)}
        for number in range(30)
    ],
    "pretraining": [
        {"text": f"the film {number} was good. i like the film.\nthe story {number} was not."} for number in range(30)
    ],
    "instruction_tuning": [{"prompt": f"film {number}?", "answer": "good."} for number in range(30)],
    "language_modelling": [
        {"text": f"the film {number} was good", "title": f"film {number}", "paragraphs": ["it was", "good."]}
        for number in range(30)
    ],
}
"""Of every task, under the names of its roles, and those that recipes give to columns."""


def read(name: str) -> Recipe:
    return read_recipe(library.find(name), tasks=task_options())


def tiny(recipe: Recipe, model: Path, rows: Path) -> list[str]:
    """What replaces the recipe's model and files; everything else stays as it is."""

    def at(key: str, part: Any) -> list[str]:
        if not isinstance(part, Source):
            return [f"{key}.split=0.3"]  # the tiny rows are few: more are held out than of the recipe's own
        changes = [f"{key}.files=null", f"{key}.source={rows}", f"{key}.format=null"]
        numbered = any(isinstance(column, int) for column in part.columns.values())
        return [*changes, f"{key}.columns={{}}"] if numbered else changes

    scratch = TRANSLATOR if isinstance(recipe.model.scratch, Scratch) else OTHER
    changes = [f"model.name={model}"] if recipe.model.scratch is None else [f"model.scratch={scratch}"]
    for number, part in enumerate(recipe.data.train):
        changes += at(f"data.train.{number}", part)
    changes += at("data.validation", recipe.data.validation)
    single = list(recipe.data.test) == ["test"]
    for name, part in recipe.data.test.items():
        changes += at("data.test" if single else f"data.test.{name}", part)
    return changes


@pytest.mark.parametrize("name", library.names())
def test_it_is_read_strictly_and_takes_two_steps(
    name: str, marian: Path, bert: Path, llama: Path, tmp_path: Path
) -> None:
    recipe = read(name)
    rows = write_jsonl(tmp_path / "rows.jsonl", ROWS[recipe.task])
    if recipe.task == "pretraining" and recipe.adapter is not None:
        bert = write_guesser(bert, tmp_path / "guesser")  # an adapter needs a head
    model = {"translation": marian, "language_modelling": llama, "instruction_tuning": llama}.get(recipe.task, bert)
    if "SmolLM2" in str(recipe.model.name):
        model = llama
    output = tmp_path / "run"
    changes = [*tiny(recipe, model, rows), "training.max_steps=2", f"output={output}"]
    report = finetune(library.find(name), overrides=[*changes, "training.batch_tokens=64"])
    assert report.steps == 2
    assert [test.name for test in report.tests] == list(recipe.data.test)
    assert (output / ("adapter_config.json" if recipe.adapter else "config.json")).is_file()
    assert report.recipe["training"]["learning_rate"] == recipe.training.learning_rate


def test_the_conversations_that_come_with_the_program(tmp_path: Path) -> None:
    folder = library.find("chat-smollm2").parent / "chat"
    sizes, questions = {}, []
    for part in ("train", "test"):
        source = Source(source=str(folder / f"{part}.jsonl"))
        rows = list(load_rows([source], ("messages",), (), filters=None, folder=tmp_path))
        sizes[part] = len(rows)
        questions += [tuple(str(message) for message in messages_of(row)[:-1]) for row in rows]
    assert sizes == {"train": 240, "test": 24}
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("name", library.names())
def test_its_output_has_its_name(name: str) -> None:
    assert read(name).output == f"runs/{name}"
