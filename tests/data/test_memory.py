"""Loading keeps little in memory, however many rows there are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="peak memory is asked of the system")

CHILD = """
import json, resource, sys
from pathlib import Path
from hftoolkit.data.rows import load_rows
from hftoolkit.recipe.schema import Filters, Source
rows = load_rows([Source(source=sys.argv[1])], ["source"], ["target"], filters=Filters(), folder=Path(sys.argv[2]))
counted = sum(1 for _ in rows)
assert "pandas" not in sys.modules
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([counted, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit]))
"""


def peak(folder: Path, count: int) -> int:
    """Most bytes a new process had in memory while it loaded and read so many rows, a tenth of them duplicates."""
    path = folder / f"{count}.tsv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("source\ttarget\n")
        numbers = (i - (i % 10 == 9) for i in range(count))
        file.writelines(f"This is sentence {number}.\t这是第 {number} 句。\n" for number in numbers)
    command = [sys.executable, "-c", CHILD, str(path), str(folder / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    counted, bytes_ = json.loads(done.stdout)
    assert counted == count * 9 // 10
    return int(bytes_)


def test_memory_grows_by_bytes_not_by_texts(tmp_path: Path) -> None:
    few, many = peak(tmp_path, 10_000), peak(tmp_path, 150_000)
    assert many - few < 140_000 * 60  # half of it is what the allocator does in steps


@pytest.mark.slow
def test_a_million_rows(tmp_path: Path) -> None:
    few, many = peak(tmp_path, 10_000), peak(tmp_path, 1_000_000)
    assert many - few < 990_000 * 35
