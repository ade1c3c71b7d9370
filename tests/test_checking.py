"""A recipe looked at before it runs: every planted problem is found, and a good recipe is not complained of."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS
from running import tree, write_pairs

from hftoolkit.checking import check
from hftoolkit.errors import DataError
from hftoolkit.finetuning import finetune
from hftoolkit.models.loading import load_checkpoint
from hftoolkit.recipe.schema import Languages
from hftoolkit.reports.checkup import Checkup
from hftoolkit.reports.run import Report
from hftoolkit.tasks.translation import Translation

Pairs = list[tuple[str, str]]


def numbered(first: int, times: int) -> Pairs:
    """`PAIRS`, so many times, every sentence with a number of its own."""
    return [(f"{en} {n}", f"{zh}{n}") for n in range(first, first + times) for en, zh in PAIRS]


TRAIN, VALIDATION, TEST = numbered(10, 20), numbered(40, 2), numbered(50, 4)

SCRATCH = (
    "model={scratch: {vocabulary: 500, encoder_layers: 1, decoder_layers: 1, width: 16, feed_forward: 32, heads: 2}}"
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.forecasting._SECONDS", 0.0)


@pytest.fixture(scope="module")
def knowing(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny translator, tuned until it knows numbers too."""
    folder = tmp_path_factory.mktemp("knowing")
    source = {"source": str(write_pairs(folder / "pairs.tsv", TRAIN)), "columns": {"source": "en", "target": "zh"}}
    languages = {"source": "en", "target": "zh-Hans"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HFTOOLKIT_CACHE", str(folder / "cache"))
        patch.setattr("hftoolkit.reports.figures.training_curve", lambda *_, **__: b"")
        finetune(
            {
                "task": "translation",
                "model": {"name": str(marian)},
                "data": {"train": source, "validation": source, "test": source, "languages": languages},
                "training": {"epochs": 30, "learning_rate": 5e-3, "batch_tokens": 2048, "precision": "float32"},
                "evaluation": {"every": 1000, "validation_rows": 1, "beams": 1},
                "output": str(folder / "model"),
            }
        )
    return folder / "model"


@pytest.fixture
def recipe(knowing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A recipe that nothing is wrong with, and its files in the current folder."""
    monkeypatch.chdir(tmp_path)
    columns = {"source": "en", "target": "zh"}
    for name, pairs in {"train": TRAIN, "validation": VALIDATION, "test": TEST}.items():
        write_pairs(Path(f"{name}.tsv"), pairs)
    return {
        "task": "translation",
        "model": {"name": str(knowing)},
        "data": {
            "train": [{"source": "train.tsv", "columns": columns}],
            "validation": {"source": "validation.tsv", "columns": columns},
            "test": {"mine": {"source": "test.tsv", "columns": columns}},
            "languages": {"source": "en", "target": "zh-Hans"},
        },
        "training": {"epochs": 4, "learning_rate": 3e-4, "batch_tokens": 512, "precision": "float32"},
        "evaluation": {"beams": 2, "validation_rows": 8},
        "output": "run",
    }


def looked(recipe: dict[str, Any], *changes: str, **settings: Any) -> Checkup:
    """A check, which leaves the current folder as it was."""
    file = written(recipe)
    before = tree(Path())
    found = check(file, overrides=changes, **settings)
    assert tree(Path()) == before
    return found


def written(recipe: dict[str, Any]) -> Path:
    """The recipe as a file: JSON is YAML."""
    Path("recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    return Path("recipe.yaml")


def trained(recipe: dict[str, Any], *changes: str) -> Report:
    return finetune(written(recipe), overrides=changes)


def told(found: Checkup, level: str) -> list[str]:
    return found.of_level(level)


def error(recipe: dict[str, Any], code: int, *changes: str) -> str:
    """The only error of a recipe with these changes."""
    found = looked(recipe, *changes)
    (message,) = told(found, "error")
    assert found.exit_code == code
    assert not found.ok
    return message


def warnings(recipe: dict[str, Any], *changes: str) -> list[str]:
    """The warnings about a recipe with these changes, which can run."""
    found = looked(recipe, *changes)
    assert (found.exit_code, told(found, "error")) == (0, [])
    return told(found, "warning")


# Nothing wrong


@pytest.mark.parametrize(
    "changes",
    [
        [],
        ["adapter={rank: 4}", "training.learning_rate=1e-3"],
        ["training.freeze=[encoder]"],
        ["data.validation={split: 0.1}", "data.test.other={split: 0.2}"],
        [SCRATCH, "training.learning_rate=1e-3"],
        ["training.averaging={checkpoints: 2}", "evaluation.every=10"],
    ],
    ids=["all weights", "adapter", "frozen", "splits", "scratch", "averaging"],
)
def test_a_good_recipe_is_not_complained_of(recipe: dict[str, Any], changes: Sequence[str]) -> None:
    found = looked(recipe, *changes)
    assert (found.exit_code, told(found, "error"), told(found, "warning")) == (0, [], [])
    assert found.ok
    assert str(found).endswith("\nthis recipe can run")


def test_what_is_found_is_true(recipe: dict[str, Any], knowing: Path) -> None:
    found = looked(recipe)
    assert [(one.use, one.name, one.kept, one.read) for one in found.data] == [
        ("train", "train.tsv", 320, 320),
        ("validation", "validation.tsv", 32, 32),
        ("test: mine", "test.tsv", 64, 64),
    ]
    assert found.example == dict(zip(("source", "target"), TRAIN[160], strict=True))
    assert found.leaks == {"data.validation": 0, "data.test.mine": 0}
    assert found.model_state == str(knowing)
    task = Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))
    loaded = load_checkpoint(str(knowing), task.auto_class)
    task.bind(loaded.tokenizer, loaded.model.config)
    features = task.encode([{"source": en, "target": zh} for en, zh in TRAIN], loaded.tokenizer, 64)
    assert found.tokens is not None
    assert (found.tokens.rows, found.tokens.too_long, found.tokens.limit) == (320, 0, 64)
    for side, key in zip(found.tokens.sides, ("input_ids", "labels"), strict=True):
        lengths = sorted(len(feature[key]) for (feature,) in features)
        assert (side.total, side.most) == (sum(lengths), lengths[-1])
        assert side.median in (lengths[159], lengths[160])
        assert side.nearly_all == lengths[304]
    assert [side.side for side in found.tokens.sides] == ["inputs", "answers"]


def test_the_run_is_as_it_was_forecast(recipe: dict[str, Any]) -> None:
    """The same rows, tokens, weights and steps; time and memory are the machine's."""
    found, report = looked(recipe, "training.epochs=1"), trained(recipe, "training.epochs=1")
    assert found.model == report.model
    assert found.data == report.data
    assert found.forecast is not None
    assert found.forecast.steps == report.steps
    # Looking has put rows and encoded rows into the cache.
    assert list(found.forecast.seconds) == [phase for phase in report.seconds if phase not in ("read", "encode")]
    assert all(seconds >= 0 for seconds in found.forecast.seconds.values())
    assert found.forecast.peak_memory_bytes > 1 << 20
    assert found.forecast.disk_bytes >= sum(file.stat().st_size for file in Path("run").glob("*.safetensors"))


def test_an_adapter_is_counted_alone(recipe: dict[str, Any]) -> None:
    model = looked(recipe, "adapter={rank: 4, targets: [q_proj]}").model
    assert model is not None
    assert model.adapter_targets == ["q_proj"]
    assert model.trainable == 3 * 2 * 4 * 32  # encoder, decoder, between them: two matrices each
    whole = looked(recipe).model
    assert whole is not None
    assert model.parameters == whole.parameters == whole.trainable


def test_what_it_put_into_the_cache_is_what_the_run_takes(
    recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(recipe)

    def again(*_: object, **__: object) -> None:
        raise AssertionError("rows or tokens were made again")

    monkeypatch.setattr("hftoolkit.data.row_files.write_table", again)
    monkeypatch.setattr("hftoolkit.data.features.write_table", again)
    assert looked(recipe).ok
    trained(recipe, "training.max_steps=1")


def test_nothing_is_left_but_rows_and_features(recipe: dict[str, Any], tmp_path: Path) -> None:
    looked(recipe, SCRATCH)
    assert {path.name for path in Path(os.environ["HFTOOLKIT_CACHE"]).iterdir()} == {"rows", "features", "locks"}


def test_what_the_run_does_unasked_is_a_note(recipe: dict[str, Any], knowing: Path, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("half") / "model"
    shutil.copytree(knowing, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(settings | {"dtype": "float16"}), encoding="utf-8")
    found = looked(recipe, f"model.name={folder}")
    assert told(found, "note") == [f"{folder} is stored in float16; it is used in float32"]
    assert told(found, "warning") == []


# The recipe itself


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["training.epcohs=3"],
            "1 problem in this recipe\n  --set: training.epcohs: unknown key; did you mean 'epochs'?"),
        (["training.epcohs=3", "evaluation.beam=1"],
            "2 problems in this recipe\n  --set: training.epcohs: unknown key; did you mean 'epochs'?\n"
            "  --set: evaluation.beam: unknown key; did you mean 'beams'?"),
        (["task=translate"],
            "1 problem in this recipe\n  --set: task: unknown task 'translate'; did you mean 'translation'?"),
    ],
    ids=["one", "two", "task"],
)  # fmt: skip
def test_a_recipe_that_cannot_mean_anything(recipe: dict[str, Any], changes: list[str], message: str) -> None:
    found = check(str(written(recipe)), overrides=changes)
    assert (found.recipe, found.exit_code, told(found, "error")) == ("recipe.yaml", 2, [f"recipe.yaml: {message}"])
    assert str(found) == f"error: recipe.yaml: {message}\nthis recipe cannot run: 1 error"


def test_a_recipe_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = check("nowhere.yaml")
    assert found.exit_code == 2
    assert str(found) == (
        "error: nowhere.yaml: no such recipe\n"
        "  built-in recipes:   hftoolkit recipes list\n"
        "this recipe cannot run: 1 error"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.languages=",
            "data.languages: missing; translation is scored by its target language\n"
            "  say so:   languages: {source: en, target: zh-Hans}"),
        ("data.languages.target=chinese",
            "'chinese' is no language tag; did you mean 'zh'?\n  expected BCP 47, such as:  en, pt-BR, zh-Hans"),
        ("evaluation.metrics=[comet]",
            "metric 'comet' is Python code from the hub that would run here; 'bleu' and 'chrf' need no consent\n"
            "  if you trust it, in a recipe:  evaluation: {metrics: [comet], trust_metric_code: [comet]}\n"
            "  if you trust it, in Python:    load_metric('comet', trusted=['comet'])"),
        ("model.name=ä/b",
            "there is no folder 'ä/b', and it is no hub id\n"
            "  expected a folder, a hub id such as Helsinki-NLP/opus-mt-en-zh, or package:NAME/FOLDER"),
    ],
    ids=["no languages", "no language", "metric", "model"],
)  # fmt: skip
def test_a_recipe_that_asks_for_what_there_is_not(recipe: dict[str, Any], change: str, message: str) -> None:
    assert error(recipe, 2, change) == message


