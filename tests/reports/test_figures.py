"""The picture of the training."""

import struct
import subprocess
import sys
from dataclasses import replace

import pytest

from hftoolkit.reports.figures import DARK, LIGHT, PAPER, has_curve, training_curve
from hftoolkit.reports.run import Point


def size(picture):
    assert picture.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", picture[16:24])


@pytest.mark.parametrize("theme", [LIGHT, DARK, PAPER])
def test_a_picture_twice_as_fine_as_the_page(report, theme):
    assert size(training_curve(report, theme)) == (1600, 640)


@pytest.mark.parametrize(
    "points",
    [
        [Point(1, 2.0)],
        [Point(0, None, None, {"loss": 2.0, "accuracy": 0.5}), Point(5, float("nan"))],
        [Point(1, float("inf"))],
    ],
    ids=["one", "only validation", "diverged"],
)
def test_short_and_broken_curves_are_drawn(report, points):
    assert size(training_curve(replace(report, curve=points, best_step=0))) == (1600, 640)


def test_a_run_without_steps_has_no_curve(report):
    assert has_curve(report)
    assert not has_curve(replace(report, curve=[Point(0, None)]))


def test_no_display_and_no_global_figures_are_needed():
    code = (
        "import sys; from hftoolkit.reports import figures, html, markdown, files; "
        "print({'matplotlib', 'jinja2', 'torch', 'sacrebleu'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout == "set()\n"
