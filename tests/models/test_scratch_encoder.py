"""A new encoder is a standard BERT checkpoint, and the same rows and seed give the same one."""

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
from wild_texts import texts as wild

from hftoolkit.errors import DataError
from hftoolkit.models.scratch_encoder import build_bert
from hftoolkit.recipe.schema import ScratchEncoder

TEXTS = [text for pair in PAIRS for text in pair] * 3
UNKNOWN = "[UNK]"


def sizes(**others: Any) -> ScratchEncoder:
    small = {"vocabulary": 140, "layers": 2, "width": 16, "feed_forward": 24, "heads": 2}
    return ScratchEncoder(**{**small, "dropout": 0.2, "positions": 32, **others})


def built(folder: Path, texts: list[str] = TEXTS, seed: int = 1, **others: Any) -> list[str]:
    return build_bert(sizes(**others), lambda: iter(texts), folder, seed)


def tokenizer_of(folder: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(str(folder))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scratch") / "new"
    assert built(folder) == []
    return folder


def test_plain_transformers_loads_it_with_nothing_missing(checkpoint: Path) -> None:
    model, info = transformers.AutoModel.from_pretrained(str(checkpoint), output_loading_info=True)
    assert not any(info.values())
    assert type(model) is transformers.BertModel
    assert type(tokenizer_of(checkpoint)) is transformers.BertTokenizer


def test_it_has_the_sizes_asked_for(checkpoint: Path) -> None:
    model, tokenizer = transformers.AutoModel.from_pretrained(str(checkpoint)), tokenizer_of(checkpoint)
    config = model.config
    assert (config.num_hidden_layers, config.hidden_size, config.intermediate_size) == (2, 16, 24)
    assert (config.num_attention_heads, config.max_position_embeddings) == (2, 32)
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0.2, 0.2)
    assert len(tokenizer) == config.vocab_size == 140
    assert (tokenizer.model_max_length, tokenizer.pad_token_id, config.pad_token_id) == (32, 0, 0)


def test_words_of_the_rows_are_pieces_and_chinese_characters_words(checkpoint: Path) -> None:
    tokenizer = tokenizer_of(checkpoint)
    assert tokenizer.tokenize("library 图书馆 Where") == ["library", "图", "书", "馆", "Where"]
    assert not [token for token in tokenizer.get_vocab() if token.startswith("##") and not token[2:].isascii()]
    assert tokenizer("a", "b")["token_type_ids"] == [0, 0, 0, 1, 1]


def test_small_letters_alone_where_asked_for_but_accents_stay(tmp_path: Path) -> None:
    built(tmp_path / "new", ["École à Paris", "école"] * 5, lowercase=True)
    tokenizer = tokenizer_of(tmp_path / "new")
    assert tokenizer.tokenize("ÉCOLE paris") == ["école", "paris"]
    built(tmp_path / "other", ["École à Paris", "école"] * 5)
    assert tokenizer_of(tmp_path / "other").tokenize("École école paris") == ["École", "école", UNKNOWN]


def test_the_same_rows_and_seed_give_the_same_files_in_every_process(checkpoint: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from test_scratch_encoder import built\n"
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


def test_hardly_any_character_is_lost_and_rare_ones_take_no_room(tmp_path: Path) -> None:
    texts = ["the library is open"] * 2000 + ["字"]
    built(tmp_path / "new", texts)
    tokenizer = tokenizer_of(tmp_path / "new")
    assert tokenizer.tokenize("字 library") == [UNKNOWN, "library"]


@settings(deadline=None)
@given(st.lists(wild.filter(lambda text: UNKNOWN not in text), max_size=5))
def test_few_texts_lose_no_character(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        built(Path(folder) / "new", [*texts, "a"], vocabulary=1000)
        tokenizer = tokenizer_of(Path(folder) / "new")
        assert all(UNKNOWN not in tokenizer.tokenize(text) for text in texts)


def test_a_vocabulary_the_rows_cannot_fill_shrinks_and_it_is_said(tmp_path: Path) -> None:
    notes = built(tmp_path / "new", vocabulary=8000)
    entries = len(tokenizer_of(tmp_path / "new"))
    assert 140 < entries < 8000
    assert notes == [f"the tokenizer has {entries:,} tokens instead of 8,000: the rows hold no more pieces"]
    assert transformers.AutoConfig.from_pretrained(str(tmp_path / "new")).vocab_size == entries


@pytest.mark.parametrize("texts", [[], ["", " \n"]], ids=["none", "blank"])
def test_rows_no_tokenizer_can_be_trained_on(texts: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        built(tmp_path / "new", texts)
    assert str(caught.value) == (
        "model.scratch: no tokenizer can be trained on these rows: they hold no text\n  add rows"
    )


def test_a_vocabulary_too_small_for_the_rows_says_how_large(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        built(tmp_path / "new", [chr(0x4E00 + place) for place in range(400)] + ["ab"], vocabulary=300)
    assert str(caught.value) == (
        "model.scratch.vocabulary: 300 tokens are too few for these rows, whose 402 characters take 409\n"
        "  take more:   vocabulary: 600"
    )
    built(tmp_path / "new", [chr(0x4E00 + place) for place in range(400)] + ["ab"], vocabulary=600)
