"""Settings of a continuation: what holds where nothing is said, and what is refused."""

from typing import Any

import pytest
from transformers import GenerationConfig

from hftoolkit.engines.sampling import Sampling, usual
from hftoolkit.errors import UsageError


@pytest.mark.parametrize(
    ("config", "wishes", "expected"),
    [
        ({}, {}, Sampling(temperature=0.7, top_k=50)),
        ({}, {"do_sample": False}, Sampling(top_k=50)),
        ({}, {"temperature": 0}, Sampling(top_k=50)),
        ({}, {"top_p": 0.5, "top_k": None, "seed": 4}, Sampling(temperature=0.7, top_k=50, top_p=0.5, seed=4)),
        ({"temperature": 0.2, "top_p": 0.9, "top_k": 20}, {}, Sampling(temperature=0.2, top_k=20, top_p=0.9)),
        ({"temperature": 0.2}, {"temperature": 1.5}, Sampling(temperature=1.5, top_k=50)),
        ({"do_sample": False}, {}, Sampling(top_k=50)),
        ({"do_sample": False}, {"temperature": 1.5}, Sampling(temperature=1.5, top_k=50)),
        ({"do_sample": False}, {"do_sample": True}, Sampling(temperature=0.7, top_k=50)),
        ({"max_new_tokens": 9}, {}, Sampling(temperature=0.7, top_k=50, max_new_tokens=9)),
        ({"max_new_tokens": 9}, {"max_new_tokens": 8}, Sampling(temperature=0.7, top_k=50, max_new_tokens=8)),
    ],
)
def test_what_is_not_said(config: dict[str, Any], wishes: dict[str, Any], expected: Sampling) -> None:
    assert usual(GenerationConfig(**config), wishes) == expected


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens: expected a whole number from 1, got 0"),
        ({"max_new_tokens": True}, "max_new_tokens: expected a whole number from 1, got True"),
        ({"top_k": -1}, "top_k: expected a whole number from 0, got -1"),
        ({"seed": 1.5}, "seed: expected a whole number from 0, got 1.5"),
        ({"temperature": -1}, "temperature: expected a number from 0, got -1"),
        ({"temperature": float("nan")}, "temperature: expected a number from 0, got nan"),
        ({"temperature": "hot"}, "temperature: expected a number from 0, got 'hot'"),
        ({"top_p": 0}, "top_p: expected a number above 0, up to 1, got 0"),
        ({"top_p": 1.1}, "top_p: expected a number above 0, up to 1, got 1.1"),
        ({"stop": ("",)}, "stop: expected texts at which to stop, got ('',)"),
        ({"stop": (1,)}, "stop: expected texts at which to stop, got (1,)"),
    ],
)
def test_what_cannot_be(wish: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sampling(**wish)
    assert str(caught.value) == message
