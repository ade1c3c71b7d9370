import pytest

from hftoolkit.documents.pieces import Mark, Part
from hftoolkit.documents.spans import Span, flowing, inner, paired, text_spans


@pytest.mark.parametrize(
    ("text", "stretches"),
    [("", []), (" \n", [" \n"]), ("a b", ["a b"]), (" a b\t", [" ", "a b", "\t"]), ("\u00a0a", ["\u00a0a"])],
)
def test_blanks_at_the_ends_are_spans_of_their_own(text: str, stretches: list[str]) -> None:
    spans = list(text_spans(7, text))
    assert [span.part for span in spans] == stretches
    assert [text[span.start - 7 : span.end - 7] for span in spans] == stretches


def spans(*parts: Part) -> list[Span]:
    return paired([Span(place, place + 1, part) for place, part in enumerate(parts)])


def test_tags_know_their_partners() -> None:
    tags = ("<b>", "<i title='>'>", "</i>", "<br/>", "</u>", "</B>", "<i>", "<code>x</code>", "<!-- -->")
    assert [span.partner for span in spans(*map(Mark, tags))] == [5, 2, 1, None, -1, 0, -1, None, None]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([" ", "a", "\n"], ["a"]),
        ([Mark("<b>"), "a", Mark("</b>")], ["a"]),
        ([Mark("<b>"), Mark("<i>"), " ", "a", Mark("</i>"), Mark("</b>"), " "], ["a"]),
        ([Mark("<b>"), "a", Mark("</b>"), "b"], [Mark("<b>"), "a", Mark("</b>"), "b"]),
        ([Mark("`a`"), " ", "b"], [Mark("`a`"), " ", "b"]),
        ([Mark("</i>"), "a", Mark("<b>")], ["a"]),
        ([Mark("<b>"), Mark("</b>")], []),
        ([" "], []),
        ([], []),
    ],
)
def test_what_is_around_a_text_is_not_of_it(parts: list[Part], text: list[Part]) -> None:
    known = spans(*parts)
    first, last = inner(known)
    assert [span.part for span in known[first:last]] == text


def test_a_loose_mark_may_stay_outside() -> None:
    known = [Span(0, 1, Mark("<!-- -->"), loose=True), Span(1, 2, "a"), Span(2, 3, Mark("`b`"))]
    assert inner(known) == (1, 3)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["a\n", " b  c"], ("a b c",)),
        (["a", Mark("*"), "", Mark("*"), "b"], ("a", Mark("*"), Mark("*"), "b")),
        (["中\n文\n a"], ("中文 a",)),
        (["中  文"], ("中 文",)),
        (["中", Mark("*"), "\n", "文", Mark("*")], ("中", Mark("*"), "文", Mark("*"))),
        (["用\n", Mark("`a`"), "\n做"], ("用", Mark("`a`"), "做")),
        (["use\n", Mark("`a`"), "\nnow"], ("use ", Mark("`a`"), " now")),
        (["한\n국"], ("한 국",)),
        ([], ()),
    ],
)
def test_a_line_end_is_a_blank_or_nothing(parts: list[Part], text: tuple[Part, ...]) -> None:
    assert tuple(part for part in flowing(parts) if part) == text
