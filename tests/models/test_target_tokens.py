"""Target tokens of vocabularies."""

import json
import os
from pathlib import Path

import pytest

from hftoolkit.models.target_tokens import target_token, target_tokens

EN_ZH = [">>cjy_Hans<<", ">>cmn<<", ">>cmn_Hans<<", ">>cmn_Hant<<", ">>lzh<<", ">>yue_Hant<<", "<unk>", "the"]
ROMANCE = [">>es<<", ">>fr<<", ">>it<<", ">>pt<<", ">>pt_BR<<", ">>pt_br<<", ">>ro<<"]


@pytest.mark.parametrize(
    ("target", "vocabulary", "token"),
    [
        ("zh", EN_ZH, ">>cmn_Hans<<"),
        ("zh-Hans", EN_ZH, ">>cmn_Hans<<"),
        ("zh-Hant", EN_ZH, ">>cmn_Hant<<"),
        ("zh-TW", EN_ZH, ">>cmn_Hant<<"),
        ("yue", EN_ZH, ">>yue_Hant<<"),
        ("zh-Hant", [">>zho<<", ">>jpn<<"], ">>zho<<"),
        ("zh-Hans", [">>zho_Hans<<", ">>zho_Hant<<"], ">>zho_Hans<<"),
        ("zh-TW", [">>zh_cn<<", ">>zh_tw<<"], ">>zh_tw<<"),
        ("pt-BR", ROMANCE, ">>pt_BR<<"),
        ("pt-BR", [">>pt<<", ">>pt_br<<"], ">>pt_br<<"),
        ("pt-PT", ROMANCE, ">>pt<<"),
        ("pt-BR", [">>por<<", ">>pob<<"], ">>pob<<"),
        ("pt", [">>por<<", ">>pob<<"], ">>por<<"),
        ("sr", [">>srp_Cyrl<<", ">>srp_Latn<<"], ">>srp_Cyrl<<"),
        ("sr-Latn", [">>srp_Cyrl<<", ">>srp_Latn<<"], ">>srp_Latn<<"),
        ("no", [">>dan<<", ">>nno<<", ">>nob<<"], ">>nob<<"),
        ("fa", [">>pes<<", ">>pus<<"], ">>pes<<"),
        ("sw", [">>swh<<"], ">>swh<<"),
        ("ja", EN_ZH, None),
        ("en", [">>", "eng", "<<"], None),
    ],
)
def test_the_closest_token_is_taken(target: str, vocabulary: list[str], token: str | None) -> None:
    assert target_token(vocabulary, target) == token


def test_there_is_no_token_where_there_is_nothing_to_choose() -> None:
    vocabulary = {">>eng<<": 1, ">>zho<<": 2, "the": 3}
    assert target_token(vocabulary, "en") == ">>eng<<"
    assert target_token(vocabulary, "en", source="zh") is None
    assert target_token({**vocabulary, ">>deu<<": 4}, "en", source="zh") == ">>eng<<"
    assert target_token(EN_ZH, "zh", source="en") == ">>cmn_Hans<<"


def test_tokens_start_with_the_closest() -> None:
    assert target_tokens("zh-Hans")[:3] == [">>cmn_Hans<<", ">>zho_Hans<<", ">>zh_Hans<<"]
    assert target_tokens("de") == [">>deu<<", ">>de<<"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "target", "source", "token"),
    [
        ("tokenizer-opus-mt-zh-en", "en", None, ">>eng<<"),
        ("tokenizer-opus-mt-zh-en", "zh-Hans", None, ">>zho<<"),
        ("tokenizer-opus-mt-zh-en", "en", "zh", None),
        ("tokenizer-opus-mt-uk-en", "en", None, None),
        ("tokenizer-opus-mt-tc-big-fr-en", "en", None, None),
        ("marian-tiny-en-pt", "pt", None, None),
    ],
)
def test_real_vocabularies(folder: str, target: str, source: str | None, token: str | None) -> None:
    shared = os.environ.get("HFTOOLKIT_SHARED")
    if not shared:
        pytest.skip("HFTOOLKIT_SHARED is not set")
    path = Path(shared, "models", folder, "vocab.json")
    assert target_token(json.loads(path.read_text(encoding="utf-8")), target, source) == token
