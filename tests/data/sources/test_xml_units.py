from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import write

from hftoolkit.data.sources.xml_units import read_units, text_of
from hftoolkit.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.tmx"


def segments(path: Path, encoding: str | None = None) -> list[str]:
    return [text_of(unit.find("{*}seg")) for unit in read_units(path, "tmx", ["tu"], encoding)]


def of(path: Path, segment: str, head: str = "") -> str:
    write(path, f"{head}<tmx><body><tu><seg>{segment}</seg></tu></body></tmx>")
    (found,) = segments(path)
    return found


def message(path: Path, text: str, encoding: str | None = None) -> str:
    write(path, text)
    with pytest.raises(DataError) as caught:
        segments(path, encoding)
    return str(caught.value)


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ("plain &lt;b&gt; &amp; &#x4E2D;", "plain <b> & 中"),
        ("", ""),
        ("<![CDATA[a <b>]]> c", "a <b> c"),
        ('Click <bpt i="1">&lt;b&gt;</bpt>here<ept i="1">&lt;/b&gt;</ept>.', "Click here."),
        ('<it pos="begin">&lt;i&gt;</it>a <ph>{0}</ph>b<ut>{\\f1}</ut>', "a b"),
        ("a <ph>&lt;img alt='<sub>a picture</sub>'/&gt;</ph>b", "a b"),
        ("<hi>high <hi>er</hi></hi> up", "high er up"),
        ('<g id="1">a <mrk mtype="term">term</mrk></g>', "a term"),
        ('<pc id="1">a</pc><sc id="2"/><ec startRef="2"/><cp hex="001F"/>b', "ab"),
        (
            'one<x id="1" ctype="lb"/>two<ph type="lb">&lt;br/&gt;</ph>three<ph subType="xlf:lb"/>four',
            "one two three four",
        ),
        ("a<!-- comment -->b<?pi x?>c", "abc"),
        ("  kept  \n ", "  kept  \n "),
    ],
)
def test_text_without_codes(path: Path, segment: str, text: str) -> None:
    assert of(path, segment) == text


@pytest.mark.parametrize("segment", ["x" * 10_000_001, "<hi>" * 300 + "</hi>" * 300], ids=["long", "deep"])
def test_what_is_too_large_to_be_read(path: Path, segment: str) -> None:
    assert message(path, f"<tmx><body>\n<tu><seg>{segment}</seg></tu></body></tmx>") == (
        f"{path}: line 2: a text of 10 MB and more, or elements nested deeper than 256, are not read\n"
        "  take the unit out of the file"
    )


def test_named_characters_of_a_document_type_that_is_not_read(path: Path) -> None:
    head = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">'
    assert of(path, "a&nbsp;b&eacute;&other;", head) == "a\xa0bé&other;"


CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="<&>\ufffe\uffff")


@given(st.lists(st.text(st.one_of(CHARACTERS, st.sampled_from("\n\t"))), min_size=1, max_size=4))
def test_any_text_comes_back(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.tmx"
        write(path, "<tmx><body>" + "".join(f"<tu><seg>{text}</seg></tu>" for text in texts) + "</body></tmx>")
        assert segments(path) == texts


def test_the_encoding_is_that_of_the_file_or_of_the_recipe(path: Path) -> None:
    text = "<tmx><body><tu><seg>中</seg></tu></body></tmx>"
    path.write_bytes(f'<?xml version="1.0" encoding="gb18030"?>{text}'.encode("gb18030"))
    assert segments(path) == ["中"]
    path.write_bytes(text.encode("gb18030"))
    assert segments(path, "GB18030") == ["中"]
    path.write_bytes(text.encode("utf-8-sig"))
    assert segments(path, "UTF-8-sig") == segments(path, "utf8") == segments(path) == ["中"]
    path.write_bytes(text.encode("utf-16"))
    assert segments(path) == ["中"]


def test_a_namespace_does_not_matter(path: Path) -> None:
    write(path, '<t:tmx xmlns:t="http://www.lisa.org/tmx14"><t:tu><t:seg>a</t:seg></t:tu></t:tmx>')
    assert segments(path) == ["a"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "<tmx><body>\n<tu><seg>a</tu></body></tmx>",
            "line 2: not XML: Opening and ending tag mismatch: seg line 2 and tu",
        ),
        ("<tmx><body><tu><seg>a</seg></tu>", "line 1: not XML: Premature end of data in tag body line 1"),
        ("", "line 1: not XML: no element found"),
        ("<tmx><body><tu>&eacute;</tu></body></tmx>", "line 1: not XML: Entity 'eacute' not defined"),
        ("source\ttarget\n", "line 1: not XML: Start tag expected, '<' not found"),
    ],
)
def test_what_is_not_xml(path: Path, text: str, told: str) -> None:
    assert message(path, text) == f"{path}: {told}\n  'xmllint --noout m.tmx' shows what is wrong"


