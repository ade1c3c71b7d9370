import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hftoolkit.errors import OutputError, RecipeError
from hftoolkit.recipe.schema import Recipe
from hftoolkit.reports.folder import RunFolder, check_place, open_run
from hftoolkit.reports.run import Point


def made(output: Path | str, **changes: Any) -> Recipe:
    source = {"source": "mine.tsv", "columns": {"source": "en", "target": "zh"}}
    recipe = {
        "task": "translation",
        "model": {"name": "org/model"},
        "data": {"train": [source], "validation": {"split": 0.1}, "test": {"test": {"source": "test.tsv"}}},
        "output": str(output),
    }
    return Recipe.model_validate_json(Recipe.model_validate({**recipe, **changes}).model_dump_json())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "mine"


def contents(folder: Path) -> dict[str, str]:
    """Every file in a folder, and what is in it."""
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in folder.rglob("*")
        if file.is_file()
    }


def begin(recipe: Recipe) -> None:
    """Leave an unfinished run, with a checkpoint."""
    with open_run(recipe, overwrite=False) as folder:
        folder.last.write_text("weights", encoding="utf-8")


def finish(recipe: Recipe) -> None:
    """Leave a finished run."""
    begin(recipe)
    folder = RunFolder(Path(recipe.output))
    folder.write(folder.path / "report.md", "good")
    folder.write(folder.path / "report.json", "{}")
    folder.finish()


@contextmanager
def refused(*lines: str) -> Iterator[None]:
    with pytest.raises(OutputError) as caught:
        yield
    assert str(caught.value) == "\n".join(lines)


def opened(recipe: Recipe, *, overwrite: bool = False) -> RunFolder:
    with open_run(recipe, overwrite=overwrite) as folder:
        return folder


def test_a_fresh_folder_holds_the_recipe_and_room_for_checkpoints(path: Path) -> None:
    folder = opened(made(path))
    assert contents(path).keys() == {"recipe.yaml"}
    assert folder.checkpoints.is_dir()
    assert folder.begun
    assert not folder.complete


def test_an_empty_folder_is_as_good_as_none(path: Path) -> None:
    (path / "empty" / "too").mkdir(parents=True)
    opened(made(path))
    assert contents(path).keys() == {"recipe.yaml"}


def test_an_unfinished_run_is_found_again(path: Path) -> None:
    begin(made(path))
    folder = opened(made(path))
    assert folder.last.read_text(encoding="utf-8") == "weights"


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("demo", "the name of the built-in model"),
        ("./demo/", "the name of the built-in model"),
        ("package:json/mine", "a folder inside a package"),
        ("https://example.org/runs", "an address"),
        ("a/" * 101, "more than 100 folders inside each other"),
    ],
)
def test_a_name_that_means_something_else_is_refused(
    name: str, means: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At the end of the run its model is loaded by this name, and later by its users.
    monkeypatch.chdir(tmp_path)
    for place in (opened, lambda recipe: check_place(recipe, overwrite=False)):
        with refused(f"output: {name:.80}: {means}, expected a folder", "  choose another one:   --set output=..."):
            place(made(name))
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_for_the_system(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="a: cannot be written: "):
        opened(made(tmp_path / ("a" * 300)))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_no_folder(path: Path, overwrite: bool) -> None:
    path.parent.mkdir()
    path.write_text("mine", encoding="utf-8")
    with refused(f"{path}: expected a folder, found a file", "  choose another one:   --set output=..."):
        opened(made(path), overwrite=overwrite)
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "files", [["thesis.tex"], ["recipe.yaml", "data/mine.tsv"], ["report.json"], ["checkpoints/a"]]
)
def test_a_folder_of_something_else_is_never_touched(path: Path, files: list[str], overwrite: bool) -> None:
    for name in files:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("mine", encoding="utf-8")
    with refused(
        f"{path}: this folder is not empty and holds no run of hftoolkit",
        "  choose another one:   --set output=...",
    ):
        opened(made(path), overwrite=overwrite)
    assert contents(path) == dict.fromkeys(files, "mine")


def test_a_finished_run_is_refused(path: Path) -> None:
    finish(made(path))
    before = contents(path)
    with refused(
        f"{path}: this folder holds a finished run",
        f"  look at it:     {path / 'report.md'}",
        "  run again:      add --overwrite, or choose another folder with --set output=...",
    ):
        opened(made(path, training={"epochs": 9}))
    assert contents(path) == before