def test_a_cache_that_cannot_be_made(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HFTOOLKIT_CACHE", "train.tsv/cache")
    assert error(recipe, 1, "tracking=[wandb]") == (
        "train.tsv/cache: the cache cannot be kept here: Not a directory\n"
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
    )


def test_a_cache_that_cannot_be_written(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refused)
    assert error(recipe, 1) == (
        f"{os.environ['HFTOOLKIT_CACHE']}: the cache cannot be kept here: Permission denied\n"
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
    )


def test_a_tracker_that_is_not_installed(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.training.tracking.get_available_trackers", list)
    assert error(recipe, 2, "tracking=[wandb]") == (
        "tracking: not installed here: wandb\n"
        "  install what is missing:   pip install wandb\n"
        "  or go without:             --set tracking=[]"
    )


def test_problems_of_several_kinds_are_told_together(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.training.tracking.get_available_trackers", list)
    Path("run").write_text("", encoding="utf-8")
    found = looked(
        recipe, "tracking=[wandb]", "evaluation.metrics=[comet]", "model.name=ä", "data.train.0.source=nowhere.tsv"
    )
    assert [message.split("\n")[0] for message in told(found, "error")] == [
        "tracking: not installed here: wandb",
        "metric 'comet' is Python code from the hub that would run here; 'bleu' and 'chrf' need no consent",
        "run: expected a folder, found a file",
        "there is no folder 'ä', and it is no hub id",
        "nowhere.tsv: no such file",
    ]
    assert found.exit_code == 2


# Files


@pytest.fixture
def files(recipe: dict[str, Any]) -> None:
    """Data with something wrong in each."""
    Path("three.en").write_text("one\ntwo\nthree\n", encoding="utf-8")
    Path("two.zh").write_text("一\n二\n", encoding="utf-8")
    Path("latin.tsv").write_bytes(b"en\tzh\nGood\t\xe5\xa5\xbd\nCaf\xe9\t\xe5\xa5\xbd\n")
    write_pairs(Path("equal.tsv"), [(en, en) for en, _ in TRAIN])


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.test.mine.source=tset.tsv", "tset.tsv: no such file\n  did you mean 'test.tsv'?"),
        ("data.train.0.columns={source: en, target: chinese}",
            "train.tsv: no column 'chinese'\n  the columns are: en, zh\n"
            "  say which one holds which role:  columns: {source: en, target: ...}"),
        ("data.train=[{files: {source: three.en, target: two.zh}}]",
            "three.en: parallel files need equally many lines: three.en has 3, two.zh has 2\n"
            "  line N of each file must be the same row; the missing lines are not always at the end"),
        ("data.train.0.source=latin.tsv",
            "latin.tsv: byte 19 (line 3): 0xE9 is not UTF-8 here\n"
            "  if the file has another encoding, say so:  encoding: gb18030"),
        ("data.train.0.source=equal.tsv",
            "equal.tsv: no row is left of 320 read (source equals target: 320)\n"
            "  check that the right columns are mapped to the roles, and the recipe's data.filters"),
        ("data.validation={split: 0.0001}",
            "train.tsv: split: 0.0001 of 320 rows: no row is held out\n"
            "  take another share, add rows, or name a file of its own:  {source: FILE}"),
    ],
    ids=["missing", "column", "unequal", "encoding", "all dropped", "split"],
)  # fmt: skip
def test_files_that_do_not_fit(recipe: dict[str, Any], change: str, message: str) -> None:
    assert error(recipe, 1, change) == message


@pytest.mark.usefixtures("files")
def test_all_bad_files_are_told_at_once(recipe: dict[str, Any]) -> None:
    recipe["data"]["train"].append({"source": "latin.tsv", "columns": {"source": "en", "target": "zh"}})
    found = looked(recipe, "data.validation.source=nowhere.tsv", "data.test.mine.columns={source: de, target: zh}")
    assert [message.split("\n")[0] for message in told(found, "error")] == [
        "latin.tsv: byte 19 (line 3): 0xE9 is not UTF-8 here",
        "nowhere.tsv: no such file",
        "test.tsv: no column 'de'",
    ]
    assert found.exit_code == 1
    assert (found.data, found.tokens, found.forecast) == ([], None, None)


@pytest.mark.usefixtures("files")
def test_a_bad_file_is_told_once_whatever_it_is_for(recipe: dict[str, Any]) -> None:
    found = looked(recipe, "data.train.0.source=latin.tsv", "data.test.mine.source=latin.tsv")
    assert len(told(found, "error")) == 1


@pytest.mark.usefixtures("files")
def test_a_file_of_which_nothing_is_left_is_told_beside_a_missing_one(recipe: dict[str, Any]) -> None:
    found = looked(recipe, "data.train.0.source=equal.tsv", "data.test.mine.source=nowhere.tsv")
    assert [message.split("\n")[0] for message in told(found, "error")] == [
        "equal.tsv: no row is left of 320 read (source equals target: 320)",
        "nowhere.tsv: no such file",
    ]


@pytest.mark.usefixtures("files")
def test_of_several_training_files_filters_may_leave_one_empty(recipe: dict[str, Any]) -> None:
    recipe["data"]["train"].append({"source": "equal.tsv", "columns": {"source": "en", "target": "zh"}})
    assert told(looked(recipe), "error") == []
    found = looked(recipe, "data.test.mine.source=nowhere.tsv")
    assert [message.split("\n")[0] for message in told(found, "error")] == ["nowhere.tsv: no such file"]


def test_sources_that_do_not_go_together(recipe: dict[str, Any]) -> None:
    Path("several.jsonl").write_text('{"source": "a b", "target": ["c d"]}\n', encoding="utf-8")
    recipe["data"]["train"].append({"source": "several.jsonl"})
    assert error(recipe, 1).startswith("several.jsonl: line 1: target: a list of texts, where the rows before have")


# Rows


def rewrite(name: str, pairs: Sequence[tuple[str, str]]) -> None:
    write_pairs(Path(name), pairs)


def test_rows_most_of_which_are_dropped(recipe: dict[str, Any]) -> None:
    rewrite("train.tsv", [*TRAIN, *((en, en) for en, _ in TRAIN), *((f"<b>{n}</b>", f"{n}") for n in range(20))])
    assert warnings(recipe) == [
        "data.train: train.tsv: most of its 660 rows are dropped: 320 source equals target, 20 markup only\n"
        "  look at the columns, and at data.filters"
    ]


def test_duplicates_are_counted_and_no_reason_to_doubt(recipe: dict[str, Any]) -> None:
    rewrite("train.tsv", TRAIN * 3)
    found = looked(recipe)
    assert found.data[0].dropped == {"duplicate": 640}
    assert told(found, "warning") == []
    assert "\n              left out: 640 duplicate\n" in str(found)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("train.tsv", "data.train: train.tsv"),
        ("validation.tsv", "data.validation"),
        ("test.tsv", "data.test.mine"),
    ],
)
def test_swapped_columns_are_told_of_each_file(recipe: dict[str, Any], name: str, place: str) -> None:
    pairs = {"train.tsv": TRAIN, "validation.tsv": VALIDATION, "test.tsv": TEST}[name]
    rewrite(name, [(zh, en) for en, zh in pairs])
    assert warnings(recipe)[0] == (
        f"{place}: source and target look swapped: 100% of the sources are not written in the script of 'en' and 100% "
        "of the targets are not written in the script of 'zh-Hans'\n  swap the columns, or data.languages"
    )


