import pytest
from document_reading import documents, patient
from hypothesis import given

from hftoolkit.documents.html_tags import attributes, tokens

FRAGMENTS = (
    *(
        "<p>",
        "</p>",
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<!",
        "<?",
        "<?php",
        "?>",
        "<%",
        "%>",
        "<![CDATA[",
        "]]>",
        "'",
    ),
    *('"', "=", "a=", "a='b'", "<script>", "</script>", "<title>", "</title >", "<textarea>", "<a href=", "/", "&lt;"),
)


@patient
@given(documents(*FRAGMENTS))
def test_the_tokens_are_all_of_the_page(page: str) -> None:
    found = list(tokens(page))
    assert "".join(page[token.start : token.end] for token in found) == page
    assert all(token.start < token.end for token in found)
    for token in found:
        known = list(attributes(page, token)) if token.kind in ("open", "empty") else []
        assert all(token.start < each.start < each.end <= token.end for each in known)


@pytest.mark.parametrize(
    ("tag", "known"),
    [
        ("<p a=1 B='2' c=\"3\" d e=>", [("a", "1"), ("b", "2"), ("c", "3")]),
        ("<p a = '>' b>", [("a", ">")]),
        ("<p/a=1/b='2'/>", [("a", "1/b='2'/")]),
        ("<p a='1'b='2'>", [("a", "1"), ("b", "2")]),
        ("<p a='&quot;&amp;lt;'>", [("a", '"&lt;')]),
        ("<p a='1>", [("a", "'1")][:0]),
        ("<p\n\ta\n=\n1>", [("a", "1")]),
        ("<p =a=1>", [("=a", "1")]),
    ],
)
def test_attributes(tag: str, known: list[tuple[str, str]]) -> None:
    (token,) = tokens(tag)
    assert [(each.name, each.value) for each in attributes(tag, token)] == known
    assert all(tag[each.start : each.end].strip("\"'") for each in attributes(tag, token))


@pytest.mark.parametrize(
    ("page", "kinds"),
    [
        ("<p>a</P>", "open text close"),
        ("<br><hr/><div/>", "empty empty empty"),
        ("<!doctype html><?xml?><!-- a>b --><!--><!---->a", "other other other other other text"),
        ("<script>a<b></script>", "open text close"),
        ("<script>a</scripts>b", "open text"),
        ("<title>a<b></title>", "open text close"),
        ("<title>a<b>", "open text open"),
        ("a<b", "text"),
        ("1 <2> 3", "text"),
        ("</ p>a", "other text"),
    ],
)
def test_kinds(page: str, kinds: str) -> None:
    assert " ".join(token.kind for token in tokens(page)) == kinds
