from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from document_reading import documents, kept, patient, places, texts, translated
from hypothesis import given
from wild_texts import texts as wild_texts

from hftoolkit.documents.pieces import Mark

PAGE = (Path(__file__).parents[1] / "samples" / "page.html").read_bytes().decode()


def test_a_real_page() -> None:
    assert texts(PAGE, "html") == [
        "Tea & water, explained",
        "Tea — a guide",
        '<a href="#a" title="Go to &quot;water&quot;">Water</a> | <a href="#b">Leaves</a>',
        'Go to "water"',
        "Water and <em>leaves</em>",
        "A good cup needs <b>three things</b>: fresh water, enough time & "
        "<a href=\"/leaves?x=1&amp;y=2\" title='Our leaves'>good leaves</a>.",
        "Our leaves",
        "Use <code>kettle --hot</code> or <kbd>Ctrl</kbd>+<kbd>C</kbd><!-- both work -->.",
        "This paragraph is never closed, and 3 < 4 > 2 is text. AT&T is, too.",
        "One",
        "All of this is bold.",
        '<span class="x notranslate">OpenTea</span> is a name.',
        "A cup of tea",
        "The cup in the text <img src=x.png alt=steams> a lot.",
        "steams",
        *("Tea", "Minutes", "Green", "2", "Search", "Type a tea", "Name of a tea", "Green", "Black", "Send"),
        *("Text in a block", "Text in a paragraph", "and text behind it", "A block in a link"),
        "Café costs 5\u00a0€, <tags> stay <wbr>escaped.",
        'A stray </b> tag, an unclosed <i>one, and a <b title="broken>quote</p>\n<footer>&copy; 2024 Tea '
        '<time datetime="2024">this year',
    ]
    assert kept(PAGE, "html") == PAGE


def test_a_real_page_translated() -> None:
    changed = translated(PAGE, "html").split("\n")
    assert changed[2] == '<html lang="zh-Hans" class="no-js">'
    assert changed[5] == '<meta name="description" content="TEA &amp; WATER, EXPLAINED">'
    assert changed[9] == PAGE.split("\n")[9]  # the script
    assert changed[12] == (
        '<nav><a href="#a" title="GO TO &quot;WATER&quot;">WATER</a> | <a href="#b">LEAVES</a></nav>'
    )
    assert "<h1 id=a>WATER AND <em>LEAVES</em></h1>" in changed
    assert "<p>THIS PARAGRAPH IS NEVER CLOSED, AND 3 &lt; 4 &gt; 2 IS TEXT. AT&amp;T IS, TOO." in changed
    assert '<p translate="no">Do not translate this, <b>please</b>.</p>' in changed
    assert (
        '<p><img src="cup.jpg" alt="A CUP OF TEA"> THE CUP IN THE TEXT <img src=x.png alt="STEAMS"> A LOT.</p>'
        in changed
    )
    assert "<p>CAFÉ COSTS 5&#160;€, &lt;TAGS&gt; STAY <wbr>ESCAPED.</p>" in changed


def test_marks_and_words() -> None:
    (place,) = places("<p>\n Read <a href=x>the\n  manual</a>, please&excl; </p>", "html")
    assert place.texts == (("Read ", Mark("<a href=x>"), "the manual", Mark("</a>"), ", please!"),)
    assert place.kept == "Read <a href=x>the\n  manual</a>, please&excl;"
    assert place.where == "line 2"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<b>All of it</b>", ["All of it"]),
        ("<p><b><i>All</i> of</b> <u>it</u></p>", ["<b><i>All</i> of</b> <u>it</u>"]),
        ("<i>unclosed", ["unclosed"]),
        ("a <!-- c --> b<!-- d -->", ["a <!-- c --> b"]),
        ("one<br>two", ["one", "two"]),
        ("<td>one<td>two", ["one", "two"]),
        ("<code>x</code> is code", ["<code>x</code> is code"]),
        ("<code>x</code>", []),
        ("<p>a<script>b</script>c</p>", ["a", "c"]),
        ("<pre>a <b>b</b></pre>c", ["c"]),
        ("<div translate=no>a<div>b</div>c</div>d", ["d"]),
        ("<p translate=no>a<p>b", ["b"]),
        ("<ul><li translate=no>a<li>b</ul>", ["b"]),
        ("<ul><li translate=no>a<ul><li>b</ul>c</ul>d", ["d"]),
        ("<div><b class='x notranslate'>a</div>b", ["b"]),
        ("<table><tr><td translate=no>a<tr><td>b</table>", ["b"]),
        ("<p title=a translate=no>b</p>", []),
        ("<img alt='a' class=notranslate>", []),
        ("<svg><text>a</text></svg>b", ["b"]),
        ("<title>a <b>b</b></title>", ["a <b>b</b>"]),
        ("<title>a<p>b</p>", ["a", "b"]),
        ("<textarea>a", []),
        ("<my-word>a</my-word> b", ["<my-word>a</my-word> b"]),
        ("<a title='x < y'>a</a>", ["x < y", "a"]),
        ("<![x[ a ]]> b", ["b"]),
        ("<? a ?> b", ["b"]),
        ("<?php if ($a > 1) { ?> b", ["b"]),
        ("<% a > 1 %>b", ["b"]),
        ("<!-- a", []),
        ("a <", ["a <"]),
        ("a < b", ["a < b"]),
        ("&lt;p&gt;", ["<p>"]),
        ("&nbsp;", []),
        ("<meta name=author content=a><meta name=Keywords content='a, b'>", ["a, b"]),
        ("<input placeholder=''>", []),
        ("<p>中文\n中文</p>", ["中文中文"]),
    ],
)
def test_what_is_translated(page: str, found: list[str]) -> None:
    assert texts(page, "html") == found