def test_another_format(path: Path) -> None:
    for text in ("<html><tu/></html>", "<html/>"):
        assert message(path, text) == (
            f"{path}: not TMX: the outermost element is <html>, expected <tmx>\n  say what it is:  format: NAME"
        )


def test_an_unknown_encoding(path: Path) -> None:
    assert "Python knows no encoding 'utf-88'" in message(path, "<tmx/>", "utf-88")
    assert message(path, "<tmx/>", "mac_roman") == (
        f"{path}: encoding: XML cannot be read in 'mac_roman'\n"
        "  leave it out where the file says it, or convert the file to UTF-8"
    )


def declaring(entities: str, segment: str) -> str:
    return f"<!DOCTYPE tmx [{entities}]>\n<tmx><body><tu><seg>{segment}</seg></tu></body></tmx>"


LAUGHS = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    ("entities", "name", "segment"),
    [
        ('<!ENTITY secret SYSTEM "{folder}/secret.txt">', "secret", "&secret;"),
        ('<!ENTITY secret SYSTEM "http://127.0.0.1:9/secret.txt">', "secret", "&secret;"),
        ('<!ENTITY secret "harmless">', "secret", "not used"),
        ('<!ENTITY l0 "ha"><!ENTITY l1 "&l0;&l0;">', "l0", "&l1;"),
    ],
)
def test_entities_are_refused(path: Path, entities: str, name: str, segment: str) -> None:
    write(path.parent / "secret.txt", "what nobody should read")
    assert message(path, declaring(entities.replace("{folder}", str(path.parent)), segment)) == (
        f"{path}: declares entities of its own ({name}), which are not read: they can name other files,"
        " or grow without end\n  write the texts themselves in the place of the entities"
    )


@pytest.mark.parametrize("unit", ["<tu><seg>&l11;</seg></tu>", '<tu tuid="&l11;"/>'])
def test_what_grows_without_end_is_refused(path: Path, unit: str) -> None:
    found = message(path, f"<!DOCTYPE tmx [{LAUGHS}]>\n<tmx><body>{unit}</body></tmx>")
    assert "not XML: Maximum entity amplification factor exceeded" in found


def test_a_document_type_elsewhere_is_not_fetched(path: Path) -> None:
    write(path.parent / "own.dtd", '<!ENTITY secret "what nobody should read">')
    assert of(path, "&secret;", f'<!DOCTYPE tmx SYSTEM "{path.parent / "own.dtd"}">') == "&secret;"
    assert of(path, "&secret;", '<!DOCTYPE tmx SYSTEM "http://127.0.0.1:9/own.dtd">') == "&secret;"


def test_what_was_read_is_forgotten(path: Path) -> None:
    write(path, "<tmx><body>" + "<tu><seg>a</seg></tu>\n" * 5000 + "</body></tmx>")
    for unit in read_units(path, "tmx", ["tu"], None):
        assert len(unit.getparent()) < 2000  # a part of the file is parsed ahead
