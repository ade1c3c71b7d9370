"""Which weights stay as they are, by the names in a recipe."""

import re
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tiny_models import two_vocabularies

from hftoolkit.errors import ModelError
from hftoolkit.models.freezing import frozen_weights
from hftoolkit.models.guard import zero_rows
from hftoolkit.models.loading import freeze_position_tables, load_checkpoint
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.translation import Translation

TASK = Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))


@pytest.fixture(scope="module")
def tiny() -> Any:
    """A Marian model of two layers on each side."""
    config = transformers.MarianConfig(
        vocab_size=20,
        d_model=8,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=16,
        pad_token_id=19,
        decoder_start_token_id=19,
        eos_token_id=0,
        forced_eos_token_id=0,
    )
    model = transformers.MarianMTModel(config)
    freeze_position_tables(model)
    return model


@pytest.fixture(scope="module")
def bert() -> Any:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    return transformers.BertForSequenceClassification(config)


def frozen(model: Any, *patterns: str) -> set[str]:
    """Names of the parameters that stay as they are, each by its first name."""
    found = {id(parameter) for parameter in frozen_weights(model, patterns)[0]}
    return {name for name, parameter in model.named_parameters() if id(parameter) in found}


def under(model: Any, *prefixes: str) -> set[str]:
    return {name for name, p in model.named_parameters() if name.startswith(prefixes) and p.requires_grad}


