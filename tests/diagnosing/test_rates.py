"""A rate is a rate: positive, measured in the time it is given, without a trace."""

import time
from itertools import chain, repeat

import pytest
import torch

from hftoolkit.diagnosing import rates
from hftoolkit.diagnosing.rates import product_rate

CPU = torch.device("cpu")


def test_a_rate_is_that_of_the_fastest_product(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = chain([9.0, 1.0, 0.02], repeat(1.0))  # the first one starts threads, and does not count
    monkeypatch.setattr(rates, "_SECONDS", 0.01)
    monkeypatch.setattr(rates, "_seconds", lambda left, right: next(seconds))
    assert product_rate(CPU, torch.bfloat16) == (2 * 256**3 / 0.02, 256)


def test_matrices_grow_while_products_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def one_tenth_of_a_teraflop(left: torch.Tensor, right: torch.Tensor) -> float:
        sizes.append(len(left))
        return 2 * len(left) ** 3 / 1e11

    monkeypatch.setattr(rates, "_seconds", one_tenth_of_a_teraflop)
    assert product_rate(CPU, torch.float32)[0] == pytest.approx(1e11)
    assert sizes == [256, 256, 512, 512, 1024, *[1024] * (len(sizes) - 5)]


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
