import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_texts import texts as wild

from hftoolkit.documents.pieces import Mark, flat
from hftoolkit.documents.protection import Found, is_linguistic, protect, released


def found(text: str) -> list[str]:
    return [part.text for part in protect((text,)) if isinstance(part, Mark)]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("See https://a.org/b_(c)?d=1&e#f, or (http://x.y).", ["https://a.org/b_(c)?d=1&e#f", "http://x.y"]),
        ("见https://a.b/c。或www.x.cn！", ["https://a.b/c", "www.x.cn"]),
        ("Mail me.too@x-y.org or mailto:a@b.c.", ["me.too@x-y.org", "mailto:a@b.c"]),
        ("on example.com/x, or Node.js", ["example.com/x", "Node.js"]),
        (
            "%s %d%% %5.2f %-3i %(name)s %1$s %2$@ %ld",
            ["%s", "%d", "%%", "%5.2f", "%-3i", "%(name)s", "%1$s", "%2$@", "%ld"],
        ),
        ("took %ds, item%s, %dpx", ["%d", "%s", "%d"]),
        ("%1 of %L2 by %<user>s at %HOME%", ["%1", "%L2", "%<user>s", "%HOME%"]),
        (
            "{} {0} {name} {a.b[0]!r:>10} {{ x }} {{{y}}} {% if z %}",
            ["{}", "{0}", "{name}", "{a.b[0]!r:>10}", "{{ x }}", "{{{y}}}", "{% if z %}"],
        ),
        ("${var} %{x} #{y} $HOME { z }", ["${var}", "%{x}", "#{y}", "$HOME", "{ z }"]),
        ("{n, plural, one {# file} other {{m} files}} left", ["{n, plural, one {# file} other {{m} files}}"]),
        ("{d, date}!", ["{d, date}"]),
        (
            "``a b`` `c` :meth:`~x.y` |version| [1]_ [#n]_ `d`_",
            ["``a b``", "`c`", ":meth:`~x.y`", "|version|", "[1]_", "[#n]_", "`d`_"],
        ),
        ("<b>a</b><br/> <a href='x' id=y> <!-- z -->", ["<b>", "</b>", "<br/>", "<a href='x' id=y>", "<!-- z -->"]),
        ("&nbsp;a&#160;b&#xA0;", ["&nbsp;", "&#160;", "&#xA0;"]),
        ("@me and @scope/pkg, #tag", ["@me", "@scope/pkg", "#tag"]),
        (
            "/etc/passwd ~/x ./run ../up src/a.py C:\\Temp\\x.txt README.md.",
            ["/etc/passwd", "~/x", "./run", "../up", "src/a.py", "C:\\Temp\\x.txt", "README.md"],
        ),
        ("3.11.2 v2 v1.0-rc.1 192.168.0.1.", ["3.11.2", "v2", "v1.0-rc.1", "192.168.0.1"]),
    ],
)
def test_what_must_survive(text: str, marks: list[str]) -> None:
    assert found(text) == marks


@pytest.mark.parametrize(
    "text",
    [
        "100% sure, 50%discount, 5% of all, 100%",
        "10 km, 3.5 GB, -40 °C, 1.234.567, 24.12.2025, 12:30",
        "and/or, km/h, text/html, he/she, 1/2",
        "{see the note} <not set> a < b > c & d",
        "`quoted' and `more', don`t do it`s",
        "C# is no tag, #1 neither; $5, US$ 3",
        "e.g. this. U.S.A. Mr. Smith asyncio.Task",
        "choice.|choices. yes|no|cancel",
        "Dr.Who a.b.c",
        "mail@ or @ home",
    ],
)
def test_what_is_left_to_the_model(text: str) -> None:
    assert protect((text,)) == (text,)


def test_of_a_role_with_a_title_the_title_is_translated() -> None:
    assert protect(("see :ref:`the title <target>`, `here <x>`__",)) == (
        "see ",
        Found(":ref:`"),
        "the title",
        Found(" <target>`"),
        ", ",
        Found("`"),
        "here",
        Found(" <x>`__"),
    )


def test_marks_stay_as_they_are() -> None:
    text = (Mark("%s"), "a %s", Mark("<b>"))
    assert protect(text) == (Mark("%s"), "a ", Found("%s"), Mark("<b>"))
    assert released(protect(text)) == text


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["%s", "`", "<", ">", "{", "}", "/", ".", "a", " ", "@", "1", "中", ":x:", "&", ";", "\\", "%"])
    ).map("".join)
    | wild
)
def test_any_text_is_found_again(text: str) -> None:
    marked = protect((text,))
    assert flat(marked) == text
    assert released(marked) == ((text,) if text else ())
    assert released(protect(marked)) == released(marked)


@pytest.mark.parametrize(
    "text",
    [
        "<" * 5_000,
        "a." * 5_000,
        "`a" * 5_000,
        "{" * 5_000,
        "/a" * 5_000 + "\\",
        "%" * 5_000,
        "a@" * 5_000,
        "<a b=c " * 2_000,
        "{a, plural, " + "{" * 3_000,
        "C:\\" + "\\a" * 4_000 + " <",
    ],
)
def test_marks_that_are_never_closed_cost_little(text: str) -> None:
    assert flat(protect((text,))) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "12.5 %",
        "½ Ⅳ ²",
        "…!?",
        "😀👍🏽",
        "https://a.org",
        "a@b.cc",
        "%s / %d",
        "`x` v1.2.3",
        "{name}: {n, plural, one {a} other {b}}",
        "<b></b>",
        "3.11.2",
        "→ •",
    ],
)
def test_what_has_no_words(text: str) -> None:
    assert not is_linguistic(text)


@pytest.mark.parametrize(
    "text", ["a", "你好", "ひ", "ไทย", "नमस्ते", "الله", "10 km", "%s file", "<b>x</b>", "https://a.org is it", "Ω"]
)
def test_what_has_words(text: str) -> None:
    assert is_linguistic(text)


def test_words_of_marks_do_not_count() -> None:
    assert not is_linguistic((Mark("<code>a</code>"), " 1"))
    assert is_linguistic((Mark("<b>"), "a"))


@pytest.mark.parametrize(
    "picture",
    ["😀", "👨‍👩‍👧", "👍🏽", "❤️", "🇧🇷", "🏴\U000e0067\U000e0062\U000e007f", "1️⃣", "#️⃣", "→", "✓", "©", "™"],
)
def test_emoji_and_signs_that_models_drop_are_marks(picture: str) -> None:
    text = protect((f"It is {picture} fun",))
    assert text == ("It is ", Found(picture), " fun")


def test_emoji_in_a_row_are_one_mark() -> None:
    assert protect(("Fun 😀😀❤️!",)) == ("Fun ", Found("😀😀❤️"), "!")
    assert protect(("20 °C, 5 €, №7",)) == ("20 °C, 5 €, №7",)
