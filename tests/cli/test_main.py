"""The program: its screens, its exit codes, what goes to which stream, what it imports."""

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import hftoolkit

from hftoolkit import __version__
from hftoolkit.cli.main import COMMANDS, main
from hftoolkit.recipe import library

HEAVY = {
    "accelerate", "datasets", "evaluate", "huggingface_hub", "jinja2", "matplotlib", "numpy", "peft", "pyarrow",
    "pydantic", "ruamel", "sacrebleu", "sentencepiece", "torch", "tqdm", "transformers", "translate",
}  # fmt: skip
"""All that the program depends on, but click."""


def python(code: str) -> str:
    """Run code in a fresh interpreter."""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    return found.stdout


# Screens


def test_help() -> None:
    outcome = hftoolkit("--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "Usage: hftoolkit [OPTIONS] COMMAND [ARGS]...\n"
        "\n"
        "  Fine-tune opus-mt, BERT and small GPT models with one recipe, and use the\n"
        "  result.\n"
        "\n"
        "  Behind a mirror, set HF_ENDPOINT=https://hf-mirror.com; what is downloaded\n"
        "  once is used without a network.\n"
        "\n"
        "Options:\n"
        "  --version   Show the version and exit.\n"
        "  -h, --help  Show this message and exit.\n"
        "\n"
        "Commands:\n"
        "  check      Look at all that a recipe names before it runs: problems, tokens,\n"
        "             time, memory.\n"
        "  finetune   Fine-tune a model as a recipe says; report what was gained and\n"
        "             lost.\n"
        "  evaluate   Score a model on a recipe's test sets.\n"
        "  score      Score translations in text files: BLEU, chrF, TER; a paired test\n"
        "             of two.\n"
        "  compare    Compare systems on the same rows: scores, tests, speed, memory,\n"
        "             page.\n"
        "  predict    Predict labels, entities or answers for text or a file.\n"
        "  translate  Translate text, a file, or standard input line by line.\n"
        "  models     List the models of a server, such as Ollama.\n"
        "  generate   Answer a text, or go on with it, as it is written.\n"
        "  export     Write a model for transformers, CTranslate2 or Ollama, adapters\n"
        "             merged.\n"
        "  push       Publish a run's model, with a card that has its scores.\n"
        "  doctor     Look at this installation: what it has, reaches and lacks, on a\n"
        "             page.\n"
        "  recipes    List, show and copy the built-in recipes.\n"
        "  prefetch   Download and lock all that recipes name; pack it for a machine\n"
        "             without network.\n"
        "  unbundle   Put what prefetch has packed into the cache of this machine.\n"
    )


def test_without_a_command_the_help_is_an_error() -> None:
    outcome = hftoolkit()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == hftoolkit("--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    outcome = hftoolkit(command, "-h")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: hftoolkit {command} [OPTIONS]")


def test_every_file_in_the_folder_is_a_command() -> None:
    files = {path.stem for path in Path(sys.modules["hftoolkit.cli.main"].__file__ or "").parent.glob("*.py")}
    assert files - {"__init__", "hub_options", "main", "output"} == set(COMMANDS)


def test_the_version() -> None:
    assert hftoolkit("--version").out == f"hftoolkit {__version__}\n"


# Mistakes in a command: one form, exit code 2, nothing on standard output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["finetun"], "no such command 'finetun'; did you mean 'finetune'?\n  see:   hftoolkit --help\n"),
        (["train"], "no such command 'train'\n  see:   hftoolkit --help\n"),
        (["finetune"], "Missing argument 'RECIPE'.\n  see:   hftoolkit finetune --help\n"),
        (["recipes", "lst"], "No such command 'lst'. Did you mean 'list'?\n  see:   hftoolkit recipes --help\n"),
        (["finetune", "x", "--sett", "y"], "No such option '--sett'. Did you mean '--set'?\n"
            "  see:   hftoolkit finetune --help\n"),
        (["recipes", "show", "marian-en-z"], "no built-in recipe 'marian-en-z'; did you mean 'marian-en-zh'?\n"
            "  to see them all:   hftoolkit recipes list\n"),
    ],
)  # fmt: skip
def test_a_wrong_command_is_told_in_one_form(arguments: list[str], message: str) -> None:
    outcome = hftoolkit(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"error: {message}"


def test_recipes_are_listed_through_the_program() -> None:
    outcome = hftoolkit("recipes", "list")
    assert (outcome.code, outcome.err) == (0, "")
    assert [line.split()[0] for line in outcome.out.splitlines()] == library.names()


# What is no mistake of the user


def test_a_bug_of_ours_shows_where_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("our fault")

    monkeypatch.setattr("hftoolkit.evaluation.evaluate", broken)
    outcome = hftoolkit("evaluate", "x")
    assert (outcome.code, outcome.out) == (70, "")
    assert outcome.err.startswith("Traceback (most recent call last):\n")
    assert outcome.err.endswith(
        "ZeroDivisionError: our fault\n"
        "error: this is a bug in hftoolkit, not a mistake of yours; please report the lines above\n"
    )


def test_an_interruption_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hftoolkit.evaluation.evaluate", interrupted)
    outcome = hftoolkit("evaluate", "x")
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == "\nerror: interrupted; a run continues when it is started again, a document with --resume\n"


def test_a_reader_that_leaves_is_no_bug() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hftoolkit", "recipes", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 1


def test_the_log_is_left_as_it_was() -> None:
    before = list(logging.getLogger("hftoolkit").handlers)
    hftoolkit("recipes", "list")
    assert logging.getLogger("hftoolkit").handlers == before


def test_streams_are_utf8_whatever_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252"))
    monkeypatch.setattr(sys, "argv", ["hftoolkit", "recipes", "schema"])
    monkeypatch.setattr("hftoolkit.recipe.schema.schema_json", lambda: {"language": "中文"})
    main()
    sys.stdout.flush()
    assert json.loads(written.getvalue().decode("utf-8")) == {"language": "中文"}


# What is imported


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["check", "--help"], ["finetune", "--help"], ["evaluate", "--help"],
        ["translate", "--help"], ["recipes", "list"], ["finetun"]],
    ids=" ".join,
)  # fmt: skip
def test_what_needs_no_model_answers_without_loading_anything(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['hftoolkit', *{arguments!r}]\n"
        "from hftoolkit.cli.main import main\n"
        "import contextlib, io\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    with contextlib.redirect_stderr(io.StringIO()):\n"
        "        main()\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    assert not HEAVY & set(python(code).split())


def test_the_module_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hftoolkit", "--version"], capture_output=True, encoding="utf-8", check=True
    )
    assert (done.stdout, done.stderr) == (f"hftoolkit {__version__}\n", "")


def test_the_script_is_the_program() -> None:
    script = Path(sys.executable).with_name("hftoolkit.exe" if os.name == "nt" else "hftoolkit")
    done = subprocess.run([script, "--version"], capture_output=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == (f"hftoolkit {__version__}\n", "")
