"""Keys of checkpoints: the same content, the same key."""

import shutil
from pathlib import Path

import pytest

from hftoolkit.models.keys import content_key, tokenizer_key
from hftoolkit.models.loading import Loaded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "vocab.json", "source.spm", "model.safetensors", "README.md"):
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def content(folder: Path, *bases: Path) -> str:
    return content_key(Loaded(str(folder), folder, None, None, None, (), bases))


def test_a_copy_has_the_same_keys(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert tokenizer_key(copy) == tokenizer_key(folder)
    assert content(copy) == content(folder)


@pytest.mark.parametrize(
    ("name", "tokenizer_changes", "content_changes"),
    [
        ("vocab.json", True, True),
        ("source.spm", True, True),
        ("config.json", True, True),
        ("model.safetensors", False, True),
        ("README.md", False, False),
    ],
)
def test_a_changed_file(folder: Path, name: str, tokenizer_changes: bool, content_changes: bool) -> None:
    before = tokenizer_key(folder), content(folder)
    (folder / name).write_text("other", encoding="utf-8")
    assert (tokenizer_key(folder) != before[0]) is tokenizer_changes
    assert (content(folder) != before[1]) is content_changes


def test_a_renamed_file_is_another_checkpoint(folder: Path) -> None:
    before = tokenizer_key(folder)
    (folder / "source.spm").rename(folder / "target.spm")
    assert tokenizer_key(folder) != before


def test_folders_within_do_not_count(folder: Path) -> None:
    before = content(folder)
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "last.safetensors").write_text("steps", encoding="utf-8")
    (folder / "x.json").mkdir()
    assert content(folder) == before


def test_an_adapter_is_as_old_as_its_base(folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_text("adapter", encoding="utf-8")
    before = content(adapter, folder)
    assert before != content(adapter)
    (folder / "model.safetensors").write_text("other", encoding="utf-8")
    assert content(adapter, folder) != before
