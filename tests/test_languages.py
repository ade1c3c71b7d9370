"""Language tags, read strictly and as files have them."""

import pytest

from hftoolkit.errors import UsageError
from hftoolkit.languages import THREE_LETTERS, Language, normalise, read_tag


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
        ("es-419", Language("es", region="419")),
        ("sr_RS@latin", Language("sr", "Latn", "RS")),
        ("zh-CHT", Language("zh", "Hant")),
    ],
)
def test_tags_have_one_form(tag: str, expected: Language) -> None:
    assert normalise(tag) == read_tag(tag) == expected


def test_a_language_is_written_as_a_tag() -> None:
    assert str(normalise("pt_br")) == "pt-BR"
    assert str(normalise("zh_TW")) == "zh-Hant-TW"
    assert str(normalise("es_419")) == "es-419"


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("jp", "'jp' is no language tag; did you mean 'ja'?"),
        ("xx", "'xx' is no language tag"),
        ("chinese", "'chinese' is no language tag; did you mean 'zh'?"),
        ("en-", "'en-' is no language tag"),
        ("", "'' is no language tag"),
        ("zh-Hans-CN-x", "'zh-Hans-CN-x' is no language tag"),
        ("de_DE.UTF-8", "'de_DE.UTF-8' is no language tag"),
        ("ca@valencia", "'ca@valencia' is no language tag"),
    ],
)
def test_what_is_no_tag_is_refused(tag: str, found: str) -> None:
    with pytest.raises(UsageError) as caught:
        normalise(tag)
    assert str(caught.value) == f"{found}\n  expected BCP 47, such as:  en, pt-BR, zh-Hans"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("de_DE.UTF-8", Language("de", region="DE")),
        ("ca@valencia", Language("ca")),
        ("zh-cmn-Hans-CN", Language("zh", "Hans", "CN")),
        ("zh-Hans-CN-x", Language("zh", "Hans", "CN")),
        ("*all*", Language("*all*")),
        ("", Language("")),
    ],
)
def test_what_is_not_understood_in_a_file_is_passed_over(tag: str, expected: Language) -> None:
    assert read_tag(tag) == expected


def test_the_table_is_whole() -> None:
    assert len(THREE_LETTERS) == 184
    assert len(set(THREE_LETTERS.values())) == 184
    assert all(len(two) == 2 and len(three) == 3 for two, three in THREE_LETTERS.items())
    assert all(normalise(three) == normalise(two) for two, three in THREE_LETTERS.items())
