"""`hftoolkit finetune`: what it prints, and every mistake a user may make, told once, with nothing left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Outcome, hftoolkit, tree, write_recipe

from hftoolkit.reports.files import read_report

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def recipe(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_recipe(Path("recipe.yaml"), f"{{name: {marian}}}", output="run")


def test_help() -> None:
    assert hftoolkit("finetune", "--help").out == (
        "Usage: hftoolkit finetune [OPTIONS] RECIPE\n"
        "\n"
        "  Fine-tune a model as RECIPE says; report what was gained and lost.\n"
        "\n"
        "  RECIPE is a file, or the name of a built-in recipe. A run that was\n"
        "  interrupted continues when it is started again.\n"
        "\n"
        "Options:\n"
        "  --set KEY=VALUE  Change a key, as in --set training.epochs=1.\n"
        "  --overwrite      Put the new run in the place of one in the output folder.\n"
        "  --endpoint URL   Of a mirror of the hub; left out: HF_ENDPOINT.\n"
        "  --offline        Make no connection: use what is in the cache.\n"
        "  --refresh        Ask whether the hub has a newer copy.\n"
        "  -h, --help       Show this message and exit.\n"
    )


def test_the_verdict_the_scores_and_what_to_do_next_are_printed(recipe: Path) -> None:
    outcome = hftoolkit("finetune", recipe)
    report = read_report(Path("run"))
    table = [
        f"  {test.name}  {after.name:5} {before.value:6.2f} -> {after.value:6.2f}"
        f"  [{after.low:.1f}, {after.high:.1f}]\n"
        for test in report.tests
        for before, after in zip(test.before, test.after, strict=True)
    ]
    assert outcome.code == 0
    assert outcome.out == (
        f"{report.verdict()}\n"
        + "".join(table)
        + "  report:   run/report.html\n"
        + '  use it:   hftoolkit translate --model run "..."\n'
    )


def test_progress_goes_to_standard_error(recipe: Path) -> None:
    told = hftoolkit("finetune", recipe).err
    order = [
        "scoring 'new' before training (16 rows)\n",
        "16 training rows, 16 for validation, 16 in test set 'new', 16 in test set 'old'\n",
        " weights are trained, float32, CPU",
        "step 3 of 3: validation loss ",
        "scoring 'old' after training (16 rows)\n",
    ]
    places = [told.find(part) for part in order]
    assert -1 not in places
    assert sorted(places) == places
    assert "Writing model shards" not in told


def test_options_reach_the_function(recipe: Path) -> None:
    hftoolkit("finetune", recipe, "--set", "training.max_steps=1", "--set", "output=other")
    assert read_report(Path("other")).steps == 1
    assert hftoolkit("finetune", recipe, "--set", "output=other", "--overwrite").code == 0
    assert read_report(Path("other")).steps == 3


# Mistakes. Each is told in one error with what to do; standard output and the folder stay as they were.


def refused(*arguments: str) -> Outcome:
    before = tree(Path())
    outcome = hftoolkit("finetune", "recipe.yaml", *arguments)
    assert outcome.code in (1, 2)
    assert outcome.out == ""
    assert outcome.err.count("error: ") == 1
    assert tree(Path()) == before
    return outcome


def refusal(code: int, *changes: str) -> str:
    """The whole of standard error, for a recipe with these changes."""
    outcome = refused(*(part for change in changes for part in ("--set", change)))
    assert outcome.code == code
    return outcome.err


@pytest.fixture
def files(recipe: Path) -> None:
    """Data with something wrong in each."""
    Path("three.en").write_text("one\ntwo\nthree\n", encoding="utf-8")
    Path("two.zh").write_text("一\n二\n", encoding="utf-8")
    Path("latin.tsv").write_bytes(b"en\tzh\nGood\t\xe5\xa5\xbd\nCaf\xe9\t\xe5\xa5\xbd\n")
    Path("header.tsv").write_text("en\tzh\n", encoding="utf-8")
    Path("a-file").write_text("", encoding="utf-8")
    Path("a-folder").mkdir()
    Path("a-folder", "mine.txt").write_text("", encoding="utf-8")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.test.old.source=odl.tsv",
            "odl.tsv: no such file\n  did you mean 'old.tsv'?\n"),
        ("data.test.old.columns={source: en, target: chinese}",
            "old.tsv: no column 'chinese'\n  the columns are: en, zh\n"
            "  say which one holds which role:  columns: {source: en, target: ...}\n"),
        ("data.train=[{files: {source: three.en, target: two.zh}}]",
            "three.en: parallel files need equally many lines: three.en has 3, two.zh has 2\n"
            "  line N of each file must be the same row; the missing lines are not always at the end\n"),
        ("data.train.0.source=latin.tsv",
            "latin.tsv: byte 19 (line 3): 0xE9 is not UTF-8 here\n"
            "  if the file has another encoding, say so:  encoding: gb18030\n"),
        ("data.validation={split: 0.001}",
            "new.tsv: split: 0.001 of 16 rows: no row is held out\n"
            "  take another share, add rows, or name a file of its own:  {source: FILE}\n"),
        ("data.test={all: {split: 0.999}}",
            "new.tsv: split: 0.999 of 16 rows: no row is left to learn from\n"
            "  take another share, add rows, or name a file of its own:  {source: FILE}\n"),
        ("output=a-file",
            "a-file: expected a folder, found a file\n  choose another one:   --set output=...\n"),
        ("output=a-folder",
            "a-folder: this folder is not empty and holds no run of hftoolkit\n"
            "  choose another one:   --set output=...\n"),
        ("output=a-file/run",
            "a-file/run: cannot be written: Not a directory\n"
            "  free some space or choose another folder:   --set output=...\n"
            "  an unfinished run continues from its last checkpoint when started again\n"),
        ("model.name=a-folder",
            "./a-folder: this folder holds no model (no config.json in it)\n"
            "  a model folder has config.json, weights and a tokenizer, as save_pretrained writes it\n"),
    ],
    ids=lambda value: value.split("\n")[0],
)  # fmt: skip
def test_data_models_and_folders_that_do_not_fit(change: str, message: str) -> None:
    assert refusal(1, change) == f"error: {message}"


@pytest.mark.usefixtures("files")
def test_a_file_with_a_header_alone() -> None:
    assert refusal(1, "data.train.0.source=header.tsv").startswith("error: header.tsv: no row is left of 0 read\n")


@pytest.mark.usefixtures("recipe")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.epcohs=3",
            "recipe.yaml: 1 problem in this recipe\n  --set: training.epcohs: unknown key; did you mean 'epochs'?\n"),
        ("training.batch_tokens=3.5",
            "recipe.yaml: 1 problem in this recipe\n"
            "  --set: training.batch_tokens: expected a whole number, got '3.5'\n"),
        ("data.languages.target=chinese",
            "'chinese' is no language tag; did you mean 'zh'?\n  expected BCP 47, such as:  en, pt-BR, zh-Hans\n"),
        ("data.languages=",
            "data.languages: missing; translation is scored by its target language\n"
            "  say so:   languages: {source: en, target: zh-Hans}\n"),
        ("training.epochs",
            "--set 'training.epochs': expected KEY=VALUE\n  for example:   --set training.epochs=2\n"),
    ],
    ids=lambda value: value.split("\n")[0],
)  # fmt: skip
def test_recipes_that_cannot_mean_anything(change: str, message: str) -> None:
    assert refusal(2, change) == f"error: {message}"


@pytest.mark.usefixtures("recipe")
def test_a_language_that_is_none_is_told_before_rows_are_read() -> None:
    told = refusal(2, "data.languages.target=chinese", "data.train.0.source=nowhere.tsv")
    assert told.startswith("error: 'chinese' is no language tag;")


def test_all_problems_of_a_recipe_are_told_at_once_with_their_lines(recipe: Path) -> None:
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(text.replace("beams: 2", "beam: 2").replace("epochs: 1", "epochs: one"), encoding="utf-8")
    assert refusal(2) == (
        "error: recipe.yaml: 2 problems in this recipe\n"
        "  line 10: training.epochs: expected a whole number, got 'one'\n"
        "  line 11: evaluation.beam: unknown key; did you mean 'beams'?\n"
    )


def test_a_recipe_that_is_not_there(recipe: Path) -> None:
    outcome = hftoolkit("finetune", "recipes.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: recipes.yaml: no such recipe\n"
        "  did you mean:       recipe.yaml\n"
        "  built-in recipes:   hftoolkit recipes list\n"
    )


@pytest.mark.usefixtures("recipe")
def test_a_model_of_another_kind(tmp_path_factory: pytest.TempPathFactory) -> None:
    from transformers import BertConfig, BertForMaskedLM

    folder = tmp_path_factory.mktemp("bert")
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    BertForMaskedLM(BertConfig(vocab_size=30, **sizes)).save_pretrained(folder)
    assert refusal(1, f"model.name={folder}") == (
        f"error: {folder}: a model of the kind 'bert' does not translate; expected 'marian', or a decoder such as "
        "'gpt2'\n"
        "  choose an opus-mt checkpoint:   model: {name: Helsinki-NLP/opus-mt-en-zh}\n"
    )


@pytest.mark.usefixtures("recipe")
def test_layers_that_are_not_there_are_told_before_anything_is_scored() -> None:
    assert refusal(1, "adapter={targets: [qproj]}").startswith("error: adapter.targets: no linear layer of this model")


@pytest.fixture
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A hub address at which nobody answers."""
    from huggingface_hub import constants
    from huggingface_hub.utils._http import close_session

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    close_session()


@pytest.mark.usefixtures("recipe", "_nobody")
def test_a_hub_that_cannot_be_reached() -> None:
    told = refusal(1, "model.name=Helsinki-NLP/opus-mt-en-zh")
    assert told.startswith(
        "error: cannot reach http://127.0.0.1:9 to load 'Helsinki-NLP/opus-mt-en-zh' (connection refused)\n"
        "  http://127.0.0.1:9 is what --endpoint, HF_ENDPOINT or the recipe says: check it, or leave it out\n"
    )


def test_a_finished_run_is_not_touched(recipe: Path) -> None:
    hftoolkit("finetune", recipe)
    assert refusal(1) == (
        "error: run: this folder holds a finished run\n"
        "  look at it:     run/report.md\n"
        "  run again:      add --overwrite, or choose another folder with --set output=...\n"
    )
