"""`hftoolkit check`: what it prints, as text and as JSON, and how it leaves."""

import json
from pathlib import Path

import pytest
from running import hftoolkit, tree, write_recipe

from hftoolkit.checking import check


@pytest.fixture
def recipe(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hftoolkit.forecasting._SECONDS", 0.0)
    return write_recipe(Path("recipe.yaml"), f"{{name: {marian}}}", output="run")


def test_help() -> None:
    assert hftoolkit("check", "--help").out == (
        "Usage: hftoolkit check [OPTIONS] RECIPE\n"
        "\n"
        "  Look at all that RECIPE names: what would go wrong, and what a run takes.\n"
        "\n"
        "  No model is downloaded, and nothing is written but the cache. Leaves with 0\n"
        "  if the recipe can run, with 1 if data, model or folder are in the way, with\n"
        "  2 if the recipe itself is wrong.\n"
        "\n"
        "Options:\n"
        "  --set KEY=VALUE  Change a key, as in --set training.epochs=1.\n"
        "  --overwrite      For a run that will be started with --overwrite.\n"
        "  --json           Print everything as JSON.\n"
        "  --endpoint URL   Of a mirror of the hub; left out: HF_ENDPOINT.\n"
        "  --offline        Make no connection: use what is in the cache.\n"
        "  --refresh        Ask whether the hub has a newer copy.\n"
        "  -h, --help       Show this message and exit.\n"
    )


def test_everything_is_said_in_an_order_that_ends_with_the_verdict(recipe: Path) -> None:
    before = tree(Path())
    outcome = hftoolkit("check", recipe)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    width = len("validation  ")
    labels = [
        line[:width].strip() for line in lines[: lines.index(next(one for one in lines if one.startswith("warn")))]
    ]
    assert [label for label in labels if label] == [
        *("train", "validation", "test: new", "test: old", "example", "model", "tokens", "time", "room"),
    ]
    assert lines[0] == "train       new.tsv  16 rows"
    assert lines[-1].startswith("this recipe can run: ")
    assert tree(Path()) == before


@pytest.mark.parametrize(
    ("change", "code", "last"),
    [
        ("training.max_steps=2", 0, "this recipe can run: "),
        ("data.train.0.source=nowhere.tsv", 1, "this recipe cannot run: 1 error"),
        ("training.epochs=none", 2, "this recipe cannot run: 1 error"),
    ],
)
def test_it_leaves_by_what_it_found(recipe: Path, change: str, code: int, last: str) -> None:
    outcome = hftoolkit("check", recipe, "--set", change)
    assert (outcome.code, outcome.err) == (code, "")
    assert outcome.out.splitlines()[-1].startswith(last)


def test_json_says_the_same(recipe: Path) -> None:
    outcome = hftoolkit("check", recipe, "--json", "--set", "data.test.old.source=nowhere.tsv")
    found = check("recipe.yaml", overrides=["data.test.old.source=nowhere.tsv"])
    assert outcome.code == 1
    assert outcome.out == found.to_json()
    said = json.loads(outcome.out)
    assert (said["ok"], said["exit_code"], said["forecast"]) == (False, 1, None)
    assert said["findings"] == [{"level": "error", "message": "nowhere.tsv: no such file\n  did you mean 'new.tsv'?"}]


def test_json_of_a_recipe_that_can_run_has_all_parts(recipe: Path) -> None:
    said = json.loads(hftoolkit("check", recipe, "--json").out)
    assert (said["ok"], said["recipe"], said["exit_code"]) == (True, "recipe.yaml", 0)
    assert [part["use"] for part in said["data"]] == ["train", "validation", "test: new", "test: old"]
    assert [side["side"] for side in said["tokens"]["sides"]] == ["inputs", "answers"]
    assert said["forecast"]["steps"] == 3
    assert said["model"]["parameters"] > 0
    assert {finding["level"] for finding in said["findings"]} == {"warning"}


def test_a_run_in_the_folder_is_no_problem_for_one_that_overwrites_it(recipe: Path) -> None:
    for name, text in {"recipe.yaml": recipe.read_text(encoding="utf-8"), "report.json": "{}"}.items():
        Path("run").mkdir(exist_ok=True)
        Path("run", name).write_text(text, encoding="utf-8")
    assert hftoolkit("check", recipe).code == 1
    assert hftoolkit("check", recipe, "--overwrite").code == 0
