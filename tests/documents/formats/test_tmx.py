from collections.abc import Iterator
from pathlib import Path

import pytest
from filling import filled, kept, places, shouted, texts
from hypothesis import given, settings
from lxml import etree  # type: ignore[import-untyped]
from wild_texts import texts as wild

from hftoolkit.documents.formats.tmx import pieces
from hftoolkit.documents.pieces import Mark, Piece
from hftoolkit.documents.reading import open_document
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError

SETTINGS = Settings("en", "de")
SIGNED = 'creationtool="hftoolkit" creationid="MT!"'


def cut(units: str, settings: Settings = SETTINGS) -> Iterator[Piece]:
    return pieces(f'<tmx version="1.4"><header srclang="en"/><body>{units}</body></tmx>', settings, "m.tmx")


def tuv(language: str, text: str, attributes: str = "") -> str:
    return f'<tuv xml:lang="{language}"{attributes}><seg>{text}</seg></tuv>'


def unit(units: str, settings: Settings = SETTINGS) -> str:
    """What becomes of the units of a memory."""
    found = filled(cut(units, settings))
    etree.fromstring(found)
    return found[len('<tmx version="1.4"><header srclang="en"/><body>') : -len("</body></tmx>")]


def test_a_unit_without_the_target_language_gets_it() -> None:
    units = f"<tu><note>n</note>{tuv('en', 'a')}{tuv('fr', 'b')}</tu>"
    assert unit(units) == units.replace("</tu>", tuv("de", "A", " " + SIGNED) + "</tu>")


def test_the_new_text_looks_like_the_file() -> None:
    source = '\n  <tuv xml:lang="en">\n    <seg>a</seg>\n  </tuv>'
    new = f'\n  <tuv xml:lang="de" {SIGNED}>\n    <seg>A</seg>\n  </tuv>'
    assert unit(f"<tu>{source}\n</tu>") == f"<tu>{source}{new}\n</tu>"


def test_an_empty_text_is_filled() -> None:
    assert (
        unit(f"<tu>{tuv('en', 'a')}{tuv('de', '')}</tu>") == f"<tu>{tuv('en', 'a')}{tuv('de', 'A', ' ' + SIGNED)}</tu>"
    )
    empty = f"<tu>{tuv('en', 'a')}<tuv xml:lang='de'><seg/></tuv></tu>"
    assert f"<tuv xml:lang='de' {SIGNED}><seg>A</seg></tuv>" in unit(empty)


@pytest.mark.parametrize(
    "units",
    [
        f"<tu>{tuv('en', 'a')}{tuv('de', 'b')}</tu>",
        f"<tu>{tuv('en', 'a')}{tuv('de-AT', 'b')}</tu>",
        f"<tu>{tuv('fr', 'a')}</tu><tu>{tuv('en', 'a')}{tuv('deu', 'b')}</tu>",
        f"<tu>{tuv('en', ' ')}</tu>",
        "<tu/>",
    ],
)
def test_units_that_are_not_touched(units: str) -> None:
    assert unit(units) == units


def test_all_entries_are_replaced() -> None:
    target = '<tuv xml:lang="de" creationid="{}"{}><seg>{}</seg></tuv>'
    units = f"<tu>{tuv('en', 'a')}{target}</tu>"
    assert unit(units.format("me", "", "b"), Settings("en", "de", all_entries=True)) == units.format(
        "MT!", ' creationtool="hftoolkit"', "A"
    )


def test_the_language_is_called_as_elsewhere_in_the_file() -> None:
    units = f"<tu>{tuv('EN-US', 'a')}{tuv('DE', 'b')}</tu><tu>{tuv('EN-US', 'c')}</tu>"
    assert tuv("DE", "C", " " + SIGNED) in unit(units)
    assert tuv("zh-Hans-CN", "A", " " + SIGNED) in unit(units, Settings("en", "zh_CN"))
    old = '<tu><tuv lang="en"><seg>a</seg></tuv></tu>'
    assert f'<tuv lang="de" {SIGNED}>' in unit(old)


