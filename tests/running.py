"""The program run inside the test's process, its two streams told apart, and what a run is made of."""

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS

from hftoolkit.cli.main import main
from hftoolkit.reports.run import Report

SWAPPED = [(source, target.translate(str.maketrans({"开": "关", "关": "开"}))) for source, target in PAIRS]
SWAPPED = [
    (source, target.replace("图书馆", "_").replace("食堂", "图书馆").replace("_", "食堂")) for source, target in SWAPPED
]
"""`PAIRS` in a world where library and canteen, open and closed have changed names: to be learned, and forgotten."""

QUICK = {"batch_tokens": 128, "learning_rate": 0.02, "precision": "float32", "dropout": 0.0}
"""Training in which a tiny encoder learns a few rows by heart."""


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


TERMINAL = _Terminal(io.BytesIO())
"""Standard input where nothing is piped in."""


def hftoolkit(*arguments: str | Path, stdin: bytes | io.TextIOWrapper = b"") -> Outcome:
    """Run ``hftoolkit ARGUMENTS`` as a shell would."""
    piped = io.TextIOWrapper(io.BytesIO(stdin)) if isinstance(stdin, bytes) else stdin
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True)
    err = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("COLUMNS", "80")
        patch.setattr(sys, "argv", ["hftoolkit", *map(str, arguments)])
        patch.setattr(sys, "stdin", piped)
        try:
            main()
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    out.seek(0)
    return Outcome(code, out.read(), err.getvalue())


def run_in_two_processes(recipe: Path) -> None:
    """Fine-tune in two processes that share every step."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true"}
    code = "import sys; from hftoolkit.finetuning import finetune; finetune(sys.argv[1])"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, recipe],
            env=os.environ | common | {"RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.PIPE,
        )
        for rank in ("0", "1")
    ]
    try:
        for process in processes:
            _, said = process.communicate(timeout=300)
            assert process.returncode == 0, said.decode()
    finally:
        for process in processes:
            process.kill()


def write_pairs(path: Path, pairs: Sequence[tuple[str, str]]) -> Path:
    """A TSV file with the header ``en``, ``zh``."""
    path.write_text("en\tzh\n" + "".join(f"{en}\t{zh}\n" for en, zh in pairs), encoding="utf-8")
    return path


def write_jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def recipe_on(file: Path, task: str, model: Path) -> dict[str, Any]:
    """A recipe that trains and is measured on the same file, and writes its run beside it."""
    source = {"source": str(file)}
    return {
        "task": task,
        "model": {"name": str(model)},
        "data": {"train": source, "validation": source, "test": source},
        "output": str(file.parent / "run"),
    }


def values(report: Report, *, before: bool = False) -> dict[str, float]:
    """The scores of its only test set by name, to three digits."""
    (test,) = report.tests
    return {score.name: round(score.value, 3) for score in (test.before if before else test.after)}


def write_recipe(path: Path, model: str, **parts: str) -> Path:
    """A recipe for files beside it that takes three steps; other parts replace its own, as YAML."""
    lines = {
        "task": "translation",
        "model": model,
        "data": """
  train: {source: new.tsv, columns: {source: en, target: zh}}
  validation: {source: new.tsv, columns: {source: en, target: zh}}
  test:
    new: {source: new.tsv, columns: {source: en, target: zh}}
    old: {source: old.tsv, columns: {source: en, target: zh}}
  languages: {source: en, target: zh-Hans}""",
        "training": "{epochs: 1, max_steps: 3, learning_rate: 1e-3, batch_tokens: 128, precision: float32}",
        "evaluation": "{beams: 2}",
        "output": f"{path.parent}/run",
    } | parts
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()), encoding="utf-8")
    write_pairs(path.parent / "new.tsv", SWAPPED)
    write_pairs(path.parent / "old.tsv", PAIRS)
    return path


def tree(folder: Path) -> Mapping[str, bytes | None]:
    """Every file below a folder with its content, every folder with None."""
    return {os.path.relpath(path, folder): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
