"""Results for standard output when that is full."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
@pytest.mark.parametrize("command", [["recipes", "list"], ["recipes", "schema"], ["check", "nowhere.yaml"]])
def test_full(command: list[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hftoolkit", *command], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr.decode()) == (
        1,
        "error: standard output: cannot be written: No space left on device\n  free some space, or write elsewhere\n",
    )
