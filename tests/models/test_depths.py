"""How deep weights lie, in every architecture that recipes name."""

from typing import Any

import pytest
import transformers

from hftoolkit.errors import ModelError
from hftoolkit.models.depths import depths

SMALL = {"vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}


def made(config: Any) -> Any:
    return transformers.AutoModelForSequenceClassification.from_config(config)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            transformers.BertConfig(**SMALL),
            {
                "classifier.weight": 0,
                "bert.pooler.dense.bias": 0,
                "bert.encoder.layer.2.attention.self.query.weight": 1,
                "bert.encoder.layer.0.output.LayerNorm.bias": 3,
                "bert.embeddings.word_embeddings.weight": 4,
                "bert.embeddings.LayerNorm.weight": 4,
            },
        ),
        (
            transformers.RobertaConfig(**SMALL),
            {
                "classifier.dense.weight": 0,
                "roberta.encoder.layer.1.output.dense.weight": 2,
                "roberta.embeddings.position_embeddings.weight": 4,
            },
        ),
        (
            transformers.DistilBertConfig(vocab_size=40, dim=8, n_layers=3, n_heads=2, hidden_dim=16),
            {
                "pre_classifier.weight": 0,
                "distilbert.transformer.layer.0.ffn.lin1.weight": 3,
                "distilbert.embeddings.LayerNorm.bias": 4,
            },
        ),
        (
            transformers.DebertaV2Config(**SMALL, relative_attention=True, pos_att_type=["p2c", "c2p"]),
            {
                "pooler.dense.weight": 0,
                "deberta.encoder.layer.2.output.dense.bias": 1,
                "deberta.encoder.rel_embeddings.weight": 4,
            },
        ),
        (
            transformers.ModernBertConfig(**SMALL, pad_token_id=0, bos_token_id=1, eos_token_id=2),
            {
                "head.dense.weight": 0,
                "model.final_norm.weight": 0,
                "model.layers.2.mlp.Wi.weight": 1,
                "model.embeddings.tok_embeddings.weight": 4,
            },
        ),
        (
            transformers.AlbertConfig(**SMALL, embedding_size=4),
            {
                "classifier.weight": 0,
                "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight": 1,
                "albert.embeddings.word_embeddings.weight": 2,
            },
        ),
    ],
    ids=["bert", "roberta", "distilbert", "deberta", "modernbert", "albert"],
)
def test_the_head_is_on_top_and_the_embeddings_are_at_the_bottom(config: Any, expected: dict[str, int]) -> None:
    model = made(config)
    found = depths(model)
    assert found.keys() == dict(model.named_parameters()).keys()
    assert {name: found[name] for name in expected} == expected
    assert set(found.values()) == set(range(max(expected.values()) + 1))


def test_two_stacks() -> None:
    config = transformers.BartConfig(
        vocab_size=40, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8,
    )  # fmt: skip
    with pytest.raises(ModelError) as caught:
        depths(made(config))
    assert str(caught.value) == (
        "training.layer_decay: an encoder-decoder model has two stacks of layers\n  leave it out for this model"
    )


def test_the_embeddings_of_decoders_are_at_the_bottom() -> None:
    found = depths(transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=40, n_embd=8, n_layer=3, n_head=2)))
    assert {
        name: found[f"transformer.{name}.weight"] for name in ("wte", "wpe", "h.0.ln_1", "h.2.mlp.c_fc", "ln_f")
    } == {
        "wte": 4,
        "wpe": 4,
        "h.0.ln_1": 3,
        "h.2.mlp.c_fc": 1,
        "ln_f": 0,
    }
    found = depths(transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL)))
    names = ("model.embed_tokens", "model.layers.0.mlp.up_proj", "model.norm", "lm_head")
    assert [found[f"{name}.weight"] for name in names] == [4, 3, 0, 0]
