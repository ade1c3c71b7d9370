"""Which checkpoints write, and how far."""

from types import SimpleNamespace

import pytest
from transformers import AutoConfig, BertConfig, BloomConfig, GPT2Config, LlamaConfig, MarianConfig, PreTrainedConfig

from hftoolkit.errors import ModelError
from hftoolkit.models.decoders import causal_class, reach, stop_at


def of(config: PreTrainedConfig, architecture: str | None) -> PreTrainedConfig:
    config.architectures = None if architecture is None else [architecture]
    return config


@pytest.mark.parametrize(
    ("config", "architecture"),
    [
        (GPT2Config(), "GPT2LMHeadModel"),
        (GPT2Config(), "GPT2Model"),
        (GPT2Config(), None),
        (LlamaConfig(), "LlamaForCausalLM"),
        (AutoConfig.for_model("qwen2"), "Qwen2ForCausalLM"),
        (AutoConfig.for_model("gemma3_text"), "Gemma3ForCausalLM"),
    ],
)
def test_decoders(config: PreTrainedConfig, architecture: str | None) -> None:
    assert causal_class(of(config, architecture), "m") == "AutoModelForCausalLM"


@pytest.mark.parametrize(
    ("config", "architecture"),
    [
        (MarianConfig(), "MarianMTModel"),
        (BertConfig(), "BertForMaskedLM"),
        (LlamaConfig(), "LlamaForSequenceClassification"),
        (AutoConfig.for_model("t5"), "T5ForConditionalGeneration"),
    ],
)
def test_others(config: PreTrainedConfig, architecture: str) -> None:
    with pytest.raises(ModelError) as caught:
        causal_class(of(config, architecture), "org/m")
    assert str(caught.value) == (
        f"org/m: this checkpoint is a '{architecture}', which does not go on with a text\n"
        "  choose a causal language model, such as HuggingFaceTB/SmolLM2-135M-Instruct"
    )


def test_a_kind_that_nobody_knows() -> None:
    config = SimpleNamespace(model_type="new", architectures=None, is_encoder_decoder=False)
    with pytest.raises(ModelError, match=r"^m: this checkpoint is a 'new', which does"):
        causal_class(config, "m")


def test_how_far() -> None:
    assert reach(GPT2Config(n_positions=77)) == 77
    assert reach(LlamaConfig(max_position_embeddings=78)) == 78
    assert reach(BloomConfig()) is None


@pytest.mark.parametrize(("said", "found"), [(None, [3]), (1, [1, 3]), ([1, 2], [1, 2, 3]), (3, [3]), ([3, 1], [3, 1])])
def test_a_token_that_ends_texts(said: int | list[int] | None, found: list[int]) -> None:
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=said))
    assert stop_at(model, 3) == (found != said and said != 3)
    assert model.generation_config.eos_token_id == found
