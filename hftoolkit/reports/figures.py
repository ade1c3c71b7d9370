"""The training curve as a picture."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from hftoolkit.reports.run import Point, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Theme:
    """Colours of a picture; its ground is transparent."""

    text: str
    """Labels."""

    line: str
    """Axes and grid."""

    training: str
    """Training loss."""

    validation: str
    """Validation loss."""

    score: str
    """Validation score."""


LIGHT = Theme(text="#475467", line="#d0d5dd", training="#98a2b3", validation="#b54708", score="#155eef")
DARK = Theme(text="#aab2bd", line="#3a424d", training="#7d8794", validation="#f0a35e", score="#7aa7ff")
PAPER = Theme(text="#333333", line="#cccccc", training="#999999", validation="#b54708", score="#155eef")
"""For a picture of its own, on white ground."""


def training_curve(report: Report, theme: Theme = PAPER) -> bytes:
    """Training loss, validation loss, and the validation score on an axis of its own, as PNG.

    Args:
        report: The run; `has_curve` must hold.
        theme: Colours; only `PAPER` has a ground.

    Returns:
        A picture of 1600 by 640 pixels.
    """
    # Not pyplot: it keeps every figure in a global list, and asks for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 3.2), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    left = figure.add_subplot()
    _axis(left, "loss", theme)
    left.set_xlabel("step", color=theme.text, fontsize=9)
    left.xaxis.set_major_formatter("{x:,.0f}")
    left.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 2.5, 5, 10]))
    left.grid(axis="y", color=theme.line, linewidth=0.5)
    name = _score_name(report)
    lines = [
        *_draw(left, report.curve, lambda point: point.loss, "training loss", theme.training, marker=""),
        *_draw(left, report.curve, _validation("loss"), "validation loss", theme.validation, marker="o"),
    ]
    if name:
        right = left.twinx()
        _axis(right, name, theme)
        lines += _draw(right, report.curve, _validation(name), f"validation {name}", theme.score, marker="s")
    kept = report.averaged_steps or [report.best_step]
    for step in kept:
        left.axvline(step, color=theme.text, linewidth=0.8 / len(kept) ** 0.5, linestyle=(0, (4, 3)))
    # Above the axes: inside, a curve would run through the words.
    left.text(
        (kept[0] + kept[-1]) / 2,
        1.01,
        f"weights kept: {report.weights_kept}",
        transform=left.get_xaxis_transform(),
        ha="center",
        va="bottom",
        fontsize=7.5,
        color=theme.text,
    )
    figure.legend(
        handles=lines,
        loc="outside upper center",
        ncols=max(1, len(lines)),
        frameon=False,
        fontsize=8,
        labelcolor=theme.text,
    )
    picture = BytesIO()
    figure.savefig(picture, format="png", transparent=theme is not PAPER, metadata={"Software": None})
    return picture.getvalue()


def has_curve(report: Report) -> bool:
    """Whether there is anything to draw."""
    return any(point.loss is not None or point.validation for point in report.curve)


def _axis(axis: "Axes", label: str, theme: Theme) -> None:
    axis.set_ylabel(label, color=theme.text, fontsize=9)
    axis.tick_params(colors=theme.text, labelsize=8, length=0)
    for side, spine in axis.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.line)


def _draw(
    axis: "Axes", curve: list[Point], value: Callable[[Point], float | None], label: str, colour: str, marker: str
) -> list[object]:
    drawn = [(point.step, y) for point in curve if (y := value(point)) is not None and math.isfinite(y)]
    if not drawn:
        return []
    steps, values = zip(*drawn, strict=True)
    # A single value makes no line: without a marker it would not be seen.
    shape = marker or ("." if len(drawn) == 1 else "")
    return list(axis.plot(steps, values, color=colour, label=label, marker=shape, markersize=4, linewidth=1.5))


def _validation(name: str) -> Callable[[Point], float | None]:
    return lambda point: point.validation.get(name)


def _score_name(report: Report) -> str:
    names = dict.fromkeys(name for point in report.curve for name in point.validation if name != "loss")
    return report.goal if report.goal in names else next(iter(names), "")