def test_of_several_texts_the_nearest_is_translated() -> None:
    units = f"<tu>{tuv('en-GB', 'colour')}{tuv('en-US', 'color')}</tu>"
    assert texts(cut(units, Settings("en-US", "de"))) == ["color"]
    assert texts(cut(units, Settings("en", "de"))) == ["colour"]


def test_between_two_forms_of_one_language() -> None:
    units = f"<tu>{tuv('zh', '简')}</tu>"
    assert texts(cut(units, Settings("zh-Hans", "zh-Hant"))) == ["简"]


def test_inline_elements_are_marks() -> None:
    segment = 'a <hi type="x">b</hi><ph x="1">{0}</ph><ut>c</ut> &amp; d'
    (place,) = places(cut(f"<tu>{tuv('en', segment)}</tu>"))
    assert place.texts == (
        ("a ", Mark('<hi type="x">'), "b", Mark("</hi>"), Mark('<ph x="1">{0}</ph>'), Mark("<ut>c</ut>"), " & d"),
    )


def test_an_entity_that_only_a_dtd_knows_is_a_mark() -> None:
    text = f'<!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx><body><tu>{tuv("en", "a&nbsp;b")}</tu></body></tmx>'
    (place,) = places(pieces(text, SETTINGS, "m.tmx"))
    assert place.texts == (("a", Mark("&nbsp;"), "b"),)
    assert "<seg>A&nbsp;B</seg>" in filled(pieces(text, SETTINGS, "m.tmx"))


def test_no_text_in_the_language_is_an_error() -> None:
    with pytest.raises(DataError) as caught:
        list(cut(f"<tu>{tuv('fr', 'a')}{tuv('it', 'b')}</tu>"))
    assert str(caught.value) == (
        "m.tmx: no unit is in en; the languages in this file are: fr, it\n  say the language:  --from LANGUAGE"
    )


@settings(deadline=None)
@given(wild, wild)
def test_any_texts_are_read_and_written(source: str, translation: str) -> None:
    element = etree.Element("seg")
    try:
        element.text = source
        etree.Element("seg").text = translation
    except ValueError:  # what XML cannot hold
        return
    units = f'<tu><tuv xml:lang="en">{etree.tostring(element, encoding=str)}</tuv></tu>'
    assert texts(cut(units)) == ([source] if source.strip() else [])
    written = filled(cut(units), lambda _: (translation,))
    assert [each.text or "" for each in etree.fromstring(written).iter("seg")][1:] == (
        [translation] if source.strip() else []
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tag", "all_entries", "count"),
    [
        ("en-zh", "zh-Hans", False, 0),
        ("en-zh", "zh-Hans", True, 3_071),
        ("en-fr", "fr", True, 3_071),
        ("en-fr", "de", False, 3_071),
    ],
)
def test_real_files_are_equal_outside_of_the_targets(
    shared: Path, name: str, tag: str, all_entries: bool, count: int
) -> None:
    path = shared / "data" / "translation" / "tico19-tmx" / f"all.{name}.tmx"
    cut = list(open_document(path, Settings("en", tag, all_entries=all_entries)).pieces)
    assert kept(cut).encode() == path.read_bytes()
    assert len(list(places(cut))) == count
    was, became = etree.parse(path).getroot(), etree.fromstring(filled(cut, shouted).encode())
    new = [variant for variant in became.iter("tuv") if variant.get("creationid") == "MT!"]
    assert [variant.findtext("seg") for variant in new] == [text.upper() for text in texts(cut)]
    for variant in new:
        variant.getparent().remove(variant)
    if all_entries:
        for variant in list(was.iter("tuv"))[1::2]:
            variant.getparent().remove(variant)
    assert _canonical(was) == _canonical(became)


def _canonical(root: etree._Element) -> bytes:
    """Without the white space between elements, of which a removed one takes some along."""
    for element in root.iter():
        if element.tag != "seg":
            element.text = (element.text or "").strip()
        element.tail = (element.tail or "").strip()
    return bytes(etree.tostring(root, method="c14n"))
