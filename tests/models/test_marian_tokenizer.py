"""The tokenizer without transformers: number by number, and text by text, the one of transformers."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import two_vocabularies
from transformers import AutoTokenizer
from wild_texts import texts as wild

from hftoolkit.models.marian_tokenizer import MarianTokenizer, UnknownTokenizerError, numbers

SPELLED = ["</s>", "<pad>", "<unk>", ">>cmn_Hans<<", ">>cmn_Hant<<", ">>xyz<<", ">>", "<<", "▁", " ", "</s", "unk>"]
spelled = st.lists(st.sampled_from([*SPELLED, "Good morning!", "早上好", "é", "n't ."]) | wild, max_size=6).map("".join)
"""Texts in which tokens are spelled out, whole or in part, among words and whatever else."""

EDGES = ["", " ", "</s>", "a</s>b", "x <unk> y", ">>cmn_Hans<< hi", " >>cmn_Hans<<", ">>a b<<c", "a >>cmn_Hans<<"]
EDGES += [">>cmn_Hans<<</s>>>eng<< d", ">><<", "<</s>>", "<pa<pad>d>", "e\u0301", "\x00\x01\x85", "▁▁a", "<unk></s>"]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a vocabulary for either side and target tokens."""
    folder = tmp_path_factory.mktemp("two")
    sources, targets = (list(side) for side in zip(*PAIRS, strict=True))
    two_vocabularies(folder, sources, targets, [">>cmn_Hans<<", ">>cmn_Hant<<"])
    return folder


@pytest.fixture(params=["marian", "two"])
def folder(request: pytest.FixtureRequest) -> Path:
    """A checkpoint of either family."""
    found: Path = request.getfixturevalue(request.param)
    return found


@cache
def both(folder: Path) -> tuple[MarianTokenizer, Any]:
    """Our tokenizer, and that of transformers."""
    return MarianTokenizer(folder), AutoTokenizer.from_pretrained(str(folder))


