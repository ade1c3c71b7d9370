"""A report, to JSON and back."""

import json
from dataclasses import replace

import pytest

from hftoolkit.errors import DataError
from hftoolkit.reports.run import Point, Report


def test_json_and_back_is_the_same_report(report):
    assert Report.from_json(report.to_json()) == report


def test_json_is_readable_and_strict(report):
    text = report.to_json()

    assert "点击" in text
    assert json.loads(text)["format"] == 1


@pytest.mark.parametrize("loss", [float("inf"), float("-inf")])
def test_infinite_losses_survive_as_json_that_any_reader_takes(report, loss):
    text = replace(report, curve=[Point(1, loss)]).to_json()

    json.loads(text, parse_constant=pytest.fail)
    assert Report.from_json(text).curve == [Point(1, loss)]


def test_not_a_number_survives(report):
    point = Report.from_json(replace(report, curve=[Point(1, float("nan"))]).to_json()).curve[0]

    assert point.loss != point.loss


def test_half_a_surrogate_pair_survives(report):
    broken = replace(report, notes=["a\ud83db", "line\u2028separator \x00"])

    text = broken.to_json()

    assert text.encode("utf-8")
    assert Report.from_json(text) == broken


def test_text_that_is_not_json_is_refused():
    with pytest.raises(DataError) as caught:
        Report.from_json("{\n oops")
    assert str(caught.value) == (
        "report.json: line 2: not JSON: Expecting property name enclosed in double quotes\n"
        "  the run that wrote it can be repeated:  hftoolkit finetune FOLDER/recipe.yaml --overwrite"
    )


def test_json_that_is_not_a_report_is_refused(report):
    values = json.loads(report.to_json())
    values["tests"][0]["rows"] = "many"

    with pytest.raises(DataError) as caught:
        Report.from_json(json.dumps(values))
    assert str(caught.value) == (
        "report.json: tests.0.rows: input should be a valid integer, unable to parse string as an integer\n"
        "  the run that wrote it can be repeated:  hftoolkit finetune FOLDER/recipe.yaml --overwrite"
    )


def test_the_first_score_of_the_first_test_set_decides(report):
    assert report.goal == "BLEU"


def test_speed_counts_the_time_of_training_alone(report):
    assert report.tokens_per_second == pytest.approx(4_730_112 / 2466.0)
    assert replace(report, seconds={}).tokens_per_second == 0


def test_a_notebook_shows_the_report(report):
    assert report._repr_html_().startswith('<div class="hftoolkit-report">')
    assert report._repr_markdown_().startswith("# BLEU rose from 30.1")
