"""Names of opus-mt checkpoints."""

import pytest

from hftoolkit.errors import UsageError
from hftoolkit.models.pairs import checkpoint_for


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        ("en", "zh", "opus-mt-en-zh"),
        ("en", "zh-Hans", "opus-mt-en-zh"),
        ("en", "zh-Hant", "opus-mt-en-zh"),
        ("zh_CN", "en", "opus-mt-zh-en"),
        ("en", "de", "opus-mt-en-de"),
        ("eng", "deu", "opus-mt-en-de"),
        ("en", "ja", "opus-mt-en-jap"),
        ("ja", "en", "opus-mt-ja-en"),
        ("de", "zh", "opus-mt-de-ZH"),
        ("en", "pt-BR", "opus-mt-tc-big-en-pt"),
        ("pt", "en", "opus-mt-ROMANCE-en"),
        ("en", "tr", "opus-mt-tc-big-en-tr"),
        ("tr", "en", "opus-mt-tr-en"),
        ("en", "pl", "opus-mt-en-zlw"),
        ("en", "hr", "opus-mt-en-zls"),
        ("uk", "en", "opus-mt-uk-en"),
        ("bem", "fi", "opus-mt-bem-fi"),
    ],
)
def test_a_pair_has_a_checkpoint(source: str, target: str, name: str) -> None:
    assert checkpoint_for(source, target) == f"Helsinki-NLP/{name}"


def test_the_default_is_english_to_chinese() -> None:
    assert checkpoint_for() == "Helsinki-NLP/opus-mt-en-zh"


def test_an_unknown_pair_names_two_steps_and_near_pairs() -> None:
    with pytest.raises(UsageError) as caught:
        checkpoint_for("ko", "zh")
    assert str(caught.value) == (
        "there is no opus-mt checkpoint from 'ko' to 'zh'\n"
        "  in two steps:  Helsinki-NLP/opus-mt-ko-en, then Helsinki-NLP/opus-mt-en-zh\n"
        "  from 'ko' to:  de, en, es, fi, fr, hu, ru, sv\n"
        "  to 'zh' from:  de, en, fi, sv"
    )


def test_a_pair_of_which_nothing_is_known() -> None:
    with pytest.raises(UsageError) as caught:
        checkpoint_for("en", "ko")
    message = str(caught.value)
    assert message.startswith("there is no opus-mt checkpoint from 'en' to 'ko'\n  from 'en' to:  af, am, ar, ")
    assert message.endswith("\n  to 'ko' from:  nothing")


def test_a_tag_that_is_none_is_refused_by_its_own_words() -> None:
    with pytest.raises(UsageError, match="'jp' is no language tag; did you mean 'ja'"):
        checkpoint_for("en", "jp")
