"""Quick dropout drops what it should, from torch's seed, and leaves everything else to torch."""

import pytest
import torch
from torch.nn import functional

from hftoolkit.training import dropout
from hftoolkit.training.dropout import QuickDropout


@pytest.mark.parametrize("share", [0.1, 0.3, 0.9])
def test_the_share_that_is_dropped_and_the_scale_of_the_rest(share: float) -> None:
    torch.manual_seed(3)
    with QuickDropout():
        found = functional.dropout(torch.ones(400, 500), share)
    assert float((found == 0).float().mean()) == pytest.approx(share, abs=0.004)  # four standard deviations
    assert float(found.mean()) == pytest.approx(1.0, rel=0.04)
    assert float(found.max()) == pytest.approx(1 / (1 - share), rel=1e-3)
    assert all((found == 0).any(side).all() for side in (0, 1))  # no row or column is spared


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(4)
    with QuickDropout():
        gone = (functional.dropout(torch.ones(1_000_000), 0.5) == 0).float() - 0.5
    for distance in (1, 2, 3, 4, 8):
        assert abs(float((gone[:-distance] * gone[distance:]).mean())) < 0.0015  # six standard deviations


def test_it_follows_torchs_seed() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        with QuickDropout():
            return functional.dropout(torch.ones(7, 9), 0.4)

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_gradients_and_number_formats() -> None:
    values = torch.randn(5, 7, requires_grad=True)
    with QuickDropout():
        found = functional.dropout(values, 0.5)
        half = functional.dropout(values.bfloat16(), 0.5)
    found.sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, torch.where(found == 0, 0.0, 2.0))
    assert half.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("share", "training", "inplace"), [(0.0, True, False), (1.0, True, False), (0.5, False, False), (0.5, True, True)]
)
def test_what_is_left_to_torch(share: float, training: bool, inplace: bool) -> None:
    def drawn() -> torch.Tensor:
        torch.manual_seed(5)
        return functional.dropout(torch.ones(6, 6), share, training, inplace)

    plain = drawn()
    with QuickDropout():
        assert torch.equal(drawn(), plain)


def test_modules_use_it_while_training(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    whole = dropout._dropout
    monkeypatch.setattr(dropout, "_dropout", lambda *a, **k: seen.append(1) or whole(*a, **k))
    with QuickDropout():
        torch.nn.Dropout(0.5)(torch.ones(3))
    assert seen
