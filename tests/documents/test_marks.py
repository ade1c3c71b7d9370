import pytest

from hftoolkit.documents.marks import ends_line, in_order, is_word, joined, partners, roles
from hftoolkit.documents.pieces import Mark


def marks(*texts: str) -> list[Mark]:
    return [Mark(text) for text in texts]


@pytest.mark.parametrize(
    "mark",
    [
        "%s",
        "{}",
        "{0}",
        "$x",
        "`code`",
        "https://a.b",
        "<code>x</code>",
        '<ph id="1">%s</ph>',
        ":meth:`x`",
        "![a](b)",
        "[1]_",
        "|x|",
    ],
)
def test_what_stands_for_a_word(mark: str) -> None:
    assert is_word(mark)


@pytest.mark.parametrize(
    "mark",
    [
        "<b>",
        "</b>",
        "<br/>",
        '<a href="x > y">',
        "**",
        "[",
        "](https://a.b)",
        "][x]",
        "<!-- a -->",
        "{% if x %}",
        "{#anchor}",
        "%%",
        "&nbsp;",
        '<ph id="1">&lt;br/&gt;</ph>',
        '<x id="n"/>',
        ":ref:`",
        " <target>`",
        "`",
    ],
)
def test_what_stands_for_no_word(mark: str) -> None:
    assert not is_word(mark)


@pytest.mark.parametrize(
    "mark",
    [
        "<br>",
        "<BR />",
        '<x id="1" ctype="lb"/>',
        '<x ctype="x-lb"/>',
        "<ph>&lt;br/&gt;</ph>",
        "  \n",
        "\\\n",
        '<x id="LINE_BREAK"/>',
    ],
)
def test_line_breaks(mark: str) -> None:
    assert ends_line(mark)


@pytest.mark.parametrize("mark", ["<b>", "<broken>", "%s", " \n", '<x id="1"/>'])
def test_no_line_breaks(mark: str) -> None:
    assert not ends_line(mark)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["<b>", "<i>", "</i>", "</b>"], [3, 2, 1, 0]),
        (["**", "*", "*", "**"], [3, 2, 1, 0]),
        (["[", "`x`", "](u)"], [2, None, 0]),
        (["![", "]", "[", "][r]"], [1, 0, 3, 2]),
        (['<bpt i="1">&lt;b&gt;</bpt>', '<bpt i="2"/>', '<ept i="1">x</ept>', '<ept i="2"/>'], [2, 3, 0, 1]),
        (['<bx id="2" rid="1"/>', '<ex id="2"/>', '<ex id="3" rid="1"/>'], [2, None, 0]),
        (['<sc id="1"/>', '<ec startRef="1"/>'], [1, 0]),
        (['<sm id="1"/>', '<em startRef="1"/>'], [1, 0]),
        ([":ref:`", " <x>`"], [1, 0]),
        (["<em>", "</em>"], [1, 0]),
        (["<x:g>", "</x:g>"], [1, 0]),
        (["<br>", "<img src='>'/>", "<hr/>", "<code>a</code>", "%s"], [None] * 5),
        (["</b>", "<b>"], [None, None]),
    ],
)
def test_pairs(texts: list[str], expected: list[int | None]) -> None:
    assert partners(marks(*texts)) == expected


def test_what_both_opens_and_closes() -> None:
    assert [role for role, _ in roles(marks("*", "*", "*"))] == ["open", "close", "open"]


A, A_END, B, B_END, BR = marks("<a>", "</a>", "<b>", "</b>", "<br>")


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [
        ([A, A_END, B, B_END], [B, B_END, A, A_END], True),
        ([A, A_END, B, B_END], [A, B, B_END, A_END], True),
        ([A, A_END, B, B_END], [A, B, A_END, B_END], False),
        ([A, A_END], [A_END, A], False),
        ([A, BR, A_END], [BR, A, A_END], True),
        ([A_END, B], [A_END, B], True),
        ([A_END, B], [B, A_END], False),
        ([B, A, A_END], [A, B, A_END], False),
        ([B_END, A, A_END], [A, B_END, A_END], False),
        ([A, B, A_END, B_END], [A, B, B_END, A_END], True),  # TMX may let codes overlap
        ([A, B, A_END, B_END], [A, A_END, B_END, B], False),
    ],
)
def test_marks_in_another_order(before: list[Mark], after: list[Mark], fits: bool) -> None:
    assert in_order(before, after) is fits


def test_a_text_put_together() -> None:
    assert joined(["", "a", "b", A, "", B, "c", ""]) == ("ab", A, B, "c")
    assert joined([]) == ()
