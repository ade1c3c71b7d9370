from pathlib import Path

import pytest
from document_reading import documents, kept, patient, places, texts, translated
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hftoolkit.documents.pieces import Mark, Part

GUIDE = (Path(__file__).parents[1] / "samples" / "guide.md").read_bytes().decode()


def filled(document: str, *text: Part) -> str:
    """A document whose first text is translated."""
    rest = iter([text])
    return translated(document, "markdown", lambda text: next(rest, text))


def rendered(document: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(document)


def test_a_real_guide() -> None:
    assert texts(GUIDE, "markdown") == [
        "Brewing *good* tea {#brewing}",
        "[![Build](https://ci.example.org/badge.svg)](https://ci.example.org) [![Docs][badge]][docs]",
        "A good cup needs **three things**: fresh water, enough time, and leaves that were stored _well_. See the "
        '[long version](https://tea.example.org/long_version "The long one") or [docs][docs] for more; '
        "mail <tea@example.org>.",
        *("Table of contents", "Water", "Leaves", "green, such as `sencha`", "black[^1] and strong", "Milk"),
        *("Fill the kettle", "Warm the pot", "Water"),
        "**Note:** do not boil the water twice. The formula is $t = \\frac{m \\cdot c}{P}$.",
        "Quoted inside, lazily continued.",
        "The kettle is hot.",
        *("Tea", "Minutes", "Remark", "Green", "2", "never above 80 °C"),
        *("Black", "4 | 5", "use `a \\| b` to taste", "Oolong", "3", "no pipes at the ends"),
        "Inside the block there is text with <kbd>Ctrl</kbd>+<kbd>C</kbd> and<br> a line break.",
        "Roses are red,  \nviolets are blue,\\\nsugar is sweet.",
        "Leaves",
        "Snake_case words, 2 * 3 * 4, and a price of $5 stay. So do © 2024 and a * star. "
        "Visit https://tea.example.org/a_(b)?x=1&y=2, please.",
        *("Store leaves in the dark.", "Keep them dry.", "Oxidation", "A reaction with air.", "A cup of tea"),
        "Also called red tea in Chinese.",
        "Last line without an end",
    ]
    assert kept(GUIDE, "markdown") == GUIDE


def test_a_real_guide_translated() -> None:
    changed = translated(GUIDE, "markdown")
    for stretch in (
        '---\ntitle: "Brewing tea: a guide"\ntags: [tea, water]\n---\n\n# BREWING *GOOD* TEA {#brewing}\n\n[![BUILD](',
        '](https://tea.example.org/long_version "The long one") OR [DOCS][docs] FOR MORE; MAIL <tea@example.org>.\n\n',
        "TABLE OF CONTENTS\n-----------------\n\n1. [WATER](#water)\n",
        "   - BLACK[^1] AND STRONG\n3. ~~MILK~~\n\n* [ ] FILL THE KETTLE\n* [x] WARM THE POT\n\n## WATER ##\n\n",
        "{P}$.\n>\n> > QUOTED INSIDE, LAZILY CONTINUED.\n\n> [!WARNING]\n> THE KETTLE IS HOT.\n\n| TEA   | MINUTES |",
        "| BLACK | 4 \\| 5  | USE `a \\| b` TO TASTE |\nOOLONG | 3 | NO PIPES AT THE ENDS\n\n```bash\n# This comment",
        "    indented code stays\n\n<details>\n<summary>Kept HTML</summary>\n\nINSIDE",
        "ROSES ARE RED,  \nVIOLETS ARE BLUE,\\\nSUGAR IS SWEET.\n\n$$\nE = m c^2\n$$\n\n## LEAVES\n\nSNAKE_CASE",
        "A PRICE OF \\$5 STAY. SO DO © 2024 AND A * STAR. VISIT https://tea.example.org/a_(b)?x=1&y=2, PLEASE.\n",
        '::: tip\nSTORE LEAVES IN THE DARK.\n:::\n\n!!! note "Storage"\n\n    KEEP THEM DRY.\n\nOXIDATION\n: A',
        "![A CUP OF TEA][cup]\n\n[^1]: ALSO CALLED RED TEA IN CHINESE.\n[badge]: https://docs.example.org/badge.svg\n",
        "[cup]: cup.jpg\nLAST LINE WITHOUT AN END",
    ):
        assert stretch in changed


def test_places_are_lines() -> None:
    assert [place.where for place in places("# a\n\n> b\n> c\n\n- d\n", "markdown")] == ["line 1", "line 3", "line 6"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("one\ntwo", ["one two"]),
        ("中文\n中文", ["中文中文"]),
        ("# a #\n## b", ["a", "b"]),
        ("#\tC #", ["C"]),
        ("#no heading", ["#no heading"]),
        ("a\nb\n---\nc", ["a b", "c"]),
        ("- a\n\n  b\n- c", ["a", "b", "c"]),
        ("> - a\n>   b\n>     - c", ["a b", "c"]),
        (">\ta\n>\t\tb", ["a b"]),
        ("1. a\n\n       code\n", ["a"]),
        ("```\na\n```\n~~~\nb", []),
        ("<div>\na\n</div>\n\nb", ["b"]),
        ("<b>a</b> b", ["<b>a</b> b"]),
        ("`a`", []),
        ("![](x.png)", []),
        ("![a](x.png)", ["a"]),
        ("[a]", ["[a]"]),
        ("[a]\n\n[A]: x", ["a"]),
        ("[**a** b][]\n\n[**a** b]: x", ["**a** b"]),
        ("a [b] c\n\n[b]: x", ["a [b][b] c"]),
        ("[a]: b\n[^c]: Word", ["Word"]),
        ("a\n[b]: c", ["a"]),
        ("a\n[b]: c d", ["a [b]: c d"]),
        ("| a\\|b | `c\\|d` |\n|-|-|\n| e |\n| f | g | h |", ["a|b", "e", "f", "g"]),
        ("a | b\n-|-\n\\| c | d", ["a", "b", "| c", "d"]),
        ("+++\na = 1\n+++\nb", ["b"]),
        ("---\na\n", ["a"]),
        ("$$\na - b\n$$\nc", ["c"]),
        ("a\n\\begin{x}\n- b\n\\end{x}", ["a"]),
        ("$$ a $$\nb", ["b"]),
        ("$$a$$ b", ["$$a$$ b"]),
        ("costs $5 and $10", ["costs $5 and $10"]),
        ("{{ x }}\n{% raw %}\na {{ y }}\n{% endraw %}", ["a {{ y }}"]),
        ("a\n{: .b}", ["a"]),
        ('=== "Tab"\n\n    a\n\n    b\n\nc', ["a", "b", "c"]),
        ("!!! a", ["!!! a"]),
        ("[[Page]] and [[a]](b)", ["[[Page]] and [[a]](b)"]),
        ("a :tada: 10:30:45", ["a :tada: 10:30:45"]),
        ("see https://a.b/c_d*e* now.", ["see https://a.b/c_d*e* now."]),
        ("a \\\\* &lt; &#65; &copy;", ["a \\* < A ©"]),
        ("Hi <kbd>a *b*</kbd> <!-- c -->", ["Hi <kbd>a *b*</kbd>"]),
        ("a\rb\r\rc", ["a b", "c"]),
        ("~~~a~~~", []),
        ("a ~~~b~~~", ["a ~~~b~~~"]),
        ("\\newpage\na", ["a"]),
        ("a\0b", ["a\ufffdb"]),
        ("", []),
    ],
)
def test_what_is_translated(document: str, found: list[str]) -> None:
    assert texts(document, "markdown") == found


