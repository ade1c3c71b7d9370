"""Peak memory of `hftoolkit translate` on a file of 100,000 and of one of 1,000,000 lines.

    python benchmarks/streaming.py MODEL [--rows 100000 1000000] [--beams 1] [--json FILE]

Every line is two sentences of the quickstart, drawn at random; every file is translated by a process of its own.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SENTENCES = Path(__file__).parents[1] / "recipes" / "quickstart"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "hftoolkit", "translate", "--model", arguments.model]
    command += ["--beams", str(arguments.beams)]
    subprocess.run([*command, "Hello."], check=True, stdout=subprocess.DEVNULL)  # converts the checkpoint
    results = []
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as name:
            source, target = Path(name) / "source.txt", Path(name) / "target.txt"
            _write(source, rows)
            begin = time.perf_counter()
            process = subprocess.Popen([*command, "--file", str(source), "--output", str(target)])
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
            if status:
                raise SystemExit(f"translating {rows:,} lines failed")
            with target.open("rb") as file:
                written = sum(1 for _ in file)
            if written != rows:
                raise SystemExit(f"{written:,} lines came back of {rows:,}")
        results.append({"rows": rows, "peak_memory_bytes": usage.ru_maxrss << 10, "seconds": round(seconds, 1)})
        ratio = usage.ru_maxrss / (results[0]["peak_memory_bytes"] >> 10)
        print(f"{rows:9,} lines  peak {usage.ru_maxrss >> 10:5d} MiB  {ratio:5.3f}x  {seconds:6.0f} s", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _write(path: Path, rows: int) -> None:
    draw = random.Random(1)  # noqa: S311  sentences for a benchmark
    tables = [table.read_text(encoding="utf-8") for table in sorted(SENTENCES.glob("*.train.tsv"))]
    sentences = [line.partition("\t")[0] for table in tables for line in table.splitlines()[1:]]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for _ in range(rows):
            file.write(" ".join(draw.choices(sentences, k=2)) + "\n")


if __name__ == "__main__":
    main()
