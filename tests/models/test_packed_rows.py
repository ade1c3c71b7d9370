"""Which architectures keep documents apart in one row, tried on models that have learned nothing."""

from typing import Any

import pytest
import torch
import transformers

from hftoolkit.models.packed_rows import keeps_apart

SIZES: dict[str, Any] = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
GROUPED: dict[str, Any] = SIZES | {"num_key_value_heads": 1, "head_dim": 8}
APART = [
    transformers.GPT2Config(vocab_size=30, n_embd=16, n_layer=2, n_head=2, n_positions=16),
    transformers.LlamaConfig(**GROUPED),
    transformers.Qwen2Config(**GROUPED),
    transformers.Qwen3Config(**GROUPED),
    transformers.Gemma2Config(**GROUPED, sliding_window=4),
    transformers.Gemma3TextConfig(**GROUPED, sliding_window=4),
    transformers.GPTNeoXConfig(**SIZES),
]
TOGETHER = [
    transformers.BloomConfig(vocab_size=30, hidden_size=16, n_layer=2, n_head=2),  # takes no numbers of positions
    transformers.MambaConfig(vocab_size=30, hidden_size=16, num_hidden_layers=2, state_size=4),  # has none
]


@pytest.mark.parametrize("attention", ["eager", None])  # None: the best that it has
@pytest.mark.parametrize("config", APART, ids=lambda config: str(config.model_type))
def test_documents_are_kept_apart(config: Any, attention: str | None) -> None:
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    model.train()
    assert keeps_apart(model)
    assert model.training


@pytest.mark.parametrize("config", TOGETHER, ids=lambda config: str(config.model_type))
def test_documents_are_not_kept_apart(config: Any) -> None:
    torch.manual_seed(1)
    assert not keeps_apart(transformers.AutoModelForCausalLM.from_config(config))


def test_positions_alone_are_not_enough() -> None:
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(APART[1])
    forward = model.forward
    model.forward = lambda **given: forward(**given, attention_mask=torch.ones_like(given["input_ids"]))
    assert not keeps_apart(model)
