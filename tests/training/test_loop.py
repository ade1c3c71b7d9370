import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from hftoolkit.models.guard import zero_rows
from hftoolkit.training import loop
from hftoolkit.training.batches import Batch
from hftoolkit.training.loop import Objective, Step, mean_loss, train
from hftoolkit.training.optimizer import build_optimizer
from hftoolkit.training.plan import MicroBatch, Plan, PlannedStep

ALL = range(8)
CPU = torch.device("cpu")


@pytest.fixture
def settings() -> dict[str, Any]:
    """What most runs of the loop have in common."""
    return {"rate": lambda _: 1.0, "accelerator": Accelerator(cpu=True), "seed": 1, "max_grad_norm": 1e9}


def steps(*micro_batches: Any, count: int = 1) -> list[PlannedStep]:
    """So many steps over the same rows; an empty micro-batch is a stand-in."""
    parts = tuple(MicroBatch(np.array(rows if len(rows) else [0]), bool(len(rows))) for rows in micro_batches)
    return [PlannedStep(number, 0, number == count - 1, parts) for number in range(count)]


def gradient(lesson: Any, micro_batches: list[Any], settings: dict[str, Any]) -> tuple[Step, dict[str, Tensor]]:
    """The step that was taken, and the gradient it was taken with."""
    found: dict[str, Tensor] = {}

    def keep(*_: Any) -> None:
        found.update({name: p.grad.clone() for name, p in lesson.model.named_parameters() if p.grad is not None})

    optimizer = torch.optim.SGD(lesson.model.parameters(), lr=0.0)
    optimizer.register_step_pre_hook(keep)
    [step] = train(lesson.objective, optimizer, steps(*micro_batches), collate=lesson.collate, **settings)
    return step, found


@pytest.mark.parametrize("pieces", [2, 4, 8, 12])
def test_rows_in_pieces_give_the_same_gradient(
    lesson: Callable[..., Any], settings: dict[str, Any], pieces: int
) -> None:
    whole, expected = gradient(lesson(), [ALL], settings)
    step, found = gradient(lesson(), np.array_split(np.arange(8), pieces), settings)  # 12 pieces have 4 stand-ins
    assert step.loss == pytest.approx(whole.loss, rel=1e-5)
    assert step.gradient_norm == pytest.approx(whole.gradient_norm, rel=1e-5)
    assert step.tokens == whole.tokens
    for name, value in expected.items():
        # A bias of keys moves all scores of a row alike: its gradient is zero but for rounding.
        least = 0.01 * whole.gradient_norm if name.endswith("k_proj.bias") else 0.0
        assert torch.linalg.norm(found[name] - value) <= 1e-5 * max(least, float(torch.linalg.norm(value))), name


