"""The output layer kept apart: what it would read, for every kind of head, and nothing changed afterwards."""

from typing import Any

import pytest
import torch
import transformers

from hftoolkit.errors import ModelError
from hftoolkit.models.projection import scores_plainly, without_projection

SIZES: dict[str, Any] = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "pad_token_id": 0,
}
CONFIGS = [
    transformers.BertConfig(**SIZES),
    transformers.RobertaConfig(**SIZES),
    transformers.DebertaV2Config(**SIZES),
    transformers.ElectraConfig(**SIZES, embedding_size=8),
    transformers.ModernBertConfig(**SIZES),
    transformers.AlbertConfig(**SIZES, embedding_size=8),
    transformers.DistilBertConfig(vocab_size=30, dim=16, n_layers=1, n_heads=2, hidden_dim=24),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: str(config.model_type))
def test_the_output_layer_over_it_gives_the_logits(config: Any) -> None:
    torch.manual_seed(1)
    model = transformers.AutoModelForMaskedLM.from_config(config).eval()
    inputs = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4, dtype=torch.int64)}
    with torch.inference_mode():
        expected = model(**inputs).logits
        hidden, _ = without_projection(model, inputs)
        assert hidden.shape[:2] == (1, 4)
        assert hidden.shape[2] < 30
        torch.testing.assert_close(model.get_output_embeddings()(hidden), expected)
        torch.testing.assert_close(model(**inputs).logits, expected)


def test_both_heads_of_pretraining() -> None:
    torch.manual_seed(1)
    model = transformers.BertForPreTraining(CONFIGS[0]).eval()
    inputs = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "token_type_ids": torch.tensor([[0, 0, 1, 1]])}
    with torch.inference_mode():
        expected = model(**inputs)
        hidden, output = without_projection(model, inputs)
        torch.testing.assert_close(model.get_output_embeddings()(hidden), expected.prediction_logits)
    torch.testing.assert_close(output.seq_relationship_logits, expected.seq_relationship_logits)


def test_an_error_inside_leaves_the_model_as_it_was() -> None:
    model = transformers.BertForMaskedLM(CONFIGS[0]).eval()
    with pytest.raises(IndexError):
        without_projection(model, {"input_ids": torch.tensor([[31]])})
    assert "forward" not in vars(model.get_output_embeddings())


def test_a_model_without_an_output_layer_is_refused() -> None:
    model = transformers.BertModel(CONFIGS[0])
    with pytest.raises(ModelError) as caught:
        without_projection(model, {"input_ids": torch.tensor([[5]])})
    assert str(caught.value) == (
        "the output layer of the architecture 'bert' cannot be kept apart, as pretraining needs\n"
        "  choose another encoder:   model: {name: google-bert/bert-base-uncased}"
    )


CAUSAL: dict[str, Any] = SIZES | {"num_key_value_heads": 1, "head_dim": 8}
PLAIN = [
    transformers.GPT2Config(vocab_size=30, n_embd=16, n_layer=1, n_head=2),
    transformers.LlamaConfig(**CAUSAL),
    transformers.Qwen2Config(**CAUSAL),
    transformers.Gemma3TextConfig(**CAUSAL),
    transformers.GPTNeoXConfig(**SIZES),
    transformers.OPTConfig(vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=24),
]
CHANGED = [
    transformers.Gemma2Config(**CAUSAL),  # capped
    transformers.GraniteConfig(**CAUSAL, logits_scaling=4.0),
    transformers.CohereConfig(**CAUSAL, logit_scale=0.5),
]


@pytest.mark.parametrize("config", PLAIN, ids=lambda config: str(config.model_type))
def test_the_output_layer_of_a_causal_model(config: Any) -> None:
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    assert scores_plainly(model)
    inputs = {"input_ids": torch.tensor([[5, 6, 7, 8]])}
    with torch.inference_mode():
        hidden, _ = without_projection(model, inputs)
        torch.testing.assert_close(model.get_output_embeddings()(hidden), model(**inputs).logits)


@pytest.mark.parametrize("config", CHANGED, ids=lambda config: str(config.model_type))
def test_scores_that_are_changed_behind_the_output_layer(config: Any) -> None:
    model = transformers.AutoModelForCausalLM.from_config(config)
    assert not scores_plainly(model)
    assert "forward" not in vars(model.get_output_embeddings())
