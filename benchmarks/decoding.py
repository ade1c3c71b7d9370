"""Target tokens per second of our torch engine beside transformers' own `generate`, on the same sentences.

    python benchmarks/decoding.py MODEL SOURCES [--rows 200] [--beams 4] [--json FILE]

MODEL is a Marian checkpoint, SOURCES a text file of one sentence a line. Every way is timed on the same rows, in turn.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

from hftoolkit.engines.decoding import Decoding
from hftoolkit.translating import open_translator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("sources", type=Path)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    translator = open_translator(arguments.model, device="cpu")
    lines = [line for line in arguments.sources.read_text(encoding="utf-8").split("\n") if line][: arguments.rows]
    model, tokenizer = translator.engine.model, translator.engine.tokenizer

    def plain(batches: list[list[int]]) -> list[str]:
        found = [""] * len(lines)
        for places in batches:
            inputs = tokenizer([lines[place] for place in places], return_tensors="pt", padding=True, truncation=True)
            with torch.inference_mode():
                output = model.generate(**inputs, num_beams=arguments.beams)
            for place, text in zip(places, tokenizer.batch_decode(output, skip_special_tokens=True), strict=True):
                found[place] = text
        return found

    in_order = list(range(len(lines)))
    by_length = sorted(in_order, key=lambda place: len(lines[place]))
    ways: dict[str, Callable[[], list[str]]] = {
        "transformers, one at a time": lambda: plain([[place] for place in in_order]),
        "transformers, batches of 16 in file order": lambda: plain(_cut(in_order, 16)),
        "transformers, batches of 32 by length": lambda: plain(_cut(by_length, 32)),
        "hftoolkit, torch engine": lambda: list(translator.translate(lines, Decoding(arguments.beams))),
    }
    results = []
    reference: list[str] = []
    for name, way in ways.items():
        begin = time.perf_counter()
        texts = way()
        seconds = time.perf_counter() - begin
        reference = reference or texts
        tokens = sum(map(len, tokenizer(text_target=texts)["input_ids"]))
        same = sum(map(str.__eq__, texts, reference))
        results.append({"way": name, "seconds": seconds, "tokens_per_second": tokens / seconds, "same": same})
        first = results[0]["seconds"]
        print(f"{name:44} {tokens / seconds:7.0f} tokens/s  {first / seconds:5.2f}x  {same}/{len(lines)} the same")
    if arguments.json:
        facts = {"rows": len(lines), "beams": arguments.beams, "threads": torch.get_num_threads()}
        facts |= {"machine": platform.machine(), "torch": torch.__version__, "results": results}
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _cut(places: list[int], size: int) -> list[list[int]]:
    return [places[begin : begin + size] for begin in range(0, len(places), size)]


if __name__ == "__main__":
    main()
