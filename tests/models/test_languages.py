"""Language tags and target tokens."""

import json
import os
from pathlib import Path

import pytest

from hftoolkit.errors import UsageError
from hftoolkit.models.languages import THREE_LETTERS, Language, normalise, target_token, target_tokens

EN_ZH = [">>cjy_Hans<<", ">>cmn<<", ">>cmn_Hans<<", ">>cmn_Hant<<", ">>lzh<<", ">>yue_Hant<<", "<unk>", "the"]
ROMANCE = [">>es<<", ">>fr<<", ">>it<<", ">>pt<<", ">>pt_BR<<", ">>pt_br<<", ">>ro<<"]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", Language("en")),
        ("EN", Language("en")),
        ("eng", Language("en")),
        ("pt-BR", Language("pt", region="BR")),
        ("pt_br", Language("pt", region="BR")),
        ("zh", Language("zh")),
        ("zho", Language("zh")),
        ("cmn", Language("zh")),
        ("chi", Language("zh")),
        ("zh-Hans", Language("zh", "Hans")),
        ("zh-hant-tw", Language("zh", "Hant", "TW")),
        ("zh_CN", Language("zh", "Hans", "CN")),
        ("zh-TW", Language("zh", "Hant", "TW")),
        ("zh-HK", Language("zh", "Hant", "HK")),
        ("cmn_Hant", Language("zh", "Hant")),
        ("yue", Language("yue")),
        ("sr-Latn", Language("sr", "Latn")),
        ("jap", Language("ja")),
        ("iw", Language("he")),
        ("ase", Language("ase")),
    ],
)
def test_tags_have_one_form(tag: str, expected: Language) -> None:
    assert normalise(tag) == expected


def test_a_language_is_written_as_a_tag() -> None:
    assert str(normalise("pt_br")) == "pt-BR"
    assert str(normalise("zh_TW")) == "zh-Hant-TW"


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("jp", "'jp' is no language tag; did you mean 'ja'?"),
        ("xx", "'xx' is no language tag"),
        ("chinese", "'chinese' is no language tag; did you mean 'zh'?"),
        ("en-", "'en-' is no language tag"),
        ("", "'' is no language tag"),
        ("zh-Hans-CN-x", "'zh-Hans-CN-x' is no language tag"),
    ],
)
def test_what_is_no_tag_is_refused(tag: str, found: str) -> None:
    with pytest.raises(UsageError) as caught:
        normalise(tag)
    assert str(caught.value) == f"{found}\n  expected BCP 47, such as:  en, pt-BR, zh-Hans"


def test_the_table_is_whole() -> None:
    assert len(THREE_LETTERS) == 184
    assert len(set(THREE_LETTERS.values())) == 184
    assert all(len(two) == 2 and len(three) == 3 for two, three in THREE_LETTERS.items())
    assert all(normalise(three) == normalise(two) for two, three in THREE_LETTERS.items())


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
