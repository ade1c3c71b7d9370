"""Runs that answer questions, from recipe to report: what is said, measured, saved and read back."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from finder import write_finder
from running import hftoolkit, recipe_on, values, write_jsonl
from transformers import BertConfig

from hftoolkit.checking import check
from hftoolkit.errors import DataError
from hftoolkit.evaluation import evaluate
from hftoolkit.finetuning import finetune
from hftoolkit.models.loading import Loaded
from hftoolkit.models.saved import read_saved
from hftoolkit.pipelines import load
from hftoolkit.recipe.reader import recipe_from
from hftoolkit.reports.files import read_report
from hftoolkit.starting import longest
from hftoolkit.tasks import task_options
from hftoolkit.tasks.ner import Ner
from hftoolkit.tasks.question_answering import QuestionAnswering

pytestmark = pytest.mark.usefixtures("no_pictures")

FOUND = [("the food was awful", "awful"), ("we like the great film", "great film"), ("it is an awful story", "awful")]
"""Contexts with an answer that the finder gives."""

NOWHERE = ["the food was bad", "we hate it"]
"""Contexts without one."""


def squad(path: Path, *, silent: bool = True) -> Path:
    """Questions on these contexts as SQuAD 2.0 has them."""
    paragraphs = [
        {
            "context": f"{context} {number}.",
            "qas": [
                {
                    "id": f"{context[:8]}-{number}",
                    "question": "was it good?",
                    "answers": [{"text": answer, "answer_start": context.index(answer)}],
                    "is_impossible": False,
                }
            ],
        }
        for number in range(8)
        for context, answer in FOUND
    ]
    paragraphs += [
        {
            "context": f"{context} {number}.",
            "qas": [{"id": f"{context[:8]}-{number}", "question": "why?", "answers": [], "is_impossible": True}],
        }
        for number in range(8)
        for context in NOWHERE
        if silent
    ]
    path.write_text(json.dumps({"version": "v2.0", "data": [{"title": "A", "paragraphs": paragraphs}]}), "utf-8")
    return path


@pytest.fixture
def recipe(bert: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A recipe for these questions, on the finder; other parts replace its own."""
    write_finder(bert, tmp_path / "finder")

    def make(**parts: Any) -> dict[str, Any]:
        file = squad(tmp_path / "rows.json", silent=parts.get("options", {}).get("no_answer", False))
        usual = recipe_on(file, "question_answering", tmp_path / "finder")
        training = {"max_steps": 2, "learning_rate": 1e-5, "batch_tokens": 128, "precision": "float32"}
        return usual | {"training": training} | parts

    return make


