"""New heads: what is new, drawn from the seed and said; what belongs to the base is never touched, or missing."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tiny_models import tiny_bert

from hftoolkit.errors import ModelError
from hftoolkit.models.adapters import add_adapter, save_adapter
from hftoolkit.models.heads import NewHead, draw, is_head
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.recipe.schema import Adapter

THREE = {"id2label": {0: "a", 1: "b", 2: "c"}, "label2id": {"a": 0, "b": 1, "c": 2}}
FOUR = {"id2label": {0: "a", 1: "b", 2: "c", 3: "d"}, "label2id": {"a": 0, "b": 1, "c": 2, "d": 3}}


def of(kind: str) -> Any:
    return lambda config, name: f"AutoModelFor{kind}"


def loaded(folder: Path, settings: Mapping[str, Any] | None = THREE, seed: int = 1, **given: Any) -> Loaded:
    head = NewHead(lambda _: settings, seed)
    return load_checkpoint(str(folder), of(given.pop("kind", "SequenceClassification")), head=head, **given)


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def differing(one: Any, other: Any) -> list[str]:
    return [name for name, weight in weights(one).items() if not torch.equal(weight, weights(other)[name])]


@pytest.fixture
def tuned(bert: Path, tmp_path: Path) -> Path:
    """A classifier for three labels, with a bias that shows."""
    start = loaded(bert)
    with torch.no_grad():
        start.model.classifier.bias.fill_(1.0)
    start.model.save_pretrained(tmp_path / "tuned")
    start.tokenizer.save_pretrained(tmp_path / "tuned")
    return tmp_path / "tuned"


# What is new


@pytest.mark.parametrize(
    ("kind", "settings", "new"),
    [
        ("SequenceClassification", THREE, ("classifier",)),
        ("TokenClassification", THREE, ("classifier",)),
        ("QuestionAnswering", None, ("qa_outputs",)),
        ("MaskedLM", None, ("cls.predictions",)),
        ("PreTraining", None, ("cls.predictions", "cls.seq_relationship")),
    ],
)
def test_a_base_gets_a_head(bert: Path, kind: str, settings: Any, new: tuple[str, ...]) -> None:
    one, same, other = (loaded(bert, settings, seed, kind=kind) for seed in (1, 1, 2))
    assert one.new == new
    assert differing(one.model, same.model) == []
    drawn = differing(one.model, other.model)
    assert drawn
    assert all(name.startswith(tuple(f"{module}." for module in new)) for name in drawn)
    assert all(is_head(name, one.model) for name in drawn)


def test_it_is_drawn_as_the_model_draws_it(bert: Path) -> None:
    model = loaded(bert, {"initializer_range": 5.0, **THREE}).model
    assert model.classifier.weight.std() > 2
    assert model.classifier.bias.tolist() == [0.0] * 3
    assert model.config.id2label == THREE["id2label"]


def test_tied_embeddings_stay_as_they_are(bert: Path) -> None:
    model = loaded(bert, None, kind="MaskedLM").model
    before = weights(model)
    new = draw(model, {"cls.predictions.decoder.weight", "cls.predictions.bias"}, seed=3)
    assert [name for name, weight in weights(model).items() if not torch.equal(weight, before[name])] == []
    assert new == ("cls.predictions",)


def test_a_checkpoint_without_a_pooler_gets_one(tmp_path: Path) -> None:
    tiny_bert(tmp_path / "bert")
    file = tmp_path / "bert" / "model.safetensors"
    save_file({n: w for n, w in load_file(file).items() if "pooler" not in n}, file, metadata={"format": "pt"})
    assert loaded(tmp_path / "bert").new == ("bert.pooler", "classifier")


@pytest.mark.parametrize("head", [True, False])
def test_a_missing_weight_of_the_base_is_no_head(tmp_path: Path, head: bool) -> None:
    tiny_bert(tmp_path / "bert")
    file = tmp_path / "bert" / "model.safetensors"
    lost = "encoder.layer.1.output.dense.bias"
    save_file({n: w for n, w in load_file(file).items() if n != lost}, file, metadata={"format": "pt"})
    with pytest.raises(ModelError) as caught:
        loaded(tmp_path / "bert") if head else load_checkpoint(str(tmp_path / "bert"), of("SequenceClassification"))
    assert str(caught.value) == (
        f"{tmp_path / 'bert'}: 1 of this model's weights are not in its files, the first is 'bert.{lost}'\n"
        "  fetch it again, or use another checkpoint"
    )


# What is kept


def test_a_head_that_does_the_task_is_kept(tuned: Path) -> None:
    found = loaded(tuned, None)
    assert found.new == ()
    assert found.model.classifier.bias.tolist() == [1.0] * 3
    plain = load_checkpoint(str(tuned), of("SequenceClassification"))
    assert (plain.new, differing(plain.model, found.model)) == ((), [])


@pytest.mark.parametrize("settings", [FOUR, {"id2label": {0: "x", 1: "y", 2: "z"}, "label2id": {"x": 0}}])
def test_one_for_other_labels_is_replaced_as_a_whole(tuned: Path, settings: Any) -> None:
    found = loaded(tuned, settings)
    assert found.new == ("classifier",)
    assert found.model.classifier.bias.tolist() == [0.0] * len(settings["id2label"])
    assert found.model.config.id2label == settings["id2label"]


def test_without_leave_a_head_must_be_there(bert: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(bert), of("SequenceClassification"))
    assert str(caught.value) == (
        f"{bert}: this model was not trained for this task: 'classifier.bias' is not in its files\n"
        "  train it first:   hftoolkit finetune RECIPE"
    )


def test_a_head_of_another_task_is_none_though_its_weights_have_the_same_names(tuned: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(tuned), of("TokenClassification"))
    assert str(caught.value) == (
        f"{tuned}: this model is a BertForSequenceClassification, and was not trained for this task\n"
        "  choose another model, or train it first:   hftoolkit finetune RECIPE"
    )


def test_of_both_heads_of_a_pretrained_model_one_does(bert: Path, tmp_path: Path) -> None:
    start = loaded(bert, None, kind="PreTraining")
    start.model.save_pretrained(tmp_path)
    start.tokenizer.save_pretrained(tmp_path)
    assert type(load_checkpoint(str(tmp_path), of("MaskedLM")).model).__name__ == "BertForMaskedLM"


def test_a_head_that_the_configuration_promises_is_not_made_up(tuned: Path) -> None:
    file = tuned / "model.safetensors"
    save_file({n: w for n, w in load_file(file).items() if n != "classifier.bias"}, file, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="1 of this model's weights are not in its files, the first is 'classifier"):
        load_checkpoint(str(tuned), of("SequenceClassification"))


# Beside an adapter


def adapted(bert: Path, folder: Path, **settings: Any) -> Any:
    """An adapter on the base with a new head, both moved from where they began, saved."""
    start = loaded(bert)
    torch.manual_seed(3)
    model = add_adapter(start.model, Adapter(**{"rank": 2, **settings}), str(bert), "main", start.new)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
    save_adapter(model, folder)
    return model.get_base_model().eval()


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=torch.arange(5, 13).reshape(2, 4)).logits
    return found


@pytest.mark.parametrize("kind", ["lora", "dora", "rslora"])
def test_it_is_trained_whole_saved_and_read_back(bert: Path, tmp_path: Path, kind: str) -> None:
    trained = adapted(bert, tmp_path, kind=kind)
    names = [name for name, parameter in trained.named_parameters() if parameter.requires_grad]
    assert [name for name in names if "lora_" not in name] == [
        "classifier.modules_to_save.default.weight",
        "classifier.modules_to_save.default.bias",
    ]
    back = load_checkpoint(str(tmp_path), of("SequenceClassification"))
    assert back.new == ()
    assert back.model.config.id2label == THREE["id2label"]
    assert type(back.model).__name__ == "BertForSequenceClassification"
    assert torch.allclose(logits(back.model), logits(trained), atol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "config.json",
    ]


def test_a_run_may_start_from_it(bert: Path, tmp_path: Path) -> None:
    trained = adapted(bert, tmp_path)
    again = loaded(tmp_path, None)
    assert again.new == ()
    assert torch.allclose(logits(again.model), logits(trained), atol=1e-5)
    other = loaded(tmp_path, FOUR)
    assert other.new == ("classifier",)
    assert other.model.config.id2label == FOUR["id2label"]
    assert torch.equal(
        other.model.bert.encoder.layer[0].attention.self.query.weight,
        again.model.bert.encoder.layer[0].attention.self.query.weight,
    )


def test_an_adapter_whose_configuration_is_lost(bert: Path, tmp_path: Path) -> None:
    adapted(bert, tmp_path)
    (tmp_path / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(tmp_path), of("SequenceClassification"))
    assert str(caught.value) == f"{tmp_path / 'config.json'}: damaged\n  copy the adapter again"
    (tmp_path / "config.json").unlink()
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(tmp_path), of("SequenceClassification"))
    assert str(caught.value) == (
        f"{tmp_path}: this adapter has a head of its own, and no config.json says what its outputs mean\n"
        "  put the config.json of the model that was trained beside it"
    )


def test_an_adapter_on_a_base_that_lacks_more_than_its_head(bert: Path, tmp_path: Path) -> None:
    adapted(bert, tmp_path / "adapter")
    shutil.copytree(bert, tmp_path / "base")
    file = tmp_path / "base" / "model.safetensors"
    save_file({n: w for n, w in load_file(file).items() if "pooler" not in n}, file, metadata={"format": "pt"})
    path = tmp_path / "adapter" / "adapter_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"base_model_name_or_path": str(tmp_path / "base")}
    path.write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(tmp_path / "adapter"), of("SequenceClassification"))
    assert str(caught.value) == (
        f"{tmp_path / 'adapter'}: 'bert.pooler' is neither in this adapter nor in the model that it belongs on\n"
        "  train it first:   hftoolkit finetune RECIPE"
    )


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_peft_reads_it_too(bert: Path, tmp_path: Path) -> None:
    trained = adapted(bert, tmp_path)
    from peft import PeftModel

    base = transformers.AutoModelForSequenceClassification.from_pretrained(
        str(bert), config=transformers.AutoConfig.from_pretrained(str(tmp_path))
    )
    assert torch.allclose(logits(PeftModel.from_pretrained(base, str(tmp_path)).eval()), logits(trained), atol=1e-5)
