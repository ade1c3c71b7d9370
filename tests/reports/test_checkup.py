"""What was found about a recipe, as lines of text, as JSON and in a notebook."""

import json

import pytest

from hftoolkit.reports.checkup import Checkup, Finding, Forecast, Lengths, Tokens
from hftoolkit.reports.run import DataSource, ModelFacts

MODEL = ModelFacts("acme/tiny", "MarianMTModel", 50_000_000, 50_000_000, "float32", "CPU, 2 threads")


def source(use: str, name: str, read: int, kept: int, **dropped: int) -> DataSource:
    return DataSource(
        name=name,
        use=use,
        read=read,
        kept=kept,
        fingerprint="",
        dropped={k.replace("_", " "): n for k, n in dropped.items()},
    )


WHOLE = Checkup(
    recipe="mine.yaml",
    findings=[
        Finding("warning", "training: 3 steps in all are few\n  raise training.epochs"),
        Finding("note", "acme/tiny is stored in float16; it is used in float32"),
    ],
    data=[
        source("train", "mine.tsv", 12_000, 11_000, empty_side=400, duplicate=600),
        source("validation", "mine.tsv", 500, 500),
        source("test: general", "flores/general.tsv", 1, 1),
    ],
    example={"source": "Good morning!", "target": "早上好！"},
    model_state="acme/tiny, in the hub's cache, commit 0123456789ab",
    model=MODEL,
    tokens=Tokens(
        [Lengths("inputs", 31, 110, 160, 962_200), Lengths("answers", 32, 113, 159, 9_960)], 160, 10_000, 1_000
    ),
    forecast=Forecast(
        511, 1.754, 2273.4, 0.0136, {"read": 2.7, "baseline": 0.0, "train": 895.0, "test": 60.0}, 1 << 30, 300 << 20
    ),
)


def test_the_text() -> None:
    assert str(WHOLE) == (
        "train          mine.tsv            11,000 rows of 12,000\n"
        "                 left out: 400 empty side, 600 duplicate\n"
        "validation     mine.tsv            500 rows\n"
        "test: general  flores/general.tsv  1 row\n"
        "example        source: Good morning!\n"
        "               target: 早上好！\n"
        "model          acme/tiny, in the hub's cache, commit 0123456789ab\n"
        "               MarianMTModel, all 50.0 M weights trained, float32, CPU, 2 threads\n"
        "tokens         inputs   median 31, 95 % up to 110, longest 160; 962.2 k in all\n"
        "               answers  median 32, 95 % up to 113, longest 159; 9,960 in all\n"
        "               1,000 of 11,000 rows are left out: over 160 tokens\n"
        "time           15 min 58 s: read 2.7 s, train 14 min 55 s, test 1 min 0 s\n"
        "               511 steps of 1.75 s, 2,273 tokens/s, 1 % padding\n"
        "room           1.0 GiB of memory, 300 MiB on disk\n"
        "note: acme/tiny is stored in float16; it is used in float32\n"
        "warning: training: 3 steps in all are few\n"
        "  raise training.epochs\n"
        "this recipe can run: 1 warning"
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (ModelFacts("m", "A", 1000, 200, "float32", "CPU"), "A, 200 of 1,000 weights trained (20.0 %), float32, CPU"),
        (ModelFacts("m", "A", 1000, 16, "float32", "CPU", adapter="LoRA, rank 1, alpha 2", adapter_targets=["q", "v"]),
            "A, LoRA, rank 1, alpha 2 on q v: 16 weights trained beside 1,000 (1.6 %), float32, CPU"),
    ],
    ids=["some", "adapter"],
)  # fmt: skip
def test_which_weights_are_trained(facts: ModelFacts, words: str) -> None:
    assert next(Checkup("x", model=facts).lines()) == f"model  {words}"


@pytest.mark.parametrize(
    ("levels", "verdict"),
    [
        ([], "this recipe can run"),
        (["note"], "this recipe can run"),
        (["warning", "warning"], "this recipe can run: 2 warnings"),
        (["error"], "this recipe cannot run: 1 error"),
        (["error", "warning", "error"], "this recipe cannot run: 2 errors, 1 warning"),
    ],
)
def test_the_verdict(levels: list[str], verdict: str) -> None:
    findings = [Finding(level, "x") for level in levels]  # type: ignore[arg-type]
    found = Checkup("x", findings, exit_code=1 if "error" in levels else 0)
    assert list(found.lines())[-1] == verdict
    assert found.ok == ("error" not in levels)


def test_what_stops_the_run_stands_last() -> None:
    found = Checkup("x", [Finding("error", "a"), Finding("note", "b"), Finding("warning", "c")], exit_code=1)
    assert list(found.lines())[:3] == ["note: b", "warning: c", "error: a"]


def test_json_holds_everything() -> None:
    said = json.loads(WHOLE.to_json())
    assert said["ok"] is True
    assert said["tokens"]["sides"][0] == {
        "side": "inputs", "median": 31, "nearly_all": 110, "most": 160, "total": 962_200,
    }  # fmt: skip
    assert said["findings"][1] == {"level": "note", "message": WHOLE.findings[1].message}
    assert said["example"]["target"] == "早上好！"
    assert "早上好" in WHOLE.to_json()


def test_a_notebook_shows_the_text() -> None:
    found = Checkup("x", [Finding("warning", "<b> & co")])
    assert found._repr_html_() == "<pre>warning: &lt;b&gt; &amp; co\nthis recipe can run: 1 warning</pre>"


def test_all_phases_together() -> None:
    assert WHOLE.forecast is not None
    assert WHOLE.forecast.total_seconds == pytest.approx(957.7)
