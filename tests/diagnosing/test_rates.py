"""A rate is a rate: positive, measured in the time it is given, without a trace."""

import time

import pytest
import torch

from hftoolkit.diagnosing import rates
from hftoolkit.diagnosing.rates import product_rate

CPU = torch.device("cpu")


@pytest.mark.parametrize("number_format", [torch.float32, torch.bfloat16])
def test_a_rate_is_that_of_its_fastest_product(number_format: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_SECONDS", 0.0)
    seconds = iter([9.0, 0.02])
    monkeypatch.setattr(rates, "_seconds", lambda left, right: next(seconds))
    assert product_rate(CPU, number_format) == (2 * 256**3 / 0.02, 256)


def test_matrices_grow_while_products_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_seconds", lambda left, right: len(left) ** 3 / 1e11)
    assert product_rate(CPU, torch.float32) == (pytest.approx(2e11), 1024)


def test_measuring_takes_its_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_SECONDS", 0.05)
    begin = time.perf_counter()
    rate, size = product_rate(CPU, torch.float32)
    assert 0.05 <= time.perf_counter() - begin < 2
    assert rate > 1e7
    assert size >= 256


def test_nobody_elses_random_numbers_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_SECONDS", 0.0)
    before = torch.get_rng_state()
    product_rate(CPU, torch.float32)
    assert torch.equal(torch.get_rng_state(), before)
