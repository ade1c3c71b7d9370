"""A report as one HTML page that needs no network."""

import base64
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hftoolkit.metrics.significance import SAMPLES
from hftoolkit.reports import figures, strips, wording
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import UNTOUCHED

if TYPE_CHECKING:
    from jinja2 import Environment

_LOOSE = re.compile(r"p [<=] 0|95 % interval")


def render(report: Report) -> str:
    """The report as a page of its own: one file, nothing loaded from elsewhere, light or dark as the reader likes."""
    return environment().get_template("page.html").render(_values(report))


def render_fragment(report: Report) -> str:
    """The report as a piece of a page, as a notebook shows it; its style touches nothing around it."""
    return environment().get_template("fragment.html").render(_values(report))


@cache
def environment() -> "Environment":
    """What fills the templates of this folder in."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = (
        wording.reached,
        wording.gained,
        wording.number,
        wording.cell,
        wording.signed,
        wording.probability,
        wording.duration,
        wording.memory,
        wording.amount,
    )
    for function in (*words, wording.share, wording.counted):
        environment.filters[function.__name__] = function
    # Digits line up only where minus is as wide as plus.
    environment.filters["typeset"] = lambda text: text.replace("-", "\N{MINUS SIGN}")
    environment.filters["unbroken"] = lambda text: _LOOSE.sub(lambda found: found[0].replace(" ", "\xa0"), text)
    return environment


def _values(report: Report) -> dict[str, Any]:
    names = {score.name for test in report.tests for score in test.after}
    pictures = {}
    if figures.has_curve(report):
        pictures = {"light": _picture(report, figures.LIGHT), "dark": _picture(report, figures.DARK)}
    return {
        "report": report,
        "scales": {name: strips.scale_of(name, report.tests) for name in names},
        "pictures": pictures,
        "recipe": json.dumps(report.recipe, ensure_ascii=False, indent=2, default=str),
        "untouched": UNTOUCHED,
        "samples": SAMPLES,
        "total_seconds": sum(report.seconds.values()),
        "longest_seconds": max(report.seconds.values(), default=0.0),
    }


def _picture(report: Report, theme: figures.Theme) -> str:
    return "data:image/png;base64," + base64.b64encode(figures.training_curve(report, theme)).decode("ascii")
