from collections.abc import Iterator
from pathlib import Path

import pytest
from filling import filled, kept, places, shouted, texts
from hypothesis import given, settings
from lxml import etree  # type: ignore[import-untyped]
from wild_texts import texts as wild

from hftoolkit.documents.formats.xliff import pieces
from hftoolkit.documents.pieces import Mark, Piece
from hftoolkit.documents.reading import open_document
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError

SETTINGS = Settings("en", "de")
ALL = Settings("en", "de", all_entries=True)
SUGGESTED = 'state="needs-review-translation" state-qualifier="mt-suggestion"'
FIRST = '<xliff version="1.2"><file source-language="en" target-language="de"><body>{}</body></file></xliff>'
SECOND = '<xliff version="2.0" srcLang="en" trgLang="de"><file id="f"><unit id="u">{}</unit></file></xliff>'


def cut(text: str, settings: Settings = SETTINGS) -> Iterator[Piece]:
    return pieces(text, settings, "m.xlf")


def first(unit: str, settings: Settings = SETTINGS, attributes: str = "") -> str:
    """What becomes of what is in a unit of XLIFF 1.2."""
    return _within(FIRST.format(f"<trans-unit{attributes}>{{}}</trans-unit>"), unit, settings)


def second(unit: str, settings: Settings = SETTINGS) -> str:
    """What becomes of what is in a unit of XLIFF 2."""
    return _within(SECOND, unit, settings)


def _within(frame: str, unit: str, settings: Settings) -> str:
    text = frame.format(unit)
    assert kept(cut(text, settings)) == text
    before, _, after = frame.partition("{}")
    found = filled(cut(text, settings))
    assert found.startswith(before)
    assert found.endswith(after)
    etree.fromstring(found)
    return found[len(before) : len(found) - len(after)]


def message(text: str, settings: Settings = SETTINGS) -> str:
    with pytest.raises(DataError) as caught:
        list(cut(text, settings))
    return str(caught.value)


@pytest.mark.parametrize(
    ("unit", "becomes"),
    [
        ("<source>a</source>", f"<source>a</source><target {SUGGESTED}>A</target>"),
        ("<source>a</source><target/>", f"<source>a</source><target {SUGGESTED}>A</target>"),
        (
            "<source>a</source><target xml:lang='de' />",
            f"<source>a</source><target xml:lang='de' {SUGGESTED}>A</target>",
        ),
        ("<source>a</source><target> \n</target>", f"<source>a</source><target {SUGGESTED}>A</target>"),
        (
            '<source>a</source><target state="new" x="1">b</target><note>n</note>',
            f'<source>a</source><target {SUGGESTED[:32]} x="1"{SUGGESTED[32:]}>A</target><note>n</note>',
        ),
        (
            '<source xml:lang="en">a</source><note>n</note>',
            f'<source xml:lang="en">a</source><target xml:lang="de" {SUGGESTED}>A</target><note>n</note>',
        ),
    ],
)
def test_units_of_the_first_version(unit: str, becomes: str) -> None:
    assert first(unit) == becomes


@pytest.mark.parametrize(
    ("unit", "becomes"),
    [
        (
            '<segment id="1"><source>a</source></segment>',
            '<segment id="1" state="translated" subState="hftoolkit:mt"><source>a</source><target>A</target></segment>',
        ),
        (
            '<segment state="initial" subState="my:own"><source>a</source><target>b</target></segment>',
            '<segment state="translated" subState="hftoolkit:mt"><source>a</source><target>A</target></segment>',
        ),
        (
            "<ignorable><source> </source></ignorable><segment><source>a</source><target>b</target></segment>"
            "<segment><source>c</source></segment>",
            "<ignorable><source> </source></ignorable><segment><source>a</source><target>b</target></segment>"
            '<segment state="translated" subState="hftoolkit:mt"><source>c</source><target>C</target></segment>',
        ),
    ],
)
def test_segments_of_the_second_version(unit: str, becomes: str) -> None:
    assert second(unit) == becomes


@pytest.mark.parametrize(
    ("attributes", "target"),
    [
        ("", "<target>b</target>"),
        ("", '<target state="translated">b</target>'),
        (' approved="yes"', '<target state="new"></target>'),
        (' translate="no"', ""),
        ("", '<target state="final"/>'),
        ("", '<target state="signed-off"/>'),
        ("", '<alt-trans><source>a</source><target>b</target></alt-trans><target state="final"/>'),
    ],
)
def test_units_that_are_not_touched(attributes: str, target: str) -> None:
    unit = f"<source>a</source>{target}"
    assert first(unit, attributes=attributes) == unit


