"""The report as Markdown."""

from dataclasses import replace

import pytest

from hftoolkit.reports.markdown import render
from hftoolkit.reports.scores import Example, Score

SPECIALS = "a|b `c` *d* _e_ [f](g) <h> ~i~ $j$ &amp; #k \\ l\nm"
ESCAPED = "a\\|b \\`c\\` \\*d\\* \\_e\\_ \\[f\\](g) \\<h\\> \\~i\\~ \\$j\\$ \\&amp; \\#k \\\\ l ↵ m"


def test_the_verdict_is_the_title(report):
    title, _, caution, *_ = render(report).splitlines()

    assert title == "# " + report.verdict().replace("<", "\\<")
    assert caution == "**Caution:** " + report.cautions()[0]


def test_the_table_of_scores(report):
    lines = render(report).splitlines()

    assert (
        "| docs (1,200 rows) | BLEU | 30.1 (28.7 to 31.6) | 41.2 (39.5 to 42.9) | +11.1 (+9.8 to +12.3) | p < 0.001 |"
    ) in lines
    assert (
        "| mine.tsv | train | 48,213 | 46,951 | 1,102 duplicate, 160 source equals target | 1 | `9f2c9f2c9f2c` |"
        in lines
    )


@pytest.mark.parametrize(
    ("trainable", "adapter", "words"),
    [
        (1_000_000, "DoRA, rank 8, alpha 16", "1.0 M of 77.4 M (1.3 %), DoRA, rank 8, alpha 16"),
        (1_000_000, "", "1.0 M of 77.4 M (1.3 %), the others stayed as they were, no adapter"),
        (77_419_008, "", "77.4 M of 77.4 M (100.0 %), all weights, no adapter"),
    ],
)
def test_what_was_trained(report, trainable, adapter, words):
    model = replace(report.model, trainable=trainable, adapter=adapter, adapter_targets=[])

    assert f"- weights trained: {words}" in render(replace(report, model=model)).splitlines()


def test_a_score_from_the_hub_shows_three_decimals_and_was_not_tested(report, docs):
    before, after = Score("comet", 0.8123, None, None, ""), Score("comet", 0.8344, None, None, "")
    test = replace(docs, before=[before], after=[after])

    assert "| docs (1,200 rows) | comet | 0.812 | 0.834 | +0.022 | not tested |" in render(
        replace(report, tests=[test])
    )


def test_a_score_shows_as_many_digits_as_matter(report, bits):
    text = render(replace(report, tests=[bits]))

    row = "2.000 (1.990 to 2.010) | 1.500 (1.490 to 1.510) | -0.500 (-0.612 to -0.400) | p"
    assert f"| docs (1,200 rows) | bits per byte | {row}" in text
    assert "| row 7 | +1.250 |" in text


def test_the_picture_stands_where_it_is(report):
    picture = "![Training loss, validation loss and validation score by step](training.png)"

    assert picture in render(report, "training.png")
    assert "![" not in render(report)


def test_text_of_a_stranger_is_on_one_line_with_nothing_to_act_on(report, docs):
    test = replace(docs, name=SPECIALS, best_wins=[Example(1, SPECIALS, [SPECIALS, ""], SPECIALS, SPECIALS, 1.0)])
    data = [replace(report.data[0], name=SPECIALS, dropped={SPECIALS: 2})]

    text = render(replace(report, tests=[test], data=data, notes=[SPECIALS]))

    assert SPECIALS.splitlines()[0] not in text
    assert text.count(ESCAPED) >= 11
    assert f"| source | {ESCAPED} |\n| reference | {ESCAPED} |\n| reference |  |\n" in text


def test_tables_have_as_many_cells_in_every_line(report):
    tables = [part.splitlines() for part in render(report).split("\n\n") if part.startswith("|")]

    assert len(tables) == 7
    for lines in tables:
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_a_trivial_or_missing_baseline_is_said(report, docs):
    trivial = render(replace(report, tests=[replace(docs, baseline="a copy of the source")]))
    missing = render(replace(report, tests=[replace(docs, before=[], changes={})]))

    assert "- before on docs is a copy of the source, not a model" in trivial
    assert "| docs (1,200 rows) | BLEU | none | 41.2 (39.5 to 42.9) |  |  |" in missing
