"""Tagged sentences as files, and as the rows of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from running import write_jsonl

from hftoolkit.data.prepared import RunRows, load_run
from hftoolkit.data.rows import Rows
from hftoolkit.recipe.schema import Data

Sentences = Sequence[str]
"""Each of words with their tags: ``"great/B-ORG film/I-ORG !/O"``."""


def as_row(sentence: str) -> dict[str, list[str]]:
    """A sentence as a row."""
    pairs = [part.rsplit("/", 1) for part in sentence.split()]
    return {"words": [word for word, _ in pairs], "tags": [tag for _, tag in pairs]}


def write_conll(path: Path, sentences: Sentences) -> Path:
    """A file of two columns."""
    rows = [as_row(sentence) for sentence in sentences]
    lines = ["".join(f"{word} {tag}\n" for word, tag in zip(*row.values(), strict=True)) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run_rows(
    folder: Path, train: Sentences, validation: Sentences = ("a/O",), test: Sentences = ("a/O",), **keys: Any
) -> RunRows:
    """Sentences as the rows of a run; their files are ``train.conll``, ``validation.conll``, ``test.conll``."""
    parts = {"train": train, "validation": validation, "test": test}
    sources = {name: {"source": str(write_conll(folder / f"{name}.conll", part))} for name, part in parts.items()}
    data = Data.model_validate({**sources, "filters": {"duplicates": False}})
    return load_run(data, ("words",), ("tags",), folder=folder / "rows", seed=1)


def train_rows(folder: Path, *sentences: str) -> Rows:
    """Sentences as training rows."""
    return run_rows(folder, sentences).train


def span_rows(folder: Path, **parts: Sequence[tuple[str, list[tuple[int, int, str]]]]) -> RunRows:
    """Texts with spans as the rows of a run, in ``train.jsonl``, ``validation.jsonl`` and ``test.jsonl``."""
    sources = {}
    for name in ("train", "validation", "test"):
        rows = [{"text": text, "spans": spans} for text, spans in parts.get(name, [("a", [])])]
        sources[name] = {"source": str(write_jsonl(folder / f"{name}.jsonl", rows))}
    data = Data.model_validate({**sources, "filters": {"duplicates": False}})
    return load_run(data, ("text",), ("spans",), folder=folder / "rows", seed=1)
