"""A new decoder is a standard GPT-2 checkpoint, and the same rows and seed give the same one."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
import transformers
from conftest import PAIRS
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from wild_texts import texts as wild

from hftoolkit.errors import ModelError
from hftoolkit.models.scratch_decoder import END, build_gpt
from hftoolkit.recipe.schema import ScratchDecoder

TEXTS = [text for pair in PAIRS for text in pair] * 3


def built(folder: Path, texts: list[str] = TEXTS, seed: int = 1, **others: Any) -> list[str]:
    small = {"vocabulary": 290, "layers": 2, "width": 16, "feed_forward": 24, "heads": 2}
    return build_gpt(ScratchDecoder(**{**small, "dropout": 0.2, "positions": 32, **others}), texts, folder, seed)


def tokenizer_of(folder: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(str(folder))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scratch") / "new"
    assert built(folder) == []
    return folder


def test_plain_transformers_loads_it_with_nothing_missing(checkpoint: Path) -> None:
    model, info = transformers.AutoModelForCausalLM.from_pretrained(str(checkpoint), output_loading_info=True)
    assert not any(info.values())
    assert type(model) is transformers.GPT2LMHeadModel
    assert model.lm_head.weight is model.transformer.wte.weight
    assert type(tokenizer_of(checkpoint)) is transformers.GPT2Tokenizer


def test_it_has_the_sizes_asked_for(checkpoint: Path) -> None:
    model, tokenizer = transformers.AutoModelForCausalLM.from_pretrained(str(checkpoint)), tokenizer_of(checkpoint)
    config = model.config
    assert (config.n_layer, config.n_embd, config.n_inner, config.n_head, config.n_positions) == (2, 16, 24, 2, 32)
    assert (config.resid_pdrop, config.embd_pdrop, config.attn_pdrop) == (0.2, 0.2, 0.0)
    assert len(tokenizer) == config.vocab_size == 290
    assert tokenizer.model_max_length == 32


def test_one_token_begins_and_ends_texts(checkpoint: Path) -> None:
    tokenizer = tokenizer_of(checkpoint)
    config = transformers.GenerationConfig.from_pretrained(str(checkpoint))
    number = tokenizer.convert_tokens_to_ids(END)
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, config.eos_token_id) == (number, number, number)
    assert tokenizer.pad_token_id is None
    assert number not in tokenizer("The library is open.")["input_ids"]


def test_what_often_stands_together_is_one_token(checkpoint: Path) -> None:
    assert "Ġlibrary" in tokenizer_of(checkpoint).tokenize("the library")


@settings(deadline=None, max_examples=25)
@given(st.lists(wild, max_size=5), wild)
def test_every_text_comes_back(texts: list[str], other: str) -> None:
    with TemporaryDirectory() as folder:
        built(Path(folder) / "new", texts)
        tokenizer = tokenizer_of(Path(folder) / "new")
        for text in (*texts, other):
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


@pytest.mark.parametrize(("width", "std"), [(16, 0.139), (192, 0.04)])
def test_the_narrower_the_model_the_larger_its_weights(width: int, std: float, tmp_path: Path) -> None:
    built(tmp_path / "new", width=width)
    weights = load_file(tmp_path / "new" / "model.safetensors")
    assert float(weights["transformer.wte.weight"].std()) == pytest.approx(std, rel=0.05)
    assert float(weights["transformer.h.0.attn.c_attn.weight"].std()) == pytest.approx(std, rel=0.05)


def test_the_deeper_the_model_the_less_a_layer_adds(tmp_path: Path) -> None:
    found = []
    for layers in (1, 16):
        built(tmp_path / str(layers), layers=layers, width=64, feed_forward=256)
        weights = load_file(tmp_path / str(layers) / "model.safetensors")
        found.append(float(weights["transformer.h.0.mlp.c_proj.weight"].std()))
    assert found[0] == pytest.approx(4 * found[1], rel=0.05)


def test_the_same_rows_and_seed_give_the_same_files_in_every_process(checkpoint: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from test_scratch_decoder import built\n"
        "assert built(Path(sys.argv[1])) == []"
    )
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent)])
    subprocess.run([sys.executable, "-c", code, tmp_path / "same"], env=os.environ | {"PYTHONPATH": path}, check=True)
    built(tmp_path / "other", seed=2)
    for path in checkpoint.iterdir():
        assert (tmp_path / "same" / path.name).read_bytes() == path.read_bytes(), path.name
    weights = "model.safetensors"
    assert (tmp_path / "other" / weights).read_bytes() != (checkpoint / weights).read_bytes()


def test_the_random_state_of_the_caller_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    built(tmp_path / "new")
    assert torch.equal(torch.rand(3), expected)


def test_a_vocabulary_the_rows_cannot_fill_shrinks_and_it_is_said(tmp_path: Path) -> None:
    notes = built(tmp_path / "new", vocabulary=8000)
    entries = len(tokenizer_of(tmp_path / "new"))
    assert 290 < entries < 8000
    assert notes == [f"the tokenizer has {entries:,} tokens instead of 8,000: the rows hold no more pieces"]
    assert transformers.AutoConfig.from_pretrained(str(tmp_path / "new")).vocab_size == entries


def test_the_tokenizer_of_another_checkpoint(marian: Path, llama: Path, tmp_path: Path) -> None:
    for number, other in enumerate((marian, llama)):
        sizes = {"layers": 1, "width": 16, "feed_forward": 24, "heads": 2, "tokenizer": str(other)}
        assert build_gpt(ScratchDecoder(**sizes), [], tmp_path / str(number), 1) == []
        theirs, ours = tokenizer_of(other), tokenizer_of(tmp_path / str(number))
        assert ours("The library is open.")["input_ids"] == theirs("The library is open.")["input_ids"]
        config = transformers.AutoConfig.from_pretrained(tmp_path / str(number))
        assert (config.vocab_size, config.eos_token_id) == (len(theirs), theirs.eos_token_id)


def test_a_tokenizer_that_ends_no_texts(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        build_gpt(ScratchDecoder(tokenizer=str(bert)), [], tmp_path / "new", 1)
    assert str(caught.value) == (
        f"model.scratch.tokenizer: '{bert}' has no token for the end of a text\n"
        "  choose a checkpoint that writes, or leave it out"
    )
    with pytest.raises(ValueError, match="'vocabulary' beside 'tokenizer', which has one already"):
        ScratchDecoder(tokenizer=str(bert), vocabulary=300)
