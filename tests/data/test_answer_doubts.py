"""What looks wrong about questions and answers, with file and line where there is one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hftoolkit.data.answer_doubts import doubts_about_answers, doubts_among_answers
from hftoolkit.data.prepared import RunRows, load_run
from hftoolkit.recipe.schema import Data

CONTEXT = "Ada Lovelace was born in London in 1815, the child of a poet."


def row(question: str = "Who?", *right: str, context: str = CONTEXT) -> dict[str, Any]:
    return {"question": question, "context": context, "answers": list(right)}


def doubts(rows: Sequence[dict[str, Any]], **settings: Any) -> list[str]:
    return list(doubts_about_answers(rows, **{"chinese": False, "no_answer": False, "longest": 30} | settings))


def run_of(folder: Path, train: Sequence[dict[str, Any]], test: Sequence[dict[str, Any]]) -> RunRows:
    for name, rows in (("train", train), ("test", test)):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    data = Data.model_validate(
        {
            "train": {"source": str(folder / "train.jsonl")},
            "validation": {"source": str(folder / "train.jsonl")},
            "test": {"held": {"source": str(folder / "test.jsonl")}},
        }
    )
    return load_run(data, ("question", "context"), ("answers", "starts"), folder=folder / "rows", seed=1)


def test_usual_rows_raise_no_doubt() -> None:
    assert doubts([row("Who?", "Ada Lovelace"), row("Where?", "London")]) == []
    assert doubts([row("Who?", "Ada Lovelace"), row("Why?")], no_answer=True) == []
    assert doubts([row("谁？", "王五", context="王五在北京。")], chinese=True) == []
    assert doubts([]) == []


def test_swapped_columns() -> None:
    swapped = {"question": CONTEXT, "context": "Who?", "answers": ["Ada"]}
    assert doubts([swapped]) == [
        "most questions are longer than their contexts: the columns may be swapped\n"
        "  map them:   columns: {question: ..., context: ...}"
    ]


@pytest.mark.parametrize(
    ("rows", "no_answer", "message"),
    [
        (
            [row("Who?", "Ada"), row("Why?")],
            False,
            "1 of 2 questions looked at has no answer, but one is always given\n"
            "  to learn when to give none:   options: {no_answer: true}",
        ),
        ([row("Why?")], True, "no question looked at has an answer\n  look at the columns"),
    ],
)
def test_questions_without_an_answer(rows: list[dict[str, Any]], no_answer: bool, message: str) -> None:
    assert doubts(rows, no_answer=no_answer) == [message]


def test_the_language_of_answers() -> None:
    zh = row("谁？", "王五", context="王五在北京。")
    assert doubts([zh]) == [
        "most answers are Chinese, but are compared by words between blanks: too few will count as right\n"
        "  say so:   options: {language: chinese}"
    ]
    assert doubts([row("Who?", "Ada")], chinese=True) == [
        "no answer is Chinese, but answers are compared as Chinese ones\n  say so:   options: {language: english}"
    ]
    mixed = [zh, row("Who?", "Ada"), row("Where?", "London")]
    assert doubts(mixed) == doubts(mixed, chinese=True) == []


def test_answers_that_can_never_be_given_whole() -> None:
    long = row("What?", "the child of a poet")
    assert doubts([long, row("Who?", "Ada")], longest=4) == [
        "1 of 2 answers looked at have more than 4 words or Chinese characters: they can never be given whole\n"
        "  raise options.max_answer_tokens"
    ]
    assert doubts([long, *[row("Who?", "Ada")] * 20], longest=4) == []


def test_other_answers_to_the_same_question(tmp_path: Path) -> None:
    train = [
        row("Who?", "Ada"),
        row("Where?", "London"),
        row("Who?", "poet"),
        row("Who?", "poet", "child"),
        row("When?"),
        row("When?", "1815"),
    ]
    rows = run_of(tmp_path, train, train[:1])
    path = tmp_path / "train.jsonl"
    assert list(doubts_among_answers(rows)) == [
        "data.train: 2 rows have the question and context of another row, and another answer: "
        f"{path}: line 1 and {path}: line 3, {path}: line 5 and {path}: line 6\n"
        "  one of the two may be wrong: correct it, or take it out"
    ]


def test_right_answers_that_are_not_in_their_context(tmp_path: Path) -> None:
    test = [row("Who?", "Ada"), row("Who?", "Byron"), row("Where?", "London", "Rome"), row("When?")]
    rows = run_of(tmp_path, [row("Who?", "Ada")], test)
    assert list(doubts_among_answers(rows)) == [
        f"data.test.held: 1 row has an answer that is not in the context: {tmp_path / 'test.jsonl'}: line 2\n"
        "  they count as wrong, whatever is answered: correct the answer or the context"
    ]


def test_no_more_than_five_are_named(tmp_path: Path) -> None:
    test = [row(f"Who {number}?", "Byron") for number in range(7)]
    (doubt,) = doubts_among_answers(run_of(tmp_path, [row("Who?", "Ada")], test))
    assert doubt.count("line") == 5
    assert "line 5 and 2 more\n" in doubt
