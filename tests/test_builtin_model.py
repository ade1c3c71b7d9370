"""The model that comes with the program: as small as it has to be, in simplified characters, and as its card says."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from hftoolkit import translate
from hftoolkit.hub import resolve
from hftoolkit.reports.run import Report
from hftoolkit.translating import open_translator

ROOT = Path(__file__).parents[1]
TRADITIONAL = set("們個這來說時會對過還沒為國學問見書車長門馬東電話語讓請謝後從愛買賣")


@pytest.fixture(scope="module")
def folder() -> Path:
    return resolve("demo")


@pytest.fixture(scope="module")
def report() -> Report:
    return Report.from_json((ROOT / "recipes" / "results" / "demo-en-zh.json").read_text(encoding="utf-8"))


def test_it_is_small(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sizes["model.safetensors"] < 25e6
    assert sum(sizes.values()) < 40e6
    with safe_open(folder / "model.safetensors", "pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {"F16"}  # noqa: SIM118


def test_it_translates_at_once(folder: Path) -> None:
    hello, thanks = translate(["Hello my friends! How are you doing today?", "Thank you very much."], model="demo")
    assert "朋友" in hello
    assert "谢" in thanks


def test_it_writes_simplified_characters() -> None:
    lines = (ROOT / "recipes" / "quickstart" / "elsewhere.test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    written = translate([line.split("\t")[0] for line in lines], model="demo", beams=1)
    assert not TRADITIONAL & set("".join(written))
    assert sum(any("一" <= sign <= "鿿" for sign in text) for text in written) == len(written)


def test_both_engines_run_it() -> None:
    for engine in ("ctranslate2", "torch"):
        translator = open_translator("demo", engine=engine, device="cpu")  # type: ignore[arg-type]
        assert "谢" in translator.translate(["Thank you very much."])[0]
        assert str(translator.languages.target) == "zh-Hans"


def test_its_card_has_the_scores_of_the_run_that_made_it(folder: Path, report: Report) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert [test.name for test in report.tests] == ["tatoeba", "docs", "flores"]
    for test in report.tests:
        for score in test.after:
            assert f"{score.value:.1f} ({score.low:.1f} to {score.high:.1f})" in card
    for word in ("CC BY 2.0", "MIT", "CC0", "Apache License 2.0"):
        assert word in card


def test_it_says_nothing_of_where_it_was_made(folder: Path) -> None:
    for path in folder.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        json.loads(text)
        assert "/work" not in text
        assert "runs/" not in text
