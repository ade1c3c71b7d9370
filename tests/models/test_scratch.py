"""A new model is a standard Marian checkpoint, and its tokenizer loses nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from conftest import PAIRS

from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.pytorch import TorchEngine
from hftoolkit.errors import DataError
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.models.scratch import build_marian
from hftoolkit.recipe.schema import Languages, Scratch
from hftoolkit.tasks.translation import Translation

LANGUAGES = Languages(source="en", target="zh-Hans")
TEXTS = [text for pair in PAIRS for text in pair]


def sizes(**others: Any) -> Scratch:
    small = {"vocabulary": 330, "encoder_layers": 2, "decoder_layers": 1, "width": 16, "feed_forward": 24, "heads": 2}
    return Scratch(**{**small, "dropout": 0.2, "positions": 32, **others})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scratch") / "new"
    assert build_marian(sizes(), TEXTS, LANGUAGES, folder, seed=1) == []
    return folder


@pytest.fixture(scope="module")
def plain(checkpoint: Path) -> tuple[Any, Any]:
    """Model and tokenizer as transformers alone loads them."""
    model = transformers.MarianMTModel.from_pretrained(str(checkpoint))
    return model.eval(), transformers.MarianTokenizer.from_pretrained(str(checkpoint))


def test_plain_transformers_loads_it_with_nothing_missing(checkpoint: Path) -> None:
    _, info = transformers.MarianMTModel.from_pretrained(str(checkpoint), output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]


def test_it_has_the_sizes_asked_for(plain: tuple[Any, Any]) -> None:
    model, tokenizer = plain
    config = model.config
    assert len(model.model.encoder.layers) == 2
    assert len(model.model.decoder.layers) == 1
    assert model.model.shared.weight.shape == (len(tokenizer), 16)
    assert model.model.encoder.layers[0].fc1.weight.shape == (24, 16)
    assert (config.encoder_attention_heads, config.decoder_attention_heads) == (2, 2)
    assert (config.dropout, config.max_position_embeddings, tokenizer.model_max_length) == (0.2, 32, 32)


def test_padding_is_last_zero_and_the_start(plain: tuple[Any, Any]) -> None:
    model, tokenizer = plain
    pad = len(tokenizer) - 1
    assert tokenizer.pad_token_id == model.config.pad_token_id == model.config.decoder_start_token_id == pad
    assert model.generation_config.decoder_start_token_id == pad
    assert model.generation_config.bad_words_ids == [[pad]]
    assert not model.model.shared.weight[pad].any()
    assert model.model.shared.weight[:pad].any(dim=1).all()


def test_its_three_tables_are_one(plain: tuple[Any, Any]) -> None:
    model, _ = plain
    assert model.lm_head.weight is model.model.shared.weight
    assert model.model.encoder.embed_tokens.weight is model.model.shared.weight
    assert model.model.decoder.embed_tokens.weight is model.model.shared.weight


def test_plain_transformers_writes_what_we_write(marian: Path) -> None:
    model = transformers.MarianMTModel.from_pretrained(str(marian)).eval()
    tokenizer = transformers.MarianTokenizer.from_pretrained(str(marian))
    sources = [source for source, _ in PAIRS]
    inputs = tokenizer(sources, return_tensors="pt", padding=True)
    theirs = tokenizer.batch_decode(model.generate(**inputs), skip_special_tokens=True)
    loaded = load_checkpoint(str(marian), Translation(Translation.Options(), LANGUAGES).auto_class)
    assert list(TorchEngine(loaded.model, loaded.tokenizer).generate(sources, Decoding())) == theirs
    assert theirs == [target for _, target in PAIRS]


def test_the_first_predictions_are_near_uniform(plain: tuple[Any, Any]) -> None:
    model, tokenizer = plain
    inputs = tokenizer([source for source, _ in PAIRS], return_tensors="pt", padding=True)
    labels = tokenizer(text_target=[target for _, target in PAIRS], return_tensors="pt", padding=True)["input_ids"]
    labels[labels == tokenizer.pad_token_id] = -100
    loss = float(model(**inputs, labels=labels).loss.detach())
    uniform = float(torch.tensor(len(tokenizer)).log())
    assert uniform - 0.5 < loss < uniform + 1.5


def test_the_same_seed_gives_the_same_files(checkpoint: Path, tmp_path: Path) -> None:
    build_marian(sizes(), iter(TEXTS), LANGUAGES, tmp_path / "same", seed=1)
    build_marian(sizes(), TEXTS, LANGUAGES, tmp_path / "other", seed=2)
    for path in checkpoint.iterdir():
        assert (tmp_path / "same" / path.name).read_bytes() == path.read_bytes(), path.name
    weights = "model.safetensors"
    assert (tmp_path / "other" / weights).read_bytes() != (checkpoint / weights).read_bytes()


def test_the_random_state_of_the_caller_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build_marian(sizes(), TEXTS, LANGUAGES, tmp_path / "new", seed=1)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    "text",
    [
        "你好，世界！（“全角”）；：？《书》、。",
        "Ａ１　ｘ ½ ﬁ ① ㍿",
        "😀👩‍💻🏳️‍🌈",
        "e\u0301 é ﷽ 𠮷 𝄞 \u0e01\u0e33",
        "a\tb\u200bc",
        "Where is 图书馆?",
    ],
)
def test_nothing_is_lost_or_normalised(plain: tuple[Any, Any], text: str) -> None:
    _, tokenizer = plain
    for ids in (tokenizer([text])["input_ids"][0], tokenizer(text_target=[text])["input_ids"][0]):
        assert tokenizer.unk_token_id not in ids
        assert ids[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_known_words_take_few_tokens_and_rare_characters_bytes(plain: tuple[Any, Any]) -> None:
    _, tokenizer = plain
    assert tokenizer.tokenize("library") == ["▁library"]
    assert tokenizer.tokenize("𠮷")[-4:] == ["<0xF0>", "<0xA0>", "<0xAE>", "<0xB7>"]


def test_a_vocabulary_the_rows_cannot_fill_shrinks_and_it_is_said(tmp_path: Path) -> None:
    notes = build_marian(sizes(vocabulary=8000), TEXTS, LANGUAGES, tmp_path / "new", seed=1)
    entries = len(json.loads((tmp_path / "new" / "vocab.json").read_text(encoding="utf-8")))
    assert 300 < entries < 8000
    assert notes == [f"the tokenizer has {entries:,} tokens instead of 8,000: the rows hold no more pieces"]
    config = json.loads((tmp_path / "new" / "config.json").read_text(encoding="utf-8"))
    assert (config["vocab_size"], config["decoder_vocab_size"], config["pad_token_id"]) == (
        entries,
        entries,
        entries - 1,
    )


def test_its_languages_are_recorded(checkpoint: Path, tmp_path: Path) -> None:
    def recorded(folder: Path) -> tuple[str | None, str | None]:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        return settings["source_lang"], settings["target_lang"]

    build_marian(sizes(), TEXTS, None, tmp_path / "new", seed=1)
    assert recorded(checkpoint) == ("en", "zh-Hans")
    assert recorded(tmp_path / "new") == (None, None)


@pytest.mark.parametrize("texts", [[], ["", " "]], ids=["none", "blank"])
def test_rows_no_tokenizer_can_be_trained_on(texts: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        build_marian(sizes(), texts, LANGUAGES, tmp_path / "new", seed=1)
    first, hint = str(caught.value).split("\n")
    assert first.startswith("model.scratch: no tokenizer can be trained on these rows: ")
    assert hint == "  add rows"


def test_a_vocabulary_too_small_for_the_rows_says_how_large(tmp_path: Path) -> None:
    texts = [chr(0x4E00 + place) * 3 for place in range(400)]
    with pytest.raises(DataError) as caught:
        build_marian(Scratch(vocabulary=300), texts, None, tmp_path / "new", seed=1)
    assert str(caught.value) == (
        "model.scratch.vocabulary: 300 tokens are too few for these rows, which have 659 characters and bytes\n"
        "  take more:   vocabulary: 800"
    )