def test_a_run_of_another_recipe_is_refused_with_what_differs(path: Path) -> None:
    begin(made(path, training={"epochs": 2, "learning_rate": 1e-4}))
    before = contents(path)
    with refused(
        f"{path}: this folder holds an unfinished run that began with another recipe",
        "  training.epochs: 2 then, 5 now",
        "  training.learning_rate: 0.0001 then, 0.0003 now",
        f"  continue that one:   hftoolkit finetune {path / 'recipe.yaml'}",
        "  start again:         add --overwrite, or choose another folder with --set output=...",
    ):
        opened(made(path, training={"epochs": 5, "learning_rate": 3e-4}))
    assert contents(path) == before


def test_many_differences_are_cut_short(path: Path) -> None:
    begin(made(path))
    now = {"epochs": 9, "batch_tokens": 99, "micro_batches": 9, "max_tokens": 99, "schedule": "cosine", "seed": 9}
    with pytest.raises(OutputError, match=r"(?s)epochs.*batch_tokens.*micro_batches.*max_tokens.*\n  and 1 more\n"):
        opened(made(path, training=now))


def test_the_same_values_under_other_keys_are_another_recipe(path: Path) -> None:
    begin(made(path, training={"batch_tokens": 512}, evaluation={"batch_tokens": 1024}))
    with pytest.raises(OutputError, match="began with another recipe"):
        opened(made(path, training={"batch_tokens": 1024}, evaluation={"batch_tokens": 512}))


def test_sources_in_another_order_are_another_recipe(path: Path) -> None:
    def data(*names: str) -> Mapping[str, Any]:
        train = [{"source": name} for name in names]
        return {"train": train, "validation": {"split": 0.1}, "test": {"test": {"source": "test.tsv"}}}

    begin(made(path, data=data("a.tsv", "b.tsv")))
    with pytest.raises(OutputError, match=r"data\.train\.0\.source"):
        opened(made(path, data=data("b.tsv", "a.tsv")))


def test_a_key_left_out_then_is_told(path: Path) -> None:
    begin(made(path))
    with pytest.raises(OutputError, match=r"adapter\.rank: nothing then, 8 now"):
        opened(made(path, adapter={"rank": 8}))


def test_the_same_run_named_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def data(folder: str) -> Mapping[str, Any]:
        return {
            "train": [{"source": f"{folder}a.tsv"}],
            "validation": {"split": 0.1},
            "test": {"test": {"files": {"source": f"{folder}b.en", "target": [f"{folder}b.zh"]}}},
        }

    monkeypatch.chdir(tmp_path)
    begin(made("runs/mine", data=data("data/")))
    monkeypatch.chdir(tmp_path / "runs")
    assert opened(made("mine", data=data("../data/"))).last.is_file()


