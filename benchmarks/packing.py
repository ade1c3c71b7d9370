"""Tokens per second and peak memory of training on documents: packed, and in the ways that others arrange them.

    python benchmarks/packing.py TEXT [--model NAME] [--window 1024] [--tokens 4096] [--steps 30] [--json FILE]

TEXT is a plain text file in which blank lines part documents. `packed` lays documents behind each other, and none sees
another; `naive` cuts all of them, one behind the other, into full windows, across which everything is seen; `sorted`
pads documents of about equal length, as the other tasks here do; `random` pads batches in random order, of as many
documents as have the same number of tokens on average. The model, without a name a new GPT of 12 M weights, the loss
and the loop are the same for all. Each way is a process of its own, one after the other and twice; the first steps are
not counted. Tokens are those of documents: no padding.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator
from numpy.typing import NDArray

from hftoolkit import hub
from hftoolkit.data.prepared import load_run
from hftoolkit.job import Job, plan_of, prepared
from hftoolkit.models.devices import choose_device, peak_memory
from hftoolkit.recipe.reader import recipe_from
from hftoolkit.reports.folder import RunFolder
from hftoolkit.starting import decided, features_of, start_of, trainable
from hftoolkit.tasks import task_options
from hftoolkit.tasks.language_modelling import LanguageModelling
from hftoolkit.training.batches import Batch
from hftoolkit.training.loop import train
from hftoolkit.training.next_tokens import next_token_batch
from hftoolkit.training.plan import MicroBatch, PlannedStep

WARM = 5
"""Steps that are not counted."""

SIZES = {"vocabulary": 8000, "layers": 8, "width": 320, "heads": 5, "feed_forward": 1280, "dropout": 0.0}

Collate = Callable[[MicroBatch, int], Batch]
Steps = Iterator[PlannedStep]


@dataclass(frozen=True)
class Place:
    """What every way arranges."""

    job: Job
    window: int
    tokens: int

    def documents(self, rows: NDArray[Any]) -> list[Mapping[str, NDArray[np.int32]]]:
        return self.job.features.table.take_arrays(rows)

    def padded(self, micro: MicroBatch, _: int) -> Batch:
        return next_token_batch(self.documents(micro.rows), pad=0, widest=self.window)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--window", type=int, default=1024)
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=list(_WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(_measured(arguments)))
        return
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            for name in _WAYS:
                command = [sys.executable, *sys.argv, "--only", name, "--folder", folder]
                told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
                results.setdefault(name, []).append(json.loads(told))
                print(f"{name:7} {told}", flush=True)
    ratio = {f"packed / {other}": _ratio(results["packed"], results[other]) for other in list(_WAYS)[1:]}
    print(json.dumps(ratio, indent=2))
    if arguments.json:
        facts = {"window": arguments.window, "tokens": arguments.tokens, "steps": arguments.steps}
        arguments.json.write_text(json.dumps({**facts, "runs": results, "ratio": ratio}, indent=2) + "\n", "utf-8")


def _ratio(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> dict[str, float]:
    return {
        key: round(statistics.mean(one[key] for one in ours) / statistics.mean(one[key] for one in theirs), 2)
        for key in ("tokens_per_second", "peak_memory_mib")
    }


def _measured(arguments: argparse.Namespace) -> dict[str, float]:
    accelerator = Accelerator(cpu=choose_device().type == "cpu")
    job = _job(arguments, accelerator)
    collate, steps = _WAYS[arguments.only](Place(job, arguments.window, arguments.tokens))
    objective, optimizer = prepared(job, accelerator)
    taken = list(
        train(
            objective,
            optimizer,
            islice(steps, arguments.steps + WARM),
            collate=collate,
            rate=lambda _: 1e-4,
            accelerator=accelerator,
            seed=1,
            max_grad_norm=1.0,
            bf16=job.recipe.training.precision == "bf16",
        )
    )[WARM:]
    assert len(taken) == arguments.steps, "the text is too short for so many steps"
    tokens = sum(step.tokens for step in taken)
    return {
        "tokens_per_second": round(tokens / sum(step.seconds for step in taken)),
        "padding": round(1 - tokens / sum(step.tokens / (1 - step.padding) for step in taken), 3),
        "peak_memory_mib": peak_memory(accelerator.device) >> 20,
    }


def _job(arguments: argparse.Namespace, accelerator: Accelerator) -> Job:
    """What a run of language modelling trains."""
    source = {"files": {"text": str(arguments.text)}}
    model = {"name": arguments.model} if arguments.model else {"scratch": {**SIZES, "positions": arguments.window}}
    recipe = recipe_from(
        {
            "task": "language_modelling",
            "model": model,
            "data": {"train": source, "validation": {"split": 0.01}, "test": {"split": 0.01}},
            "training": {"epochs": 100, "batch_tokens": arguments.tokens},
            "options": {"window": arguments.window},
            "output": str(arguments.folder / "run"),
        },
        tasks=task_options(),
    )
    recipe = decided(recipe, accelerator.device)
    task = LanguageModelling(recipe.options, None)
    rows = load_run(recipe.data, task.inputs, task.answers, folder=hub.cache_folder() / "rows", seed=1)
    start, _ = start_of(recipe, task, rows.train, arguments.folder / "start")
    train_features, validation = (features_of(recipe, task, start, part) for part in (rows.train, rows.validation))
    whole, _ = trainable(recipe, task, start, accelerator)
    folder = RunFolder(arguments.folder / "run")
    return Job(recipe, task, start.tokenizer, whole, train_features, validation, rows.validation, folder)


def _packed(place: Place) -> tuple[Collate, Steps]:
    assert place.job.task.packed
    return lambda micro, seed: place.job.task.collate(place.documents(micro.rows), seed), plan_of(place.job).steps()


def _naive(place: Place) -> tuple[Collate, Steps]:
    rows = place.tokens // place.window
    order = np.random.default_rng(1).permutation(len(place.job.features))
    stream = np.concatenate([one["input_ids"] for one in place.documents(order)])
    windows = stream[: len(stream) // place.window * place.window].reshape(-1, place.window)

    def collate(micro: MicroBatch, _: int) -> Batch:
        return next_token_batch([{"input_ids": windows[row]} for row in micro.rows], pad=0)

    return collate, _in_random_order(len(windows), rows)


def _sorted(place: Place) -> tuple[Collate, Steps]:
    place.job.task.packed = False
    return place.padded, plan_of(place.job).steps()


def _random(place: Place) -> tuple[Collate, Steps]:
    mean = float(place.job.features.lengths.mean())
    return place.padded, _in_random_order(len(place.job.features), max(1, round(place.tokens / mean)))


def _in_random_order(rows: int, together: int) -> Steps:
    """So many rows in every step."""
    random, number = np.random.default_rng(2), 0
    while True:
        order = random.permutation(rows)
        for begin in range(0, max(1, rows - together + 1), together):
            yield PlannedStep(number, 0, False, (MicroBatch(order[begin : begin + together], True),))
            number += 1


_WAYS: dict[str, Callable[[Place], tuple[Collate, Steps]]] = {
    "packed": _packed,
    "naive": _naive,
    "sorted": _sorted,
    "random": _random,
}

if __name__ == "__main__":
    main()
