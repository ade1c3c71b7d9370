"""The page: everything on it, nothing from elsewhere, nothing a stranger wrote acted on."""

import json
from dataclasses import asdict, replace
from html.parser import HTMLParser

import pytest

from hftoolkit.reports.html import render, render_fragment
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import Score

VOID = {"meta", "img", "source", "br"}


class Page(HTMLParser):
    """Tags, attributes and text of a page, with its balance checked."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data.strip())

    @property
    def text(self):
        return " ".join(word for word in self.words if word).replace("\xa0", " ")


@pytest.fixture(scope="module")
def page(report):
    return Page(render(report))


def test_the_verdict_comes_first(report, page):
    assert page.text.index(report.verdict()) < page.text.index(report.cautions()[0]) < page.text.index("Scores")


@pytest.mark.parametrize(
    "fact",
    [
        "BLEU 30.1 28.7 to 31.6 41.2 39.5 to 42.9 +11.1 +9.8 to +12.3 p < 0.001",
        "chrF2 31.6 30.6 to 32.7 31.3 30.3 to 32.4 −0.3 −0.8 to +0.2 p = 0.142 not significant",
        "nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0",
        "row 417 +61.3 source Click <b>Save & Close</b> to write the file back to %s. reference 点击<b>保存并关闭</b>",
        "after nothing",
        "mine.tsv train 48,213 46,951 1,102 duplicate 160 source equals target",
        "weight 0.3 UTF-16",
        "1.2 M of 77.4 M (1.5 %) LoRA, rank 16, alpha 32 on q_proj, v_proj",
        "1,200 in 3 epochs weights kept: step 1,000",
        "1,918 tokens/s",
        "Peak memory 1.8 GiB",
        "Time by phase, 53 min 10 s in all load 3.1 s baseline 3 min 32 s",
        "torch 2.13.0",
        "2 training rows were longer than 256 tokens",
        '"learning_rate": 0.0002',
    ],
)
def test_the_page_says(page, fact):
    assert fact in page.text


def test_nothing_is_loaded_from_elsewhere(report, page):
    loaded = [value for name, value in page.attributes if name in {"src", "srcset", "href", "action", "data"}]
    assert len(loaded) == 2
    assert all(value.startswith("data:image/png;base64,") for value in loaded)
    assert "url(" not in render(report)
    assert "@import" not in render(report)
    assert "script" not in page.tags


EVIL = "</pre></style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"


def spoiled(value):
    match value:
        case str():
            return EVIL + value
        case list():
            return [spoiled(inner) for inner in value]
        case dict():
            return {key: spoiled(inner) for key, inner in value.items()}
        case _:
            return value


def test_every_text_of_a_stranger_is_escaped(report, page):
    values = spoiled(asdict(report))
    values["notes"].append(EVIL)
    for test in values["tests"]:
        test["changes"] = {EVIL + name: change for name, change in test["changes"].items()}
    for key in ("seconds", "versions"):
        values[key] = {EVIL + name: value for name, value in values[key].items()}
    values["recipe"][EVIL] = EVIL
    values["data"][0]["dropped"] = {EVIL: 3}

    spoiled_page = Page(render(Report.from_json(json.dumps(values))))

    assert {"script", "onerror"}.isdisjoint({*spoiled_page.tags, *dict(spoiled_page.attributes)})
    assert spoiled_page.tags.count("img") == page.tags.count("img")
    assert spoiled_page.text.count(EVIL) > 60


def test_a_bare_report_is_shown_too(report, docs):
    bare = replace(docs, before=[], baseline="", changes={}, leakage=0, best_wins=[], worst_regressions=[])
    page = Page(render(replace(report, tests=[bare], curve=[], data=[], seconds={}, notes=[], recipe={})))

    assert "img" not in page.tags
    assert "none 41.2 39.5 to 42.9" in page.text
    assert "No row of ‘docs’ can be shown before and after." in page.text


def test_a_score_from_the_hub_shows_three_decimals_and_was_not_tested(report, docs):
    before, after = Score("comet", 0.8123, None, None, ""), Score("comet", 0.8344, None, None, "")
    test = replace(docs, before=[*docs.before, before], after=[*docs.after, after])
    text = Page(render(replace(report, tests=[test]))).text

    assert "comet 0.812 0.834 +0.022 not tested" in text


def test_a_score_shows_as_many_digits_as_matter_and_less_may_be_a_gain(report, bits):
    page = render(replace(report, tests=[bits]))
    text = Page(page).text

    assert "bits per byte 2.000 1.990 to 2.010 1.500 1.490 to 1.510 −0.500 −0.612 to −0.400 p" in text
    assert "row 7 +1.250" in text
    assert '<td class="right figure gain">−0.500' in page


def test_a_trivial_baseline_is_said_below_the_table(report, docs):
    page = Page(render(replace(report, tests=[replace(docs, baseline="a copy of the source")])))

    assert "before on ‘docs’ is a copy of the source, not a model" in page.text


def test_a_fragment_styles_only_itself(report):
    style = render_fragment(report).split("<style>")[1].split("</style>")[0]

    selectors = [part.split("{")[0] for part in style.replace("}", "}\n").splitlines() if "{" in part]
    assert all(".hftoolkit-report" in selector or "@media" in selector for selector in selectors)


def test_the_page_is_the_same_each_time(report):
    assert render(report) == render(report)