@pytest.fixture
def copy(marian: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the tiny translator's tokenizer with other settings and files; what is None is left out."""

    def copied(config: dict[str, Any] | None = None, **files: Any) -> Path:
        folder = tmp_path / "copy"
        shutil.copytree(marian, folder, ignore=lambda _, names: [name for name in names if "safetensors" in name])
        path = folder / "tokenizer_config.json"
        changed = json.loads(path.read_text(encoding="utf-8")) | (config or {})
        path.write_text(json.dumps({k: v for k, v in changed.items() if v != "left out"}), encoding="utf-8")
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_text(json.dumps(content), encoding="utf-8")
        return folder

    return copied


def assert_equal(folder: Path, texts: list[str]) -> None:
    ours, theirs = MarianTokenizer(folder), AutoTokenizer.from_pretrained(str(folder))
    assert ours.vocabulary == theirs.get_vocab()
    assert (ours.eos, ours.pad) == (theirs.eos_token_id, theirs.pad_token_id)
    for text in texts:
        ids = theirs(text)["input_ids"]
        assert ours.encode(text) == ids, text
        for skip in (True, False):
            assert ours.decode(ids, skip_special_tokens=skip) == theirs.decode(ids, skip_special_tokens=skip), text


def refusal(folder: Path) -> str:
    with pytest.raises(UnknownTokenizerError) as caught:
        MarianTokenizer(folder)
    return str(caught.value)


# The same as transformers


@pytest.mark.parametrize("text", EDGES)
def test_every_number_is_the_one_of_transformers(folder: Path, text: str) -> None:
    ours, theirs = both(folder)
    assert ours.encode(text) == theirs(text)["input_ids"]


@given(text=spelled)
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("family", ["marian", "two"])
def test_whatever_the_text(family: str, request: pytest.FixtureRequest, text: str) -> None:
    ours, theirs = both(request.getfixturevalue(family))
    assert ours.encode(text) == theirs(text)["input_ids"]


@given(texts=st.lists(spelled | st.sampled_from(EDGES), max_size=4))
@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize("family", ["marian", "two"])
def test_many_texts_at_once(family: str, request: pytest.FixtureRequest, texts: list[str]) -> None:
    theirs = both(request.getfixturevalue(family))[1]
    assert numbers(theirs, texts) == [theirs(text)["input_ids"] for text in texts]
    assert numbers(theirs, texts, target=True) == [theirs(text_target=text)["input_ids"] for text in texts]


def test_many_texts_of_a_token_that_was_added(marian: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(str(marian))
    theirs.add_tokens(["<b>"])
    texts = ["Good <b>morning!", "Good morning!"]
    assert numbers(theirs, texts) == [theirs(text)["input_ids"] for text in texts]
    assert len(theirs) - 1 in numbers(theirs, texts)[0]


@given(data=st.data(), skip=st.booleans())
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("family", ["marian", "two"])
def test_whatever_the_output(family: str, request: pytest.FixtureRequest, data: st.DataObject, skip: bool) -> None:
    ours, theirs = both(request.getfixturevalue(family))
    special = st.sampled_from(theirs.all_special_ids)
    ids = data.draw(st.lists(st.integers(0, len(theirs) - 1) | special, max_size=12))
    assert ours.decode(ids, skip_special_tokens=skip) == theirs.decode(ids, skip_special_tokens=skip)


def test_numbers_outside_a_vocabulary_are_pieces(two: Path) -> None:
    # transformers looks them up among the pieces of sentencepiece.
    ours, theirs = both(two)
    theirs_only = [number for number in range(theirs.spm_target.get_piece_size()) if number not in theirs.decoder]
    for number in theirs_only:
        assert ours.decode([number]) == theirs.decode([number])


def test_what_it_knows_of_its_languages(marian: Path, two: Path) -> None:
    assert (both(marian)[0].source_lang, both(marian)[0].target_lang) == ("en", "zh-Hans")
    assert (both(two)[0].source_lang, both(two)[0].target_lang) == (None, None)


@pytest.mark.parametrize(
    "config",
    [
        {"clean_up_tokenization_spaces": True},
        {"split_special_tokens": True},
        {"eos_token": {"__type": "AddedToken", "content": "</s>", "lstrip": False, "rstrip": False}},
        {"bos_token": "Good"},
        {"mask_token": "<mask>"},
        {"extra_special_tokens": [], "sp_model_kwargs": {}},
        {"added_tokens_decoder": {"7": {"content": "library", "special": False}, "0": {"content": "</s>"}}},
        {"tokenizer_class": "left out"},
    ],
    ids=str,
)
def test_settings_of_a_tokenizer(copy: Callable[..., Path], config: dict[str, Any]) -> None:
    assert_equal(copy(config), [*EDGES, "Good , morning ! the library's n't <mask> library.", *(a for a, _ in PAIRS)])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("special_tokens_map__json", {"eos_token": {"content": "</s>", "lstrip": True}, "bos_token": "library"}),
        ("added_tokens__json", {"library": 7, "<new>": 400}),
    ],
)
def test_files_of_older_checkpoints(copy: Callable[..., Path], name: str, content: dict[str, Any]) -> None:
    assert_equal(copy(**{name: content}), [*EDGES, "the library <new> is </s> open", "library"])


