"""What strangers may see of a run: its report and its recipe, without rows of the data or folders of this machine."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PureWindowsPath
from typing import Any

from hftoolkit.reports.run import DataSource, Report
from hftoolkit.reports.scores import Score, TestSet


def published(report: Report) -> Report:
    """A report without what stands in rows, and with the last part of a path alone.

    Notes are left out, too: they name files wherever they like.
    """
    return replace(
        report,
        tests=[_test(test) for test in report.tests],
        data=[_source(source) for source in report.data],
        recipe=published_recipe(report.recipe),
        model=replace(report.model, name=_model(report.model.name)),
        notes=[],
    )


def published_recipe(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe without what is left to defaults and the mirror that was asked, paths that lead out of its folder cut
    to their last part."""
    said = {key: value for key, value in _said(recipe).items() if key != "endpoint"}
    return {key: value if key == "options" else _cut(value) for key, value in said.items()}


def in_its_folder(path: str) -> str:
    """A path that leads out of the current folder as ``./NAME``, its last part; any other text as it is.

    The two signs in front keep it from being taken for a name at the hub.
    """
    name = last_part(path)
    return path if name == path else f"./{name}"


def last_part(path: str) -> str:
    """The last part of a path that leads out of the current folder, on whatever system; any other text as it is."""
    found = PureWindowsPath(path)  # which knows both kinds of slashes
    leads_out = found.root or path.startswith("~") or ".." in found.parts
    return found.name if leads_out and found.name not in ("", "..") else path


def _test(test: TestSet) -> TestSet:
    return replace(
        test,
        after=[_score(score) for score in test.after],
        before=[_score(score) for score in test.before],
        best_wins=[],
        worst_regressions=[],
        sections=[],
    )


def _score(score: Score) -> Score:
    return replace(score, name=last_part(score.name))  # a metric may be a folder with code


def _source(source: DataSource) -> DataSource:
    return replace(source, name=" + ".join(map(last_part, source.name.split(" + "))), notes=[])


def _model(name: str) -> str:
    """A model's name; of a folder, wherever it is, the last part."""
    return PureWindowsPath(name).name if name.startswith(".") else last_part(name)


def _cut(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _cut(part) for key, part in _said(value).items()}
        case list():
            return [_cut(part) for part in value]
        case str():
            return in_its_folder(value)
        case _:
            return value


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """What does not stand for "left out"."""
    return {key: value for key, value in values.items() if value not in (None, [], {})}