def test_a_model_that_answers_goes_on_learning(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe())
    assert values(report) == values(report, before=True) == {"F1": 100, "EM": 100}
    (test,) = report.tests
    assert test.baseline == "the untouched model"
    assert [section.title for section in test.sections] == [
        "What became of the questions",
        "By question word",
        "By words of the right answer",
    ]
    assert test.after[0].signature == "SQuAD|right:1|longest:30"
    assert read_report(tmp_path / "run") == report
    lines = (tmp_path / "run" / "predictions" / "test.after.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["awful", "great film", "awful"] * 8
    saved = read_saved(tmp_path / "run")
    assert saved
    assert saved.state == {"options": report.recipe["options"] | saved.state["options"]}
    found = evaluate(tmp_path / "run")
    assert found.tests["test"] == test.after
    answer = load(str(tmp_path / "run"), device="cpu")(question="what?", context="it was an awful film")
    assert answer["answer"] == "awful film"


def test_no_answer_from_a_threshold_that_validation_rows_choose(recipe: Any, tmp_path: Path) -> None:
    report = finetune(recipe(options={"no_answer": True}))
    assert values(report) == {"F1": 100, "EM": 100, "HasAns F1": 100, "NoAns F1": 100}
    assert "16 of 40 training questions have no answer" in report.notes
    assert report.notes[-1].startswith(
        "no answer is given where its log-probability exceeds that of the best answer by "
    )
    saved = read_saved(tmp_path / "run")
    assert saved
    assert saved.state["threshold"] != 0
    found = evaluate(tmp_path / "run")
    assert found.tests["test"] == report.tests[0].after
    pipe = load(str(tmp_path / "run"), device="cpu")
    assert pipe(question="why?", context="we hate it")["answer"] == ""


def test_an_encoder_gets_a_new_head_and_is_compared_with_no_answer(recipe: Any, bert: Path) -> None:
    report = finetune(recipe(model={"name": str(bert)}))
    assert values(report, before=True) == {"F1": 0, "EM": 0}
    assert report.tests[0].baseline == "no answer"
    assert report.notes[0] == (
        "a new head: qa_outputs, 34 weights: there is no model to compare with, so the baseline is no answer"
    )


def test_an_adapter_brings_its_head(recipe: Any, bert: Path, tmp_path: Path) -> None:
    report = finetune(recipe(model={"name": str(bert)}, adapter={"rank": 2, "targets": ["query", "value"]}))
    assert report.model.trainable < report.model.parameters
    found = evaluate(tmp_path / "run")
    assert {score.name: round(score.value, 3) for score in found.tests["test"]} == values(report)


def test_long_contexts_and_questions_are_told(recipe: Any, tmp_path: Path) -> None:
    given = recipe(options={"window": 24, "stride": 4, "max_question_tokens": 2}, training={"max_steps": 1})
    report = finetune(given)
    assert "24 training questions have more than 2 tokens and were cut" in report.notes
    assert "24 questions are longer than 2 tokens and were cut" in report.notes


@pytest.mark.parametrize(
    ("options", "training", "positions", "tokens"),
    [
        ({}, {}, 512, 384),
        ({"window": 300}, {}, 512, 300),
        ({"window": 300}, {"max_tokens": 200}, 512, 200),
        ({"window": 300}, {"max_tokens": 400}, 512, 400),
        ({}, {}, 128, 128),
    ],
)
def test_windows_are_learned_from_as_they_are_read(
    recipe: Any, options: Any, training: Any, positions: int, tokens: int
) -> None:
    found = recipe_from(recipe(training=training), tasks=task_options())
    model = SimpleNamespace(config=BertConfig(max_position_embeddings=positions), named_modules=lambda: ())
    start = Loaded("m", Path(), model, None, None, ())
    assert longest(found, QuestionAnswering(options, None), start) == tokens
    assert longest(found, Ner({}, None), start) == min(training.get("max_tokens", 256), positions)


def test_windows_that_are_shorter_in_training_are_told(recipe: Any) -> None:
    said = (
        "training.max_tokens: windows of 24 tokens are learned from, but 32 are read at once in use: set "
        "options.window to the same"
    )
    options = {"window": 32, "stride": 4}
    assert said in finetune(recipe(options=options, training={"max_tokens": 24, "max_steps": 1})).notes
    assert said in [one.message for one in check(recipe(options=options, training={"max_tokens": 24})).findings]
    assert "training.max_tokens" not in str(check(recipe(options=options, training={"max_tokens": 32})))


def test_questions_that_are_cut_at_half_of_a_window_are_told_so(recipe: Any, tmp_path: Path) -> None:
    given = recipe(options={"window": 16, "stride": 0}, training={"max_steps": 1})
    rows = [
        {"question": "what is it " * 3, "context": "the food was awful", "answers": ["awful"]},
        {"question": "what?", "context": "the food was bad", "answers": ["bad"]},
    ]
    file = {"source": str(write_jsonl(tmp_path / "few.jsonl", rows))}
    given["data"] |= {"train": file, "validation": file, "test": file}
    notes = finetune(given).notes
    assert "1 training question has more than 6 tokens and was cut" in notes
    assert "1 question is longer than 6 tokens and was cut" in notes


def test_check_tells_questions_that_are_cut(recipe: Any) -> None:
    found = check(recipe(options={"max_question_tokens": 2}))
    assert "24 training questions have more than 2 tokens and were cut" in [one.message for one in found.findings]
    assert (
        "options.max_question_tokens: 24 of 24 training questions are longer than 2 tokens, and are cut: what stands "
        "at their ends is not learned from\n  raise it if the model has more positions"
    ) in [one.message for one in found.findings]
    assert "rows are cut" not in str(found)


def test_rows_that_teach_nothing_are_not_said_to_be_too_long(recipe: Any, tmp_path: Path) -> None:
    given = recipe()
    rows = [{"question": "who?", "context": "the food was bad", "answers": []}]
    given["data"] |= {"validation": {"source": str(write_jsonl(tmp_path / "silent.jsonl", rows))}}
    with pytest.raises(DataError) as caught:
        finetune(given)
    assert str(caught.value) == (
        "data: the validation rows hold nothing to learn, like questions without an answer where one is always given\n"
        "  look at the columns, and at options"
    )


def test_check_looks_at_it(recipe: Any, tmp_path: Path) -> None:
    given = recipe()
    rows = [
        {"question": "what?", "context": "the food was awful", "answers": ["awful"]},
        {"question": "what?", "context": "the food was awful", "answers": ["food"]},
        {"question": "who?", "context": "the food was bad", "answers": []},
        {"question": "who?", "context": "the film was bad", "answers": ["story"]},
        {"question": "who?", "context": "the film was good", "answers": {"text": ["film"], "answer_start": [9]}},
    ]
    file = write_jsonl(tmp_path / "few.jsonl", rows)
    given["data"] |= {"train": {"source": str(file)}, "test": {"few": {"source": str(file)}}}
    (tmp_path / "recipe.json").write_text(json.dumps(given), encoding="utf-8")
    found = hftoolkit("check", tmp_path / "recipe.json")
    assert found.code == 0, found.err
    for expected in (
        "answers that are not in their context: they count in scores, and teach nothing: 1 (the first: "
        f"{file}: line 4)",
        f"repaired answer positions: 1 (the first: {file}: line 5)",
        "left out: 1 answer not in its context",
        "data.train: 1 row has the question and context of another row, and another answer: "
        f"{file}: line 1 and {file}: line 2",
        f"data.test.few: 1 row has an answer that is not in the context: {file}: line 4",
        "1 of 4 training questions has no answer, which teaches nothing: see options.no_answer",
        "questions looked at has no answer, but one is always given",
    ):
        assert expected in found.out


def test_a_test_set_without_answers_is_told(recipe: Any, tmp_path: Path) -> None:
    """Some are published for their questions alone; whatever is answered is wrong."""
    given = recipe()
    file = tmp_path / "held.json"
    paragraphs = [{"context": "the food was bad", "qas": [{"id": "1", "question": "who?", "answers": []}]}]
    file.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    given["data"]["test"] = {"held": {"source": str(file)}}
    (tmp_path / "recipe.json").write_text(json.dumps(given), encoding="utf-8")
    found = hftoolkit("check", tmp_path / "recipe.json")
    assert found.code == 0, found.err
    assert f"{file} has no answer to any question" in found.out
    assert "data.test.held: 1 of 1 questions looked at has no answer, but one is always given" in found.out
    assert values(finetune(given)) == {"F1": 0, "EM": 0}
