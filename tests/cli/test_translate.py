"""`hftoolkit translate`: lines in, lines out, everything else on the other stream."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from conftest import PAIRS
from running import TERMINAL, hftoolkit

from hftoolkit.cli.translate import translate

SOURCES = "".join(f"{source}\n" for source, _ in PAIRS)
TARGETS = "".join(f"{target}\n" for _, target in PAIRS)


def test_help() -> None:
    assert hftoolkit("translate", "--help").out == (
        "Usage: hftoolkit translate [OPTIONS] [TEXT]\n"
        "\n"
        "  Translate TEXT, a file, or standard input line by line.\n"
        "\n"
        "  The translation goes to standard output, one line for every line; everything\n"
        "  else to standard error.\n"
        "\n"
        "Options:\n"
        "  --file FILE      Translate this file, line by line.\n"
        "  --model MODEL    Hub id, folder, package:NAME/FOLDER or adapter; left out:\n"
        "                   opus-mt of the languages.\n"
        "  --from LANGUAGE  Left out: what the model says, else en.\n"
        "  --to LANGUAGE    Such as zh-Hant; left out: what the model says, else zh.\n"
        "  --beams NUMBER   Left out: 4; 1 is greedy.  [x>=1]\n"
        "  --device DEVICE  cpu, cuda, mps or a GPU's number; left out: the best there\n"
        "                   is.\n"
        "  -h, --help       Show this message and exit.\n"
    )


def test_a_text(marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, "Good morning!")
    assert (outcome.code, outcome.out, outcome.err) == (0, "早上好！\n", "")


def test_a_file(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text(SOURCES, encoding="utf-8")
    assert hftoolkit("translate", "--model", marian, "--file", tmp_path / "letter.txt").out == TARGETS


def test_standard_input(marian: Path) -> None:
    assert hftoolkit("translate", "--model", marian, stdin=SOURCES.encode()).out == TARGETS


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"", ""),
        (b"\n", "\n"),
        (b"Good night!", "晚安！\n"),
        (b"Good night!\r\n\r\nGood morning!\r\n", "晚安！\n\n早上好！\n"),
        (b"\xef\xbb\xbfGood night!\n", "晚安！\n"),
        (b"  \nGood night!\n\t\n\n", "  \n晚安！\n\t\n\n"),
    ],
)
def test_one_line_comes_out_for_every_line(given: bytes, expected: str, marian: Path) -> None:
    assert hftoolkit("translate", "--model", marian, stdin=given).out == expected


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\x0b", "\r"])
def test_only_a_line_feed_ends_a_line(end: str, marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, stdin=f"Good{end}night!\nGood morning!\n".encode())
    assert outcome.out.count("\n") == 2
    assert outcome.out.endswith("\n早上好！\n")


def test_a_text_of_several_lines(marian: Path) -> None:
    assert hftoolkit("translate", "--model", marian, "Good morning!\n\nGood night!").out == "早上好！\n\n晚安！\n"


def test_a_missing_file_is_told_before_a_model_is_loaded(tmp_path: Path) -> None:
    outcome = hftoolkit("translate", "--model", tmp_path / "no-model", "--file", tmp_path / "nowhere.txt")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        f"error: {tmp_path}/nowhere.txt: cannot be read: No such file or directory\n  check the name of the file\n"
    )


def test_bytes_that_are_not_utf8_are_told_with_their_place(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes(b"Good night!\nCaf\xe9\n")
    outcome = hftoolkit("translate", "--model", marian, "--file", tmp_path / "old.txt")
    assert outcome.code == 1
    assert outcome.err == f"error: {tmp_path}/old.txt: line 2: byte 4 is not UTF-8\n  save the text as UTF-8 first\n"


def test_a_text_or_a_file(tmp_path: Path) -> None:
    outcome = hftoolkit("translate", "--file", tmp_path / "x", "Good night!")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error: give a text or --file, not both\n  see:   hftoolkit translate --help\n"


def test_at_a_terminal_something_must_be_given() -> None:
    outcome = hftoolkit("translate", stdin=TERMINAL)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        'error: nothing to translate: give a text, as in: hftoolkit translate "Good morning!"\n'
        "  see:   hftoolkit translate --help\n"
    )


@pytest.mark.parametrize("device", ["cpu", "-1"])
def test_a_device_is_a_name_or_a_number(device: str, marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, "--device", device, "Good night!")
    assert (outcome.out, outcome.err) == ("晚安！\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--device", "tpu9"], 2, "unknown device 'tpu9'\n  use 'cpu', 'mps', 'cuda', or the number of a GPU\n"),
        (["--to", "jp"], 2, "'jp' is no language tag; did you mean 'ja'?\n"
            "  expected BCP 47, such as:  en, pt-BR, zh-Hans\n"),
        (["--to", "fr"], 1, "MODEL: this model translates to 'zh-Hans', not to 'fr'\n"
            "  leave --to out, or choose another model\n"),
        (["--beams", "0"], 2, "Invalid value for '--beams': 0 is not in the range x>=1.\n"
            "  see:   hftoolkit translate --help\n"),
    ],
)  # fmt: skip
def test_mistakes_are_told(arguments: list[str], code: int, message: str, marian: Path) -> None:
    outcome = hftoolkit("translate", "--model", marian, *arguments, "Good night!")
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err == "error: " + message.replace("MODEL", str(marian))


def test_greedy_search(marian: Path) -> None:
    assert hftoolkit("translate", "--model", marian, "--beams", "1", "Good night!").out == "晚安！\n"


def test_a_full_disk_behind_standard_output_is_told(marian: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs a disk that is always full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hftoolkit", "translate", "--model", str(marian), "Good morning!"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.endswith(
        "error: standard output: cannot be written: No space left on device\n  free some space, or write elsewhere\n"
    )


def test_without_standard_input_there_is_nothing_to_translate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(click.UsageError, match=r"^nothing to translate: give a text"):
        translate.main([], standalone_mode=False)
