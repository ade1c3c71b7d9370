"""Peak memory of a whole run on 10,000 and on 1,000,000 training rows: the same steps, the same model.

    python benchmarks/memory.py [--task language_modelling] [--rows 10000 1000000] [--json FILE]

Every run is a process of its own with an empty cache, so that reading, filtering, encoding, planning, training and
scoring are all in it.
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

ENGLISH = "the a student teacher library canteen book computer screen password opens closes sees likes needs finds old"
CHINESE = "学生老师图书馆食堂书电脑屏幕密码开关看喜欢要找绿旧新小的了在"
RECIPES = {
    "translation": """
task: translation
model: {scratch: {vocabulary: 1000, encoder_layers: 2, decoder_layers: 1, width: 128, feed_forward: 256}}
data:
  train: {source: train.tsv, columns: {source: en, target: zh}}
  validation: {source: test.tsv, columns: {source: en, target: zh}}
  test: {source: test.tsv, columns: {source: en, target: zh}}
  languages: {source: en, target: zh-Hans}
training: {epochs: 1, max_steps: 50}
evaluation: {beams: 1}
output: run
""",
    "language_modelling": """
task: language_modelling
model: {scratch: {vocabulary: 1000, layers: 2, width: 128, feed_forward: 256, positions: 128}}
data: {train: {source: train.jsonl}, validation: {source: test.jsonl}, test: {source: test.jsonl}}
training: {epochs: 1, max_steps: 50}
output: run
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(RECIPES), default="translation")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = []
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write = _write_pairs if arguments.task == "translation" else _write_texts
            write(folder, "train", rows, seed=1)
            write(folder, "test", 20, seed=2)
            (folder / "recipe.yaml").write_text(RECIPES[arguments.task], encoding="utf-8")
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "hftoolkit", "finetune", "recipe.yaml"],
                cwd=folder,
                env=os.environ | {"HFTOOLKIT_CACHE": str(folder / "cache")},
                check=True,
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            seconds = time.perf_counter() - begin
            report = json.loads((folder / "run" / "report.json").read_text(encoding="utf-8"))
        peak = report["peak_memory_bytes"]
        results.append({"rows": rows, "peak_memory_bytes": peak, "seconds": seconds, "phases": report["seconds"]})
        ratio = peak / results[0]["peak_memory_bytes"]
        print(f"{rows:9,} rows  peak {peak / 2**20:6.0f} MiB  {ratio:5.3f}x  {seconds:5.0f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _write_pairs(folder: Path, name: str, rows: int, *, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  words for a benchmark
    with (folder / f"{name}.tsv").open("w", encoding="utf-8", newline="\n") as file:
        file.write("en\tzh\n")
        for number in range(rows):
            chinese = "".join(draw.choices(CHINESE, k=draw.randint(5, 20)))
            file.write(f"{_english(draw, 16)} {number}.\t{chinese}{number}。\n")


def _write_texts(folder: Path, name: str, rows: int, *, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  words for a benchmark
    with (folder / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for number in range(rows):
            file.write(json.dumps({"text": f"{_english(draw, 60)} {number}."}) + "\n")


def _english(draw: random.Random, most: int) -> str:
    return " ".join(draw.choices(ENGLISH.split(), k=draw.randint(4, most)))


if __name__ == "__main__":
    main()
