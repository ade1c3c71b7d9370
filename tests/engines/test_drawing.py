"""Drawn tokens: as often as they are likely, from numbers of the row alone."""

import numpy as np
import pytest
import torch
from transformers import GenerationConfig

from hftoolkit.engines.drawing import Draw, drawing
from hftoolkit.engines.sampling import Sampling

SHARES = [0.5, 0.25, 0.15, 0.1, 0.0]


def numbers(rows: int) -> list[np.random.Generator]:
    return [np.random.default_rng([1, row]) for row in range(rows)]


def frequencies(sampling: Sampling, config: GenerationConfig) -> list[float]:
    """How often every token is drawn."""
    rows = 4000
    scores = torch.tensor([SHARES]).log().repeat(rows, 1)
    left = drawing(config, sampling, numbers(rows))(torch.zeros(rows, 1, dtype=torch.long), scores)
    assert (left.isfinite().sum(1) == 1).all()
    return (torch.bincount(left.argmax(1), minlength=5) / rows).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("sampling", "config", "expected"),
    [
        ({}, {}, SHARES),
        ({"top_k": 2}, {}, [2 / 3, 1 / 3, 0, 0, 0]),
        ({"top_p": 0.7}, {}, [2 / 3, 1 / 3, 0, 0, 0]),
        ({}, {"min_p": 0.25}, [5 / 9, 2.5 / 9, 1.5 / 9, 0, 0]),
        ({"temperature": 0.5}, {}, [0.25 / 0.345, 0.0625 / 0.345, 0.0225 / 0.345, 0.01 / 0.345, 0]),
        (
            {"temperature": 0.5},
            {"temperature": 9.0, "top_k": 1},
            [0.25 / 0.345, 0.0625 / 0.345, 0.0225 / 0.345, 0.01 / 0.345, 0],
        ),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_likely(
    sampling: dict[str, float], config: dict[str, float], expected: list[float]
) -> None:
    found = frequencies(Sampling(**{"temperature": 1.0} | sampling), GenerationConfig(**config))  # type: ignore[arg-type]
    assert found == pytest.approx(expected, abs=0.025)
    assert [share for share, wanted in zip(found, expected, strict=True) if not wanted and share] == []


def test_the_last_number_there_is_draws_a_likely_token() -> None:
    class Last:
        def random(self, dtype: object) -> np.float32:
            return np.nextafter(np.float32(1), np.float32(0))

    scores = torch.tensor([[0.0, 1.0, -torch.inf, -torch.inf]])
    assert Draw([Last()])(torch.zeros(1, 1), scores).argmax() == 1  # type: ignore[list-item]


def test_the_likeliest_needs_nothing() -> None:
    assert not drawing(GenerationConfig(), Sampling(), numbers(1))
