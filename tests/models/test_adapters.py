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
from hftoolkit.models.adapter_folders import adapter_base, is_adapter
from hftoolkit.models.adapters import (
    adapter_targets,
    adapter_words,
    add_adapter,
    merge_adapter,
    refuse_tied_head,
    save_adapter,
)
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.schema import Adapter, Languages
from hftoolkit.tasks.language_modelling import LanguageModelling
from hftoolkit.tasks.translation import Translation

TASK = Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))

KINDS = pytest.mark.parametrize("kind", ["lora", "dora", "rslora"])


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


def seq(**settings: Any) -> Any:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, **settings
    )
    return transformers.BertForSequenceClassification(config)


def modernbert() -> Any:
    config = transformers.ModernBertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, pad_token_id=0
    )
    return transformers.ModernBertForMaskedLM(config)


BERT = ["query", "key", "value", "output.dense", "intermediate.dense"]


@pytest.mark.parametrize(
    ("make", "targets"),
    [
        (bert, BERT),
        (gpt2, ["c_attn", "c_proj", "c_fc"]),
        (modernbert, ["Wqkv", "Wo", "Wi"]),
        (lambda: bert().bert, ["query", "key", "value", "dense"]),
    ],
)
def test_left_out_they_are_all_linear_layers_but_those_of_the_head(make: Any, targets: list[str]) -> None:
    assert adapter_targets(make(), None) == targets


def test_left_out_they_are_those_of_marian(model: Any) -> None:
    assert adapter_targets(model, None) == ["k_proj", "v_proj", "q_proj", "out_proj", "fc1", "fc2"]


def test_left_out_they_are_not_those_of_a_new_head() -> None:
    assert adapter_targets(seq(), None, ["classifier"]) == ["query", "key", "value", "dense"]  # the pooler's among them
    assert adapter_targets(seq(), None, ["bert.pooler", "classifier"]) == BERT
    wrapped = add_adapter(seq(), Adapter(rank=2), "base", "main", ["bert.pooler", "classifier"])
    names = {name.split(".lora_A")[0] for name, _ in wrapped.named_parameters() if ".lora_A" in name}
    assert len(names) == 12  # six in each layer
    assert all(".encoder.layer." in name for name in names)


def test_named_targets_are_taken(model: Any) -> None:
    assert adapter_targets(model, ["fc1", "model.encoder.layers.0.fc2"]) == ["fc1", "model.encoder.layers.0.fc2"]


def test_exactly_the_targets_get_one(model: Any) -> None:
    wrapped = add_adapter(model, Adapter(rank=3, targets=["fc1"]), "base", "main")
    names = [name for name, parameter in wrapped.named_parameters() if parameter.requires_grad]
    assert len(names) == 4  # two matrices in an encoder layer and in a decoder layer
    assert all(".fc1.lora_" in name for name in names)
    assert {min(p.shape) for p in wrapped.parameters() if p.requires_grad} == {3}


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        ({"rank": 4}, 2.0),
        ({"rank": 4, "alpha": 6}, 1.5),
        ({"kind": "dora", "rank": 4}, 2.0),
        ({"kind": "rslora", "rank": 4}, 4.0),
        ({"kind": "rslora", "rank": 16}, 2.0),
        ({"kind": "rslora", "rank": 64}, 1.0),
        ({"kind": "rslora", "rank": 4, "alpha": 6}, 3.0),
    ],
)
def test_left_out_alpha_is_twice_the_rank_and_8_for_rslora(model: Any, settings: Any, scale: float) -> None:
    wrapped = add_adapter(model, Adapter(**settings), "base", "main")
    layer = wrapped.get_base_model().model.encoder.layers[0].fc1
    assert layer.scaling == {"default": scale}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "LoRA, rank 16, alpha 32"),
        ({"kind": "dora", "rank": 8}, "DoRA, rank 8, alpha 16"),
        ({"kind": "rslora", "rank": 64}, "rsLoRA, rank 64, alpha 8"),
        ({"kind": "rslora", "alpha": 3}, "rsLoRA, rank 16, alpha 3"),
    ],
)
def test_its_words_name_the_kind_and_the_alpha_that_is_used(settings: Any, words: str) -> None:
    assert adapter_words(Adapter(**settings)) == words


@KINDS
def test_a_new_adapter_changes_nothing(model: Any, kind: str) -> None:
    before = logits(model)
    found = logits(add_adapter(model, Adapter(kind=kind), "base", "main"))
    assert torch.allclose(found, before, atol=1e-6, rtol=0)
    assert kind == "dora" or torch.equal(found, before)


def test_dora_trains_the_length_of_every_row_too(model: Any) -> None:
    wrapped = add_adapter(model, Adapter(kind="dora", rank=3, targets=["fc1"]), "base", "main")
    lengths = {n: p for n, p in wrapped.named_parameters() if p.requires_grad and "lora_magnitude_vector" in n}
    layer = wrapped.get_base_model().model.encoder.layers[0].fc1
    assert sum(p.requires_grad for p in wrapped.parameters()) == 6
    assert len(lengths) == 2  # of an encoder layer and of a decoder layer
    assert torch.allclose(lengths[next(iter(lengths))], layer.base_layer.weight.norm(dim=1))


def test_its_dropout_is_the_recipes(model: Any) -> None:
    wrapped = add_adapter(model, Adapter(dropout=0.25), "base", "main")
    assert wrapped.get_base_model().model.encoder.layers[0].fc1.lora_dropout["default"].p == 0.25


# Where they may not


