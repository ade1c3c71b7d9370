"""The scores in recipes/README.md are those of the reports in recipes/results."""

import json
import re
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from hftoolkit.reports.wording import duration, memory

RECIPES = Path(__file__).parent.parent / "recipes"
HEAD = "| recipe | test | trained | score | trained in | memory | reports |"


def stored() -> dict[str, list[Path]]:
    """The reports of every recipe that is no translation, seed by seed."""
    found: dict[str, list[Path]] = {}
    for path in sorted((RECIPES / "results").glob("*.json"), key=lambda path: path.stem):
        if json.loads(path.read_text(encoding="utf-8"))["task"] != "translation":
            found.setdefault(re.sub(r"-seed\d+$", "", path.stem), []).append(path)
    return found


def expected(name: str, paths: list[Path]) -> str:
    """The row of a recipe: several seeds have a mean and a range, a single one has an interval."""
    reports: list[dict[str, Any]] = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    first = reports[0]
    test = first["tests"][0]
    scores = [report["tests"][0]["after"][0] for report in reports]
    values = [score["value"] for score in scores]
    if len(reports) > 1:
        score = f"{mean(values):.1f} ({min(values):.1f} to {max(values):.1f}, {len(values)} seeds)"
    else:
        score = f"{values[0]:.1f} ({scores[0]['low']:.1f} to {scores[0]['high']:.1f})"
    cells = [
        f"[{name}]({name}.yaml)",
        f"{test['rows']:,} rows",
        first["model"]["adapter"] or "all weights",
        f"{scores[0]['name']} {score}",
        duration(mean(report["seconds"]["train"] + report["seconds"]["validate"] for report in reports)),
        memory(max(report["peak_memory_bytes"] for report in reports)),
        " ".join(f"[{number}](results/{path.name})" for number, path in enumerate(paths, 1)),
    ]
    return f"| {' | '.join(cells)} |"


def test_every_report_has_its_row() -> None:
    lines = (RECIPES / "README.md").read_text(encoding="utf-8").splitlines()
    begin = lines.index(HEAD) + 2
    table = lines[begin : lines.index("", begin)]
    assert table == [expected(name, paths) for name, paths in stored().items()]


def test_seeds_are_told_apart() -> None:
    for paths in stored().values():
        seeds = [json.loads(path.read_text(encoding="utf-8"))["recipe"]["training"]["seed"] for path in paths]
        assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("path", sorted((RECIPES / "results").glob("*.json")), ids=lambda path: path.stem)
def test_a_report_names_no_folder_of_a_machine(path: Path) -> None:
    assert not re.search(r'"/(?!/)\w|(?<!\w)/(home|root|tmp|work|Users)/', path.read_text(encoding="utf-8"))