def test_targets_in_the_wrong_script(recipe: dict[str, Any]) -> None:
    rewrite("train.tsv", [(en, f"xx {en}") for en, _ in TRAIN])
    found = warnings(recipe)
    assert found[0] == (
        "data.train: train.tsv: 100% of the targets are not written in the script of 'zh-Hans'\n"
        "  look at the columns, and at data.languages"
    )


def test_one_bad_source_of_two_is_told(recipe: dict[str, Any]) -> None:
    rewrite("more.tsv", [(f"{zh}!", f"{en}!") for en, zh in TRAIN])
    recipe["data"]["train"].append({"source": "more.tsv", "columns": {"source": "en", "target": "zh"}})
    found = warnings(recipe)
    assert {message.split(": ")[1] for message in found} == {"more.tsv"}
    assert "source and target look swapped" in found[0]


def shifted(pairs: Pairs, first: int) -> Pairs:
    """A line of the targets missing: from there on each source stands beside the next one's target."""
    sources, targets = [en for en, _ in pairs], [zh for _, zh in pairs]
    return list(zip(sources, targets[:first] + targets[first + 1 :], strict=False))


def test_a_missing_line_is_told(recipe: dict[str, Any]) -> None:
    rewrite("train.tsv", shifted(TRAIN, 0))
    assert warnings(recipe)[0].startswith(
        "data.train: train.tsv: the targets look shifted by 1 row, from the beginning: the lengths of both sides go "
    )


