import math

import pytest
import torch
from torch import nn

from hftoolkit.training.optimizer import Schedule, build_optimizer, learning_rates


def rates(schedule: Schedule, warmup: int, total: int) -> list[float]:
    rate = learning_rates(schedule, peak=1.0, warmup=warmup, total=total)
    return [rate(step) for step in range(total)]


def test_linear() -> None:
    assert rates("linear", 0, 4) == [1.0, 0.75, 0.5, 0.25]
    assert rates("linear", 2, 6) == [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]


def test_cosine() -> None:
    half = math.sqrt(0.5)
    assert rates("cosine", 0, 4) == pytest.approx([1.0, (1 + half) / 2, 0.5, (1 - half) / 2])
    assert rates("cosine", 1, 3) == pytest.approx([1.0, 1.0, 0.5])


def test_constant() -> None:
    assert rates("constant", 4, 6) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_all_schedules_warm_up_alike_and_never_stand_still(schedule: Schedule) -> None:
    found = rates(schedule, 3, 10)
    assert found[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert min(found) > 0


def test_a_run_that_is_all_warm_up() -> None:
    assert rates("linear", 2, 2) == [0.5, 1.0]


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(4, 2)
        self.layer = nn.Linear(2, 3)
        self.norm = nn.LayerNorm(3)
        self.frozen = nn.Linear(2, 2)
        self.frozen.requires_grad_(False)


def test_only_matrices_decay() -> None:
    model = Small()
    nn.init.ones_(model.layer.bias)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = build_optimizer(model, weight_decay=0.1, betas=(0.9, 0.98))
    for group in optimizer.param_groups:
        group["lr"] = 0.5
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        share = 0.95 if name in ("table.weight", "layer.weight") else 1.0  # 1 - learning rate x decay
        assert torch.allclose(parameter, before[name] * share), name


def test_frozen_parameters_are_left_out() -> None:
    model = Small()
    optimizer = build_optimizer(model, weight_decay=0.1, betas=(0.9, 0.98))
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in model.parameters() if p.requires_grad}


def test_a_model_without_vectors_is_no_error() -> None:
    optimizer = build_optimizer(nn.Linear(2, 2, bias=False), weight_decay=0.1, betas=(0.9, 0.98))
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1]


def test_a_zero_row_stays_and_its_neighbours_move() -> None:
    table = nn.Embedding(4, 2)
    with torch.no_grad():
        table.weight[3].zero_()
    before = table.weight.detach().clone()
    optimizer = build_optimizer(table, weight_decay=0.1, betas=(0.9, 0.98), zero_rows=((table.weight, 3),))
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    for _ in range(3):
        table.weight.grad = torch.ones_like(table.weight)
        optimizer.step()
    assert torch.equal(table.weight[3], torch.zeros(2))
    assert (table.weight[:3] != before[:3]).all()


def test_known_first_step_of_adam() -> None:
    # After one step the bias-corrected mean is g and the root of the variance |g|: every weight moves by the rate.
    layer = nn.Linear(2, 1, bias=False)
    before = layer.weight.detach().clone()
    optimizer = build_optimizer(layer, weight_decay=0.0, betas=(0.9, 0.98))
    optimizer.param_groups[0]["lr"] = 0.25
    layer.weight.grad = torch.tensor([[3.0, -0.5]])
    optimizer.step()
    assert torch.allclose(before - layer.weight, torch.tensor([[0.25, -0.25]]))


def test_weights_may_learn_at_a_share_of_the_rate() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    scales = dict.fromkeys(model[0].parameters(), 0.5)
    optimizer = build_optimizer(model, weight_decay=0.1, betas=(0.9, 0.98), scales=scales)
    found = [(group["scale"], group["weight_decay"], group["params"]) for group in optimizer.param_groups]
    assert [(scale, decay) for scale, decay, _ in found] == [(1.0, 0.1), (1.0, 0.0), (0.5, 0.1), (0.5, 0.0)]
    wanted = [model[1].weight, model[1].bias, model[0].weight, model[0].bias]
    assert all(params == [parameter] for (_, _, params), parameter in zip(found, wanted, strict=True))
