"""Adapters: where they go, where they may not, and that what is saved is what was trained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from conftest import PAIRS
from hub_server import Hub, allowed, serve
from torch import Tensor

from hftoolkit.errors import ModelError
from hftoolkit.models.adapters import (
    adapter_base,
    adapter_targets,
    add_adapter,
    is_adapter,
    merge_adapter,
    save_adapter,
)
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.schema import Adapter, Languages
from hftoolkit.tasks.translation import Translation

TASK = Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))


@pytest.fixture
def model(marian: Path) -> Any:
    return load_checkpoint(str(marian), TASK.auto_class).model


def bert() -> Any:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    return transformers.BertForMaskedLM(config)


def gpt2() -> Any:
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2))


def refusal(model: Any, targets: list[str] | None) -> str:
    with pytest.raises(ModelError) as caught:
        adapter_targets(model, targets)
    return str(caught.value)


def logits(model: Any) -> Tensor:
    numbers = torch.arange(6).reshape(2, 3)
    with torch.no_grad():
        found: Tensor = model.eval()(input_ids=numbers, decoder_input_ids=numbers + 7).logits
    return found


def trained(model: Any, base: str, **settings: Any) -> Any:
    """The model with an adapter that was trained."""
    torch.manual_seed(1)
    wrapped = add_adapter(model, Adapter(**{"rank": 2, **settings}), base, "main")
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=0.05)
    numbers = torch.arange(6).reshape(2, 3)
    for _ in range(3):
        wrapped(input_ids=numbers, decoder_input_ids=numbers, labels=numbers + 1).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return wrapped


# Where they go


def test_marian_has_our_preset(model: Any) -> None:
    assert adapter_targets(model, None) == ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]


@pytest.mark.parametrize(("make", "targets"), [(bert, ["query", "value"]), (gpt2, ["c_attn"])])
def test_others_have_the_preset_of_peft(make: Any, targets: list[str]) -> None:
    assert adapter_targets(make(), None) == targets


def test_named_targets_are_taken(model: Any) -> None:
    assert adapter_targets(model, ["fc1", "model.encoder.layers.0.fc2"]) == ["fc1", "model.encoder.layers.0.fc2"]


def test_exactly_the_targets_get_one(model: Any) -> None:
    wrapped = add_adapter(model, Adapter(rank=3, targets=["fc1"]), "base", "main")
    names = [name for name, parameter in wrapped.named_parameters() if parameter.requires_grad]
    assert len(names) == 4  # two matrices in an encoder layer and in a decoder layer
    assert all(".fc1.lora_" in name for name in names)
    assert {min(p.shape) for p in wrapped.parameters() if p.requires_grad} == {3}


@pytest.mark.parametrize(("alpha", "scale"), [(None, 2.0), (6, 1.5)])
def test_left_out_alpha_is_twice_the_rank(model: Any, alpha: int | None, scale: float) -> None:
    wrapped = add_adapter(model, Adapter(rank=4, alpha=alpha), "base", "main")
    layer = wrapped.get_base_model().model.encoder.layers[0].fc1
    assert layer.scaling == {"default": scale}


def test_a_new_adapter_changes_nothing(model: Any) -> None:
    before = logits(model)
    assert torch.equal(logits(add_adapter(model, Adapter(), "base", "main")), before)


def test_its_dropout_is_the_recipes(model: Any) -> None:
    wrapped = add_adapter(model, Adapter(dropout=0.25), "base", "main")
    assert wrapped.get_base_model().model.encoder.layers[0].fc1.lora_dropout["default"].p == 0.25


# Where they may not


def test_the_tied_output_layer(model: Any) -> None:
    assert refusal(model, ["fc1", "lm_head"]) == (
        "adapter.targets: 'lm_head' is the output layer, which shares its weights with the embeddings: "
        "an adapter on one would untie them\n"
        "  choose from:   fc1, fc2, k_proj, out_proj, q_proj, v_proj"
    )


def test_an_output_layer_of_its_own_may_have_one(model: Any) -> None:
    model.config.tie_word_embeddings = False
    assert adapter_targets(model, ["lm_head"]) == ["lm_head"]


@pytest.mark.parametrize("target", ["query", "shared", "final_layer_norm", "c1", "encoder"])
def test_a_name_that_no_linear_layer_has(model: Any, target: str) -> None:
    assert refusal(model, ["fc1", target]) == (
        f"adapter.targets: no linear layer of this model is named '{target}'\n"
        "  its linear layers are:   fc1, fc2, k_proj, lm_head, out_proj, q_proj, v_proj"
    )


def test_an_architecture_without_a_preset() -> None:
    novel = bert()
    novel.config.model_type = "novel"
    assert refusal(novel, None) == (
        "adapter.targets: no usual targets are known for the architecture 'novel'\n"
        "  name some of its linear layers:   decoder, dense, key, query, value"
    )
    assert adapter_targets(novel, ["query"]) == ["query"]


# Saved and loaded


def test_loaded_it_computes_what_was_trained(model: Any, marian: Path, tmp_path: Path) -> None:
    untouched = logits(model)
    wrapped = trained(model, str(marian))
    expected = logits(wrapped)
    save_adapter(wrapped, tmp_path)
    merged = merge_adapter(load_checkpoint(str(marian), TASK.auto_class).model, tmp_path)
    assert not torch.allclose(expected, untouched, atol=0.1)
    assert torch.allclose(logits(merged), expected, atol=1e-4)
    assert type(merged).__name__ == "MarianMTModel"


def test_loaded_it_predicts_what_it_predicted_in_training(model: Any, marian: Path, tmp_path: Path) -> None:
    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.pytorch import TorchEngine

    rows = [source for source, _ in PAIRS]
    wrapped = trained(model, str(marian))
    save_adapter(wrapped, tmp_path)
    loaded = load_checkpoint(str(tmp_path), TASK.auto_class)
    for beams in (1, 4):
        during = list(TorchEngine(wrapped.get_base_model(), loaded.tokenizer).generate(rows, Decoding(beams)))
        assert list(TorchEngine(loaded.model, loaded.tokenizer).generate(rows, Decoding(beams))) == during
        assert during != [target for _, target in PAIRS]


def test_its_folder_holds_the_adapter_alone(model: Any, tmp_path: Path) -> None:
    save_adapter(trained(model, "acme/base"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    assert (tmp_path / "adapter_model.safetensors").stat().st_size < 40_000


def test_it_knows_its_base(model: Any, tmp_path: Path) -> None:
    wrapped = add_adapter(model, Adapter(), "acme/base", "v2")
    save_adapter(wrapped, tmp_path)
    assert adapter_base(tmp_path) == ("acme/base", "v2")


def test_an_adapter_is_told_from_a_model(model: Any, marian: Path, tmp_path: Path) -> None:
    save_adapter(add_adapter(model, Adapter(), "acme/base", "main"), tmp_path)
    assert is_adapter(tmp_path)
    assert not is_adapter(marian)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with allowed(tmp_path / "home", monkeypatch), serve() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.address)
        yield running


def test_saving_asks_nobody(model: Any, tmp_path: Path, hub: Hub) -> None:
    save_adapter(trained(model, "acme/base"), tmp_path / "adapter")
    assert hub.requests == []
