"""`hftoolkit evaluate`, a shell over the function."""

from pathlib import Path

import pytest
from conftest import PAIRS
from running import hftoolkit, tree, write_recipe

from hftoolkit.evaluation import evaluate


def test_help() -> None:
    assert hftoolkit("evaluate", "--help").out == (
        "Usage: hftoolkit evaluate [OPTIONS] RECIPE|RUN\n"
        "\n"
        "  Score a model on the test sets of a recipe, or of the run in a folder.\n"
        "\n"
        "  Without --model, that is the result of the run, or the model the recipe\n"
        "  starts from.\n"
        "\n"
        "Options:\n"
        "  --model MODEL    Score this checkpoint or adapter.\n"
        "  --data FILE      Score on this file, read as the recipe's test set is.\n"
        "  --set KEY=VALUE  Change a key, as in --set evaluation.beams=1.\n"
        "  --endpoint URL   Of a mirror of the hub; left out: HF_ENDPOINT.\n"
        "  --offline        Make no connection: use what is in the cache.\n"
        "  --refresh        Ask whether the hub has a newer copy.\n"
        "  -h, --help       Show this message and exit.\n"
    )


@pytest.fixture
def recipe(marian: Path, tmp_path: Path) -> Path:
    return write_recipe(tmp_path / "recipe.yaml", f"{{name: {marian}}}")


def test_scores_go_to_standard_output_alone(recipe: Path) -> None:
    outcome = hftoolkit("evaluate", recipe)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{evaluate(recipe)}\n"


def test_options_reach_the_function(recipe: Path, marian: Path, tmp_path: Path) -> None:
    data = tmp_path / "old.tsv"
    outcome = hftoolkit("evaluate", recipe, "--model", marian, "--data", data, "--set", "evaluation.beams=1")
    expected = evaluate(recipe, model=str(marian), data=data, overrides=["evaluation.beams=1"])
    assert outcome.out == f"{expected}\n"
    assert expected.predictions == {"old.tsv": [target for _, target in PAIRS]}


def test_what_is_odd_about_the_rows_goes_to_standard_error(recipe: Path, tmp_path: Path) -> None:
    rows = (tmp_path / "old.tsv").read_bytes()
    (tmp_path / "old.tsv").write_bytes(b"\xef\xbb\xbf" + rows)
    outcome = hftoolkit("evaluate", recipe)
    assert outcome.code == 0
    assert outcome.err.startswith("note: old: ")
    assert "byte order mark" in outcome.err


def test_nothing_is_written_beside_the_recipe(recipe: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    hftoolkit("evaluate", recipe)
    assert tree(tmp_path) == before


def test_a_mistake_is_an_error(tmp_path: Path) -> None:
    outcome = hftoolkit("evaluate", tmp_path / "nowhere.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"error: {tmp_path}/nowhere.yaml: no such recipe\n  built-in recipes:   hftoolkit recipes list\n"
    )
