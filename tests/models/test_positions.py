"""How many tokens a model can read."""

from typing import Any

import pytest
import transformers

from hftoolkit.models.positions import positions

SMALL = {"vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (transformers.BertConfig(**SMALL, max_position_embeddings=20), 20),
        (transformers.RobertaConfig(**SMALL, max_position_embeddings=22, pad_token_id=1), 20),
        (transformers.DebertaV2Config(**SMALL, max_position_embeddings=20), 20),
        (transformers.ModernBertConfig(**SMALL, max_position_embeddings=20, pad_token_id=0), 20),
    ],
    ids=["bert", "roberta", "deberta", "modernbert"],
)
def test_as_many_as_can_be_read(config: Any, expected: int) -> None:
    import torch

    model = transformers.AutoModel.from_config(config).eval()
    assert positions(model) == expected
    model(input_ids=torch.full((1, expected), 5))