def test_a_line_that_is_missing_further_on_is_told(recipe: dict[str, Any]) -> None:
    rewrite("train.tsv", shifted(TRAIN, 200))
    assert warnings(recipe)[0].startswith(
        "data.train: train.tsv: the targets look shifted by 1 row, at the latest behind three quarters of the rows: "
    )


def test_a_missing_line_is_told_where_only_some_rows_are_looked_at(recipe: dict[str, Any]) -> None:
    rewrite("train.tsv", shifted(numbered(100, 130), 0))
    assert "data.train: train.tsv: the targets look shifted by 1 row, from the beginning: " in warnings(recipe)[0]


def test_targets_of_other_rows_are_told(recipe: dict[str, Any]) -> None:
    """Of equal lengths, so that only the model can tell."""
    sources, targets = ([pair[side] for pair in TRAIN] for side in (0, 1))
    order = sorted(range(len(TRAIN)), key=lambda row: (len(targets[row]), row % 16))
    mixed = dict(zip(order, order[40:] + order[:40], strict=True))
    rewrite("train.tsv", [(source, targets[mixed[row]]) for row, source in enumerate(sources)])
    assert any(
        "the model finds the targets hardly likelier than those of other rows" in one for one in warnings(recipe)
    )


def test_targets_in_a_language_that_the_model_does_not_write(recipe: dict[str, Any]) -> None:
    korean = str.maketrans({zh: chr(0xAC00 + number) for number, zh in enumerate("".join(zh for _, zh in PAIRS))})
    for name, pairs in {"train": TRAIN, "validation": VALIDATION, "test": TEST}.items():
        rewrite(f"{name}.tsv", [(en, zh.translate(korean)) for en, zh in pairs])
    found = [one for one in warnings(recipe, "data.languages.target=ko") if "hardly likelier" in one]
    assert [one.partition(": the model")[0] for one in found] == [
        "data.train: train.tsv",
        "data.validation",
        "data.test.mine",
    ]


