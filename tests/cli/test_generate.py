"""`hftoolkit generate`: a prompt or standard input, text as it comes on one stream and the rest on the other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import TERMINAL, hftoolkit

from hftoolkit import generate
from hftoolkit.engines.causal import CausalEngine
from hftoolkit.models.saved import Saved, write_saved

SHORT = ["--temperature", "0", "--max-tokens", "12"]
LIMIT = "note: stopped after 12 tokens; --max-tokens NUMBER allows more\n"


def test_a_prompt_is_gone_on_with(gpt2: Path) -> None:
    found = hftoolkit("generate", "--model", gpt2, *SHORT, "Good")
    assert (found.code, found.err) == (0, LIMIT)
    assert found.out == generate("Good", model=gpt2, temperature=0, max_new_tokens=12) + "\n"


def test_a_model_that_answers_is_asked(llama: Path) -> None:
    answer = hftoolkit("generate", "--model", llama, *SHORT, "Good").out
    assert answer == generate("Good", model=llama, temperature=0, max_new_tokens=12) + "\n"
    told = hftoolkit("generate", "--model", llama, *SHORT, "--system", "Be brief.", "Good").out
    raw = hftoolkit("generate", "--model", llama, *SHORT, "--raw", "Good").out
    assert raw == generate("Good", model=llama, raw=True, temperature=0, max_new_tokens=12) + "\n"
    assert len({answer, told, raw}) == 3


def test_settings(gpt2: Path) -> None:
    settings = ["--temperature", "1.5", "--top-p", "0.9", "--seed", "3", "--max-tokens", "12", "--device", "-1"]
    found = hftoolkit("generate", "--model", gpt2, *settings, "Good")
    expected = generate("Good", model=gpt2, temperature=1.5, top_p=0.9, seed=3, max_new_tokens=12)
    assert found.out == f"{expected}\n"
    other = hftoolkit("generate", "--model", gpt2, *settings, "--seed", "4", "Good")
    assert other.out != found.out


def test_a_stop(gpt2: Path) -> None:
    whole = hftoolkit("generate", "--model", gpt2, *SHORT, "The library").out
    stop = next(letter for letter in whole[3:] if letter.isascii() and letter.isprintable())
    found = hftoolkit("generate", "--model", gpt2, *SHORT, "--stop", "never", "--stop", stop, "The library")
    assert (found.out, found.err) == (whole[: whole.index(stop)] + "\n", "")


@pytest.mark.parametrize("given", ["Good\nbad", "Good\nbad\n", "\ufeffGood\nbad\n", "Good\nbad\r\n"])
def test_standard_input_is_one_prompt(gpt2: Path, given: str) -> None:
    found = hftoolkit("generate", "--model", gpt2, *SHORT, stdin=given.encode())
    assert found.out == hftoolkit("generate", "--model", gpt2, *SHORT, "Good\nbad").out


def test_standard_input_is_not_utf_8(gpt2: Path) -> None:
    found = hftoolkit("generate", "--model", gpt2, *SHORT, stdin=b"Good\ncaf\xe9\n")
    assert (found.code, found.out) == (1, "")
    assert found.err == "error: standard input: line 2: byte 4 is not UTF-8\n  save the text as UTF-8 first\n"


def test_a_prompt_that_the_terminal_could_not_read(gpt2: Path) -> None:
    found = hftoolkit("generate", "--model", gpt2, "caf\udce9")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "error: the prompt holds what is no character in the terminal's encoding: give it on standard input\n"
        "  see:   hftoolkit generate --help\n"
    )


def test_nothing_to_write_about() -> None:
    found = hftoolkit("generate", "--model", "x", stdin=TERMINAL)
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        'error: nothing to write about: give a prompt, as in: hftoolkit generate "Once upon a time"\n'
        "  see:   hftoolkit generate --help\n"
    )


def test_which_model() -> None:
    found = hftoolkit("generate", "Good")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "error: which model? name a run, a folder or a hub id, as in: --model HuggingFaceTB/SmolLM2-135M-Instruct\n"
        "  see:   hftoolkit generate --help\n"
    )


def test_a_prompt_that_is_too_long(gpt2: Path) -> None:
    found = hftoolkit("generate", "--model", gpt2, "x?" * 60)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: the prompt 'x?x?x?x?x?x?x?x?x?x?x?x?x?x?x?x?x?x?x...' has 120 tokens;")


def test_a_text_without_room_is_told_once(gpt2: Path) -> None:
    found = hftoolkit("generate", "--model", gpt2, "--temperature", "0", "x?" * 45)
    assert found.err == "note: 1 text ends unfinished: the model has 96 tokens for prompt and text together\n"


def test_notes_of_the_model(gpt2: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(gpt2).to(torch.float16).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(gpt2).save_pretrained(tmp_path)
    found = hftoolkit("generate", "--model", tmp_path, *SHORT, "Good")
    assert found.err == f"note: {tmp_path} is stored in float16; it is used in float32\n{LIMIT}"


def test_a_model_for_something_else(tmp_path: Path) -> None:
    write_saved(Saved("ner"), tmp_path)
    found = hftoolkit("generate", "--model", tmp_path, "Good")
    assert (found.code, found.err) == (
        1,
        f"error: {tmp_path}: this model was tuned for ner, not for writing\n"
        f"  use it:   hftoolkit predict --model {tmp_path}\n",
    )


def test_the_text_comes_as_it_is_written(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = []
    monkeypatch.setattr("hftoolkit.cli.generate.put_out", lambda piece, end="\n": pieces.append(piece + end))
    hftoolkit("generate", "--model", gpt2, *SHORT, "The library")
    assert len(pieces) > 4
    assert pieces[-1] == "\n"


def test_interrupted(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(_: object, __: object, ___: object, show: object) -> None:
        show("Once")  # type: ignore[operator]
        raise KeyboardInterrupt

    monkeypatch.setattr(CausalEngine, "stream", broken_off)
    found = hftoolkit("generate", "--model", gpt2, "Good")
    assert (found.code, found.out, found.err) == (130, "Once\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these signals nor these pipes")
@pytest.mark.parametrize("end", ["ctrl-c", "closed pipe"])
def test_a_reader_who_has_enough(gpt2: Path, tmp_path: Path, end: str) -> None:
    """In a process of its own, with a text that never ends by itself within the time of this test."""
    from tiny_models import tiny_llama
    from transformers import GenerationConfig

    tiny_llama(tmp_path, positions=1_000_000)
    GenerationConfig(bos_token_id=0, suppress_tokens=[1, 3]).save_pretrained(tmp_path)
    command = [sys.executable, "-m", "hftoolkit", "generate", "--raw", "--model", tmp_path, "--max-tokens", "500000"]
    with subprocess.Popen(
        [*command, "Good"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background inherit a deaf ear
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(1)
        if end == "ctrl-c":
            process.send_signal(signal.SIGINT)
        else:
            process.stdout.close()
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if end == "ctrl-c":
                process.stdout.read(4096)
            time.sleep(0.05)
        left = process.poll()
        process.kill()
        assert (left, process.stderr.read()) == (130 if end == "ctrl-c" else 1, b"")
