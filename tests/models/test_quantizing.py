"""Weights in 4 bits: what transformers is asked for, what it needs, and an adapter beside them.

Where there is no GPU, a model bears transformers' mark alone, and its weights are what they were.
"""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from running import recipe_on, values, write_jsonl
from torch import Tensor
from transformers import BitsAndBytesConfig

from hftoolkit import check, evaluate, finetune
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models import quantizing
from hftoolkit.models.adapters import add_adapter, save_adapter
from hftoolkit.models.decoders import causal_class
from hftoolkit.models.heads import NewHead
from hftoolkit.models.keys import content_key
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.models.quantizing import in_4bit, loading_4bit, require_4bit
from hftoolkit.recipe.reader import recipe_from
from hftoolkit.recipe.schema import Adapter
from hftoolkit.scoring import made
from hftoolkit.starting import start_of
from hftoolkit.tasks import find_task, task_options

NO_GPU = (
    "model.quantize: 4-bit weights need a GPU, and there is none here\n"
    "  or train an adapter on float32 weights:   --set model.quantize=null"
)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU, as far as anybody asks."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 3)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(quantizing, "find_spec", lambda name: name)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that are asked for in 4 bits bear the mark."""
    real = transformers.AutoModelForCausalLM.from_pretrained

    def loaded(folder: str, *, quantization_config: Any = None, device_map: Any = None, **settings: Any) -> Any:
        model, info = real(folder, **settings)
        if quantization_config is not None:
            assert (quantization_config, device_map) == ("four bits", {"": "here"})
            model.is_loaded_in_4bit = True
        return model, info

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", loaded)
    asked = {"quantization_config": "four bits", "device_map": {"": "here"}}
    monkeypatch.setattr("hftoolkit.models.loading.loading_4bit", lambda: asked)


def texts(folder: Path) -> Path:
    return write_jsonl(
        folder / "texts.jsonl", [{"text": f"The library number {number} is open."} for number in range(24)]
    )


def recipe(file: Path, model: Path) -> dict[str, Any]:
    return recipe_on(file, "language_modelling", model) | {
        "model": {"name": str(model), "quantize": "4bit"},
        "adapter": {"rank": 2},
        "training": {"epochs": 1, "max_steps": 4, "batch_tokens": 128, "learning_rate": 0.01},
    }


def logits(model: Any) -> Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=torch.arange(8)[None]).logits  # type: ignore[no-any-return]


# What is needed


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_is_told_before_anything_is_read(tmp_path: Path) -> None:
    wanted = recipe(tmp_path / "missing.jsonl", tmp_path / "missing")
    with pytest.raises(UsageError) as caught:
        finetune(wanted)
    assert str(caught.value) == NO_GPU
    found = check(wanted)
    assert (found.exit_code, [finding.message for finding in found.findings]) == (2, [NO_GPU])
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_nothing_is_loaded(llama: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        evaluate(recipe_from(recipe(texts(tmp_path), llama), tasks=task_options()))
    assert str(caught.value) == NO_GPU


@pytest.mark.usefixtures("gpu")
def test_without_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    require_4bit()
    monkeypatch.setattr(quantizing, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        require_4bit()
    assert str(caught.value) == (
        "model.quantize: bitsandbytes is not installed here\n"
        "  install it:                               pip install 'hftoolkit[qlora]'\n"
        "  or train an adapter on float32 weights:   --set model.quantize=null"
    )


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("fast", "format"), [(True, torch.bfloat16), (False, torch.float32)])
def test_what_transformers_is_asked_for(fast: bool, format: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: fast)
    found = loading_4bit()
    assert found.keys() == {"quantization_config", "device_map"}
    assert found["device_map"] == {"": torch.device("cuda", 3)}
    expected = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=format
    )
    assert found["quantization_config"].to_dict() == expected.to_dict()


# Models


