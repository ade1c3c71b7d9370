"""Conversions are tried beside PyTorch: exact in float32, close enough in int8, or refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from engines.conftest import KNOWN, UNKNOWN, load

from hftoolkit.engines import converting
from hftoolkit.engines.conversion import Outcome
from hftoolkit.engines.converting import convert
from hftoolkit.engines.places import Place
from hftoolkit.models.loading import Loaded
from hftoolkit.models.marian_tokenizer import MarianTokenizer


@pytest.fixture
def loaded(marian: Path) -> Loaded:
    return load(marian)


def outcome_of(loaded: Loaded, folder: Path, wanted: str = "int8_float32") -> Outcome:
    return convert(loaded, MarianTokenizer(loaded.folder), KNOWN + UNKNOWN, folder, wanted, Place())


def folders(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_int8_is_kept_where_it_is_good_enough(loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert converting.LEAST_CHRF == 90
    monkeypatch.setattr(converting, "LEAST_CHRF", 0.0)  # how close it comes hangs on the processor
    outcome = outcome_of(loaded, tmp_path)
    assert outcome == Outcome("int8_float32", None, None, len(KNOWN + UNKNOWN), 0, outcome.chrf)
    assert outcome.chrf is not None
    assert outcome.chrf > 0
    assert folders(tmp_path) == ["int8_float32"]


def test_else_float32_is_kept_and_it_is_said(loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "LEAST_CHRF", 100.1)
    outcome = outcome_of(loaded, tmp_path)
    assert outcome.compute_type == "float32"
    assert outcome.note == (
        f"in int8_float32 its output is too far from that in float32 (chrF2 {outcome.chrf:.1f}), so it runs in float32"
    )
    assert folders(tmp_path) == ["float32"]


def test_float32_may_be_what_is_wanted(loaded: Loaded, tmp_path: Path) -> None:
    outcome = outcome_of(loaded, tmp_path, "float32")
    assert outcome == Outcome("float32", sentences=len(KNOWN + UNKNOWN))
    assert folders(tmp_path) == ["float32"]


def test_padding_that_is_not_zero_is_found_out(loaded: Loaded, tmp_path: Path) -> None:
    # PyTorch starts the decoder with it, CTranslate2 with zeros.
    with torch.no_grad():
        loaded.model.model.decoder.embed_tokens.weight[-1].normal_(generator=torch.Generator().manual_seed(1))
    outcome = outcome_of(loaded, tmp_path)
    assert outcome.compute_type == ""
    assert outcome.refused is not None
    first, second = outcome.refused.split(" sentences, less likely by up to ")
    assert first.startswith("converted, it writes other tokens than PyTorch on ")
    assert first.endswith(" of 22")
    assert float(second.removesuffix(" nats")) > 0.001
    assert folders(tmp_path) == []


def test_ties_are_counted_and_no_reason_to_refuse(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.no_grad():
        loaded.model.model.decoder.embed_tokens.weight[-1].normal_(generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(converting, "TIE", 1000.0)
    outcome = outcome_of(loaded, tmp_path, "float32")
    assert outcome.refused is None
    assert outcome.ties > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_length", 5),
        ("suppress_tokens", [3]),
        ("forced_bos_token_id", 0),
        ("bad_words_ids", [[3]]),
        ("encoder_no_repeat_ngram_size", 3),
    ],
)
def test_settings_that_only_pytorch_would_follow(loaded: Loaded, tmp_path: Path, name: str, value: Any) -> None:
    setattr(loaded.model.generation_config, name, value)
    outcome = outcome_of(loaded, tmp_path)
    assert outcome == Outcome(refused=f"its generation_config.json sets {name}")
    assert folders(tmp_path) == []


def test_vocabularies_of_different_sizes(loaded: Loaded, tmp_path: Path) -> None:
    loaded.model.config.vocab_size += 1000
    size = loaded.model.config.decoder_vocab_size
    assert outcome_of(loaded, tmp_path).refused == (
        f"its vocabularies differ in size ({size + 1000:,} and {size:,} entries)"
    )


def test_two_vocabularies_are_converted_too(two: Path, tmp_path: Path) -> None:
    outcome = outcome_of(load(two), tmp_path, "float32")
    assert (outcome.refused, outcome.ties) == (None, 0)