def test_marks_and_words() -> None:
    (place,) = places("> **a** `b\n> c` [d\n> e](f)  \n> g", "markdown")
    assert place.texts == (
        (
            *(Mark("**"), "a", Mark("**"), " ", Mark("`b\n> c`"), " ", Mark("["), "d e", Mark("](f)")),
            *(Mark("  \n> "), "g"),
        ),
    )
    assert place.fill(place.texts) == "**a** `b\n> c` [d e](f)  \n> g"


@pytest.mark.parametrize(
    ("document", "text", "result"),
    [
        ("a", ["1. b"], "1\\. b"),
        ("a", ["# b"], "\\# b"),
        ("a", ["#b"], "#b"),
        ("a", ["- b"], "\\- b"),
        ("a", ["+ b"], "\\+ b"),
        ("a", ["> b"], "\\> b"),
        ("a", ["---"], "\\---"),
        ("a", ["==="], "\\==="),
        ("a", ["~~~ b"], "\\~\\~\\~ b"),
        ("a", ["``` b"], "\\`\\`\\` b"),
        ("a", ["    b"], "b"),
        ("a", ["[b]: c"], "\\[b\\]: c"),
        ("a", ["[^b]: c"], "\\[^b\\]: c"),
        ("a", [": b"], "\\: b"),
        ("a", ["::: b"], "\\::: b"),
        ("a", ["$$"], "\\$$"),
        ("a", ["<div>"], "\\<div>"),
        ("a", ["b\nc"], "b c"),
        ("# a", ["1. b #"], "# 1. b \\#"),
        ("# a", ["C#"], "# C#"),
        ("# a", ["#"], "# \\#"),
        ("a", ["b*c*, _d_, e_f, 2 * 3, `g`"], "b\\*c\\*, \\_d\\_, e_f, 2 * 3, \\`g\\`"),
        ("a", ["[b](c) ![d](e)"], "\\[b\\](c) !\\[d\\](e)"),
        ("a", ["[b] stays"], "[b] stays"),
        ("a", ["&amp; & <b> < c"], "\\&amp; & \\<b> < c"),
        ("a", ["C:\\Users\\_x \\* \\"], "C:\\Users\\\\\\_x \\\\\\* \\\\"),
        ("a", ["$5 and $6"], "$5 and $6"),
        ("a \\$5", ["$5 and $6"], "\\$5 and \\$6"),
        ("a", ["b ~~c~~ ~d"], "b \\~\\~c\\~\\~ ~d"),
        ("| a | b |\n|-|-|", ["c|d"], "| c\\|d | b |\n|-|-|"),
        ("|a|b|\n|-|-|", ["c\\"], "|c\\\\ |b|\n|-|-|"),
        ("a | b\n-|-", ["- c"], "\\- c | b\n-|-"),
        ("- a", ["- b"], "- \\- b"),
        ("- [ ] a", ["1. b"], "- [ ] 1. b"),
        ("a  \nb", ["c", Mark("  \n"), "- d"], "c  \n\\- d"),
        ("[a](b)", ["c]"], "[c\\]](b)"),
        ("a\n\nx\n\n[a]: b", ["[a] c"], "\\[a\\] c\n\nx\n\n[a]: b"),
        ("[a]\n\n[a]: b", ["c"], "[c][a]\n\n[a]: b"),
        ("[a][]\n\n[a]: b", ["c"], "[c][a]\n\n[a]: b"),
        ("[a][]\n\n[a]: b", ["a"], "[a][]\n\n[a]: b"),
        ("see [a]\n\n[a]: b", ["看 ", Mark("["), "a", Mark("][a]")], "看 [a]\n\n[a]: b"),
        ("Stop! [a](b)", ["停!", Mark("["), "c", Mark("](b)")], "停\\![c](b)"),
        ("# Stop!", ["停!"], "# 停!"),
        ("`a` and `b`", [Mark("`a`"), Mark("`b`")], "`a` `b`"),
        ("a", ["看 https://a.b/c_d"], "看 https://a.b/c_d"),
    ],
)
def test_a_translation_does_not_become_markup(document: str, text: list[Part], result: str) -> None:
    assert filled(document, *text) == result


