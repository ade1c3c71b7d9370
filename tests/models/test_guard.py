"""Every way in which a Marian model turns to gibberish is found, and named."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from conftest import PAIRS
from safetensors.torch import load_file, save_file
from torch import nn

from hftoolkit.errors import GuardError
from hftoolkit.models.adapters import add_adapter
from hftoolkit.models.guard import check_fluency, check_marian, mend_generation, zero_rows
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.recipe.schema import Adapter, Languages
from hftoolkit.tasks.translation import Translation

TASK = Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))
SOURCES = [source for source, _ in PAIRS[:4]]


@pytest.fixture
def loaded(marian: Path) -> Loaded:
    """The tiny translator; every test breaks its own."""
    return load_checkpoint(str(marian), TASK.auto_class)


def refusal(check: Callable[[], None]) -> tuple[str, str]:
    """What the guard found, and what it makes of it."""
    with pytest.raises(GuardError) as caught:
        check()
    first, second = str(caught.value).split("\n")
    beginning, ending = "mine: this model would produce gibberish: ", ": fetch it again, or use another checkpoint"
    assert first.startswith(beginning)
    assert second.startswith("  ")
    assert second.endswith(ending)
    return first.removeprefix(beginning), second.removesuffix(ending).strip()


def marian_refusal(loaded: Loaded) -> tuple[str, str]:
    return refusal(lambda: check_marian(loaded.model, loaded.tokenizer, "mine"))


def small(**others: Any) -> Any:
    """A model of random weights."""
    sizes = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 32}
    layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    tokens = {"vocab_size": 20, "pad_token_id": 19, "decoder_start_token_id": 19}
    return transformers.MarianMTModel(transformers.MarianConfig(**{**sizes, **layers, **tokens, **others}))


# How it is put together


def test_a_sound_model_passes(loaded: Loaded) -> None:
    check_marian(loaded.model, loaded.tokenizer, "mine")


def test_an_output_layer_that_is_not_tied(loaded: Loaded) -> None:
    loaded.model.lm_head.weight = nn.Parameter(loaded.model.lm_head.weight.detach().clone())
    assert marian_refusal(loaded) == (
        "the output layer is not tied to the decoder's embeddings",
        "the weights were loaded only in part",
    )


def test_a_checkpoint_with_an_output_layer_of_its_own_is_found_while_loading(marian: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(marian, tmp_path / "copy"))
    weights = load_file(copy / "model.safetensors")
    weights["lm_head.weight"] = weights["model.shared.weight"] + 0.1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(GuardError, match="the output layer is not tied to the decoder's embeddings"):
        load_checkpoint(str(copy), TASK.auto_class)


def test_an_encoder_with_embeddings_of_its_own(loaded: Loaded) -> None:
    encoder = loaded.model.model.encoder
    encoder.embed_tokens = nn.Embedding.from_pretrained(encoder.embed_tokens.weight.detach().clone())
    assert marian_refusal(loaded) == (
        "encoder and decoder do not share their embeddings",
        "the weights were loaded only in part",
    )


def test_padding_that_is_not_last(loaded: Loaded) -> None:
    last = loaded.model.config.pad_token_id
    loaded.model.config.pad_token_id = 5
    assert marian_refusal(loaded) == (
        f"padding is token 5, not the last one, {last}",
        "new tokens go before the padding",
    )


def test_padding_that_is_not_zero(loaded: Loaded) -> None:
    with torch.no_grad():
        loaded.model.model.shared.weight[loaded.model.config.pad_token_id, 3] = 0.02
    assert marian_refusal(loaded) == (
        "the padding's embedding is not zero",
        "it was trained by a tool that does not keep it so",
    )


def test_a_decoder_that_starts_elsewhere(loaded: Loaded) -> None:
    loaded.model.config.decoder_start_token_id = 0
    pad = loaded.model.config.pad_token_id
    assert marian_refusal(loaded) == (
        f"the decoder starts with token 0, not padding ({pad})",
        "config.json is wrong",
    )


class Tokens:
    """All that the guard asks of a tokenizer."""

    def __init__(self, size: int, pad: int) -> None:
        self.size, self.pad_token_id = size, pad

    def __len__(self) -> int:
        return self.size


@pytest.mark.parametrize(("size", "pad"), [(12_345, 12_344), (20, 12), (21, 19)])
def test_a_tokenizer_of_another_model(size: int, pad: int) -> None:
    model = small()
    assert refusal(lambda: check_marian(model, Tokens(size, pad), "mine")) == (
        f"the tokenizer has {size:,} tokens with padding {pad}, the model 20 with padding 19",
        "they do not belong together",
    )


def test_two_vocabularies_need_not_share_anything_but_their_padding() -> None:
    model = small(share_encoder_decoder_embeddings=False, vocab_size=24, decoder_vocab_size=20)
    with torch.no_grad():
        model.model.decoder.embed_tokens.weight[19].zero_()
    check_marian(model, Tokens(24, 19), "mine")
    model.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().clone())
    assert refusal(lambda: check_marian(model, Tokens(24, 19), "mine"))[0] == (
        "the output layer is not tied to the decoder's embeddings"
    )


# What it says


def test_a_trained_model_is_sure_of_its_output(loaded: Loaded) -> None:
    check_fluency(loaded.model, loaded.tokenizer, SOURCES, "mine")


def test_sources_longer_than_the_model_do_not_matter(loaded: Loaded) -> None:
    loaded.tokenizer.model_max_length = 10**9
    check_fluency(loaded.model, loaded.tokenizer, ["Where is the library? " * 50, *SOURCES], "mine")


def test_random_weights(loaded: Loaded) -> None:
    size, pad = 20_000, 19_999
    model = small(vocab_size=size, pad_token_id=pad, decoder_start_token_id=pad)
    mend_generation(model)
    found, meaning = refusal(lambda: check_fluency(model, loaded.tokenizer, SOURCES, "mine"))
    assert found.startswith("its own translation costs it 9.")
    assert found.endswith(" nats per token, where a trained model stays below 5 (guessing costs 9.9)")
    assert meaning == "its weights are not what its configuration says"


def test_weights_that_are_no_numbers(loaded: Loaded) -> None:
    with torch.no_grad():
        loaded.model.model.encoder.layers[0].fc1.weight[0, 0] = torch.nan
    found, _ = refusal(lambda: check_fluency(loaded.model, loaded.tokenizer, SOURCES, "mine"))
    assert found.startswith("its own translation costs it nan nats per token")


def test_the_model_is_left_in_evaluation_mode(loaded: Loaded) -> None:
    loaded.model.train()
    check_fluency(loaded.model, loaded.tokenizer, SOURCES, "mine")
    assert not loaded.model.training


# What is mended, and kept


def test_generation_settings_are_taken_from_the_configuration() -> None:
    model = small(eos_token_id=7, forced_eos_token_id=7, decoder_start_token_id=19)
    model.generation_config = transformers.GenerationConfig()
    mend_generation(model)
    stated = model.generation_config
    assert (stated.decoder_start_token_id, stated.pad_token_id) == (19, 19)
    assert (stated.eos_token_id, stated.forced_eos_token_id) == (7, 7)
    assert (stated.bad_words_ids, stated.max_length) == ([[19]], 32)


def test_what_a_checkpoint_says_about_generation_is_kept() -> None:
    model = small()
    model.generation_config = transformers.GenerationConfig(
        max_length=25, bad_words_ids=[[3], [19]], num_beams=6, no_repeat_ngram_size=3
    )
    mend_generation(model)
    stated = model.generation_config
    assert (stated.max_length, stated.bad_words_ids) == (25, [[3], [19]])
    assert (stated.num_beams, stated.no_repeat_ngram_size) == (6, 3)


def test_the_shared_table_keeps_its_padding_once(loaded: Loaded) -> None:
    ((table, row),) = zero_rows(loaded.model)
    assert table is loaded.model.model.shared.weight
    assert row == loaded.model.config.pad_token_id


def test_two_tables_keep_their_padding_both() -> None:
    model = small(share_encoder_decoder_embeddings=False)
    decoder, encoder = zero_rows(model)
    assert (decoder[1], encoder[1]) == (19, 19)
    assert decoder[0] is model.model.decoder.embed_tokens.weight
    assert encoder[0] is model.model.encoder.embed_tokens.weight


def test_under_an_adapter_no_table_is_trained(loaded: Loaded) -> None:
    assert zero_rows(add_adapter(loaded.model, Adapter(rank=2), loaded.name, "main")) == ()


def test_other_architectures_have_no_such_rows() -> None:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    assert zero_rows(transformers.BertForMaskedLM(config)) == ()