def test_as_transformers_saves_it(folder: Path, tmp_path: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(str(folder))
    theirs.save_pretrained(tmp_path)
    assert "added_tokens_decoder" in (tmp_path / "tokenizer_config.json").read_text(encoding="utf-8")
    assert_equal(tmp_path, [*EDGES, *(source for source, _ in PAIRS)])


# What it leaves to transformers


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"tokenizer_class": "BertTokenizer"}, "is of the kind 'BertTokenizer', not 'MarianTokenizer'"),
        ({"sp_model_kwargs": {"enable_sampling": True}}, "has settings of its own: sp_model_kwargs"),
        ({"extra_special_tokens": ["<x>"]}, "has settings of its own: extra_special_tokens"),
        ({"additional_special_tokens": ["<x>"]}, "has settings of its own: additional_special_tokens"),
        ({"auto_map": {"AutoTokenizer": "x.Y"}}, "has settings of its own: auto_map"),
        ({"image_token": "<image>"}, "has settings of its own: image_token"),
        ({"eos_token": None}, "has a special token that is no text: None"),
        ({"bos_token": 3}, "has a special token that is no text: 3"),
        ({"unk_token": "<none>"}, "lacks a file or has a damaged one ('<none>')"),
        (
            {"added_tokens_decoder": {"7": {"content": "<mask>", "lstrip": True}}},
            "has a token that takes blanks with it: '<mask>'",
        ),
        ({"bos_token": ">>x<<"}, "has tokens that may overlap: </s>, <pad>, <unk>, >>x<<"),
    ],
)
def test_what_is_particular_about_a_tokenizer(copy: Callable[..., Path], config: dict[str, Any], reason: str) -> None:
    assert refusal(copy(config)) == reason


def test_a_tokenizer_of_the_fast_kind(copy: Callable[..., Path]) -> None:
    assert refusal(copy(tokenizer__json={})) == "has a tokenizer.json"


def test_a_folder_that_does_not_say_what_it_is(copy: Callable[..., Path]) -> None:
    folder = copy({"tokenizer_class": "left out"})
    (folder / "config.json").unlink()
    assert refusal(folder) == "is of the kind None, not 'MarianTokenizer'"


@pytest.mark.parametrize("name", ["vocab.json", "source.spm", "tokenizer_config.json"])
def test_a_damaged_file(copy: Callable[..., Path], name: str) -> None:
    folder = copy()
    (folder / name).write_bytes(b"\x00{")
    assert refusal(folder).startswith("lacks a file or has a damaged one (")


@pytest.mark.parametrize("name", ["vocab.json", "source.spm"])
def test_a_missing_file(copy: Callable[..., Path], name: str) -> None:
    folder = copy()
    (folder / name).unlink()
    assert refusal(folder).startswith("lacks a file or has a damaged one ([Errno 2]")


def test_transformers_is_not_imported(marian: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom hftoolkit.models.marian_tokenizer import MarianTokenizer\n"
        f"MarianTokenizer(Path({str(marian)!r})).encode('Good')\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert not {"torch", "transformers", "tokenizers"} & set(out.split())


# Words of a vocabulary


def test_words_are_whole_and_frequent(marian: Path) -> None:
    words = MarianTokenizer(marian).words(5)
    assert len(words) == 5
    text = " ".join(side for pair in PAIRS for side in pair)
    assert all(word in text for word in words)


def test_a_vocabulary_of_characters_has_pieces_for_words(two: Path) -> None:
    words = MarianTokenizer(two).words(5)
    assert len(words) == 5
    assert not {"</s>", "<unk>"} & set(words)


# Real tokenizers


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["tokenizer-opus-mt-zh-en", "tokenizer-opus-mt-uk-en", "tokenizer-opus-mt-tc-big-fr-en", "marian-tiny-en-pt"],
)
def test_real_tokenizers_on_all_of_flores(shared: Path, name: str) -> None:
    files = sorted((shared / "data/translation/flores200").glob("*.devtest"))
    texts = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(files) == 5
    assert_equal(shared / "models" / name, [*texts, *(f">>zho<< {text}" for text in texts[:50]), *EDGES])


@pytest.mark.slow
@given(text=spelled)
@settings(max_examples=2000, deadline=None)
@pytest.mark.parametrize("name", ["tokenizer-opus-mt-zh-en", "tokenizer-opus-mt-tc-big-fr-en"])
def test_real_tokenizers_on_whatever_text(shared: Path, name: str, text: str) -> None:
    ours, theirs = both(shared / "models" / name)
    ids = theirs(text)["input_ids"]
    assert ours.encode(text) == ids
    assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True)
