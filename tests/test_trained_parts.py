"""Runs that train a part of the weights: what stays as it was, and that an interruption changes nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from reviews import REVIEWS
from running import hftoolkit, write_recipe
from safetensors.torch import load_file

from hftoolkit import fitting
from hftoolkit.errors import ModelError
from hftoolkit.finetuning import finetune
from hftoolkit.reports.files import read_report

pytestmark = pytest.mark.usefixtures("no_pictures")

SIX_STEPS = "{max_steps: 6, epochs: 9, learning_rate: 1e-2, batch_tokens: 256, precision: float32, dropout: 0.1}"


@pytest.fixture
def recipe(marian: Path, tmp_path: Path) -> Path:
    return write_recipe(
        tmp_path / "recipe.yaml", f"{{name: {marian}}}", training=SIX_STEPS, evaluation="{beams: 1, every: 2}"
    )


def interrupt(monkeypatch: pytest.MonkeyPatch, number: int, recipe: Path, overrides: list[str]) -> None:
    """Run, and interrupt when this step is done."""
    watched = fitting.watched

    def interrupted(steps: Any, **settings: Any) -> Iterator[Any]:
        for step in watched(steps, **settings):
            yield step
            if step.number == number:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "watched", interrupted)
        with pytest.raises(KeyboardInterrupt):
            finetune(recipe, overrides=overrides)


def log(folder: Path) -> list[dict[str, Any]]:
    lines = map(json.loads, (folder / "steps.jsonl").read_text(encoding="utf-8").splitlines())
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.mark.parametrize(
    ("changes", "file"),
    [
        (["adapter={kind: lora, rank: 4, dropout: 0.1}"], "adapter_model.safetensors"),
        (["adapter={kind: dora, rank: 4, dropout: 0.1}"], "adapter_model.safetensors"),
        (["adapter={kind: rslora, rank: 4, dropout: 0.1}"], "adapter_model.safetensors"),
        (["adapter={rank: 4}", "training.averaging={checkpoints: 2, choose: best}"], "adapter_model.safetensors"),
        (["training.freeze=[model.encoder.layers]"], "model.safetensors"),
        (["training.freeze=[model.shared, 'layers.0.fc?']"], "model.safetensors"),
    ],
)
def test_interrupted_and_continued_it_is_the_same_run(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: list[str], file: str
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    finetune(recipe, overrides=[*changes, f"output={whole}"])
    interrupt(monkeypatch, 5, recipe, [*changes, f"output={parts}"])
    report = finetune(recipe, overrides=[*changes, f"output={parts}"])
    assert "continued after step 4 of 6" in report.notes
    assert log(parts) == log(whole)
    found, expected = load_file(parts / file), load_file(whole / file)
    assert all(torch.equal(weight, expected[name]) for name, weight in found.items())
    assert found.keys() == expected.keys()


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_an_averaged_adapter_is_the_mean_of_those_at_its_steps(recipe: Path, tmp_path: Path, kind: str) -> None:
    steady = [f"adapter={{kind: {kind}, rank: 4}}", "training.schedule=constant", "training.warmup_steps=0"]

    def adapter(name: str, *overrides: str) -> dict[str, torch.Tensor]:
        finetune(recipe, overrides=[*steady, f"output={tmp_path / name}", *overrides])
        return load_file(tmp_path / name / "adapter_model.safetensors")

    found = adapter("averaged", "training.averaging={checkpoints: 2}")
    assert read_report(tmp_path / "averaged").averaged_steps == [4, 6]
    # Evaluated once, at their end: their best weights are their last.
    one, other = (adapter(f"{n}", f"training.max_steps={n}", f"evaluation.every={n}") for n in (4, 6))
    assert found.keys() == one.keys()
    for name, weight in found.items():
        torch.testing.assert_close(weight, (one[name] + other[name]) / 2, rtol=0, atol=1e-6)
        assert not torch.equal(one[name], other[name])


def test_frozen_weights_stay_as_they_are_bit_for_bit_and_the_others_do_not(recipe: Path, marian: Path) -> None:
    outcome = hftoolkit("finetune", recipe, "--set", "training.freeze=[model.encoder.layers.0, fc1.bias]")
    assert outcome.code == 0, outcome.err
    run = recipe.parent / "run"
    before, after = load_file(marian / "model.safetensors"), load_file(run / "model.safetensors")
    frozen = {name for name in before if "encoder.layers.0." in name or name.endswith("fc1.bias")}
    unchanged = {name for name, weight in before.items() if torch.equal(weight, after[name])}
    assert unchanged - frozen <= {"final_logits_bias"}  # a constant
    assert frozen <= unchanged
    facts = read_report(run).model
    size = sum(before[name].numel() for name in frozen)
    assert facts.parameters - facts.trainable == size
    assert f"{facts.trainable:,} weights are trained, {size:,} stay as they are, float32, CPU" in outcome.err
    assert not after["model.shared.weight"][-1].any()


def test_frozen_embeddings_freeze_the_output_layer_and_the_report_says_so(recipe: Path, marian: Path) -> None:
    report = finetune(recipe, overrides=["training.freeze=[model.shared]"])
    before, after = (load_file(folder / "model.safetensors") for folder in (marian, recipe.parent / "run"))
    assert torch.equal(before["model.shared.weight"], after["model.shared.weight"])
    assert report.model.how == "the others stayed as they were, no adapter"
    assert (
        "frozen too, for they share weights with what training.freeze names: "
        "model.encoder.embed_tokens, model.decoder.embed_tokens, lm_head (the output layer)"
    ) in report.notes


def test_a_model_from_scratch_can_be_frozen_in_part(recipe: Path) -> None:
    sizes = "{vocabulary: 360, encoder_layers: 1, decoder_layers: 1, width: 16, feed_forward: 32, heads: 2}"
    scratch = [f"model={{scratch: {sizes}}}", "training.freeze=[model.encoder.layers]"]
    report = finetune(recipe, overrides=scratch)
    assert 0 < report.model.trainable < report.model.parameters
    with pytest.raises(ModelError) as caught:
        finetune(recipe, overrides=[*scratch[:1], "training.freeze=[zzz]"], overwrite=True)
    assert "list all names" not in str(caught.value)  # its folder is gone by then


def test_the_dropout_of_training_is_that_of_a_model_from_scratch_too(recipe: Path, tmp_path: Path) -> None:
    sizes = "vocabulary: 360, encoder_layers: 1, decoder_layers: 1, width: 16, feed_forward: 32, heads: 2"
    for name, own, training in [("one", 0.5, 0), ("other", 0, 0.5), ("none", 0, 0)]:
        scratch = f"model={{scratch: {{{sizes}, dropout: {own}}}}}"
        finetune(recipe, overrides=[scratch, f"training.dropout={training}", f"output={tmp_path / name}"])
    one, other, none = (log(tmp_path / name) for name in ("one", "other", "none"))
    assert one == none != other


def test_a_wrong_name_is_told_before_anything_is_scored(recipe: Path, marian: Path) -> None:
    outcome = hftoolkit("finetune", recipe, "--set", "training.freeze=[model.encoder.layer]")
    assert outcome.code == 1
    assert "error: training.freeze: no weights of this model are named 'model.encoder.layer'\n" in outcome.err
    assert f"MarianMTModel.from_pretrained('{marian.as_posix()}')" in outcome.err
    assert "scoring" not in outcome.err
    assert not (recipe.parent / "run").exists()


def test_a_new_head_is_trained_whole_beside_an_adapter_on_all_else(bert: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in REVIEWS), encoding="utf-8")
    rows = {"source": str(file)}
    recipe = {
        "task": "classification",
        "model": {"name": str(bert)},
        "data": {"train": rows, "validation": rows, "test": rows},
        "adapter": {"rank": 2},
        "training": {"max_steps": 1},
        "output": str(tmp_path / "run"),
    }
    report = finetune(recipe)
    assert report.model.adapter_targets == ["query", "key", "value", "dense"]
    with pytest.raises(ModelError, match=r"^adapter\.targets: 'classifier' is part of the new head, "):
        finetune(recipe | {"adapter": {"targets": ["classifier"]}, "output": str(tmp_path / "other")})


def test_all_weights_of_an_adapted_model_can_be_trained(recipe: Path, tmp_path: Path) -> None:
    adapted = finetune(recipe, overrides=["adapter={rank: 2}", "training.max_steps=1"])
    start = [f"model={{name: {tmp_path / 'run'}}}", "training.max_steps=1"]
    report = finetune(recipe, overrides=[*start, f"output={tmp_path / 'whole'}"])
    assert report.model.trainable == report.model.parameters == adapted.model.parameters
    assert (tmp_path / "whole" / "model.safetensors").is_file()
    again = finetune(recipe, overrides=[*start, f"output={tmp_path / 'again'}", "adapter={rank: 2}"])
    assert (again.model.trainable, again.model.parameters) == (adapted.model.trainable, adapted.model.parameters)
