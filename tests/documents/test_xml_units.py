import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from hftoolkit.documents.pieces import Mark
from hftoolkit.documents.xml_units import blank_before, read_units, text_of, with_attributes
from hftoolkit.errors import DataError


def message(text: str) -> str:
    with pytest.raises(DataError) as caught:
        list(read_units(text, "r", ["u"], "m.xml"))
    return str(caught.value)


def test_places_of_elements() -> None:
    unit = "<u b='>' c = \"/>\"><x/><!-- </u> --><![CDATA[</u>]]></u>"
    text = f"<?xml version='1.0'?><!-- <u> --><r><g a='1'>{unit}</g><u /></r>"
    one, two = read_units(text, "r", ["u"], "m.xml")
    assert text[one.start : one.content] == "<u b='>' c = \"/>\">"
    assert text[one.closing : one.end] == "</u>"
    assert one.attributes == {"b": ">", "c": "/>"}
    assert [child.name for child in one.children] == ["x"]
    assert one.inherited("a") == "1"
    assert one.inherited("z") is None
    assert (one.child("x"), one.child("y")) == (one.children[0], None)
    assert text[two.start : two.end] == "<u />"
    assert (two.content, two.closing) == (two.end, two.end)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE r SYSTEM "r.dtd">',
        "<!DOCTYPE r PUBLIC '-//x' 'a>b' [ ] >",
        "<!DOCTYPE r [<!ELEMENT r (u)*> <!-- ]> ' <u> --> <?p ]> ?> <!ATTLIST u a CDATA ']>'>]\n>",
        "<?xml-stylesheet href='<u>'?>",
    ],
)
def test_what_comes_before_the_first_element(head: str) -> None:
    (unit,) = read_units(f"{head}<r><u>a</u></r>", "r", ["u"], "m.xml")
    assert unit.start == len(head) + 3


def test_text_is_read_as_xml_reads_it() -> None:
    text = "<r><u a='&lt;&#65;&amp;'>a\r\nb\rc&#13;<?p?><!-- x -->&lt;<y>d<z/></y><w>e</w><y/></u></r>"
    (unit,) = read_units(text, "r", ["u"], "m.xml")
    assert unit.attributes == {"a": "<A&"}
    assert text_of(text, unit, lambda element: element.name == "y") == (
        "a\nb\nc\r<",
        Mark("<y>"),
        "d",
        Mark("<z/>"),
        Mark("</y>"),
        Mark("<w>e</w>"),
        Mark("<y/>"),
    )


def test_what_is_refused() -> None:
    assert message("<r>\n<u></r>") == (
        "m.xml: line 2: not XML: mismatched tag\n  'xmllint --noout m.xml' shows what is wrong"
    )
    assert message("") == "m.xml: line 1: not XML: no element found\n  'xmllint --noout m.xml' shows what is wrong"
    assert message("<a><r/></a>") == (
        "m.xml: not R: the outermost element is <a>, expected <r>\n  say what it is:  --format NAME"
    )
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><r>&b;</r>'
    assert message(bomb) == (
        "m.xml: declares entities of its own (a), which are not read: "
        "they can name other files, or grow without end\n"
        "  write the texts themselves in the place of the entities"
    )
    assert "declares entities of its own (x)" in message('<!DOCTYPE r [<!ENTITY x SYSTEM "/etc/passwd">]><r>&x;</r>')
    assert "declares entities of its own (p)" in message('<!DOCTYPE r [<!ENTITY % p SYSTEM "p.dtd"> %p;]><r/>')


@pytest.mark.parametrize(
    ("tag", "becomes"),
    [
        ("<t>", '<t a="1" b="&lt;&amp;&quot;">'),
        ("<t/>", '<t a="1" b="&lt;&amp;&quot;"/>'),
        ("<x:t  a = 'b=\"2\"' c='d' />", '<x:t  a="1" c=\'d\' b="&lt;&amp;&quot;" />'),
        ("<t c='a=\"3\"'>", '<t c=\'a="3"\' a="1" b="&lt;&amp;&quot;">'),
    ],
)
def test_attributes_are_set(tag: str, becomes: str) -> None:
    assert with_attributes(tag, {"a": "1", "b": '<&"'}) == becomes


def test_blanks_before_a_place() -> None:
    assert blank_before("<a>\n\t <b>", 6) == "\n\t "
    assert blank_before("  ", 2) == "  "
    assert blank_before("<a>", 3) == ""


content = st.recursive(
    st.sampled_from(["a", "é<", " ", "]]", "&", "'>", '"/']),
    lambda inner: st.lists(inner, max_size=3).map(lambda some: ("e", some)),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(content, max_size=4), st.sampled_from(["utf-8", "us-ascii"]))
def test_any_element_is_found_where_it_is(some: list[object], encoding: str) -> None:
    root = etree.Element("r")
    unit = etree.SubElement(root, "u", a="'>\"")
    _fill(unit, some)
    text = etree.tostring(root, encoding=encoding).decode()
    (found,) = read_units(text, "r", ["u"], "m.xml")
    assert etree.tostring(etree.fromstring(text[found.start : found.end])) == etree.tostring(unit)
    read = text_of(text, found, lambda _: True)
    assert "".join(part for part in read if isinstance(part, str)) == "".join(unit.itertext())


def _fill(element: etree._Element, some: list[object]) -> None:
    for each in some:
        if isinstance(each, tuple):
            _fill(etree.SubElement(element, each[0]), each[1])
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + each
        else:
            element.text = (element.text or "") + each
