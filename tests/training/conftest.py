"""A few sentences of unequal lengths, and the tiny translator that can still learn from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.translation import Translation
from hftoolkit.training.batches import Batch
from hftoolkit.training.loop import Objective
from hftoolkit.training.plan import MicroBatch

SENTENCES = [
    ("Good morning, teacher!", "老师，早上好！"),
    ("Where?", "在哪里？"),
    ("I like the library and I like the teacher.", "我喜欢图书馆，我也喜欢老师。"),
    ("The canteen is open in the morning.", "食堂早上开着。"),
    ("Thank you!", "谢谢！"),
    ("Is the library open?", "图书馆开着吗？"),
    ("The teacher is not in the canteen.", "老师不在食堂。"),
    ("Good night, good night, good night!", "晚安，晚安，晚安！"),
]


@dataclass(frozen=True)
class Lesson:
    """A model and what it is taught."""

    model: Any
    task: Translation
    features: list[dict[str, Any]]

    def collate(self, micro: MicroBatch, seed: int) -> Batch:
        return self.task.collate([self.features[row] for row in micro.rows], seed)

    @property
    def objective(self) -> Objective:
        return Objective(self.model, self.task.loss)

    def batch(self, *rows: int) -> Batch:
        return self.collate(MicroBatch(np.array(rows), True), 0)


@pytest.fixture
def lesson(marian: Path) -> Callable[..., Lesson]:
    """Makes a lesson with a fresh copy of the model."""

    def make(dropout: float = 0.0) -> Lesson:
        task = Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))
        loaded = load_checkpoint(str(marian), task.auto_class, dropout=dropout)
        task.bind(loaded.tokenizer, loaded.model.config)
        rows: list[Mapping[str, Any]] = [{"source": source, "target": target} for source, target in SENTENCES]
        encoded = task.encode(rows, loaded.tokenizer, 64)
        features = [{name: np.array(ids, np.int32) for name, ids in found[0].items()} for found in encoded]
        return Lesson(loaded.model, task, features)

    return make
