"""What answers cost: as transformers has it, token by token, in windows that overlap."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.tasks.instruction_tuning import InstructionTuning
from hftoolkit.tasks.instruction_tuning.scoring import Cost, perplexity

ROWS: list[dict[str, Any]] = [
    {"messages": ["user Is it open?", "assistant Yes.", "user Why?", "assistant I do not know."]},
    {"messages": ["system Be brief.", "user Why?", "assistant 图书馆 😀"]},
    {"messages": ["user Tell me.", f"assistant {'The teacher is in the canteen. ' * 9}"]},
]


@pytest.fixture(params=["gpt2", "llama"])
def loaded(request: pytest.FixtureRequest) -> Loaded:
    return load_checkpoint(str(request.getfixturevalue(request.param)), InstructionTuning({}, None).auto_class)


def bound(loaded: Loaded, **options: Any) -> InstructionTuning:
    found = InstructionTuning({"template": "chatml", **options}, None)
    found.bind(loaded.tokenizer, loaded.model.config)
    return found


@torch.inference_mode()
def straightforward(task: InstructionTuning, loaded: Loaded, row: Any, window: int) -> tuple[float, int]:
    """Each token of an answer with what stands before it in the first window that has it."""
    ((ids, learned),) = task.reading.tokens([row])
    nats = 0.0
    for place in (place for place, one in enumerate(learned) if one):
        start = 0
        while start + window <= place:
            start += window // 2
        logs = loaded.model(input_ids=torch.tensor([ids[start:place]])).logits[0, -1].float().log_softmax(-1)
        nats -= float(logs[ids[place]])
    return nats, sum(learned)


@pytest.mark.parametrize("window", [32, 1024])
def test_costs_are_those_of_a_straightforward_computation(loaded: Loaded, window: int) -> None:
    task = bound(loaded, window=window)
    found = list(task.predict(task.engine(loaded.model, loaded.tokenizer), ROWS))
    for row, cost in zip(ROWS, found, strict=True):
        nats, tokens = straightforward(task, loaded, row, min(window, 96))
        assert cost.nats == pytest.approx(nats, rel=1e-4)
        assert cost.tokens == tokens


def test_models_that_change_their_scores_go_through_them(loaded: Loaded) -> None:
    plain, other = bound(loaded), bound(loaded)
    other._plain = False
    costs = [list(task.predict(task.engine(loaded.model, loaded.tokenizer), ROWS[:2])) for task in (plain, other)]
    for one, same in zip(*costs, strict=True):
        assert one.nats == pytest.approx(same.nats, rel=1e-5)


def test_perplexity() -> None:
    counts = Cost(4 * math.log(3), 4).counts() + Cost(0.0, 4).counts()
    assert perplexity(counts) == pytest.approx(math.sqrt(3))
    assert perplexity(np.array([1e9, 1.0])) < math.inf