def refusal(model: Any, *patterns: str, folder: Path | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        frozen_weights(model, patterns, folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("patterns", "prefixes"),
    [
        (["model.encoder.layers.0"], ["model.encoder.layers.0."]),
        (["encoder.layers.0"], ["model.encoder.layers.0."]),
        (["layers.0"], ["model.encoder.layers.0.", "model.decoder.layers.0."]),
        (["model.decoder.layers.[0-3]"], ["model.decoder.layers."]),
        (["model.*.layers.?"], ["model.encoder.layers.", "model.decoder.layers."]),
        (["layers.*"], ["model.encoder.layers.", "model.decoder.layers."]),
        (["encoder.layers.0.fc1.bias"], ["model.encoder.layers.0.fc1.bias"]),
        (["encoder.layers.[!0]"], ["model.encoder.layers.1."]),
        (["encoder.layers.0", "encoder.layers.0.fc1", "encoder.layers.1"], ["model.encoder.layers."]),
        (["model.shared"], ["model.shared"]),
    ],
)
def test_names_of_marian(tiny: Any, patterns: list[str], prefixes: list[str]) -> None:
    assert frozen(tiny, *patterns) == under(tiny, *prefixes) != set()


@pytest.mark.parametrize(
    ("patterns", "prefixes"),
    [
        (["bert.embeddings"], ["bert.embeddings."]),
        (["bert.encoder.layer.[0-5]"], ["bert.encoder.layer."]),
        (["bert"], ["bert."]),
        (["bert.embeddings", "layer.0"], ["bert.embeddings.", "bert.encoder.layer.0."]),
        (["query.bias"], [f"bert.encoder.layer.{n}.attention.self.query.bias" for n in (0, 1)]),
    ],
)
def test_names_of_bert(bert: Any, patterns: list[str], prefixes: list[str]) -> None:
    assert frozen(bert, *patterns) == under(bert, *prefixes) != set()
    assert frozen_weights(bert, patterns)[1] == []


def test_nothing_is_frozen_unless_asked_for(tiny: Any) -> None:
    assert frozen_weights(tiny, []) == ([], [])


def test_looking_freezes_nothing(tiny: Any) -> None:
    frozen_weights(tiny, ["model.encoder"])
    assert all(p.requires_grad for name, p in tiny.named_parameters() if "embed_positions" not in name)


# Tied weights and constants


@pytest.mark.parametrize(
    ("pattern", "others"),
    [
        ("model.shared", "model.encoder.embed_tokens, model.decoder.embed_tokens, lm_head (the output layer)"),
        ("lm_head", "model.shared, model.encoder.embed_tokens, model.decoder.embed_tokens"),
        ("model.encoder", "model.shared, model.decoder.embed_tokens, lm_head (the output layer)"),
        ("*embed_tokens", "model.shared, lm_head (the output layer)"),
    ],
)
def test_a_tied_weight_is_frozen_under_all_its_names_and_that_is_said(tiny: Any, pattern: str, others: str) -> None:
    weights, notes = frozen_weights(tiny, [pattern])
    assert any(weight is tiny.lm_head.weight for weight in weights)
    assert notes == [f"frozen too, for they share weights with what training.freeze names: {others}"]


def test_tied_weights_that_are_all_named_need_no_note(tiny: Any) -> None:
    assert frozen_weights(tiny, ["model.shared", "*.embed_tokens", "lm_head"])[1] == []


def test_weights_that_are_not_tied_are_frozen_alone(tmp_path: Path) -> None:
    two_vocabularies(tmp_path, ["abc"], ["xyz"], [])
    model = load_checkpoint(str(tmp_path), TASK.auto_class).model
    weights, notes = frozen_weights(model, ["model.encoder"])
    assert notes == []
    assert not any(weight is model.lm_head.weight for weight in weights)
    for weight in weights:
        weight.requires_grad_(False)
    assert [table is model.model.decoder.embed_tokens.weight for table, _ in zero_rows(model)] == [True]


def test_constants_are_no_weights(tiny: Any) -> None:
    weights, notes = frozen_weights(tiny, ["*.embed_positions", "encoder.layers.0.fc1.bias"])
    assert [weight.shape for weight in weights] == [(16,)]
    assert notes == ["training.freeze: '*.embed_positions' names constants alone, which are never trained"]


# Refused


def test_a_name_that_is_not_there(tiny: Any) -> None:
    parts = (
        "model, model.shared, model.encoder, model.encoder.embed_tokens, model.encoder.embed_positions, "
        "model.encoder.layers, model.encoder.layers.*, model.decoder, model.decoder.embed_tokens, "
        "model.decoder.embed_positions, model.decoder.layers, model.decoder.layers.*, lm_head"
    )
    assert refusal(tiny, "lm_head", "model.encodr.layers.[0-1]") == (
        "training.freeze: no weights of this model are named 'model.encodr.layers.[0-1]'\n"
        "  did you mean:     model.encoder.layers.1, model.encoder.layers.0, model.encoder.layers.0.fc1\n"
        f"  its parts are:    {parts}"
    )
    assert refusal(tiny, "zzz") == (
        f"training.freeze: no weights of this model are named 'zzz'\n  its parts are:    {parts}"
    )


def test_the_parts_of_bert_are_listed_down_to_the_layers(bert: Any) -> None:
    assert "bert.encoder.layer, bert.encoder.layer.*, bert.pooler" in refusal(bert, "zzz")
    assert "layer.*." not in refusal(bert, "zzz")


@pytest.mark.parametrize("pattern", ["layers.2", "encode", "ncoder.layers.0", "activation_fn", "dropout", "", "model."])
def test_neither_part_of_a_word_nor_what_has_no_weights(tiny: Any, pattern: str) -> None:
    assert refusal(tiny, pattern).startswith(f"training.freeze: no weights of this model are named '{pattern}'\n")


def test_the_command_that_lists_all_names_does(marian: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = load_checkpoint(str(marian), TASK.auto_class).model
    last = refusal(model, "layer.0", folder=marian).splitlines()[-1]
    found = re.fullmatch(r'  list all names:   python -c "(.*)"', last)
    assert found is not None
    exec(found[1])  # noqa: S102
    assert capsys.readouterr().out.split() == [name for name, _ in model.named_parameters()]


@pytest.mark.parametrize("patterns", [["?*"], ["model"], ["model.shared", "*.layers"], ["*encoder*", "*decoder*"]])
def test_freezing_everything(tiny: Any, patterns: list[str]) -> None:
    size = sum(p.numel() for p in tiny.parameters() if p.requires_grad)
    assert refusal(tiny, *patterns) == (
        f"training.freeze: all {size:,} weights of this model would be frozen: nothing is left to train\n"
        "  name fewer of its parts"
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=st.one_of(st.text(), st.text(alphabet="layers.01*?[]!-^\\(|+")))
@example(pattern="[z-a]")
@example(pattern="[[")
@example(pattern="*" * 50 + "x")
def test_any_text_freezes_something_or_is_refused(tiny: Any, pattern: str) -> None:
    try:
        weights, _ = frozen_weights(tiny, [pattern])
    except ModelError as error:
        assert str(error).startswith("training.freeze: ")  # noqa: PT017
    else:
        assert all(weight.requires_grad for weight in weights)