@pytest.mark.usefixtures("marked")
def test_a_model_in_4_bits_is_another(llama: Path) -> None:
    plain = load_checkpoint(str(llama), causal_class)
    kept = load_checkpoint(str(llama), causal_class, quantize=True)
    assert (in_4bit(plain.model), in_4bit(kept.model)) == (False, True)
    assert plain.notes == ()
    assert kept.notes == (f"{llama}: its linear layers are kept in 4 bits; outside of this run they are float32",)
    assert content_key(kept) != content_key(plain)
    task = find_task("language_modelling")({}, None)
    signatures = [
        made(task, SimpleNamespace(signature="torch|float32", model=each.model), Decoding()) for each in (plain, kept)
    ]
    assert signatures == ["torch|float32", "torch|float32|4bit"]


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("kind", ["lora", "dora", "rslora"])
def test_an_adapter_stays_beside_weights_in_4_bits(llama: Path, tmp_path: Path, kind: Any) -> None:
    model = load_checkpoint(str(llama), causal_class, quantize=True).model
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    adapted = add_adapter(model, Adapter(kind=kind, rank=2), str(llama), "main")
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_()
    save_adapter(adapted, tmp_path)
    read = load_checkpoint(str(tmp_path), causal_class, quantize=True)
    assert in_4bit(read.model)
    assert torch.equal(logits(read.model), logits(adapted))
    own = {name.replace(".base_layer.", "."): weight for name, weight in read.model.state_dict().items()}
    assert all(torch.equal(own[name], weight) for name, weight in before.items())
    assert not any(weight.requires_grad for name, weight in read.model.named_parameters() if "lora" not in name)
    merged = load_checkpoint(str(tmp_path), causal_class)
    assert not any("lora" in name for name, _ in merged.model.named_parameters())
    torch.testing.assert_close(logits(merged.model), logits(adapted), atol=1e-4, rtol=1e-4)


@pytest.mark.usefixtures("marked")
def test_what_is_not_in_4_bits_is_trained_beside_in_float32(llama: Path) -> None:
    """As QLoRA needs it: norms and embeddings that a checkpoint keeps in half the bits are not left so."""
    model = load_checkpoint(str(llama), causal_class, quantize=True).model
    model.model.norm.to(torch.bfloat16)
    adapted = add_adapter(model, Adapter(rank=2), str(llama), "main")
    assert {weight.dtype for weight in adapted.parameters()} == {torch.float32}
    assert {name for name, weight in adapted.named_parameters() if weight.requires_grad} == {
        name for name, _ in adapted.named_parameters() if "lora" in name
    }
    assert not model.is_activation_checkpointing


@pytest.mark.usefixtures("marked")
def test_no_second_adapter(llama: Path, tmp_path: Path) -> None:
    adapted = add_adapter(load_checkpoint(str(llama), causal_class).model, Adapter(rank=2), str(llama), "main")
    save_adapter(adapted, tmp_path)
    wanted = recipe_from(recipe(texts(tmp_path), tmp_path), tasks=task_options())
    task = find_task("language_modelling")({}, None)
    with pytest.raises(ModelError) as caught:
        start_of(wanted, task, None, tmp_path / "start")  # type: ignore[arg-type]
    assert str(caught.value) == (
        f"model.quantize: '{tmp_path}' is an adapter: beside weights in 4 bits there can be no second one\n"
        "  start from the model that it belongs on, or train on float32 weights:   --set model.quantize=null"
    )


@pytest.mark.parametrize("settings", [None, {"num_labels": 3}])
def test_no_new_head(bert: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, int] | None) -> None:
    monkeypatch.setattr("hftoolkit.models.loading.loading_4bit", dict)
    head = NewHead(lambda config: settings, 1)
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(bert), lambda *_: "AutoModelForSequenceClassification", head=head, quantize=True)
    assert str(caught.value) == (
        f"{bert}: this checkpoint has no head for the task, and a new one is not trained beside weights in 4 bits\n"
        "  start from a checkpoint that has one, or train on float32 weights:   --set model.quantize=null"
    )


@pytest.mark.skipif(
    not (torch.cuda.is_available() and find_spec("bitsandbytes")), reason="needs a GPU, and hftoolkit[qlora]"
)
@pytest.mark.usefixtures("no_pictures")
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_run(llama: Path, tmp_path: Path) -> None:
    report = finetune(recipe(texts(tmp_path), llama))
    assert report.model.number_format.startswith("4-bit (nf4)")
    assert report.decoding.endswith("|4bit")
    assert values(report)["bits per byte"] < values(report, before=True)["bits per byte"]
    again = evaluate(tmp_path / "run").tests["test"]
    assert [score.value for score in again] == pytest.approx([score.value for score in report.tests[0].after], rel=1e-3)
