"""Systems beside each other: the scores that each has alone, and sacrebleu's paired test between them."""

import json
from pathlib import Path

import pytest
from chat_server import ChatServer, serve
from conftest import PAIRS
from running import hftoolkit, write_jsonl

from hftoolkit import compare, score
from hftoolkit.engines.openai_server import Server
from hftoolkit.errors import DataError, ModelError, OutputError, UsageError
from hftoolkit.systems import System, read_system


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    sources, targets = [source for source, _ in PAIRS], [target for _, target in PAIRS]
    worse = [target[:-2] if number % 2 else target for number, target in enumerate(targets)]
    return {
        "source": written(tmp_path / "source.txt", sources),
        "reference": written(tmp_path / "reference.txt", targets),
        "human": written(tmp_path / "human.txt", targets),
        "worse": written(tmp_path / "worse.txt", worse),
    }


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("demo", System("demo", "demo")),
        ("torch:demo", System("torch:demo", "demo", "torch")),
        ("mine=runs/mine", System("mine", "runs/mine")),
        ("a b = ctranslate2:demo", System("a b", "ctranslate2:demo")),
        ("q=openai:qwen2.5:3b", System("q", "qwen2.5:3b", "openai")),
        ("openai:qwen2.5:3b", System("openai:qwen2.5:3b", "qwen2.5:3b", "openai")),
        ("package:a/b", System("package:a/b", "package:a/b")),
    ],
)
def test_how_systems_are_named(text: str, system: System) -> None:
    if " = " in text:
        text, system = text.replace(" = ", "="), System("a b", "demo", "ctranslate2")
    assert read_system(text) == system


def test_a_file_is_a_system(files: dict[str, Path]) -> None:
    assert read_system(str(files["human"])) == System("human.txt", str(files["human"]), file=True)
    assert read_system(f"people={files['human']}") == System("people", str(files["human"]), file=True)
    for text in ("", "=demo", "torch: "):
        with pytest.raises(UsageError, match="expected a model or a file of answers"):
            read_system(text)


def test_files_are_scored_as_score_does(files: dict[str, Path]) -> None:
    found = compare(
        [str(files["worse"]), f"people={files['human']}"],
        sources=files["source"],
        references=[files["reference"]],
        target="zh",
    )
    alone = score(files["human"], files["reference"], target="zh", against=files["worse"])
    assert alone.other is not None
    assert alone.changes is not None
    worse, people = found.sides
    assert people.scores == alone.scores
    assert worse.scores == alone.other.scores
    assert list(people.changes.values()) == alone.changes
    assert (worse.changes, worse.rate, worse.memory) == ({}, None, None)
    assert found.differing
    assert found.differing[0].answers[1] == found.differing[0].references[0]
    assert str(found).startswith(f"translation, {len(PAIRS)} rows\n  worse.txt  BLEU ")
    assert "people     BLEU   100.00  [100.0, 100.0]  +" in str(found)


def test_a_model_beside_a_server_and_a_file(files: dict[str, Path], marian: Path, tmp_path: Path) -> None:
    known = dict(PAIRS)
    with serve(ChatServer(answer=lambda text: known[text])) as chat:
        found = compare(
            [f"ours=torch:{marian}", "openai:big", str(files["worse"])],
            sources=files["source"],
            references=[files["reference"], files["human"]],
            target="zh-Hans",
            beams=1,
            server=Server(chat.url),
            output=tmp_path / "out",
        )
    ours, server, worse = found.sides
    assert ours.made == "torch|float32|beams:1|max:3x+20" or ours.made.startswith("torch|bfloat16")
    assert ours.scores[0].value == server.scores[0].value == pytest.approx(100)
    assert ours.rate is not None
    assert ours.rate > 0
    assert ours.memory is not None
    assert ours.memory > 1 << 26
    assert server.memory is None
    assert worse.changes["BLEU"].difference < 0
    assert worse.changes["TER"].difference > 0
    assert "nrefs:2" in found.signatures()[0]
    for name in ("compare.md", "compare.html", "compare.json"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "worse.txt" in text or "worse\\.txt" in text
        assert found.differing[0].answers[2] in text
    told = json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))
    assert [side["name"] for side in told["sides"]] == ["ours", "openai:big", "worse.txt"]
    with pytest.raises(OutputError, match="exists already"):
        compare([str(files["human"])], sources=files["source"], references=[files["reference"]], target="zh",
                output=tmp_path / "out")  # fmt: skip