@pytest.mark.parametrize(
    ("document", "text", "result"),
    [
        ("**Note:** a", [Mark("**"), "注意：", Mark("**"), "请看"], "**注意：** 请看"),
        ("a **b** c", ["使用", Mark("**"), "“保存”", Mark("**"), "按钮"], "使用 **“保存”** 按钮"),
        ("a **`b`** c", ["使用", Mark("**"), Mark("`b`"), Mark("**"), "命令"], "使用 **`b`** 命令"),
        ("a _b_ c", ["一个", Mark("_"), "重要", Mark("_"), "的"], "一个*重要*的"),
        ("a _b_ c", ["d ", Mark("_"), "e", Mark("_"), " f"], "d _e_ f"),
        ("a **b** c", ["一个", Mark("**"), "重要", Mark("**"), "的"], "一个**重要**的"),
        ("a *b* c", ["d", Mark("*"), " e ", Mark("*"), "f"], "d *e* f"),
        ("a ~~b~~ c", ["甲", Mark("~~"), "（乙）", Mark("~~"), "丙"], "甲 ~~（乙）~~ 丙"),
        ("**a** **b**", [Mark("**"), "甲", Mark("**"), Mark("**"), "乙", Mark("**")], "**甲** **乙**"),
        ("*a *b* c*", ["甲", Mark("*"), "乙", Mark("*"), "丙"], "*甲 *乙* 丙*"),
        ("a ***b*** c", ["甲", Mark("*"), Mark("**"), "乙。", Mark("**"), Mark("*"), "丙"], "甲***乙。*** 丙"),
    ],
)
def test_emphasis_stays_emphasis_without_blanks_between_words(document: str, text: list[Part], result: str) -> None:
    assert filled(document, *text) == result
    assert rendered(result).count("<em>") == rendered(document).count("<em>")
    assert rendered(result).count("<strong>") == rendered(document).count("<strong>")


