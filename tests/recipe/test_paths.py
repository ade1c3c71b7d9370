"""Paths: from the recipe's folder to the current one, and what is no path at all."""

from pathlib import Path
from typing import Any

import pytest
from recipe.samples import MINIMAL, TASKS

from hftoolkit.recipe.reader import read_recipe, recipe_from
from hftoolkit.recipe.schema import Recipe, ScratchDecoder, Source


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def source(text: str, folder: str = "my/recipes", **more: Any) -> str | None:
    mapping = {**MINIMAL, "data": {**MINIMAL["data"], "train": {"source": text, **more}}}
    return recipe_from(mapping, tasks=TASKS, folder=Path(folder)).data.train[0].source


def model(text: str, folder: str = "my/recipes") -> str | None:
    return recipe_from({**MINIMAL, "model": {"name": text}}, tasks=TASKS, folder=Path(folder)).model.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.tsv", "my/recipes/a.tsv"),
        ("./a.tsv", "my/recipes/a.tsv"),
        ("../a.tsv", "my/a.tsv"),
        ("../../a.tsv", "a.tsv"),
        ("../../../a.tsv", "../a.tsv"),
        ("data/a.TSV", "my/recipes/data/a.TSV"),
        ("po", "my/recipes/po"),
        ("数据/表.csv", "my/recipes/数据/表.csv"),
        ("a/b/c", "my/recipes/a/b/c"),
        ("../a", "./my/a"),
        ("Helsinki-NLP/opus-100", "Helsinki-NLP/opus-100"),
        ("memories/all.tmx", "my/recipes/memories/all.tmx"),
        ("texts/a.xlf", "my/recipes/texts/a.xlf"),
        ("texts/a.jsonl.gz", "my/recipes/texts/a.jsonl.gz"),
        ("memories/*", "my/recipes/memories/*"),
        ("*/po", "my/recipes/*/po"),
        ("texts/[a-c]??", "my/recipes/texts/[a-c]??"),
        ("../**/*.tmx", "my/**/*.tmx"),
        ("package:texts/data.tsv", "package:texts/data.tsv"),
    ],
)
def test_sources(text: str, expected: str) -> None:
    assert source(text) == expected


def test_what_could_be_a_hub_data_set_is_a_path_where_there_is_one() -> None:
    Path("my/recipes/texts/po").mkdir(parents=True)
    assert source("texts/po") == "my/recipes/texts/po"
    assert source("texts/other") == "texts/other"
    assert source("texts/po", format="hub") == "my/recipes/texts/po"
    assert source("texts/other", format="hub") == "texts/other"
    assert source("../set", format="hub") == "./my/set"


def test_a_format_other_than_hub_makes_a_path() -> None:
    assert source("texts/corpus", format="po") == "my/recipes/texts/corpus"


def test_a_path_that_could_be_taken_for_a_hub_id_begins_with_a_dot() -> None:
    assert source("./a/b", folder=".") == "./a/b"
    assert source("../a/b", folder="my") == "./a/b"
    Path("org/name").mkdir(parents=True)
    assert model("org/name", folder=".") == "./org/name"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Helsinki-NLP/opus-mt-en-zh", "Helsinki-NLP/opus-mt-en-zh"),
        ("gpt2", "gpt2"),
        ("package:models/tiny", "package:models/tiny"),
        ("./model", "my/recipes/model"),
        ("../model", "./my/model"),
        ("../../../model", "../model"),
    ],
)
def test_models(text: str, expected: str) -> None:
    assert model(text) == expected


def test_a_model_name_is_a_path_where_such_a_folder_exists() -> None:
    Path("my/recipes/gpt2").mkdir(parents=True)
    Path("my/recipes/bert").write_text("a file is no model", encoding="utf-8")
    assert model("gpt2") == "my/recipes/gpt2"
    assert model("bert") == "bert"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    assert source(str(tmp_path / "a.tsv")) == str(tmp_path / "a.tsv")


def test_an_absolute_recipe_folder_gives_paths_from_here(tmp_path: Path) -> None:
    assert source("a.tsv", folder=str(tmp_path / "recipes")) == "recipes/a.tsv"


def test_files_of_every_role_are_paths_and_the_output_is_not_moved() -> None:
    data = {
        "train": {"files": {"source": "a/en", "target": "a/zh"}},
        "validation": {"source": "v.tsv"},
        "test": {"files": {"source": "t.en", "target": ["t.zh", "t2.zh"]}},
    }
    recipe = recipe_from({**MINIMAL, "data": data}, tasks=TASKS, folder=Path("d"))
    assert recipe.data.train == [Source(files={"source": "d/a/en", "target": "d/a/zh"})]
    assert recipe.data.validation == Source(source="d/v.tsv")
    assert recipe.data.test["test"] == Source(files={"source": "d/t.en", "target": ["d/t.zh", "d/t2.zh"]})
    assert recipe.output == "runs/x"


SINGLE = """\
task: translation
model: {name: org/base}
data: {train: {source: a.tsv}, validation: {split: 0.1}, test: {one: {source: b.tsv}, two: {source: c.tsv}}}
output: runs/x
"""


def read_in_folder(*overrides: str) -> Recipe:
    Path("recipes").mkdir(exist_ok=True)
    Path("recipes/mine.yaml").write_text(SINGLE, encoding="utf-8")
    return read_recipe("recipes/mine.yaml", overrides, tasks=TASKS)


def test_paths_of_a_file_are_counted_from_it_and_those_of_the_command_line_from_here() -> None:
    recipe = read_in_folder("data.test.one.source=z.tsv", "model.name=./models/mine")
    assert recipe.data.train == [Source(source="recipes/a.tsv")]
    assert recipe.data.test == {"one": Source(source="z.tsv"), "two": Source(source="recipes/c.tsv")}
    assert recipe.model.name == "./models/mine"


@pytest.mark.parametrize(
    "override",
    [
        "data.train.source=z.tsv",
        "data.train.0.source=z.tsv",
        "data.train={source: z.tsv}",
        "data.train=[{source: z.tsv}]",
    ],
)
def test_a_source_given_on_the_command_line_in_any_form(override: str) -> None:
    assert read_in_folder(override).data.train == [Source(source="z.tsv")]
    assert (
        read_in_folder(override, "data.train.weight=2" if "[" not in override else "output=y").data.train[0].source
        == "z.tsv"
    )


def test_the_checkpoint_of_a_tokenizer() -> None:
    def moved(text: str) -> str | None:
        value = {**MINIMAL, "model": {"scratch": {"layers": 2, "tokenizer": text}}}
        scratch = recipe_from(value, tasks=TASKS, folder=Path("my/recipes")).model.scratch
        assert isinstance(scratch, ScratchDecoder)
        return scratch.tokenizer

    assert moved("./runs/mine") == "my/recipes/runs/mine"
    assert moved("Helsinki-NLP/opus-mt-en-fr") == "Helsinki-NLP/opus-mt-en-fr"


def test_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert source("~/a.tsv") == str(home / "a.tsv")
    assert model("~/models/a/b") == str(home / "models/a/b")
    recipe = recipe_from({**MINIMAL, "output": "~/runs/mine"}, tasks=TASKS)
    assert recipe.output == str(home / "runs/mine")


def test_a_folder_that_is_called_so_stays_one_through_a_file() -> None:
    Path("~").mkdir()
    assert source("./~/a.tsv", folder=".") == "./~/a.tsv"
    assert source("~nobody-here/a.tsv", folder=".") == "./~nobody-here/a.tsv"
