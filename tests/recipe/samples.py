"""A valid recipe for the tests of this folder, and a task to go with it."""

from typing import Any

from pydantic import Field

from hftoolkit.recipe.schema import Part


class Options(Part):
    """The options of an imagined task."""

    prefix: str = ""
    """A text."""

    window: int = Field(default=64, ge=1)
    """A number."""

    bounds: tuple[float, float] = (0.0, 1.0)
    """A pair."""


TASKS = {"translation": Options, "classification": Options}

TEXT = """\
# For the tests.
task: translation
model: {name: Helsinki-NLP/opus-mt-en-zh}
data:
  train:
    - {source: mine.tsv, columns: {source: en, target: zh}}
    - {source: general.tsv, columns: {source: 1, target: 2}, weight: 0.3}
  validation: {split: 0.02}
  test:
    mine: {source: test.tsv}
    docs: {files: {source: docs.en, target: [docs.zh, docs.zh2]}}
  languages: {source: en, target: zh-Hans}
adapter: {kind: lora, rank: 16}
training:
  epochs: 3
  learning_rate: 2e-5
options: {prefix: 'no'}
output: runs/mine
"""

MINIMAL: dict[str, Any] = {
    "task": "translation",
    "model": {"scratch": {}},
    "data": {"train": {"source": "a.tsv"}, "validation": {"split": 0.1}, "test": {"source": "b.tsv"}},
    "output": "runs/x",
}