def test_all_entries_but_those_that_a_person_has_closed() -> None:
    assert first("<source>a</source><target>b</target>", ALL).endswith(">A</target>")
    unit = "<source>a</source><target>b</target>"
    assert first(unit, ALL, ' approved="yes"') == unit
    unit = '<segment state="final"><source>a</source><target>b</target></segment>'
    assert second(unit, ALL) == unit
    assert second(unit.replace("final", "reviewed"), ALL) != unit.replace("final", "reviewed")


def test_translate_is_inherited() -> None:
    group = '<group translate="no"><trans-unit{}><source>a</source></trans-unit></group>'
    assert texts(cut(FIRST.format(group.format("")))) == []
    assert texts(cut(FIRST.format(group.format(' translate="yes"')))) == ["a"]


def test_sentences_that_a_program_has_marked_are_in_the_target_too() -> None:
    found = first('<source>A. B.</source><seg-source><mrk mtype="seg" mid="0">a.</mrk> b</seg-source>')
    assert found.endswith(f'</seg-source><target {SUGGESTED}><mrk mtype="seg" mid="0">A.</mrk> B</target>')


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ('a <g id="1">b</g> c', ["a ", '<g id="1">', "b", "</g>", " c"]),
        ('a<x id="1"/><bx id="2"/>b<ex id="2"></ex>', ["a", '<x id="1"/>', '<bx id="2"/>', "b", '<ex id="2"></ex>']),
        ('<ph id="1">&lt;br/&gt;</ph>a', ['<ph id="1">&lt;br/&gt;</ph>', "a"]),
        (
            '<bpt id="1">[<sub>x</sub></bpt>a<ept id="1">]</ept>',
            ['<bpt id="1">[<sub>x</sub></bpt>', "a", '<ept id="1">]</ept>'],
        ),
        ('a <mrk mtype="term">b</mrk>', ["a ", '<mrk mtype="term">', "b", "</mrk>"]),
        ('a <mrk mtype="protected">b</mrk>', ["a ", '<mrk mtype="protected">b</mrk>']),
        (
            '<pc id="1">a</pc><mrk translate="no" id="m">b</mrk>',
            ['<pc id="1">', "a", "</pc>", '<mrk translate="no" id="m">b</mrk>'],
        ),
        ('a<x:y xmlns:x="z">b</x:y>', ["a", '<x:y xmlns:x="z">b</x:y>']),
        ("a &lt;b&gt; &amp; &#x4E2D; <![CDATA[<i> & ]]>c<!-- d --><?e f?>", ["a <b> & 中 <i> & c"]),
    ],
)
def test_inline_elements_are_marks(source: str, parts: list[str]) -> None:
    (place,) = places(cut(FIRST.format(f"<trans-unit><source>{source}</source></trans-unit>")))
    ((*found,),) = place.texts
    assert [part.text if isinstance(part, Mark) else part for part in found] == parts
    assert [isinstance(part, Mark) for part in found] == [part.startswith("<") for part in parts]


def test_text_is_escaped_and_marks_are_not() -> None:
    unit = '<source>a &lt; <g id="1">b &amp; c</g>]]&gt;&#13;</source>'
    assert first(unit).partition("<target ")[2] == f'{SUGGESTED}>A &lt; <g id="1">B &amp; C</g>]]&gt;&#13;</target>'
    strange = filled(cut(FIRST.format("<trans-unit><source>a</source></trans-unit>")), lambda _: ("b\x0b\x00c",))
    assert ">b  c<" in strange


def test_line_breaks_within_a_text_are_blanks_unless_white_space_is_preserved() -> None:
    source = "<source>\n  one\n  two <g>three\n</g>four\n</source>"
    unit = f"<trans-unit{{}}>{source}</trans-unit>"
    assert texts(cut(FIRST.format(unit.format("")))) == ["\n  one two <g>three </g>four\n"]
    preserved = FIRST.format(unit.format(' xml:space="preserve"'))
    assert texts(cut(preserved)) == ["\n  one\n  two <g>three\n</g>four\n"]


def test_a_target_is_indented_as_its_source_is() -> None:
    text = FIRST.format("\r\n\t<trans-unit>\r\n\t\t<source>a</source>\r\n\t\t<note/>\r\n\t</trans-unit>")
    assert filled(cut(text)) == text.replace("</source>", f"</source>\r\n\t\t<target {SUGGESTED}>A</target>")


def test_names_with_a_prefix() -> None:
    text = (
        '<x:xliff xmlns:x="urn:oasis:names:tc:xliff:document:1.2"><x:file source-language="en" target-language="de">'
        "<x:trans-unit><x:source>a</x:source></x:trans-unit></x:file></x:xliff>"
    )
    assert f"</x:source><x:target {SUGGESTED}>A</x:target></x:trans-unit>" in filled(cut(text))