def test_dora_on_a_row_that_is_zero(model: Any) -> None:
    with torch.no_grad():
        model.model.decoder.layers[0].fc2.weight[5] = 0.0
    with pytest.raises(ModelError) as caught:
        add_adapter(model, Adapter(kind="dora"), "base", "main")
    assert str(caught.value) == (
        "adapter.kind: DoRA divides by the length of every row of weights, and 'model.decoder.layers.0.fc2' has rows "
        "that are zero\n"
        "  leave it out of adapter.targets, or use another kind:   --set adapter.kind=rslora"
    )


def test_the_tied_output_layer(model: Any) -> None:
    assert refusal(model, ["fc1", "lm_head"]) == (
        "adapter.targets: 'lm_head' is the output layer, which shares its weights with the embeddings: "
        "an adapter on one would untie them\n"
        "  choose from:   fc1, fc2, k_proj, out_proj, q_proj, v_proj"
    )


def test_an_output_layer_of_its_own(model: Any) -> None:
    model.config.tie_word_embeddings = False
    assert refusal(model, ["lm_head"]) == (
        "adapter.targets: 'lm_head' is the output layer, whose weights training reads directly: "
        "an adapter on it would not be trained\n"
        "  choose from:   fc1, fc2, k_proj, out_proj, q_proj, v_proj"
    )


def test_the_output_layer_by_its_whole_name() -> None:
    assert refusal(bert(), ["cls.predictions.decoder"]).endswith("choose from:   dense, key, query, value")


@pytest.mark.parametrize("target", ["query", "shared", "final_layer_norm", "c1", "encoder"])
def test_a_name_that_no_linear_layer_has(model: Any, target: str) -> None:
    assert refusal(model, ["fc1", target]) == (
        f"adapter.targets: no linear layer of this model is named '{target}'\n"
        "  its linear layers are:   fc1, fc2, k_proj, lm_head, out_proj, q_proj, v_proj"
    )


def test_a_new_head() -> None:
    with pytest.raises(ModelError) as caught:
        adapter_targets(seq(), ["query", "classifier"], ["classifier"])
    assert str(caught.value) == (
        "adapter.targets: 'classifier' is part of the new head, which is trained whole: an adapter on it would do "
        "nothing\n  leave it out"
    )
    assert adapter_targets(seq(), ["dense"], ["bert.pooler"]) == ["dense"]
    assert adapter_targets(seq(), ["classifier"]) == ["classifier"]


def test_a_model_without_linear_layers() -> None:
    config = transformers.SqueezeBertConfig(
        vocab_size=20, embedding_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    with pytest.raises(ModelError) as caught:
        adapter_targets(transformers.SqueezeBertForSequenceClassification(config), None, ["transformer.pooler"])
    assert str(caught.value) == (
        "adapter: this model, a 'squeezebert', has no linear layers on which one could be\n"
        "  leave out 'adapter' to train all weights"
    )


# Saved and loaded


@KINDS
def test_loaded_it_computes_what_was_trained(model: Any, marian: Path, tmp_path: Path, kind: str) -> None:
    untouched = logits(model)
    wrapped = trained(model, str(marian), kind=kind)
    expected = logits(wrapped)
    save_adapter(wrapped, tmp_path)
    merged = merge_adapter(load_checkpoint(str(marian), TASK.auto_class).model, tmp_path)
    assert not torch.allclose(expected, untouched, atol=0.1)
    assert torch.allclose(logits(merged), expected, atol=1e-4)
    assert type(merged).__name__ == "MarianMTModel"


@KINDS
def test_loaded_it_predicts_what_it_predicted_in_training(model: Any, marian: Path, tmp_path: Path, kind: str) -> None:
    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.engines.pytorch import TorchEngine

    rows = [source for source, _ in PAIRS]
    wrapped = trained(model, str(marian), kind=kind)
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


def test_a_new_head_that_shares_weights_with_the_embeddings_is_refused() -> None:
    model = bert()
    refuse_tied_head(model, ())
    refuse_tied_head(model, ("cls.predictions.transform",))
    with pytest.raises(ModelError) as caught:
        refuse_tied_head(model, ("cls.predictions",))
    assert str(caught.value) == (
        "adapter: this checkpoint has no head for the task, and a new one, cls.predictions, shares weights with the "
        "embeddings, which an adapter leaves as they are\n"
        "  leave out 'adapter' to train all weights, or start from a checkpoint that has the head"
    )


# Decoders


CAUSAL = pytest.mark.parametrize("name", ["gpt2", "llama"])


def causal_scores(model: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model.eval()(input_ids=torch.arange(10).reshape(2, 5)).logits
    return found


@CAUSAL
@KINDS
def test_decoders_are_adapted_whole_and_saved(
    name: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """GPT-2 keeps its weights the other way round: what peft is not told it warns of, and gets wrong for DoRA."""
    folder = request.getfixturevalue(name)
    task = LanguageModelling({}, None)
    loaded = load_checkpoint(str(folder), task.auto_class).model
    before = causal_scores(loaded)
    layers = len(adapter_targets(loaded, None))
    torch.manual_seed(1)
    wrapped = add_adapter(loaded, Adapter(kind=kind, rank=2), str(folder), "main")
    torch.testing.assert_close(causal_scores(wrapped), before)
    assert sum("lora_A" in each for each, _ in wrapped.named_parameters()) == 2 * (layers + (name == "gpt2"))
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=0.05)
    ids = torch.arange(12).reshape(2, 6)
    for _ in range(3):
        wrapped(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    after = causal_scores(wrapped)
    assert (after - before).abs().max() > 0.1
    save_adapter(wrapped, tmp_path)
    torch.testing.assert_close(
        causal_scores(load_checkpoint(str(tmp_path), task.auto_class).model), after, rtol=1e-4, atol=1e-4
    )
