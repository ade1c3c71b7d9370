"""A recipe file to a checked recipe: values, conveniences, paths and every message."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from recipe.samples import MINIMAL, TASKS, TEXT

from hftoolkit.errors import RecipeError, UsageError
from hftoolkit.recipe.reader import read_recipe, recipe_from
from hftoolkit.recipe.schema import Model, Recipe, Scratch, ScratchEncoder, Source, Split, Training
from hftoolkit.recipe.writer import write_recipe


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, *overrides: str) -> Recipe:
    Path("mine.yaml").write_text(text, encoding="utf-8")
    return read_recipe("mine.yaml", overrides, tasks=TASKS)


def message(text: str, *overrides: str) -> str:
    with pytest.raises(RecipeError) as caught:
        read(text, *overrides)
    return str(caught.value)


def problems(text: str, *overrides: str) -> list[str]:
    return [line.strip() for line in message(text, *overrides).splitlines()[1:]]


def test_a_recipe_is_read_with_its_defaults() -> None:
    recipe = read(TEXT)
    assert recipe.model.name == "Helsinki-NLP/opus-mt-en-zh"
    assert recipe.training == Training(epochs=3, learning_rate=2e-5)
    assert recipe.data.train[1].columns == {"source": 1, "target": 2}
    assert recipe.data.test["docs"] == Source(files={"source": "docs.en", "target": ["docs.zh", "docs.zh2"]})
    assert recipe.options == {"prefix": "no", "window": 64, "bounds": [0.0, 1.0]}


def test_a_byte_order_mark_is_no_part_of_the_recipe() -> None:
    assert read("\ufeff" + TEXT) == read(TEXT)


def test_a_single_source_needs_no_list_and_a_single_test_set_no_name() -> None:
    recipe = recipe_from(MINIMAL, tasks=TASKS)
    assert recipe.data.train == [Source(source="a.tsv")]
    assert recipe.data.test == {"test": Source(source="b.tsv")}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("{split: 0.1}", {"test": Split(split=0.1)}),
        ("{files: {source: a, target: b}}", {"test": Source(files={"source": "a", "target": "b"})}),
        ("{source: {source: a.tsv}}", {"source": Source(source="a.tsv")}),
        ("{split: {split: 0.5}, 2014: {source: a.tsv}}", {"split": Split(split=0.5), "2014": Source(source="a.tsv")}),
        ("{split: 0.1, by: file}", {"test": Split(split=0.1, by="file")}),
        ("{split: 1e-1, by: row}", {"test": Split(split=0.1)}),
        ("{by: {source: a.tsv}}", {"by": Source(source="a.tsv")}),
        (
            "{source: org/name, format: hub, split: test}",
            {"test": Source(source="org/name", format="hub", split="test")},
        ),
    ],
)
def test_a_test_set_is_told_from_a_mapping_of_test_sets(test: str, expected: dict[str, Any]) -> None:
    text = TEXT.replace(
        "\n    mine: {source: test.tsv}\n    docs: {files: {source: docs.en, target: [docs.zh, docs.zh2]}}", f" {test}"
    )
    assert read(text).data.test == expected


def test_parts_take_their_short_forms_in_python_too() -> None:
    recipe = recipe_from({**MINIMAL, "training": Training(epochs=9), "output": Path("runs") / "x"}, tasks=TASKS)
    assert (recipe.training.epochs, recipe.output) == (9, os.path.join("runs", "x"))
    assert recipe_from(recipe, tasks=TASKS) == recipe


def test_weights_in_4_bits_need_an_adapter() -> None:
    text = TEXT.replace("mt-en-zh}", "mt-en-zh, quantize: 4bit}")
    assert read(text).model.quantize == "4bit"
    assert read(text, "model.quantize=null").model.quantize is None
    assert message(text.replace("adapter: {kind: lora, rank: 16}\n", "")) == (
        "mine.yaml: 1 problem in this recipe\n"
        "  line 2: 'model.quantize' needs an 'adapter': weights in 4 bits cannot be trained themselves"
    )


# Messages


def test_two_problems_are_told_at_once_with_their_lines() -> None:
    text = (
        TEXT.replace("{name: Hel", "\n  nmae: Hel")
        .replace("zh}\n", "zh\n", 1)
        .replace("epochs: 3", "batch_tokens: 3.5")
    )
    assert message(text) == (
        "mine.yaml: 2 problems in this recipe\n"
        "  line 4: model.nmae: unknown key; did you mean 'name'?\n"
        "  line 16: training.batch_tokens: expected a whole number, got '3.5'"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("epochs: 3", "epochs: 3.5", "line 15: training.epochs: expected a whole number, got '3.5'"),
        ("epochs: 3", "epochs: true", "line 15: training.epochs: expected a whole number, got 'true'"),
        ("epochs: 3", "epochs: many", "line 15: training.epochs: expected a whole number, got 'many'"),
        ("epochs: 3", "epochs:", "line 15: training.epochs: expected a whole number, got nothing"),
        (
            "epochs: 3",
            "epochs: '3'",
            "line 15: training.epochs: expected a whole number, got '3' in quotes; leave the quotes out",
        ),
        ("epochs: 3", "epochs: 0", "line 15: training.epochs: expected at least 1, got '0'"),
        ("epochs: 3", "epochs: [3]", "line 15: training.epochs: expected a whole number, got a list"),
        ("2e-5", "-2e-5", "line 16: training.learning_rate: expected more than 0, got '-2e-05'"),
        ("2e-5", ".inf", "line 16: training.learning_rate: expected a number that is not infinite, got 'inf'"),
        ("2e-5", "1e999", "line 16: training.learning_rate: expected a number that is not infinite, got 'inf'"),
        ("2e-5", "2,5e-5", "line 16: training.learning_rate: expected a number, got '2,5e-5'"),
        ("split: 0.02", "split: 1", "line 8: data.validation.split: expected less than 1, got '1'"),
        ("{split: 0.02}", "{splt: 0.02}", "line 8: data.validation.splt: unknown key; did you mean 'split'?"),
        ("{split: 0.02}", "{by: file}", "line 8: data.validation.split: this key is missing"),
        (
            "{split: 0.02}",
            "{split: 0.02, by: fil}",
            "line 8: data.validation.by: expected 'row' or 'file', got 'fil'; did you mean 'file'?",
        ),
        ("{split: 0.02}", "none", "line 8: data.validation: expected a mapping, got 'none'"),
        ("{split: 0.02}", "{}", "line 8: data.validation: expected either 'source' or 'files'"),
        (
            "epochs: 3",
            "schedule: linea",
            "line 15: training.schedule: expected 'linear', 'cosine', 'constant' or 'inverse_sqrt', got 'linea';"
            " did you mean 'linear'?",
        ),
        ("epochs: 3", "epochs: 1000000000", "line 15: training.epochs: expected at most 1000000, got '1000000000'"),
        ("epochs: 3", "betas: [0.9, 1]", "line 15: training.betas.1: expected less than 1, got '1'"),
        (
            "{source: docs.en, target: [docs.zh, docs.zh2]}",
            "{}",
            "line 11: data.test.docs.files: expected at least 1 entry, got 0",
        ),
        ("epochs: 3", "betas: [0.9]", "line 15: training.betas.1: this entry of the list is missing"),
        ("epochs: 3", "betas: [0.9, 0.9, 0.9]", "line 15: training.betas: expected at most 2 entries, got 3"),
        ("rank: 16", "rank: 16, targets: q_proj", "line 13: adapter.targets: expected a list, got 'q_proj'"),
        (
            "kind: lora",
            "kind: dorra",
            "line 13: adapter.kind: expected 'lora', 'dora' or 'rslora', got 'dorra'; did you mean 'dora'?",
        ),
        ("epochs: 3", "freeze: lm_head", "line 15: training.freeze: expected a list, got 'lm_head'"),
        ("epochs: 3", "freeze: ['']", "line 15: training.freeze.0: expected some text, got ''"),
        (
            "epochs: 3",
            "freeze: [a, '**']",
            "line 15: training.freeze: '**' freezes all weights: nothing is left to train",
        ),
        (
            "mt-en-zh}",
            "mt-en-zh, quantize: 8bit}",
            "line 3: model.quantize: expected '4bit', got '8bit'; did you mean '4bit'?",
        ),
        (
            "{name: Helsinki-NLP/opus-mt-en-zh}",
            "{scratch: {}, quantize: 4bit}",
            "line 3: model: 'quantize' beside 'scratch': a new model has nothing to keep yet; leave one of them out",
        ),
        (
            "epochs: 3",
            "freeze: [model.shared]",
            "line 14: training: 'freeze' beside an adapter, which freezes all weights of the model: leave one of them"
            " out",
        ),
        ("options: {", "tracking: tensorboard\noptions: {", "line 17: tracking: expected a list, got 'tensorboard'"),
        (
            "options: {",
            "tracking: [wandb, tensorbord]\noptions: {",
            "line 17: tracking.1: expected 'aim', 'clearml', 'comet_ml', 'dvclive', 'mlflow', 'swanlab', 'tensorboard',"
            " 'trackio' or 'wandb', got 'tensorbord'; did you mean 'tensorboard'?",
        ),
        (
            "{source: test.tsv}",
            "{sorce: test.tsv}",
            "line 10: data.test.mine.sorce: unknown key; did you mean 'source'?",
        ),
        (
            "mine: {source: test.tsv}",
            "../mine: {source: test.tsv}",
            "line 9: data.test: '../mine' becomes part of file names: expected letters, digits, '-', '_', '.', '+' "
            "and blanks",
        ),
        (
            "mine: {source: test.tsv}",
            f"{'a' * 61}: {{source: test.tsv}}",
            "line 9: data.test: 'aaaaaaaaaaaaaaaaaaaa...' becomes part of file names: expected at most 60 characters",
        ),
        ("{source: test.tsv}", "{source: ''}", "line 10: data.test.mine.source: expected some text, got ''"),
        ("{source: 1, ", "{source: 0, ", "line 7: data.train.1.columns.source: expected at least 1, got '0'"),
        (
            "{source: 1, ",
            "{source: {}, ",
            "line 7: data.train.1.columns.source: expected text, a whole number or a list, got a mapping",
        ),
        (
            "{source: 1, ",
            "{source: [a, null], ",
            "line 7: data.train.1.columns.source.1: expected text or a whole number, got nothing",
        ),
        ("[docs.zh, docs.zh2]", "5", "line 11: data.test.docs.files.target: expected text or a list, got '5'"),
        (
            "task: translation",
            "task: translatoin",
            "line 2: task: unknown task 'translatoin'; did you mean 'translation'?",
        ),
        (
            "task: translation",
            "task: poetry",
            "line 2: task: unknown task 'poetry'; expected one of 'classification', 'translation'",
        ),
        ("task: translation", "task: [translation]", "line 2: task: expected text, got a list"),
        ("{prefix: 'no'}", "{windw: 3}", "line 17: options.windw: unknown key; did you mean 'window'?"),
        ("{prefix: 'no'}", "\n  window: 0", "line 18: options.window: expected at least 1, got '0'"),
        ("{prefix: 'no'}", "", "line 17: options: expected a mapping, got nothing"),
        ("output: runs/mine\n", "", "line 2: output: this key is missing"),
        ("  validation: {split: 0.02}\n", "", "line 4: data.validation: this key is missing"),
        ("{name: Helsinki-NLP/opus-mt-en-zh}", "{}", "line 3: model: expected either 'name' or 'scratch'"),
        (
            "{name: Helsinki-NLP/opus-mt-en-zh}",
            "{scratch: {width: 250, heads: 4}}",
            "line 3: model.scratch: width 250 is not a multiple of heads 4",
        ),
        (
            "rank: 16",
            "rnk: 16, kind: x, z: 1",
            "line 13: adapter.z: unknown key; expected one of 'alpha', 'dropout', 'kind', 'rank', 'targets'",
        ),
    ],
)
def test_messages(old: str, new: str, expected: str) -> None:
    assert TEXT.count(old) == 1
    assert expected in problems(TEXT.replace(old, new))


@pytest.mark.parametrize(
    ("task", "sizes", "expected"),
    [
        ("classification", "encoder_layers: 2", "encoder_layers: unknown key; did you mean 'layers'?"),
        ("classification", "lowercas: true", "lowercas: unknown key; did you mean 'lowercase'?"),
        ("classification", "lowercase: 'yes'", "lowercase: expected true or false, got 'yes'"),
        ("translation", "encoder_layer: 2", "encoder_layer: unknown key; did you mean 'encoder_layers'?"),
        ("translation", "layers: 2, encoder_layers: 2", "encoder_layers: unknown key; did you mean 'layers'?"),
        ("translation", "lowercase: true", "lowercase: unknown key; expected one of 'decoder_layers', 'dropout', "),
    ],
)
def test_a_new_model_has_the_keys_of_its_task(task: str, sizes: str, expected: str) -> None:
    text = TEXT.replace("task: translation", f"task: {task}")
    (found,) = problems(text.replace("{name: Helsinki-NLP/opus-mt-en-zh}", f"{{scratch: {{{sizes}}}}}"))
    assert found.startswith(f"line 3: model.scratch.{expected}")


def test_a_new_encoder(tmp_path: Path) -> None:
    value = MINIMAL | {"task": "classification", "model": {"scratch": {"layers": 2, "lowercase": True}}}
    recipe = recipe_from(value, tasks=TASKS)
    assert recipe.model.scratch == ScratchEncoder(layers=2, lowercase=True)
    write_recipe(recipe, tmp_path / "written.yaml")
    assert read_recipe(tmp_path / "written.yaml", tasks=TASKS).model == recipe.model
    assert isinstance(recipe_from(value | {"model": {"scratch": {}}}, tasks=TASKS).model.scratch, ScratchEncoder)
    assert isinstance(recipe_from(MINIMAL, tasks=TASKS).model.scratch, Scratch)


def test_a_mistake_in_one_branch_of_a_union_is_told_once() -> None:
    assert problems(TEXT.replace("{split: 0.02}", "{source: 3}")) == [
        "line 8: data.validation.source: expected text, got '3' without quotes; put it in quotes"
    ]


def test_lines_are_right_where_a_list_or_a_name_was_left_out() -> None:
    text = (
        "task: translation\nmodel:\n  scratch: {}\ndata:\n  train:\n    source: a.tsv\n    wieght: 2\n"
        "  validation: {split: 0.1}\n  test:\n    source: b.tsv\n    colums: {}\noutput: x\n"
    )
    assert problems(text) == [
        "line 7: data.train.wieght: unknown key; did you mean 'weight'?",
        "line 11: data.test.colums: unknown key; did you mean 'columns'?",
    ]


def test_long_values_are_cut() -> None:
    assert problems(TEXT.replace("epochs: 3", f"epochs: {'x' * 100}")) == [
        f"line 15: training.epochs: expected a whole number, got '{'x' * 55}...'"
    ]


def test_a_duplicate_key_and_other_problems_come_together() -> None:
    assert problems(TEXT + "task: x\n") == [
        "line 19: task: this key stands on line 2 already",
        "line 19: task: unknown task 'x'; expected one of 'classification', 'translation'",
    ]


@pytest.mark.parametrize(
    ("text", "found"), [("", "nothing"), ("- a", "a list"), ("hello", "one value"), ("3", "one value")]
)
def test_a_file_that_is_no_mapping(text: str, found: str) -> None:
    assert message(text) == (
        f"mine.yaml: 1 problem in this recipe\n  line 1: expected keys such as 'task: translation', got {found}"
    )


def test_a_syntax_error_is_told_alone() -> None:
    assert message(TEXT.replace("epochs: 3", "epochs: x") + "evaluation: [") == (
        "mine.yaml: 1 problem in this recipe\n  line 19: not YAML: the text ends where a value is expected"
    )


# Files


def test_a_missing_file_names_the_near_miss() -> None:
    Path("translate.yaml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_recipe("translat.yaml", tasks=TASKS)
    assert str(caught.value) == (
        "translat.yaml: no such recipe\n"
        "  did you mean:       translate.yaml\n"
        "  built-in recipes:   hftoolkit recipes list"
    )
    assert caught.value.exit_code == 2


def test_a_missing_file_in_a_missing_folder() -> None:
    with pytest.raises(UsageError) as caught:
        read_recipe(Path("no") / "such.yaml", tasks=TASKS)
    assert str(caught.value) == f"{Path('no/such.yaml')}: no such recipe\n  built-in recipes:   hftoolkit recipes list"


def test_a_folder_is_no_recipe() -> None:
    Path("run").mkdir()
    with pytest.raises(UsageError) as caught:
        read_recipe("run", tasks=TASKS)
    assert str(caught.value) == "run: a folder, expected a recipe file\n  give the recipe file itself"
    Path("run/recipe.yaml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_recipe("run", tasks=TASKS)
    assert str(caught.value) == (f"run: a folder, expected a recipe file\n  name the file:   {Path('run/recipe.yaml')}")


def test_a_file_that_is_not_utf_8() -> None:
    Path("mine.yaml").write_bytes("task: translation\noutput: 运行\n".encode("gb18030"))
    with pytest.raises(RecipeError) as caught:
        read_recipe("mine.yaml", tasks=TASKS)
    assert str(caught.value) == (
        "mine.yaml: 1 problem in this recipe\n  line 2: not UTF-8 (byte 0xd4); save the file as UTF-8"
    )


def test_a_file_of_data_is_not_parsed() -> None:
    Path("mine.tsv").write_bytes(b"a\tb\n" * 60_000)
    with pytest.raises(UsageError) as caught:
        read_recipe("mine.tsv", tasks=TASKS)
    assert str(caught.value) == "mine.tsv: more than 200,000 bytes, expected a recipe\n  is this a file of data?"


def test_a_built_in_recipe_is_found_by_name_even_beside_a_folder_of_that_name() -> None:
    Path("scratch-en-zh").mkdir()
    assert read_recipe("scratch-en-zh", tasks=TASKS).output == "runs/scratch-en-zh"


# --set


def test_overrides_are_read_as_yaml() -> None:
    recipe = read(
        TEXT,
        "training.learning_rate=3e-4",
        "output=a=b",
        "data.languages.source=no",
        "adapter=",
        "evaluation.beams=1",
        "data.train.1.weight=2",
        "data.test.new={split: 0.1}",
        "options.bounds=[0, 2]",
    )
    assert recipe.training.learning_rate == 3e-4
    assert recipe.output == "a=b"
    assert recipe.data.languages is not None
    assert recipe.data.languages.source == "no"
    assert recipe.adapter is None
    assert recipe.evaluation.beams == 1
    assert recipe.data.train[1].weight == 2
    assert recipe.data.test["new"] == Split(split=0.1)
    assert recipe.options["bounds"] == [0.0, 2.0]


def test_a_later_override_wins_and_may_stand_below_an_earlier_one() -> None:
    recipe = read(TEXT, "adapter=null", "adapter.rank=4", "training.epochs=1", "training.epochs=2")
    assert recipe.adapter is not None
    assert (recipe.adapter.rank, recipe.training.epochs) == (4, 2)


@pytest.mark.parametrize("key", ["data.train.source", "data.train.0.source"])
def test_a_single_source_is_set_with_or_without_its_number(key: str) -> None:
    text = (
        "task: translation\nmodel: {scratch: {}}\noutput: x\n"
        "data: {train: {source: a.tsv}, validation: {split: 0.1}, test: {source: b.tsv}}"
    )
    assert read(text, f"{key}=c.tsv").data.train == [Source(source="c.tsv")]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("trainig.epochs=3", "--set: trainig: unknown key; did you mean 'training'?"),
        ("training.epochs=x", "--set: training.epochs: expected a whole number, got 'x'"),
        (
            "training.epochs.x=1",
            "--set: training.epochs.x: 'training.epochs' has nothing below it, so there is no 'x' to set",
        ),
        (
            "data.train.2.weight=1",
            "--set: data.train.2.weight: 'data.train' is a list that has 2 entries, counted from 0; there is no '2'",
        ),
        (
            "data.train.source=x",
            "--set: data.train.source: 'data.train' is a list that has 2 entries, counted from 0; there is no 'source'",
        ),
        ("training.betas=[1", "--set: training.betas: not YAML: a bracket that is not closed; expected ',' or ']'"),
        (
            "training.betas=*a",
            "--set: training.betas: anchors (&) and aliases (*) are not read in a recipe; write the value",
        ),
        ("model={}", "--set: model: expected either 'name' or 'scratch'"),
    ],
)
def test_problems_of_an_override_have_no_line(override: str, expected: str) -> None:
    assert [problem.startswith(expected) for problem in problems(TEXT, override)] == [True]


def test_problems_of_overrides_come_after_those_of_the_file() -> None:
    assert problems(TEXT.replace("epochs: 3", "epochs: x"), "adapter.rank=x", "seed=1") == [
        "line 15: training.epochs: expected a whole number, got 'x'",
        "--set: adapter.rank: expected a whole number, got 'x'",
        "--set: seed: unknown key; expected one of 'adapter', 'data', 'endpoint', 'evaluation', 'model', 'options',"
        " 'output', 'task', 'tracking', 'training'",
    ]


@pytest.mark.parametrize("override", ["training.epochs", "=3", "", "training..epochs=3", " =x"])
def test_an_override_without_key_or_value(override: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(TEXT, override)
    assert str(caught.value) == f"--set {override!r}: expected KEY=VALUE\n  for example:   --set training.epochs=2"


# Python


def test_problems_of_a_mapping_have_no_lines() -> None:
    with pytest.raises(RecipeError) as caught:
        recipe_from({**MINIMAL, "training": {"epochs": "3"}, "sed": 1}, tasks=TASKS, name="the recipe")
    assert str(caught.value) == (
        "the recipe: 2 problems in this recipe\n"
        "  training.epochs: expected a whole number, got '3' in quotes; leave the quotes out\n"
        "  sed: unknown key; expected one of 'adapter', 'data', 'endpoint', 'evaluation', 'model', 'options', 'output',"
        " 'task', 'tracking', 'training'"
    )


def test_objects_in_a_mapping_are_refused() -> None:
    with pytest.raises(RecipeError) as caught:
        recipe_from({**MINIMAL, "options": {"prefix": {1: 2}}, "output": object()}, tasks=TASKS)
    assert str(caught.value) == (
        "recipe: 2 problems in this recipe\n"
        "  output: expected text, a number, a list or a dict with text keys, got object\n"
        "  options.prefix: expected text, a number, a list or a dict with text keys, got dict"
    )


def test_a_mapping_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["task"] = loop
    with pytest.raises(RecipeError, match="more than 40 mappings and lists inside each other"):
        recipe_from(loop, tasks=TASKS)


def test_paths_of_a_mapping_are_counted_from_the_folder_given() -> None:
    assert recipe_from(MINIMAL, tasks=TASKS, folder=Path("texts")).data.train[0].source == "texts/a.tsv"


def test_parts_refuse_unknown_keys_on_their_own() -> None:
    with pytest.raises(ValidationError):
        Model(nmae="x")  # type: ignore[call-arg]


# Whatever the text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_text_raises_anything_else(data: st.DataObject) -> None:
    text = TEXT
    odd = st.one_of(
        st.text(max_size=6),
        st.sampled_from(
            ["\t", ": ", "- ", "[", "}", "'", '"', "&a ", "*a", "!!int ", "|\n", "? ", "<<: ", "%YAML 9\n", "---\n"]
        ),
        st.sampled_from(
            ["1e999", ".nan", "0x1f", "-1", "null", "{}", "[]", '"\\ud800"', '"\\0"', "9" * 500, "{a: {b: [1]}}"]
        ),
    )
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + data.draw(odd) + text[end:]
    Path("mine.yaml").write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    with contextlib.suppress(UsageError):
        assert isinstance(read_recipe("mine.yaml", tasks=TASKS), Recipe)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(override=st.one_of(st.text(max_size=20), st.from_regex(r"(data|train|test|0|1|model|options|\.){1,6}=.{0,9}")))
def test_no_override_raises_anything_else(override: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(read(TEXT, override), Recipe)


def test_reading_is_light() -> None:
    code = (
        "import sys, time; start = time.perf_counter()\n"
        "from hftoolkit.recipe.reader import read_recipe\n"
        "from hftoolkit.recipe.schema import Part\n"
        "read_recipe('scratch-en-zh', tasks={'translation': Part})\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pyarrow', 'numpy', 'pandas', 'huggingface_hub'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "print(time.perf_counter() - start)\n"
    )
    seconds = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))
    assert seconds < 0.6  # 0.2 on a quiet machine
