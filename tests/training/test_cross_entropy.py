"""The sum of cross-entropies equals torch's own, gradients included, however it is cut into pieces."""

import pytest
import torch
from torch.nn import functional

from hftoolkit.training import cross_entropy
from hftoolkit.training.cross_entropy import sum_of_cross_entropies

LABELS = torch.tensor([3, 0, -100, 6, 6, -100, 1])
TORCH = pytest.mark.parametrize("smoothing", [0.0, 0.2])


def tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hidden states [7, 4], output weights [9, 4], a bias [9]."""
    torch.manual_seed(1)
    hidden, weight = torch.randn(7, 4, requires_grad=True), torch.randn(9, 4, requires_grad=True)
    return hidden, weight, torch.randn(9)


def expected(hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, smoothing: float) -> torch.Tensor:
    logits = functional.linear(hidden, weight, bias)
    return functional.cross_entropy(logits, LABELS, reduction="sum", label_smoothing=smoothing)


@TORCH
@pytest.mark.parametrize("logits", [1, 18, 1000], ids=["one token at a time", "two", "all at once"])
def test_loss_and_gradients_are_those_of_torch(smoothing: float, logits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cross_entropy._LOGITS, "cpu", logits)
    hidden, weight, bias = tensors()
    ours = sum_of_cross_entropies(hidden, weight, bias, LABELS, smoothing=smoothing)
    found = torch.autograd.grad(ours / 3, (hidden, weight))
    right = expected(hidden, weight, bias, smoothing)
    wanted = torch.autograd.grad(right / 3, (hidden, weight))
    torch.testing.assert_close(ours, right)
    torch.testing.assert_close(found, wanted)


def test_a_bias_is_trained_where_it_is_a_weight() -> None:
    hidden, weight, bias = tensors()
    bias.requires_grad_(True)
    found = torch.autograd.grad(sum_of_cross_entropies(hidden, weight, bias, LABELS, smoothing=0.2), (weight, bias))
    wanted = torch.autograd.grad(expected(hidden, weight, bias, 0.2), (weight, bias))
    torch.testing.assert_close(found, wanted)
    hidden, weight = hidden.detach(), weight.detach()
    (alone,) = torch.autograd.grad(sum_of_cross_entropies(hidden, weight, bias, LABELS, smoothing=0.2), bias)
    torch.testing.assert_close(alone, wanted[1])


def test_no_bias_and_no_gradient() -> None:
    hidden, weight, _ = tensors()
    with torch.no_grad():
        assert sum_of_cross_entropies(hidden, weight, None, LABELS) == pytest.approx(
            float(expected(hidden, weight, None, 0.0)), rel=1e-6
        )


def test_a_frozen_output_layer_costs_no_gradient() -> None:
    hidden, weight, bias = tensors()
    weight.requires_grad_(False)
    loss = sum_of_cross_entropies(hidden, weight, bias, LABELS)
    kept = loss.grad_fn.saved_tensors  # type: ignore[union-attr]
    assert [tensor.shape for tensor in kept] == [hidden[LABELS != -100].shape]
    (found,) = torch.autograd.grad(loss, hidden)
    (wanted,) = torch.autograd.grad(expected(hidden, weight, bias, 0.0), hidden)
    torch.testing.assert_close(found, wanted)


def test_another_ignored_label() -> None:
    hidden, weight, bias = (tensor.detach() for tensor in tensors())
    labels = LABELS.clone()
    labels[labels == -100] = 8
    found = sum_of_cross_entropies(hidden, weight, bias, labels, ignored=8)
    assert float(found) == pytest.approx(float(expected(hidden, weight, bias, 0.0)), rel=1e-6)


def test_nothing_counts() -> None:
    hidden, weight, bias = tensors()
    loss = sum_of_cross_entropies(hidden, weight, bias, torch.full((7,), -100))
    loss.backward()
    assert float(loss.detach()) == 0.0
    for tensor in (hidden, weight):
        assert tensor.grad is not None
        assert not tensor.grad.any()


@TORCH
def test_products_in_bf16_stay_near(smoothing: float) -> None:
    hidden, weight, bias = tensors()
    with torch.autocast("cpu", torch.bfloat16):
        loss = sum_of_cross_entropies(hidden.bfloat16(), weight, bias, LABELS, smoothing=smoothing)
    found = torch.autograd.grad(loss, (hidden, weight))
    right = expected(hidden, weight, bias, smoothing)
    wanted = torch.autograd.grad(right, (hidden, weight))
    assert loss.dtype == found[1].dtype == torch.float32
    torch.testing.assert_close(loss, right, rtol=0.02, atol=0.05)
    torch.testing.assert_close(found, wanted, rtol=0.05, atol=0.05)


def test_pieces_are_not_so_small_that_the_matrix_is_read_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    gather = torch.Tensor.gather
    monkeypatch.setitem(cross_entropy._LOGITS, "cpu", 1)
    monkeypatch.setattr(torch.Tensor, "gather", lambda *given: seen.append(given[0].shape) or gather(*given))
    sum_of_cross_entropies(torch.randn(10, 8), torch.randn(9, 8), None, torch.zeros(10, dtype=torch.int64))
    assert seen == [(4, 9), (4, 9), (2, 9)]
