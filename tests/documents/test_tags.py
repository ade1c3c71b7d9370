import pytest

from hftoolkit.documents.tags import nearest_tag


@pytest.mark.parametrize(
    ("wanted", "tags", "number"),
    [
        ("de", ["en", "de"], 1),
        ("de", ["en", "deu"], 1),
        ("ger", ["de_AT"], 0),
        ("zh-Hans", ["zh-TW", "cmn"], 1),
        ("zh-Hans", ["zh-TW"], None),
        ("pt-BR", ["pt-PT", "pt-BR"], 1),
        ("en", ["EN-us"], 0),
        ("es", ["es-419"], 0),
        ("en", ["", "*all*", "x-none"], None),
        ("en", [], None),
    ],
)
def test_the_nearest_of_several_tags(wanted: str, tags: list[str], number: int | None) -> None:
    assert nearest_tag(wanted, tags) == number