def test_a_model_of_other_languages(recipe: dict[str, Any], knowing: Path, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("other") / "model"
    shutil.copytree(knowing, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    said = json.dumps(settings | {"source_lang": "eng", "target_lang": "deu"})
    (folder / "tokenizer_config.json").write_text(said, encoding="utf-8")
    assert warnings(recipe, f"model.name={folder}") == [
        "model: its target language is 'deu', the recipe's is 'zh-Hans'\n"
        "  choose a model of these languages, or correct data.languages"
    ]


def test_lost_characters(recipe: dict[str, Any]) -> None:
    rewrite("train.tsv", [(en, f"{zh}\ufffd") if row % 10 == 0 else (en, zh) for row, (en, zh) in enumerate(TRAIN)])
    assert warnings(recipe) == [
        "data.train: train.tsv: 32 of 320 rows looked at hold U+FFFD, the sign for lost characters: the file was "
        "once read in a wrong encoding\n  make it anew from its source"
    ]


@pytest.mark.parametrize(("name", "place"), [("validation", "data.validation"), ("test", "data.test.mine")])
def test_rows_that_stand_in_the_training_rows_too(recipe: dict[str, Any], name: str, place: str) -> None:
    pairs = {"validation": VALIDATION, "test": TEST}[name]
    rewrite(f"{name}.tsv", [*pairs, *TRAIN[:5]])
    found = looked(recipe)
    assert told(found, "warning") == [
        f"{place}: 5 rows of {len(pairs) + 5} stand in the training rows too: its score will be too high\n"
        "  take them out of the training files"
    ]
    assert found.leaks[place] == 5


def test_a_single_such_row_among_many_is_a_note(recipe: dict[str, Any]) -> None:
    rewrite("test.tsv", [*numbered(100, 10), TRAIN[0]])
    found = looked(recipe)
    assert told(found, "note") == ["data.test.mine: 1 row of 161 stands in the training rows too"]
    assert told(found, "warning") == []


def test_inputs_that_stand_in_a_test_set_twice(recipe: dict[str, Any]) -> None:
    rewrite("test.tsv", [*TEST, *((en, f"{zh}。") for en, zh in TEST[:10])])
    assert warnings(recipe) == [
        "data.test.mine: 10 of 74 rows have an input that stood before, and count twice\n"
        "  leave each in once, with a list of answers if there are several"
    ]


def test_sets_that_are_small(recipe: dict[str, Any]) -> None:
    rewrite("validation.tsv", VALIDATION[:19])
    rewrite("test.tsv", TEST[:1])
    assert warnings(recipe) == [
        "data.validation: 19 rows are few: its scores are uncertain\n  add some",
        "data.test.mine: 1 row is few: its scores are uncertain\n  add some",
    ]


# The model


def test_a_model_that_has_to_be_downloaded(recipe: dict[str, Any], nobody: list[object]) -> None:
    found = looked(recipe, "model.name=Helsinki-NLP/opus-mt-en-zh")
    assert found.ok
    assert told(found, "warning") == [
        "model: 'Helsinki-NLP/opus-mt-en-zh' is not on this machine: its tokens, its steps and their time were not "
        "looked at\n  a run downloads it from https://hf-mirror.com; check again when it is there"
    ]
    assert found.model_state == "Helsinki-NLP/opus-mt-en-zh, to be downloaded from https://hf-mirror.com"
    assert len(found.data) == 3
    assert (found.model, found.tokens, found.forecast) == (None, None, None)
    assert nobody == []


def test_an_adapter_whose_model_has_to_be_downloaded(recipe: dict[str, Any], nobody: list[object]) -> None:
    trained(recipe, "adapter={rank: 2}", "training.max_steps=1", "output=adapted")
    settings = json.loads(Path("adapted/adapter_config.json").read_text(encoding="utf-8"))
    settings |= {"base_model_name_or_path": "acme/base"}
    Path("adapted/adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    assert warnings(recipe, "model.name=adapted")[0].startswith("model: 'acme/base' is not on this machine: ")
    assert nobody == []


def test_a_model_that_may_not_be_downloaded(recipe: dict[str, Any]) -> None:
    assert error(recipe, 1, "model.name=acme/tiny").startswith("the model 'acme/tiny' is not complete in the cache (")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[object]]:
    """A hub that may be asked; every attempt to connect anywhere."""
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("HF_ENDPOINT", "https://hf-mirror.com")
    attempts: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        attempts.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: refuse(socket.socket(), where))
    return attempts


def test_a_model_in_the_cache_of_the_hub(recipe: dict[str, Any], knowing: Path, nobody: list[object]) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    place = Path(os.environ["HF_HOME"]) / "hub" / "models--acme--tiny"
    shutil.copytree(knowing, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit, encoding="utf-8")
    found = looked(recipe, "model.name=acme/tiny")
    assert told(found, "warning") == []
    assert found.model_state == "acme/tiny, in the hub's cache, commit 0123456789ab"
    assert nobody == []


@pytest.fixture
def broken(knowing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny translator, to be damaged."""
    folder = tmp_path_factory.mktemp("broken") / "model"
    shutil.copytree(knowing, folder)
    return folder


def test_damaged_weights(recipe: dict[str, Any], broken: Path) -> None:
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert error(recipe, 1, f"model.name={broken}").startswith(f"{broken}: this model cannot be loaded: ")


def test_a_folder_without_a_model(recipe: dict[str, Any], broken: Path) -> None:
    (broken / "config.json").unlink()
    assert error(recipe, 1, f"model.name={broken}") == (
        f"{broken}: this folder holds no model (no config.json in it)\n"
        "  a model folder has config.json, weights and a tokenizer, as save_pretrained writes it"
    )


def test_a_model_of_another_kind(recipe: dict[str, Any], broken: Path) -> None:
    settings = json.loads((broken / "config.json").read_text(encoding="utf-8")) | {"model_type": "bert"}
    (broken / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    assert error(recipe, 1, f"model.name={broken}") == (
        f"{broken}: a model of the kind 'bert' does not translate; expected 'marian', or a decoder such as 'gpt2'\n"
        "  choose an opus-mt checkpoint:   model: {name: Helsinki-NLP/opus-mt-en-zh}"
    )


def test_a_model_that_would_produce_gibberish(recipe: dict[str, Any], broken: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(broken / "model.safetensors")
    save_file({name: tensor * -30 for name, tensor in weights.items()}, broken / "model.safetensors")
    found = looked(recipe, f"model.name={broken}")
    assert told(found, "error")[0].startswith(
        f"{broken}: this model would produce gibberish: its own translation costs"
    )
    assert len(found.data) == 3  # what was found before stays


def test_an_adapter_on_what_is_not_there(recipe: dict[str, Any]) -> None:
    assert error(recipe, 1, "adapter={targets: [qproj]}") == (
        "adapter.targets: no linear layer of this model is named 'qproj'\n"
        "  its linear layers are:   fc1, fc2, k_proj, lm_head, out_proj, q_proj, v_proj"
    )


def test_frozen_parts_that_are_not_there(recipe: dict[str, Any]) -> None:
    message = error(recipe, 1, "training.freeze=[model.encodr]")
    assert message.startswith(
        "training.freeze: no weights of this model are named 'model.encodr'\n  did you mean:     "
    )


# Tokens


def test_rows_that_are_too_long(recipe: dict[str, Any]) -> None:
    whole = looked(recipe).tokens
    assert whole is not None
    limit = whole.sides[0].median
    found = looked(recipe, f"training.max_tokens={limit}")
    assert found.tokens is not None
    many = found.tokens.too_long
    assert 0 < many < 320
    assert told(found, "warning") == [
        f"training.max_tokens: {many} of 320 training rows are longer than {limit} tokens on a side, and are left out\n"
        "  raise it if the model has more positions, or split the rows into sentences"
    ]
    assert f"  {many} of 320 rows are left out: over {limit} tokens\n" in str(found)


def test_rows_that_are_all_too_long(recipe: dict[str, Any]) -> None:
    found = looked(recipe, "training.max_tokens=4")
    assert told(found, "error") == [
        "training.max_tokens: none of the 320 training rows has at most 4 tokens on each side\n"
        "  raise it, or split the rows into sentences"
    ]
    assert found.tokens is not None
    assert (found.tokens.rows, found.tokens.sides) == (0, [])


def test_tokens_that_the_model_does_not_know(
    recipe: dict[str, Any], tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiny_models import two_vocabularies

    folder = tmp_path_factory.mktemp("two") / "model"
    two_vocabularies(folder, [en.translate({33: 46, 63: 46}) for en, _ in TRAIN], [zh for _, zh in TRAIN], [])
    monkeypatch.setattr("hftoolkit.models.guard.MOST_NATS", 1e9)  # it was never trained
    (found,) = [one for one in warnings(recipe, f"model.name={folder}") if one.startswith("tokens: ")]
    share, _, rest = found.partition(" % ")
    assert 1.0 < float(share.removeprefix("tokens: ")) < 2.5
    assert rest == (
        "of the inputs are unknown to the tokenizer, and lost to the model: most often ! ?\n"
        "  choose a model that knows them, or train a tokenizer with model.scratch"
    )


# The output folder


def test_a_finished_run(recipe: dict[str, Any]) -> None:
    trained(recipe, "training.max_steps=1")
    assert error(recipe, 1) == (
        "run: this folder holds a finished run\n"
        "  look at it:     run/report.md\n"
        "  run again:      add --overwrite, or choose another folder with --set output=..."
    )
    assert looked(recipe, overwrite=True).ok


def unfinished(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *changes: str) -> None:
    def interrupted(*_: object) -> None:
        raise DataError("interrupted")

    with monkeypatch.context() as patch:
        patch.setattr("hftoolkit.finetuning.load_weights", interrupted)
        with pytest.raises(DataError):
            trained(recipe, *changes)
    assert Path("run/checkpoints/last.pt").is_file()


def test_an_unfinished_run_can_go_on(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the machine chose the number format: the recipe says `auto`, the folder what was chosen."""
    changes = ["training.max_steps=1", "training.precision=auto"]
    unfinished(recipe, monkeypatch, *changes)
    assert looked(recipe, *changes).ok


def test_an_unfinished_run_of_another_recipe(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    unfinished(recipe, monkeypatch, "training.max_steps=1")
    assert error(recipe, 1, "training.max_steps=2") == (
        "run: this folder holds an unfinished run that began with another recipe\n"
        "  training.max_steps: 1 then, 2 now\n"
        f"  continue that one:   hftoolkit finetune {Path('run/recipe.yaml')}\n"
        "  start again:         add --overwrite, or choose another folder with --set output=..."
    )


def test_a_disk_that_is_too_small(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.doubts.free_disk", lambda folder: 1 << 20)
    monkeypatch.setattr("hftoolkit.forecasting._disk", lambda job, facts: 3 << 20)
    assert warnings(recipe) == [
        "output: a run needs 3 MiB on disk, 1 MiB are free\n  make room, or choose another folder:   --set output=..."
    ]


# Training


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["training.learning_rate=0.1"],
            "training.learning_rate: 0.1 is high for training of all weights: what the model knows may be lost\n"
            "  usual are 1e-06 to 0.001"),
        (["training.learning_rate=1e-8"],
            "training.learning_rate: 1e-08 is low for training of all weights: little may be learned\n"
            "  usual are 1e-06 to 0.001"),
        (["adapter={rank: 2}", "training.learning_rate=1e-6"],
            "training.learning_rate: 1e-06 is low for training with an adapter: little may be learned\n"
            "  usual are 1e-05 to 0.01"),
        ([SCRATCH, "training.learning_rate=1e-5"],
            "training.learning_rate: 1e-05 is low for training from scratch: little may be learned\n"
            "  usual are 0.0001 to 0.01"),
        ([SCRATCH, "training.learning_rate=0.1"],
            "training.learning_rate: 0.1 is high for training from scratch: it may diverge\n"
            "  usual are 0.0001 to 0.01"),
        (["training.warmup_steps=1000"],
            "training: the learning rate is still rising at the end\n"
            "  lower training.warmup_steps or warmup_ratio"),
        (["evaluation.every=1000"],
            "evaluation.every: 1,000 is more than the 68 steps there are\n  lower it"),
        (["training.max_steps=3"],
            "training: 3 steps in all are few\n  raise training.epochs, or lower batch_tokens"),
        (["training.averaging={checkpoints: 9}"],
            "training.averaging: 9 checkpoints are to be averaged, of 4 evaluations\n"
            "  evaluate more often:   evaluation.every"),
        (["training.batch_tokens=16"],
            "training.batch_tokens: 100.0 % of the steps hold a single row\n  raise it"),
    ],
    ids=lambda value: value.split("\n")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_settings_that_do_not_suit(recipe: dict[str, Any], changes: list[str], message: str) -> None:
    assert warnings(recipe, *changes) == [message]


def test_single_rows_are_counted_over_the_whole_epoch(recipe: dict[str, Any]) -> None:
    found = warnings(recipe, "training.batch_tokens=16", "training.max_steps=21")
    assert found == ["training.batch_tokens: 100.0 % of the steps hold a single row\n  raise it"]


def test_training_that_diverges(recipe: dict[str, Any]) -> None:
    found = looked(recipe, "training.learning_rate=1e35", "training.warmup_ratio=0")
    assert told(found, "error") == [
        "training: the loss is no number after the first steps: training diverges\n"
        "  lower training.learning_rate, or raise training.warmup_ratio"
    ]
    assert found.exit_code == 1
    json.loads(found.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_dropout_that_harms(recipe: dict[str, Any]) -> None:
    (message,) = warnings(recipe, "training.dropout=0.6")
    assert message.startswith("dropout raises the loss of the untouched model from ")


def test_validation_that_takes_longer_than_training(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.forecasting._seconds_to_predict", lambda job, parts, decoding: 60.0)
    (message,) = warnings(recipe)
    assert message.startswith("evaluation.every: measuring on validation rows takes 5 min 0 s, longer than training (")
    assert message.endswith(")\n  set it higher, or evaluation.validation_rows lower")


def test_memory_that_does_not_suffice(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("hftoolkit.forecasting.prepared", full)
    found = looked(recipe)
    assert found.model is not None
    assert told(found, "error") == [
        f"{found.model.device} has not enough memory\n"
        "  in training:    raise training.micro_batches, or lower training.batch_tokens\n"
        "  in measuring:   lower evaluation.batch_tokens"
    ]


# From Python


def test_in_python_with_a_mapping(recipe: dict[str, Any]) -> None:
    settings = recipe | {"training": recipe["training"] | {"epochs": 1}}
    code = f"import hftoolkit; found = hftoolkit.check({settings!r}); print(found.exit_code, found.ok)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "0 True\n"


# Real data


PARALLEL = {
    "m30k": {
        "task": "translation",
        "model": {"scratch": {"vocabulary": 2000, "encoder_layers": 1, "decoder_layers": 1, "width": 64}},
        "data": {
            "train": {"files": {"source": "multi30k/train.en", "target": "multi30k/train.de"}},
            "validation": {"files": {"source": "multi30k/val.en", "target": "multi30k/val.de"}},
            "test": {"files": {"source": "multi30k/test_2016_flickr.en", "target": "multi30k/test_2016_flickr.de"}},
            "languages": {"source": "en", "target": "de"},
        },
        "training": {"learning_rate": 1e-3},
    },
    "zh": {
        "task": "translation",
        "model": {"scratch": {"vocabulary": 5000, "encoder_layers": 1, "decoder_layers": 1, "width": 64}},
        "data": {
            "train": [
                {"source": "tatoeba-cmn-eng/cmn.txt", "format": "tsv", "columns": {"source": 1, "target": 2}},
                {"source": "tico19-tmx/*zh*.tmx"},
            ],
            "validation": {"split": 0.02},
            "test": {"files": {"source": "flores200/eng_Latn.devtest", "target": "flores200/zho_Hans.devtest"}},
            "languages": {"source": "en", "target": "zh-Hans"},
        },
        "training": {"learning_rate": 1e-3},
    },
    "docs": {
        "task": "translation",
        "model": {"name": "../../models/marian-tiny-en-pt"},
        "data": {
            "train": {"source": "python-docs-pt_BR-po"},
            "validation": {"split": 0.02, "by": "file"},
            "test": {
                "docs": {"split": 0.05, "by": "file"},
                "flores": {"files": {"source": "flores200/eng_Latn.devtest", "target": "flores200/por_Latn.devtest"}},
            },
            "languages": {"source": "en", "target": "pt-BR"},
        },
        "training": {"learning_rate": 2e-4, "max_tokens": 160, "dropout": 0.0},
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "doubts"),
    [("m30k", []), ("zh", []), ("docs", ["tokens: 6.5 % of the inputs and 6.3 % of the answers are unknown"])],
)
def test_real_data_are_not_doubted_without_reason(
    name: str, doubts: list[str], shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small Portuguese model has no signs of markup, which is true, and worth a warning."""
    monkeypatch.chdir(shared / "data" / "translation")
    found = check(PARALLEL[name] | {"output": str(tmp_path / "run")})
    assert told(found, "error") == []
    assert [one[: len(doubt)] for one, doubt in zip(told(found, "warning"), doubts, strict=True)] == doubts
    assert found.forecast is not None
