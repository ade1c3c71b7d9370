"""What a model folder says about itself."""

import json
from pathlib import Path

import pytest

from hftoolkit.errors import ModelError
from hftoolkit.models.saved import Saved, read_saved, write_saved

FACTS = Saved("translation", "en", "zh-Hant", ">>cmn_Hant<<")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_saved(FACTS, tmp_path)
    assert read_saved(tmp_path) == FACTS
    assert json.loads((tmp_path / "hftoolkit.json").read_text(encoding="utf-8")) == {
        "task": "translation",
        "source_language": "en",
        "target_language": "zh-Hant",
        "target_token": ">>cmn_Hant<<",
        "state": {},
    }


def test_writing_again_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_saved(Saved("translation", "en", "de"), tmp_path)
    write_saved(FACTS, tmp_path)
    assert read_saved(tmp_path) == FACTS
    assert [path.name for path in tmp_path.iterdir()] == ["hftoolkit.json"]


def test_another_folder_says_nothing(tmp_path: Path) -> None:
    assert read_saved(tmp_path) is None


def test_what_a_task_knows_comes_back(tmp_path: Path) -> None:
    facts = Saved("classification", state={"options": {"pair": True}, "threshold": 0.25})
    write_saved(facts, tmp_path)
    assert read_saved(tmp_path) == facts


def test_facts_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "hftoolkit.json").write_text('{"task": "translation", "invented_later": 1}', encoding="utf-8")
    assert read_saved(tmp_path) == Saved("translation")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '"translation"', '{"task": "ner", "state": []}'])
def test_damaged_facts(tmp_path: Path, content: str) -> None:
    path = tmp_path / "hftoolkit.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        read_saved(tmp_path)
    assert str(caught.value) == (
        f"{path}: damaged: it does not say what this checkpoint is for\n"
        "  copy it again, or delete it and say yourself what it is for"
    )