def test_a_file_that_names_no_target_language_gets_one() -> None:
    text = FIRST.replace(' target-language="de"', "").format(
        "<trans-unit><source>a</source></trans-unit><trans-unit><source>b</source></trans-unit>"
    )
    assert kept(cut(text)) == text
    assert filled(cut(text)).count('<file source-language="en" target-language="de">') == 1
    text = SECOND.replace(' trgLang="de"', "").format("<segment><source>a</source></segment>")
    assert filled(cut(text, Settings("en", "zh_CN"))).startswith(
        '<xliff version="2.0" srcLang="en" trgLang="zh-Hans-CN"><file id="f"><unit id="u"><segment state'
    )
    done = text.replace("</source>", "</source><target>b</target>")
    assert filled(cut(done)) == done


@pytest.mark.parametrize(("source", "target"), [("eng", "deu"), ("en-GB", "de_AT"), ("en", "de-Latn"), ("EN-us", "DE")])
def test_languages_by_other_names(source: str, target: str) -> None:
    text = FIRST.replace('"en"', f'"{source}"').replace('"de"', f'"{target}"')
    assert texts(cut(text.format("<trans-unit><source>a</source></trans-unit>"))) == ["a"]


def test_another_language_is_refused() -> None:
    text = FIRST.format("<trans-unit><source>a</source></trans-unit>")
    assert message(text, Settings("en", "fr")) == (
        "m.xlf: is from en to de, not from en to fr\n  say the languages:  --from LANGUAGE --to LANGUAGE"
    )
    assert message(text.replace(' source-language="en"', ""), Settings("en", "fr")).startswith(
        "m.xlf: is from ? to de,"
    )


def test_of_several_files_those_in_the_languages_are_translated() -> None:
    file = '<file source-language="en" target-language="{}"><trans-unit><source>{}</source></trans-unit></file>'
    text = f"<xliff>{file.format('de', 'a')}{file.format('fr', 'b')}</xliff>"
    assert texts(cut(text)) == ["a"]


def test_a_place_says_its_line() -> None:
    text = FIRST.format(
        "\n<trans-unit>\n<source>a</source></trans-unit>\n\n<trans-unit>\n<source>b</source></trans-unit>"
    )
    assert [place.where for place in places(cut(text))] == ["line 3", "line 6"]


def test_what_is_not_xliff() -> None:
    assert message("<tmx/>") == (
        "m.xlf: not XLIFF: the outermost element is <tmx>, expected <xliff>\n  say what it is:  --format NAME"
    )
    assert message("<xliff>\n<file>") == (
        "m.xlf: line 2: not XML: no element found\n  'xmllint --noout m.xlf' shows what is wrong"
    )


@settings(deadline=None)
@given(wild, wild)
def test_any_texts_are_read_and_written(source: str, translation: str) -> None:
    element = etree.Element("source")
    try:
        element.text = source
        etree.Element("target").text = translation
    except ValueError:  # what XML cannot hold
        return
    text = FIRST.format(f"<trans-unit xml:space='preserve'>{etree.tostring(element, encoding=str)}</trans-unit>")
    if not source.strip():
        assert list(cut(text)) == [text]
        return
    assert texts(cut(text)) == [source]
    written = filled(cut(text), lambda _: (translation,))
    assert (etree.fromstring(written).findtext(".//target") or "") == translation


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "gb18030"])
def test_declared_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "m.xlf"
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + FIRST.format(
        "<trans-unit><source>é</source></trans-unit><trans-unit><source>b</source></trans-unit>"
    )
    path.write_bytes(text.encode(encoding))
    document = open_document(path, SETTINGS)
    cut = list(document.pieces)
    assert b"".join(document.encoded([kept(cut)])) == path.read_bytes()
    path.write_bytes(b"".join(document.encoded([filled(cut, lambda _: ("译",))])))
    assert [target.text for target in etree.parse(path).findall(".//target")] == ["译", "译"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tag", "count"), [("zh_CN", "zh-Hans", 15), ("fr", "fr", 0), ("de", "de", 0)])
@pytest.mark.parametrize("all_entries", [False, True])
def test_real_files_are_equal_outside_of_the_targets(
    shared: Path, name: str, tag: str, count: int, all_entries: bool
) -> None:
    path = shared / "data" / "translation" / "symfony-xliff" / f"validators.{name}.xlf"
    cut = list(open_document(path, Settings("en", tag, all_entries=all_entries)).pieces)
    assert kept(cut).encode() == path.read_bytes()
    assert len(list(places(cut))) == (116 if all_entries else count)
    was, became = etree.parse(path).getroot(), etree.fromstring(filled(cut, shouted).encode())
    replaced = set(texts(cut))
    for unit, other in zip(was.iter("{*}trans-unit"), became.iter("{*}trans-unit"), strict=True):
        source, target = unit.find("{*}source"), other.find("{*}target")
        if source.text in replaced and target.get("state-qualifier"):
            assert target.text == source.text.upper()
            unit.remove(unit.find("{*}target"))
            other.remove(target)
    assert etree.tostring(was, method="c14n") == etree.tostring(became, method="c14n")