def test_a_saved_recipe_that_was_broken_by_hand(path: Path) -> None:
    begin(made(path))
    (path / "recipe.yaml").write_text("task: [translation\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"recipe\.yaml: 1 problem in this recipe"):
        opened(made(path))


def test_overwriting_begins_anew(path: Path) -> None:
    finish(made(path))
    opened(made(path, training={"epochs": 9}), overwrite=True)
    assert contents(path).keys() == {"recipe.yaml"}
    assert [part.name for part in path.parent.iterdir()] == ["mine"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_overwriting_what_is_not_there_is_no_error(path: Path, overwrite: bool) -> None:
    opened(made(path), overwrite=overwrite)
    assert contents(path).keys() == {"recipe.yaml"}


@pytest.mark.parametrize("leave", [begin, finish])
def test_a_run_that_fails_at_once_gives_the_old_one_back(path: Path, leave: Any) -> None:
    leave(made(path))
    before = contents(path)
    with pytest.raises(KeyboardInterrupt), open_run(made(path, training={"epochs": 9}), overwrite=True):
        raise KeyboardInterrupt
    assert contents(path) == before
    assert [part.name for part in path.parent.iterdir()] == ["mine"]


def test_a_run_that_fails_at_once_leaves_nothing(path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), open_run(made(path), overwrite=False):
        raise ValueError("stop")
    assert not path.parent.exists()


def test_a_run_that_fails_at_once_leaves_an_empty_folder_empty(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(ValueError, match="stop"), open_run(made(path), overwrite=False):
        raise ValueError("stop")
    assert list(path.iterdir()) == []


def test_a_run_that_fails_behind_a_checkpoint_stays(path: Path) -> None:
    def go_on(folder: RunFolder) -> None:
        folder.last.write_text("weights", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_run(made(path), overwrite=False) as folder:
        go_on(folder)
    assert opened(made(path)).last.is_file()


def test_a_resumed_run_that_fails_at_once_stays(path: Path) -> None:
    opened(made(path))  # killed before its first checkpoint
    with pytest.raises(KeyboardInterrupt), open_run(made(path), overwrite=False):
        raise KeyboardInterrupt
    assert RunFolder(path).begun


def killed_while_overwriting(path: Path) -> None:
    """Leave a finished run set aside, and what there is of the one that was to take its place."""
    begin(made(path))
    finish(made(path.with_name("other")))
    path.with_name("other").rename(path.with_name(".mine.overwritten"))


def test_the_finished_run_outlives_two_attempts_to_overwrite_it(path: Path) -> None:
    killed_while_overwriting(path)
    with pytest.raises(KeyboardInterrupt), open_run(made(path), overwrite=True):
        raise KeyboardInterrupt
    assert RunFolder(path).complete
    assert [part.name for part in path.parent.iterdir()] == ["mine"]


def test_a_newer_finished_run_is_the_one_to_keep(path: Path) -> None:
    killed_while_overwriting(path)
    folder = RunFolder(path)
    folder.write(path / "report.json", "newer")
    with pytest.raises(KeyboardInterrupt), open_run(made(path), overwrite=True):
        raise KeyboardInterrupt
    assert (path / "report.json").read_text(encoding="utf-8") == "newer"


def test_the_current_folder_is_not_overwritten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(made(path))
    before = contents(path)
    monkeypatch.chdir(path)
    with refused(".: the current folder cannot be overwritten", "  go to another one first:   cd .."):
        opened(made("."), overwrite=True)
    assert contents(path) == before


def test_a_run_in_the_current_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.mkdir(parents=True)
    monkeypatch.chdir(path)
    opened(made("."))
    assert contents(path).keys() == {"recipe.yaml"}


def test_a_folder_that_cannot_be_made(path: Path) -> None:
    path.parent.write_text("", encoding="utf-8")
    with refused(
        f"{path}: cannot be written: Not a directory",
        "  free some space or choose another folder:   --set output=...",
        "  an unfinished run continues from its last checkpoint when started again",
    ):
        opened(made(path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_called_so(path: Path) -> None:
    folder = opened(made(path))
    (path / "report.md.partial").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="mine: cannot be written: No space left on device\n"):
        folder.write(path / "report.md", "good")
    assert not (path / "report.md").exists()


def test_the_log_keeps_what_is_added(path: Path) -> None:
    folder = opened(made(path))
    assert folder.lines() == []
    folder.add([{"step": 1, "loss": 2.0}])
    folder.add([{"step": 2, "loss": 1.0}, {"step": 2, "validation": {"loss": 1.5}}])
    assert folder.lines() == [
        {"step": 1, "loss": 2.0},
        {"step": 2, "loss": 1.0},
        {"step": 2, "validation": {"loss": 1.5}},
    ]


@pytest.mark.parametrize("cut", range(1, 36))
def test_a_torn_last_line_is_left_out(path: Path, cut: int) -> None:
    folder = opened(made(path))
    folder.add([{"step": 1, "loss": 2.0}, {"step": 1, "validation": {"loss": 1.5}}])
    content = folder.log.read_bytes()
    folder.log.write_bytes(content[:-cut])
    assert folder.lines() == [{"step": 1, "loss": 2.0}]


def test_rewinding_drops_what_came_after_a_checkpoint_and_what_is_torn(path: Path) -> None:
    folder = opened(made(path))
    lines = [{"step": 0, "validation": {}}, {"step": 1, "loss": 2.0}, {"step": 1, "validation": {}}]
    folder.add([*lines, {"step": 2, "loss": 1.0}])
    with folder.log.open("a", encoding="utf-8") as file:
        file.write('{"step": 1, "los')
    folder.rewind(1)
    assert folder.lines() == lines
    folder.add([{"step": 2, "loss": 0.5}])
    assert folder.lines() == [*lines, {"step": 2, "loss": 0.5}]


def test_rewinding_to_the_beginning_drops_everything(path: Path) -> None:
    folder = opened(made(path))
    folder.add([{"step": 0, "validation": {}}, {"step": 1, "loss": 2.0}])
    folder.rewind(0)
    assert folder.lines() == []


def test_the_curve_averages_losses_and_keeps_every_evaluation(path: Path) -> None:
    folder = opened(made(path))
    folder.add([{"step": 0, "validation": {"loss": 9.0}}])
    folder.add([{"step": number, "loss": float(number), "learning_rate": number / 10} for number in range(1, 6)])
    folder.add([{"step": 4, "validation": {"loss": 3.0}}])
    assert folder.curve(points=2) == [
        Point(0, None, None, {"loss": 9.0}),
        Point(2, 1.5, 0.2),
        Point(4, 3.5, 0.4),
        Point(4, None, None, {"loss": 3.0}),
        Point(5, 5.0, 0.5),
    ]


def test_predictions_have_one_line_a_row(path: Path) -> None:
    folder = opened(made(path))
    folder.write_lines("test.after.txt", ["one", "two\nlines", "", "a\u2028b\r\nc"])
    written = (path / "predictions" / "test.after.txt").read_bytes().decode("utf-8")
    assert written == "one\ntwo lines\n\na b c\n"


def test_finishing_removes_only_the_work_in_progress(path: Path) -> None:
    finish(made(path))
    assert contents(path).keys() == {"recipe.yaml", "report.md", "report.json"}
    assert not RunFolder(path).checkpoints.exists()


def test_files_of_others_are_not_overwritten(path: Path) -> None:
    finish(made(path))
    (path / "notes.txt").write_text("mine", encoding="utf-8")
    with refused(
        f"{path}: this folder holds files that are not of the run: notes.txt",
        "  move them away, or choose another folder:   --set output=...",
    ):
        opened(made(path), overwrite=True)
    assert (path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_two_processes_do_not_share_a_folder(path: Path) -> None:
    recipe = made(path)
    with open_run(recipe, overwrite=False):
        with refused(
            f"{path}: another process is working in this folder",
            "  wait for it, or choose another folder:   --set output=...",
        ):
            opened(recipe)
        assert (path / "recipe.yaml").is_file()
    opened(recipe)  # the lock falls with the block


# Looked at beforehand


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_place_where_a_run_can_begin(path: Path, overwrite: bool) -> None:
    check_place(made(path), overwrite=overwrite)
    assert not path.parent.exists()
    path.mkdir(parents=True)
    check_place(made(path), overwrite=overwrite)
    assert list(path.iterdir()) == []


def test_a_place_where_a_run_can_go_on(path: Path) -> None:
    begin(made(path))
    before = contents(path)
    check_place(made(path), overwrite=False)
    check_place(made(path, model={"name": "org/other"}), overwrite=True)
    assert contents(path) == before


@pytest.mark.parametrize("leave", [begin, finish])
def test_a_place_where_it_cannot_is_refused_as_the_run_would_be(path: Path, leave: Any) -> None:
    leave(made(path))
    other = made(path, model={"name": "org/other"})
    with pytest.raises(OutputError) as run:
        opened(other)
    with refused(*str(run.value).split("\n")):
        check_place(other, overwrite=False)


def test_a_place_below_a_file(path: Path) -> None:
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.write_text("", encoding="utf-8")
    with refused(
        f"{path}: cannot be written: Not a directory",
        "  free some space or choose another folder:   --set output=...",
        "  an unfinished run continues from its last checkpoint when started again",
    ):
        check_place(made(path), overwrite=False)


def test_a_place_that_may_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def access(place: Path, mode: int) -> bool:
        asked.append(place)
        return mode != os.W_OK

    monkeypatch.setattr("hftoolkit.reports.folder.os.access", access)
    with refused(
        f"{path}: cannot be written: Permission denied",
        "  free some space or choose another folder:   --set output=...",
        "  an unfinished run continues from its last checkpoint when started again",
    ):
        check_place(made(path), overwrite=False)
    assert asked == [path.parent.parent]


def test_a_place_where_another_run_is_going_on(path: Path) -> None:
    with (
        open_run(made(path), overwrite=False),
        refused(
            f"{path}: another process is working in this folder",
            "  wait for it, or choose another folder:   --set output=...",
        ),
    ):
        check_place(made(path), overwrite=False)


def test_a_cache_in_which_there_can_be_no_lock(path: Path) -> None:
    locks = Path(os.environ["HFTOOLKIT_CACHE"], "locks")
    locks.touch()
    with refused(
        f"{locks}: the lock of a run cannot be kept here: File exists",
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ...",
    ):
        opened(made(path))
    assert not path.exists()


def test_what_trackers_are_told_changes_no_run(path: Path) -> None:
    begin(made(path, tracking=["tensorboard"]))
    opened(made(path, tracking=[]))


def test_a_run_begun_before_a_key_was_there_goes_on(path: Path) -> None:
    begin(made(path))
    file = path / "recipe.yaml"
    text = file.read_text(encoding="utf-8")
    older = "".join(line for line in text.splitlines(keepends=True) if not line.strip().startswith("patience:"))
    assert older != text
    file.write_text(older, encoding="utf-8")
    opened(made(path))
