"""What a report shows besides scores: kept as JSON, drawn as Markdown tables and in HTML."""

import re
from dataclasses import replace

import pytest

from hftoolkit.reports import html, markdown
from hftoolkit.reports.markdown_sections import render_sections
from hftoolkit.reports.run import Report
from hftoolkit.reports.sections import Curve, Listing, Matrix, Section, Table

SECTIONS: list[Section] = [
    Table("Label by label", ["label", "F1", "rows"], [["a|b", 50.04, 1200], ["c", 0.0, 3]], "A note."),
    Matrix("What was taken for what", ["a", "<b>"], [[1000, 2], [0, 3]]),
    Curve("How sure", "sure, %", "right, %", [(10.0, 20.0), (99.5, 98.0)], [4, 1200], "as sure as right"),
    Curve("Bare", "x", "y", [(1.0, 2.0)]),
    Listing("Mistakes", ["right", "text"], [(1234, ["a", "two\nlines"]), (2, ["<b>", ""])], "Look."),
]


def test_markdown_has_a_table_for_each() -> None:
    assert list(render_sections(SECTIONS, "t*t")) == [
        r"## Label by label on 't\*t'",
        "| label | F1 | rows |\n| --- | --- | --- |\n| a\\|b | 50.0 | 1,200 |\n| c | 0.0 | 3 |",
        "A note.",
        r"## What was taken for what on 't\*t'",
        "| right, by row; predicted, by column | a | \\<b\\> |\n| --- | --- | --- |\n| **a** | 1,000 | 2 |\n"
        "| **\\<b\\>** | 0 | 3 |",
        r"## How sure on 't\*t'",
        "| sure, % | right, % | rows |\n| --- | --- | --- |\n| 10.0 | 20.0 | 4 |\n| 99.5 | 98.0 | 1,200 |",
        r"## Bare on 't\*t'",
        "| x | y |\n| --- | --- |\n| 1.0 | 2.0 |",
        r"## Mistakes on 't\*t'",
        "| row | right | text |\n| --- | --- | --- |\n| 1,234 | a | two ↵ lines |\n| 2 | \\<b\\> |  |",
        "Look.",
    ]


@pytest.fixture
def shown(report: Report) -> Report:
    return replace(report, tests=[replace(report.tests[0], sections=SECTIONS), *report.tests[1:]])


def test_they_survive_json(shown: Report) -> None:
    assert Report.from_json(shown.to_json()) == shown


def test_markdown_shows_them(shown: Report) -> None:
    text = markdown.render(shown)
    assert "\n\n".join(render_sections(SECTIONS, shown.tests[0].name)) in text


def test_html_shows_them_and_nothing_of_them_is_markup(shown: Report) -> None:
    page = html.render(shown)
    for text in (
        "a|b",
        "50.0",
        "1,200",
        "A note.",
        "What was taken for what",
        "as sure as right",
        "1,234",
        "two\nlines",
    ):
        assert text in page
    assert "<b>" not in re.sub(r"<b>[\d.]+</b>", "", page)
    assert "&lt;b&gt;, taken for a: 0 of 3" in page
    assert page.count("<circle cx=") >= 3


def test_an_empty_square_is_drawn(report: Report) -> None:
    empty = replace(report.tests[0], sections=[Matrix("M", ["a"], [[0]]), Table("T", ["x"], [])])
    assert "M" in html.render(replace(report, tests=[empty]))
