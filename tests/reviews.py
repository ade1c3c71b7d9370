"""Rows with labels that a tiny BERT can learn, and classifications of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from running import write_jsonl

from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.recipe.schema import Filters, Source
from hftoolkit.tasks.classification import Classification

REVIEWS = [
    {"text": f"{subject} {verb} {word}", "label": label}
    for subject in ("the film", "the story", "the food", "it")
    for verb in ("is", "was")
    for word, label in (("good", "pro"), ("great", "pro"), ("bad", "con"), ("awful", "con"))
]
"""32 short reviews; half of them like what they are about."""


def loaded(path: Path, rows: Sequence[Mapping[str, Any]], task: Classification, **changes: Any) -> Rows:
    """Rows as a run reads them."""
    source = Source(source=str(write_jsonl(path, rows)))
    filters = Filters(**changes) if changes else None
    return load_rows([source], task.inputs, task.answers, filters=filters, folder=path.parent / "rows")


def run_rows(folder: Path, task: Classification, **parts: Sequence[Mapping[str, Any]]) -> RunRows:
    """Rows of a run with ``train``, ``validation`` and test sets of other names."""
    found = {name: loaded(folder / f"{name}.jsonl", rows, task) for name, rows in parts.items()}
    tests = {name: rows for name, rows in found.items() if name not in ("train", "validation")}
    return RunRows(found["train"], found["validation"], tests, dict.fromkeys(tests, 0))


def classification(**options: Any) -> Classification:
    """A task with these options."""
    return Classification(options, None)
