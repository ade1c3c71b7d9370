import pytest

from hftoolkit.data.languages import nearest, same_region


@pytest.mark.parametrize(
    ("wanted", "tags", "expected"),
    [
        ("zh-Hans", ["en", "zh-CN"], [1]),
        ("zh-Hans", ["en", "zh_CN"], [1]),
        ("zh-Hans", ["en", "ZH"], [1]),
        ("zh-Hans", ["zh-TW", "cmn-Hans"], [1]),
        ("zh-Hans", ["zh-TW", "zh-Hant", "zh-HK", "zh-CHT"], []),
        ("zh-Hant", ["zh-CN", "zh-TW"], [1]),
        ("zh-CN", ["zh", "zh-Hans"], [1]),
        ("zh", ["zh-CN", "zh-TW"], [0, 1]),
        ("zh", ["zh-CN", "zh"], [1]),
        ("en", ["en-US", "fr"], [0]),
        ("en-US", ["en", "en-GB"], [0]),
        ("en-US", ["en-GB", "en-us"], [1]),
        ("en", ["en-GB", "en-US"], [0, 1]),
        ("en", ["en", "EN"], [0, 1]),
        ("pt-BR", ["pt-PT"], [0]),
        ("es-419", ["es-ES", "es"], [1]),
        ("sr-Latn", ["sr@cyrillic", "sr@latin"], [1]),
        ("de", ["de_DE.UTF-8"], [0]),
        ("ca", ["ca@valencia"], [0]),
        ("he", ["iw"], [0]),
        ("en", ["fra", "eng"], [1]),
        ("eng", ["fr", "en-US"], [1]),
        ("zho", ["zh-CN"], [0]),
        ("zh-Hans", ["zho"], [0]),
        ("cmn", ["zh"], [0]),
        ("de", ["ger"], [0]),
        ("zh", ["cmn", "zh"], [1]),
        ("cmn", ["cmn", "zh"], [0]),
        ("zh-Hans", ["cmn", "zh"], [0, 1]),
        ("en", ["enm", "", "*all*", "fr"], []),
    ],
)
def test_the_nearest_tags(wanted: str, tags: list[str], expected: list[int]) -> None:
    assert nearest(wanted, tags) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("pt-BR", "pt-PT", False), ("pt-BR", "pt", True), ("pt", "pt_PT", True), ("zh-Hans", "zh-CN", True)],
)
def test_regions(one: str, other: str, same: bool) -> None:
    assert same_region(one, other) is same