def test_the_gradient_is_that_of_the_mean_over_all_tokens(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    one = lesson()
    batch = one.batch(*ALL)
    (one.task.loss(one.model.train(), batch)["translation"] / batch.counts["translation"]).backward()
    expected = {name: p.grad for name, p in one.model.named_parameters() if p.grad is not None}
    _, found = gradient(lesson(), [ALL], settings)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.allclose(found[name], value, rtol=1e-4, atol=1e-6), name


def trained(lesson: Any, planned: list[PlannedStep], settings: dict[str, Any]) -> list[Step]:
    optimizer = build_optimizer(lesson.model, weight_decay=0.01, betas=(0.9, 0.98), zero_rows=zero_rows(lesson.model))
    settings = settings | {"rate": lambda _: 1e-3}
    return list(train(lesson.objective, optimizer, planned, collate=lesson.collate, **settings))


def test_one_batch_of_eight_is_two_of_four(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    eight = trained(lesson(), steps(ALL, count=4), settings)
    fours = trained(lesson(), steps(range(4), range(4, 8), count=4), settings)
    assert [step.loss for step in fours] == pytest.approx([step.loss for step in eight], rel=1e-5)
    assert [step.gradient_norm for step in fours] == pytest.approx([step.gradient_norm for step in eight], rel=1e-4)
    assert eight[-1].loss < eight[0].loss


def test_the_padding_row_stays_exactly_zero(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    one = lesson(dropout=0.1)
    table, pad = one.model.model.shared.weight, one.model.config.pad_token_id
    trained(one, steps(ALL, count=20), settings)
    assert torch.equal(table[pad], torch.zeros_like(table[pad]))
    assert (table[:pad].abs().sum(dim=1) > 0).all()


def test_the_padding_row_would_move_by_itself(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    _, found = gradient(lesson(), [ALL], settings)
    assert found["model.shared.weight"][lesson().model.config.pad_token_id].abs().max() > 0


def test_the_loss_is_transformers_own_where_nothing_is_padded(
    lesson: Callable[..., Any], settings: dict[str, Any]
) -> None:
    one = lesson()
    rows = [0, 0, 0]
    batch = one.batch(*rows)
    labels = batch.labels["translation"]
    assert (labels >= 0).all()
    with torch.no_grad():
        inputs = {name: value for name, value in batch.inputs.items() if name != "decoder_input_ids"}
        expected = one.model.eval()(**inputs, labels=labels).loss
    step, _ = gradient(one, [rows], settings)
    assert step.loss == pytest.approx(float(expected), rel=1e-6)


def test_the_loss_is_a_sum_divided_by_a_count(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    one = lesson()
    sums, counts = [], []
    for row in ALL:
        batch = one.batch(row)  # alone, so that nothing is padded
        with torch.no_grad():
            logs = one.model.eval()(**batch.inputs).logits.log_softmax(-1)
        labels = batch.labels["translation"]
        sums.append(-float(logs.gather(-1, labels[..., None]).sum()))
        counts.append(labels.numel())
    step, _ = gradient(one, [ALL], settings)
    assert step.loss == pytest.approx(sum(sums) / sum(counts), rel=1e-5)
    means = [total / count for total, count in zip(sums, counts, strict=True)]
    assert step.loss != pytest.approx(sum(means) / len(means), rel=1e-2)  # a mean of means is another number


def test_a_step_says_what_it_did(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    one = lesson()
    source, target = (len(one.features[1][name]) for name in ("input_ids", "labels"))
    long_source, long_target = (len(one.features[2][name]) for name in ("input_ids", "labels"))
    settings |= {"rate": lambda number: 0.1 / (number + 1)}
    optimizer = torch.optim.SGD(one.model.parameters(), lr=0.0)
    found = list(train(one.objective, optimizer, steps([1, 2], count=2), collate=one.collate, **settings))
    assert [(step.number, step.epoch, step.last_of_epoch) for step in found] == [(1, 0, False), (2, 0, True)]
    assert [step.learning_rate for step in found] == [0.1, 0.05]
    assert {step.tokens for step in found} == {source + target + long_source + long_target}
    padded = 2 * max(source, long_source) + 2 * max(target, long_target)
    assert found[0].padding == pytest.approx(1 - found[0].tokens / padded)
    assert found[0].seconds > 0


def test_long_gradients_are_cut_to_length(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    step, found = gradient(lesson(), [ALL], settings | {"max_grad_norm": 0.01})
    length = math.sqrt(sum(float((value**2).sum()) for value in found.values()))
    assert length == pytest.approx(0.01, rel=1e-2)
    assert step.gradient_norm > 0.1  # before it was cut


def test_every_step_has_its_own_gradient(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    one = lesson()
    optimizer = torch.optim.SGD(one.model.parameters(), lr=0.0)
    still = settings | {"rate": lambda _: 0.0}
    found = train(one.objective, optimizer, steps(ALL, count=3), collate=one.collate, **still)
    assert len({step.gradient_norm for step in found}) == 1


def test_what_happens_between_two_steps_changes_nothing(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    one, two = lesson(dropout=0.3), lesson(dropout=0.3)
    quiet = trained(one, steps(ALL, count=4), settings)
    optimizer = build_optimizer(two.model, weight_decay=0.01, betas=(0.9, 0.98), zero_rows=zero_rows(two.model))
    disturbed = []
    settings |= {"rate": lambda _: 1e-3}
    for step in train(two.objective, optimizer, steps(ALL, count=4), collate=two.collate, **settings):
        disturbed.append(step)
        torch.rand(7)
        mean_loss(two.model, [two.batch(*ALL)], two.task.loss, CPU)
        two.model.generate(**{k: v for k, v in two.batch(0).inputs.items() if k != "decoder_input_ids"}, max_length=5)
    assert [step.loss for step in disturbed] == [step.loss for step in quiet]
    for (name, value), other in zip(one.model.named_parameters(), two.model.parameters(), strict=True):
        assert torch.equal(value, other), name


def test_dropout_is_on_and_differs_by_step_piece_and_seed(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    def losses(seed: int, *micro_batches: Any) -> list[float]:
        one = lesson(dropout=0.3)
        optimizer = torch.optim.SGD(one.model.parameters(), lr=0.0)
        still = settings | {"rate": lambda _: 0.0, "seed": seed}
        planned = steps(*micro_batches, count=2)
        return [s.loss for s in train(one.objective, optimizer, planned, collate=one.collate, **still)]

    one, again, other = losses(1, ALL), losses(1, ALL), losses(2, ALL)
    assert one == again
    assert len({*one, *other, *losses(1, ALL, ALL)}) == 6


def test_bf16_takes_nearly_the_same_step_and_keeps_float32_weights(
    lesson: Callable[..., Any], settings: dict[str, Any]
) -> None:
    exact, _ = gradient(lesson(), [ALL], settings)
    one = lesson()
    step, found = gradient(one, [ALL], settings | {"bf16": True})
    assert step.loss == pytest.approx(exact.loss, rel=2e-2)
    assert step.loss != exact.loss
    assert {value.dtype for value in found.values()} == {torch.float32}


def test_steps_are_taken_only_when_asked_for(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    taken = []

    def planned() -> Iterator[PlannedStep]:
        for step in steps(ALL, count=3):
            taken.append(step.number)
            yield step

    one = lesson()
    optimizer = torch.optim.SGD(one.model.parameters(), lr=0.0)
    stream = train(one.objective, optimizer, planned(), collate=one.collate, **settings)
    assert taken == []
    next(stream)
    assert taken == [0]


def test_the_mean_loss_does_not_depend_on_how_rows_are_batched(lesson: Callable[..., Any]) -> None:
    one = lesson(dropout=0.3)  # off in evaluation
    whole = mean_loss(one.model.train(), [one.batch(*ALL)], one.task.loss, CPU)
    parts = mean_loss(one.model.train(), [one.batch(0), one.batch(5, 2, 1), one.batch(3, 4, 6, 7)], one.task.loss, CPU)
    assert parts == pytest.approx(whole, rel=1e-5)


class TwoLosses(nn.Module):
    """A weight that two losses pull at."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))


def two_losses(model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    return {name: (model.weight[place] * batch.labels[name]).sum() for place, name in enumerate(("a", "b"))}


def test_every_named_loss_has_its_own_count(settings: dict[str, Any]) -> None:
    # "a" counts 1 prediction in the first piece and 3 in the second, "b" 2 and none.
    pieces = [
        Batch({}, {"a": torch.tensor([8.0]), "b": torch.tensor([1.0, 2.0])}, {"a": 1, "b": 2}, 3, 3),
        Batch({}, {"a": torch.tensor([1.0, 2.0, 1.0]), "b": torch.tensor([])}, {"a": 3, "b": 0}, 3, 3),
    ]
    model = TwoLosses()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)

    def collate(micro: MicroBatch, seed: int) -> Batch:
        return pieces[micro.rows[0]]

    list(train(Objective(model, two_losses), optimizer, steps([0], [1]), collate=collate, **settings))
    assert model.weight.tolist() == [-3.0, -1.5]  # (8 + 1 + 2 + 1) / 4 and (1 + 2) / 2


def test_collating_is_seeded_by_run_step_and_piece(settings: dict[str, Any]) -> None:
    def seeds(seed: int) -> list[int]:
        found: list[int] = []

        def collate(micro: MicroBatch, seed: int) -> Batch:
            found.append(seed)
            return Batch({}, {"a": torch.ones(1), "b": torch.ones(1)}, {"a": 1, "b": 1}, 2, 2)

        model = TwoLosses()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        again = settings | {"seed": seed}
        list(train(Objective(model, two_losses), optimizer, steps([0], [1], count=3), collate=collate, **again))
        return found

    assert seeds(1) == seeds(1)
    assert len({*seeds(1), *seeds(2)}) == 12
    assert all(0 <= seed < 2**63 for seed in seeds(2**32 - 1))


def test_it_learns_from_a_plan(lesson: Callable[..., Any], settings: dict[str, Any]) -> None:
    one = lesson()
    lengths = np.array([[len(f["input_ids"]), len(f["labels"])] for f in one.features], np.int32)
    plan = Plan(lengths, np.zeros(8, np.uint16), [1.0], batch_tokens=120, epochs=6)
    loss = partial(mean_loss, one.model, [one.batch(*ALL)], one.task.loss, CPU)
    before = loss()
    found = trained(one, list(plan.steps(micro_batches=2)), settings)
    assert len(found) == plan.total
    assert loss() < 0.9 * before


def test_memory_is_given_back_every_few_steps(
    lesson: Callable[..., Any], settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(loop, "EVERY", 2)
    monkeypatch.setattr(loop, "give_back", lambda: seen.append(1))
    one = lesson()
    optimizer = torch.optim.SGD(one.model.parameters(), lr=0.0)
    list(train(one.objective, optimizer, steps(ALL, count=5), collate=one.collate, **settings))
    assert len(seen) == 3


@pytest.mark.parametrize(("device", "times"), [("cpu", 1), ("meta", 0)])
def test_quick_dropout_is_for_the_cpu(
    lesson: Callable[..., Any], settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, device: str, times: int
) -> None:
    made: list[int] = []
    monkeypatch.setattr(loop, "QuickDropout", lambda: made.append(1) or nullcontext())
    one = lesson()
    settings |= {"accelerator": SimpleNamespace(device=torch.device(device))}
    assert (
        list(train(one.objective, torch.optim.SGD(one.model.parameters()), [], collate=one.collate, **settings)) == []
    )
    assert len(made) == times
