"""The files of a report: complete or not there, report.json last."""

import os
import re
from dataclasses import replace

import pytest

from hftoolkit.errors import OutputError
from hftoolkit.reports.files import read_report, write_report


def test_written_and_read_back(report, tmp_path):
    write_report(report, tmp_path / "new" / "run")

    assert sorted(os.listdir(tmp_path / "new" / "run")) == ["report.html", "report.json", "report.md", "training.png"]
    assert read_report(tmp_path / "new" / "run") == report
    assert "](training.png)" in (tmp_path / "new" / "run" / "report.md").read_text(encoding="utf-8")


def test_without_a_curve_there_is_no_picture(report, tmp_path):
    write_report(replace(report, curve=[]), tmp_path)

    assert sorted(os.listdir(tmp_path)) == ["report.html", "report.json", "report.md"]


def test_json_is_written_last(report, tmp_path, monkeypatch):
    names = []
    replace_file = os.replace

    def note(source, target):
        names.append(target.name)
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", note)
    write_report(report, tmp_path)

    assert names == ["training.png", "report.md", "report.html", "report.json"]


def test_broken_text_does_not_stop_the_report(report, tmp_path):
    write_report(replace(report, notes=["half \ud83d"]), tmp_path)

    assert "half ?" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert read_report(tmp_path).notes == ["half \ud83d"]


def test_a_folder_that_cannot_be_written_is_said(report, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    path = tmp_path / "taken" / "training.png"

    with pytest.raises(OutputError) as caught:
        write_report(report, tmp_path / "taken")
    assert re.fullmatch(
        re.escape(f"{path}: cannot write: ")
        + r"[^\n]+"
        + re.escape("\n  make room or choose another folder:  --set output=FOLDER"),
        str(caught.value),
    )


def test_a_failed_write_leaves_nothing_behind(report, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)

    expected = f"{tmp_path / 'training.png'}: cannot write: No space left on device"
    with pytest.raises(OutputError, match=f"^{re.escape(expected)}\n"):
        write_report(report, tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_run_without_a_report_is_not_complete(tmp_path):
    with pytest.raises(OutputError) as caught:
        read_report(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'report.json'}: not there; a run is complete when it exists\n"
        "  finish the run:  hftoolkit finetune RECIPE"
    )