def test_attributes_in_a_text_are_texts_of_its_place() -> None:
    page = '<p>A <img alt="cup" title="tea"> and <a title=tea>b</a>.</p>'
    (place,) = places(page, "html")
    assert [*place.texts[1:]] == [("cup",), ("tea",), ("tea",)]
    filled = place.fill([place.texts[0], ('杯"子',), ("茶",), ("<茶>",)])
    assert filled == 'A <img alt="杯&quot;子" title="茶"> and <a title="&lt;茶&gt;">b</a>.'


def test_equal_tags_in_a_text_are_translated_alike() -> None:
    page = "<p><b title=x>a</b> <b title=x>b</b></p>"
    assert translated(page, "html") == '<p><b title="X">A</b> <b title="X">B</b></p>'


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("'it'", "'it&#39;s &amp; \"so\"'"),
        ('"it"', '"it\'s &amp; &quot;so&quot;"'),
        ("it", '"it\'s &amp; &quot;so&quot;"'),
    ],
)
def test_an_attribute_keeps_its_quotes(value: str, filled: str) -> None:
    assert translated(f"<input alt={value}>", "html", lambda _: ('it\'s & "so"',)) == f"<input alt={filled}>"


def test_blanks_around_an_attribute_stay() -> None:
    assert translated('<img alt=" a\n b ">', "html") == '<img alt=" A B ">'


@pytest.mark.parametrize(
    ("head", "changed"),
    [
        ("<html lang=en>", '<html lang="zh-Hans">'),
        ("<HTML xml:lang='en' lang='en'>", '<HTML xml:lang="zh-Hans" lang="zh-Hans">'),
        ("<html>", "<html>"),
        ("<html hreflang=en>", "<html hreflang=en>"),
    ],
)
def test_the_language_of_the_page(head: str, changed: str) -> None:
    assert translated(f"{head}<p lang=en>a</p>", "html") == f"{changed}<p lang=en>A</p>"
    assert translated(f"{head}<p>1</p><p lang=en>a</p>", "html") == f"{changed}<p>1</p><p lang=en>A</p>"
    assert translated(f"{head}<p>1</p>", "html") == f"{head}<p>1</p>"  # nothing is translated


CHARACTERS = '< & > &amp; &lt;b "it\'s" <3'
FRAGMENTS = (
    *(
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<div>",
        "</div>",
        "<code>",
        "</code>",
        "<br>",
        "<img alt='x'>",
        "<a title='t' href=u>",
    ),
    *(
        "</a>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<title>",
        "</title>",
        "<html lang=en>",
        "<p translate=no>",
        "<li>",
    ),
    *(
        "<span class=notranslate>",
        "</span>",
        "<td>",
        "<![x[",
        "<?",
        "</",
        "<",
        "&amp;",
        "&nbsp",
        "&#x41;",
        "'",
        '"',
        "=",
    ),
    *("<meta name=description content='x y'>", "/>", "<textarea>", "<%"),
)


@patient
@given(documents(*FRAGMENTS))
def test_untranslated_it_comes_back(page: str) -> None:
    assert kept(page, "html") == page


@patient
@given(documents(*FRAGMENTS))
def test_the_texts_of_a_translated_page_are_the_translations(page: str) -> None:
    """No translation becomes markup, whatever the page."""
    changed = translated(
        page, "html", lambda text: tuple(CHARACTERS if isinstance(part, str) else part for part in text)
    )
    assert _words(changed) == [CHARACTERS] * len(_words(page))


def _words(page: str) -> list[str]:
    return [part for place in places(page, "html") for text in place.texts for part in text if isinstance(part, str)]


@patient
@given(wild_texts)
def test_any_text_can_be_written(text: str) -> None:
    page = translated("<p>a</p><img alt='b'>", "html", lambda _: (text,))
    assert page.startswith("<p>")
    assert unescape(page[3 : page.index("</p>")]) == text.replace("\r", "\r")
    assert unescape(page[page.index("alt='") + 5 : -2]) == text


class _Events(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(" ".join(data.split()))


def test_the_standard_parser_finds_the_same_words_on_a_page_without_mistakes() -> None:
    page = PAGE[: PAGE.index("<p>A stray")].replace("3 < 4 > 2", "so")
    known = _Events()
    known.feed(page)
    joined = " ".join(known.words)
    for place in places(page, "html"):
        words = [part for part in place.texts[0] if isinstance(part, str) and "attribute" not in place.where]
        assert all(word.replace("\u00a0", " ").strip() in joined for word in words)
