"""Rows of conversations, from files of every kind; those that are none are told with file and line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from running import write_jsonl

from hftoolkit.data.rows import load_rows
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Source
from hftoolkit.tasks.instruction_tuning import InstructionTuning

TURNS = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
ADVICE = (
    '\n  a row is {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}, or a '
    "prompt and an answer, perhaps with a system prompt; other names of columns:  columns: {prompt: COLUMN, answer: "
    "COLUMN}"
)


def load(folder: Path, **source: Any) -> list[Mapping[str, Any]]:
    task = InstructionTuning
    return list(load_rows([Source(**source)], task.inputs, task.answers, filters=None, folder=folder / "cache"))


def test_lines_may_have_messages_or_prompts(tmp_path: Path) -> None:
    rows = [
        {"messages": TURNS, "id": 1},
        {"prompt": "When?", "answer": "Now."},
        {"prompt": "Where?", "answer": "Here.", "system": "Be brief.", "messages": None},
    ]
    assert load(tmp_path, source=str(write_jsonl(tmp_path / "rows.jsonl", rows))) == [
        {"messages": ["user Why?", "assistant So."]},
        {"messages": ["user When?", "assistant Now."]},
        {"messages": ["system Be brief.", "user Where?", "assistant Here."]},
    ]


def test_columns_have_other_names(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [{"instruction": "Why?", "output": "So.", "chat": TURNS}])
    expected = [{"messages": ["user Why?", "assistant So."]}]
    assert load(tmp_path, source=str(path), columns={"prompt": "instruction", "answer": "output"}) == expected
    assert load(tmp_path, source=str(path), columns={"messages": "chat"}) == expected
    with pytest.raises(DataError) as caught:
        load(tmp_path, source=str(path), columns={"question": "instruction"})
    assert str(caught.value) == (
        f"{path}: columns: no role 'question'\n  the roles are: messages, prompt, answer, system"
    )


def test_tables_parallel_texts_and_parquet(tmp_path: Path) -> None:
    expected = [{"messages": ["user Why?", "assistant So."]}]
    (tmp_path / "rows.csv").write_text("prompt,answer\nWhy?,So.\n", encoding="utf-8")
    assert load(tmp_path, source=str(tmp_path / "rows.csv")) == expected
    for role, text in (("prompt", "Why?\n"), ("answer", "So.\n")):
        (tmp_path / role).write_text(text, encoding="utf-8")
    assert load(tmp_path, files={role: str(tmp_path / role) for role in ("prompt", "answer")}) == expected
    parquet.write_table(pa.Table.from_pylist([{"messages": TURNS}]), tmp_path / "rows.parquet")
    assert load(tmp_path, source=str(tmp_path / "rows.parquet")) == expected


def test_a_row_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [{"messages": TURNS}, {"messages": TURNS[:1]}])
    with pytest.raises(DataError) as caught:
        load(tmp_path, source=str(path))
    assert str(caught.value) == (
        f"{path}: line 2: messages: the assistant says nothing: there is nothing to learn{ADVICE}"
    )


def test_all_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    rows = [{"messages": TURNS}, {"text": "Why?"}, {"messages": [{"role": "bot", "content": "Hi"}]}]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load(tmp_path, source=str(path))
    assert str(caught.value) == (
        "2 rows do not fit\n"
        f"  {path}: [1]: no messages, and no prompt with its answer\n"
        f'  {path}: [2]: messages[0].role: expected system, user or assistant, got "bot"{ADVICE}'
    )
