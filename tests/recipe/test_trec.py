"""The script beside the TREC recipe makes tables of files that have neither columns nor UTF-8."""

import subprocess
import sys
from pathlib import Path

import pytest

from hftoolkit.recipe import library

LINES = {"TREC.train": ["DESC:manner How is sauté written\tin French ?", "", "HUM:ind Who was Galileo ?"]}


def prepare(tmp_path: Path, names: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    (tmp_path / "original").mkdir()
    for name in names:
        text = "".join(f"{line}\n" for line in LINES["TREC.train"])
        (tmp_path / "original" / name).write_text(text, encoding="latin-1")
    copied = library.copy("trec", tmp_path / "mine")
    script = copied[1] / "prepare.py"
    command = [sys.executable, str(script), str(tmp_path / "original")]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("names", [("TREC.train", "TREC.test"), ("train_5500.label", "TREC_10.label")])
def test_both_tables_come_beside_the_recipe(tmp_path: Path, names: tuple[str, str]) -> None:
    done = prepare(tmp_path, names)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("train.tsv", "test.tsv"):
        table = tmp_path / "mine" / "trec" / name
        assert f"{table}: 2 questions\n" in done.stdout
        assert table.read_text(encoding="utf-8") == (
            "label\tfine\ttext\nDESC\tDESC:manner\tHow is sauté written in French ?\nHUM\tHUM:ind\tWho was Galileo ?\n"
        )


def test_a_folder_without_them(tmp_path: Path) -> None:
    done = prepare(tmp_path, ("TREC.train", "other"))
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / 'original'}: neither TREC_10.label nor TREC.test is there\n"