def test_other_tasks_by_their_recipe(bert: Path, tmp_path: Path) -> None:
    from tiny_models import tiny_classifier

    rows = write_jsonl(
        tmp_path / "rows.jsonl",
        [{"text": f"{word} film {number}", "label": f"label {number % 2}"} for number in range(8) for word in "ab"],
    )
    models = [tiny_classifier(bert, tmp_path / name, 2, "single_label_classification") for name in ("one", "two")]
    recipe = {
        "task": "classification",
        "model": {"name": str(bert)},
        "data": {"train": {"source": str(rows)}, "validation": {"split": 0.2}, "test": {"all": {"source": str(rows)}}},
        "output": str(tmp_path / "run"),
    }
    found = compare([f"one={models[0]}", f"two={models[1]}"], recipe=recipe)
    one, two = found.sides
    assert [a.value for a in one.scores] == [b.value for b in two.scores]
    assert {change.difference for change in two.changes.values()} == {0.0}
    assert found.differing == []
    with pytest.raises(UsageError, match="no test set 'other' in this recipe\n  it has: all"):
        compare(["demo"], recipe=recipe, test="other")
    written(tmp_path / "answers.txt", ["label 0"] * 16)
    with pytest.raises(UsageError, match="answers in a file can be compared for translation, not for classification"):
        compare([str(tmp_path / "answers.txt")], recipe=recipe)


def test_classifiers_of_other_labels_stand_beside_each_other(bert: Path, tmp_path: Path) -> None:
    from tiny_models import tiny_classifier

    rows = write_jsonl(tmp_path / "rows.jsonl", [{"text": f"film {n}", "label": f"label {n % 2}"} for n in range(12)])
    models = [tiny_classifier(bert, tmp_path / str(n), n, "single_label_classification") for n in (2, 3)]
    data = {"train": {"source": str(rows)}, "validation": {"split": 0.2}, "test": {"source": str(rows)}}
    recipe = {"task": "classification", "model": {"name": str(bert)}, "data": data, "output": str(tmp_path / "run")}
    found = compare([str(model) for model in models], recipe=recipe)
    names = [{score.name for score in side.scores} for side in found.sides]
    assert names[0] != names[1]
    assert set(found.sides[1].changes) <= names[0] & names[1]
    assert "accuracy" in found.sides[1].changes
    for given in ({"target": "fr"}, {"sources": rows}, {"references": [rows]}):
        with pytest.raises(UsageError, match="the recipe says it already"):
            compare(["demo"], recipe=recipe, **given)  # type: ignore[arg-type]


def test_what_a_server_said_before_says_nothing_of_its_speed(files: dict[str, Path]) -> None:
    with serve(ChatServer()) as chat:
        rates = []
        for _ in range(2):
            found = compare(
                ["openai:big"],
                sources=files["source"],
                references=[files["reference"]],
                target="zh",
                server=Server(chat.url),
            )
            rates.append(found.sides[0].rate)
    assert rates[0] is not None
    assert rates[1] is None


def test_what_does_not_belong_together(files: dict[str, Path], marian: Path, tmp_path: Path) -> None:
    short = written(tmp_path / "short.txt", ["a"])
    asked = {"sources": files["source"], "references": [files["reference"]], "target": "zh"}
    with pytest.raises(DataError) as caught:
        compare([str(short)], **asked)  # type: ignore[arg-type]
    assert str(caught.value) == (
        f"{short}: 1 lines for {len(PAIRS)} rows\n"
        "  line N must be the translation of row N; an empty translation is an empty line"
    )
    for given, message in (
        ({}, "compared on what"),
        ({"sources": files["source"]}, "no references"),
        (
            {"sources": files["source"], "references": [files["reference"]]},
            "the language of the translations is missing",
        ),
    ):
        with pytest.raises(UsageError, match=message):
            compare([str(short)], **given)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"humna\.txt: no such file"):
        compare(["humna.txt"], **asked)  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="cannot be written"):
        compare([str(files["human"])], **asked, output=short / "out")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="test: this is about a recipe's test sets"):
        compare([str(files["human"])], **asked, test="x")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no system to compare"):
        compare([], **asked)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="this model translates to 'zh-Hans', not to 'fr'"):
        compare([str(marian)], **{**asked, "target": "fr"})  # type: ignore[arg-type]


def test_from_the_shell(files: dict[str, Path], tmp_path: Path) -> None:
    arguments = ["--source", files["source"], "--reference", files["reference"], "--to", "zh"]
    outcome = hftoolkit("compare", files["human"], files["worse"], *arguments, "--output", tmp_path / "out")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"translation, {len(PAIRS)} rows\n  human.txt  BLEU   100.00  [100.0, 100.0]\n")
    assert (tmp_path / "out" / "compare.html").is_file()
    assert hftoolkit("compare", "--to", "zh").code == 2
    other = hftoolkit("compare", files["human"], *arguments, "--base-url", "http://x/v1")
    assert other.err.startswith("error: --base-url is about a server: name a system such as openai:MODEL")
