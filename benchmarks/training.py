"""Tokens per second and peak memory of training: our loop beside transformers' `Seq2SeqTrainer`.

    python benchmarks/training.py SOURCES TARGETS LANGUAGE [--steps 60] [--tokens 8192] [--json FILE]

SOURCES and TARGETS are parallel text, LANGUAGE that of the targets; the sources are taken for English. A new Marian
model (4+4 layers of 128, vocabulary 10,000, dropout 0.3) is trained with label smoothing in bf16 products. The trainer
gets batches of as many rows as fill the same number of tokens on average, and groups rows by length. `exact` is our
loop with tables as wide as their longest row, not a multiple of 4: less padding, more shapes. Each is a process of its
own, one after the other and twice; the first steps are not counted. Only tokens that are no padding count; our seconds
are those within steps, the trainer's those between their ends.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hftoolkit.models.devices import choose_device, peak_memory

WARM = 10
"""Steps that are not counted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path)
    parser.add_argument("targets", type=Path)
    parser.add_argument("language")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=list(_RUNS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        speed = _RUNS[arguments.only](arguments)
        memory = peak_memory(choose_device())
        print(json.dumps({"tokens_per_second": round(speed), "peak_memory_mib": memory >> 20}))
        return
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            for name in _RUNS:
                command = [sys.executable, *sys.argv, "--only", name, "--folder", folder]
                told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
                results.setdefault(name, []).append(json.loads(told))
                print(f"{name:10} {told}", flush=True)
    ratio = {
        f"hftoolkit / {other}": {
            key: round(
                statistics.mean(one[key] for one in results["hftoolkit"])
                / statistics.mean(one[key] for one in results[other]),
                2,
            )
            for key in ("tokens_per_second", "peak_memory_mib")
        }
        for other in ("trainer", "exact")
    }
    print(json.dumps(ratio, indent=2))
    if arguments.json:
        facts = {"steps": arguments.steps, "tokens": arguments.tokens, "runs": results, "ratio": ratio}
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _ours(arguments: argparse.Namespace) -> float:
    from hftoolkit import finetune

    recipe: dict[str, Any] = _recipe(arguments)
    output = Path(recipe["output"])
    report = finetune(recipe, overwrite=True)
    lines = [json.loads(line) for line in (output / "steps.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line for line in lines if "loss" in line][WARM:]
    assert report.steps == arguments.steps
    return sum(line["tokens"] for line in steps) / sum(line["seconds"] for line in steps)


def _exact(arguments: argparse.Namespace) -> float:
    from hftoolkit.data import padding

    padding.STEP = 1
    return _ours(arguments)


def _recipe(arguments: argparse.Namespace) -> dict[str, Any]:
    few = arguments.folder / "few"
    for name, path in (("source", arguments.sources), ("target", arguments.targets)):
        lines = path.read_text(encoding="utf-8").split("\n")[:8]
        few.with_suffix(f".{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    held = {"files": {name: str(few.with_suffix(f".{name}")) for name in ("source", "target")}}
    return {
        "task": "translation",
        "model": {"scratch": _sizes()},
        "data": {
            "train": {"files": {"source": str(arguments.sources), "target": str(arguments.targets)}},
            "validation": held,
            "test": held,
            "languages": {"source": "en", "target": arguments.language},
        },
        "training": {
            "epochs": 100,
            "max_steps": arguments.steps,
            "batch_tokens": arguments.tokens,
            "learning_rate": 1e-3,
            "label_smoothing": 0.1,
            "precision": "bf16",
        },
        "evaluation": {"beams": 1},
        "output": str(arguments.folder / "ours"),
    }


def _sizes() -> dict[str, Any]:
    sizes = {
        "vocabulary": 10000,
        "encoder_layers": 4,
        "decoder_layers": 4,
        "width": 128,
        "feed_forward": 256,
        "heads": 4,
    }
    return {**sizes, "dropout": 0.3}


def _theirs(arguments: argparse.Namespace) -> float:
    from datasets import Dataset
    from transformers import (
        DataCollatorForSeq2Seq,
        Seq2SeqTrainer,
        Seq2SeqTrainingArguments,
        TrainerCallback,
    )

    from hftoolkit.models.loading import load_checkpoint
    from hftoolkit.models.scratch import build_marian
    from hftoolkit.recipe.schema import Languages, Scratch

    pairs = list(
        zip(*(p.read_text(encoding="utf-8").splitlines() for p in (arguments.sources, arguments.targets)), strict=True)
    )
    start = arguments.folder / "theirs"
    if not start.is_dir():
        languages = Languages(source="en", target=arguments.language)
        build_marian(Scratch(**_sizes()), (text for pair in pairs for text in pair), languages, start, seed=1)
    loaded = load_checkpoint(str(start), lambda *_: "AutoModelForSeq2SeqLM")
    encoded = loaded.tokenizer([a for a, _ in pairs], text_target=[b for _, b in pairs])
    lengths = [len(a) + len(b) for a, b in zip(encoded["input_ids"], encoded["labels"], strict=True)]
    rows = Dataset.from_dict({"input_ids": encoded["input_ids"], "labels": encoded["labels"], "length": lengths})
    counted: list[tuple[float, int]] = []

    class Count(DataCollatorForSeq2Seq):
        tokens = 0

        def __call__(self, features: Any, return_tensors: Any = None) -> Any:
            Count.tokens += sum(len(one["input_ids"]) + len(one["labels"]) for one in features)
            features = [{key: one[key] for key in ("input_ids", "labels")} for one in features]
            return super().__call__(features, return_tensors)

    class Watch(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            counted.append((time.perf_counter(), Count.tokens))

    settings = Seq2SeqTrainingArguments(
        output_dir=str(arguments.folder / "trainer"),
        max_steps=arguments.steps,
        per_device_train_batch_size=max(1, round(arguments.tokens / statistics.mean(lengths))),
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        learning_rate=1e-3,
        label_smoothing_factor=0.1,
        bf16=True,
        use_cpu=choose_device().type == "cpu",
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        remove_unused_columns=False,
    )
    trainer = Seq2SeqTrainer(
        model=loaded.model.train(),
        args=settings,
        train_dataset=rows,
        data_collator=Count(loaded.tokenizer, loaded.model),
        callbacks=[Watch()],
    )
    trainer.train()
    # A batch may be fetched ahead of its step: over many steps it does not matter.
    (begin, before), (end, after) = counted[WARM - 1], counted[-1]
    return (after - before) / (end - begin)


_RUNS: dict[str, Callable[[argparse.Namespace], float]] = {"hftoolkit": _ours, "exact": _exact, "trainer": _theirs}

if __name__ == "__main__":
    main()