FRAGMENTS = (
    *(
        "# ",
        "## ",
        "- ",
        "1. ",
        "> ",
        "\n\n",
        "    ",
        "\t",
        "**",
        "*",
        "_",
        "__",
        "~~",
        "`",
        "``",
        "```\n",
        "[",
        "]",
        "(u)",
    ),
    *("![", "]:", "[^a]: ", "[^a]", "|", "|-|-|\n", "---\n", "===\n", "\\", "<b>", "</b>", "<code>", "</code>", "<!--"),
    *("-->", "&amp;", "$", "$$\n", "{{x}}", "::: x\n", "!!! note\n\n    ", ": ", "https://a.b/c_d ", "  \n", "\\\n"),
    *("[a]: b\n", "[ ] ", ":x:", "\n", "\n> ", "a | b\n-|-\n"),
)


@patient
@given(documents(*FRAGMENTS))
def test_untranslated_it_comes_back(document: str) -> None:
    assert kept(document, "markdown") == document


WRITTEN = [each for each in FRAGMENTS if each not in ("https://a.b/c_d ", ":x:")]  # which are marks wherever they are


@patient
@given(
    st.lists(st.sampled_from([*WRITTEN, "a", "b c", "你好", "。", "1. ", "#", "+", "!", "&lt;"]), max_size=8).map(
        "".join
    ),
    st.sampled_from(
        ["@", "# @", "> - @", "| @ | x |\n|-|-|\n", "@ | x\n-|-\n", "@\n===", "a\n\n[b]: c\n\n@", "[@](x)"]
    ),
)
def test_any_text_is_read_again_as_it_was_written(wanted: str, document: str) -> None:
    """Whatever a translation is, it is one text in the translated document, and none of it is a mark."""
    assume(wanted.strip())
    changed = translated(document, "markdown", lambda text: (wanted,) if text == ("@",) else text)
    known = [_without_blanks(text.replace("@", wanted)) for text in texts(document, "markdown")]
    assert [_without_blanks(text) for text in texts(changed, "markdown")] == known
    assert not any(isinstance(part, Mark) for place in places(changed, "markdown") for part in place.texts[0])


def _without_blanks(text: str) -> str:
    return "".join(text.split())
