"""The folder of a run: fresh, unfinished or finished; its step log and its predictions."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from hftoolkit.errors import OutputError
from hftoolkit.hub import BUILTIN, cache_folder, writing_cache
from hftoolkit.recipe.schema import Recipe
from hftoolkit.recipe.writer import write_recipe
from hftoolkit.reports.continuing import check_same
from hftoolkit.reports.run import Point

_OURS = (
    *("recipe.yaml", "steps.jsonl", "report.*", "training.png", "predictions", "checkpoints", "hftoolkit.json", ".*"),
    *("config.json", "generation_config.json", "*.safetensors", "*.safetensors.index.json", "adapter_config.json"),
    *("tokenizer*", "vocab*", "*.spm", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.partial"),
    *("README.md", "chat_template*", "spiece.model", "sentencepiece*", "target_vocab.json", "tracking"),
)
"""What a run writes into its folder, with its model and tokenizer."""

_DEEPEST = 100
"""Folders inside each other; no run lies at half of it."""


@dataclass(frozen=True)
class RunFolder:
    """Where a run writes."""

    path: Path

    @property
    def begun(self) -> bool:
        """Whether there is a run in it, finished or not; a recipe.yaml alone may be anybody's."""
        return (self.path / "recipe.yaml").is_file() and (self.checkpoints.is_dir() or self.complete)

    @property
    def complete(self) -> bool:
        """Whether the run is finished: report.json is written last."""
        return (self.path / "report.json").is_file()

    @property
    def checkpoints(self) -> Path:
        """Work in progress; removed when the run is complete."""
        return self.path / "checkpoints"

    @property
    def last(self) -> Path:
        """The place to resume from."""
        return self.checkpoints / "last.pt"

    @property
    def best(self) -> Path:
        """The weights with the best score on validation."""
        return self.checkpoints / "best.safetensors"

    @property
    def averaged(self) -> Path:
        """Weights of several evaluations, to be averaged at the end."""
        return self.checkpoints / "averaged"

    @property
    def log(self) -> Path:
        """A line per step, and one per evaluation."""
        return self.path / "steps.jsonl"

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append to the step log."""
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with self.writing(), self.log.open("a", encoding="utf-8") as file:
            file.write(text)

    def lines(self) -> list[dict[str, Any]]:
        """The step log."""
        if not self.log.is_file():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may be torn

    def rewind(self, step: int) -> None:
        """Drop from the log what came after a checkpoint; all of it where there is none, at step 0."""
        kept = "".join(json.dumps(line) + "\n" for line in self.lines() if step and line["step"] <= step)
        self.write(self.log, kept)

    def curve(self, points: int = 400) -> list[Point]:
        """The training curve: at most about so many points, losses averaged over the steps between them."""
        lines = self.lines()
        steps = [line for line in lines if "loss" in line]
        stride = max(1, len(steps) // points)
        found = [
            Point(part[-1]["step"], sum(line["loss"] for line in part) / len(part), part[-1]["learning_rate"])
            for part in (steps[begin : begin + stride] for begin in range(0, len(steps), stride))
        ]
        found += [Point(line["step"], None, None, line["validation"]) for line in lines if "validation" in line]
        return sorted(found, key=lambda point: (point.step, bool(point.validation)))

    def write_lines(self, name: str, lines: Sequence[str]) -> None:
        """Write a text of one line per row under predictions/."""
        self.write(self.path / "predictions" / name, "".join(" ".join(line.splitlines()) + "\n" for line in lines))

    def write(self, path: Path, text: str) -> None:
        """Write a file of this folder, whole or not at all."""
        with self.writing():
            write_whole(path, text)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say plainly what went wrong where something is written."""
        try:
            yield
        except (OSError, SafetensorError) as error:
            raise _unwritable(self.path, error) from error

    def finish(self) -> None:
        """Remove the work in progress."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)


@contextmanager
def open_run(recipe: Recipe, *, overwrite: bool) -> Iterator[RunFolder]:
    """The folder of a run while it goes on: made fresh, or found unfinished.

    Where the block fails before there is a checkpoint, all is put back as it was before, a run that was to be
    overwritten too.

    Args:
        recipe: With all that is chosen by the machine filled in.
        overwrite: Put a new run in the place of one that is there.

    Raises:
        OutputError: If the folder holds a finished run, an unfinished one that began otherwise, or anything else, or
            cannot be written.
    """
    folder = RunFolder(Path(recipe.output))
    _check_name(recipe.output)
    with _alone(folder.path):
        yield from _opened(recipe, folder, overwrite=overwrite)


def check_place(recipe: Recipe, *, overwrite: bool) -> None:
    """Look whether a run could begin or go on in its folder; nothing is written there.

    Args:
        recipe: With all that is chosen by the machine filled in.
        overwrite: Whether the run is to be put in the place of one that is there.

    Raises:
        OutputError: As `open_run` would.
    """
    folder = RunFolder(Path(recipe.output))
    _check_name(recipe.output)
    with _alone(folder.path):
        _check_place(folder, overwrite=overwrite)
        if folder.begun and not overwrite:
            check_same(recipe, folder.path)
    home = next(place for place in (folder.path, *folder.path.absolute().parents) if place.exists())
    code = errno.ENOTDIR if not home.is_dir() else errno.EACCES if not os.access(home, os.W_OK) else 0
    if code:
        raise _unwritable(folder.path, OSError(code, os.strerror(code)))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep every other process out of a run's folder; the lock lies in our cache and falls with the process."""
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
    locks = cache_folder() / "locks"
    lock = FileLock(locks / f"{name}.lock")
    with writing_cache(locks, "the lock of a run"):
        locks.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise OutputError(
                f"{path}: another process is working in this folder\n"
                "  wait for it, or choose another folder:   --set output=..."
            ) from None
    try:
        yield
    finally:
        lock.release()


def _opened(recipe: Recipe, folder: RunFolder, *, overwrite: bool) -> Iterator[RunFolder]:
    path = folder.path
    _check_place(folder, overwrite=overwrite)
    begun = folder.begun
    fresh = overwrite or not begun
    aside = path.absolute().with_name(f".{path.absolute().name}.overwritten")
    missing = [place for place in (path, *path.parents) if not place.exists()]
    try:
        with folder.writing():
            if begun and overwrite:
                _set_aside(folder, aside)
            folder.checkpoints.mkdir(parents=True, exist_ok=True)
            if fresh:
                write_recipe(recipe, path / "recipe.yaml")
        if not fresh:
            check_same(recipe, path)
        yield folder
    except BaseException:
        if fresh and not folder.last.is_file() and not folder.complete:
            _put_back(path, aside, missing)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _check_name(output: str) -> None:
    """Refuse names that mean something else where models are named, as the run's folder will be."""
    path = Path(output)
    if path == Path(BUILTIN):
        means = "the name of the built-in model"
    elif output.startswith("package:"):
        means = "a folder inside a package"
    elif "://" in output:
        means = "an address"
    elif len(path.parts) > _DEEPEST:
        means = f"more than {_DEEPEST} folders inside each other"
    else:
        return
    raise OutputError(f"output: {output:.80}: {means}, expected a folder\n  choose another one:   --set output=...")


def _check_place(folder: RunFolder, *, overwrite: bool) -> None:
    """Refuse a place that holds what a run must not touch."""
    path = folder.path
    with folder.writing():
        there = path.exists()  # raises where the name is too long, or a folder above may not be gone through
    if there and not path.is_dir():
        raise OutputError(f"{path}: expected a folder, found a file\n  choose another one:   --set output=...")
    if not folder.begun and any(not part.is_dir() for part in path.rglob("*")):
        raise OutputError(
            f"{path}: this folder is not empty and holds no run of hftoolkit\n  choose another one:   --set output=..."
        )
    if folder.complete and not overwrite:
        raise OutputError(
            f"{path}: this folder holds a finished run\n"
            f"  look at it:     {path / 'report.md'}\n"
            "  run again:      add --overwrite, or choose another folder with --set output=..."
        )
    if overwrite and folder.begun and (foreign := _foreign(path)):
        raise OutputError(
            f"{path}: this folder holds files that are not of the run: {', '.join(foreign)}\n"
            "  move them away, or choose another folder:   --set output=..."
        )
    if overwrite and Path.cwd().is_relative_to(path.resolve()):
        raise OutputError(f"{path}: the current folder cannot be overwritten\n  go to another one first:   cd ..")


def _foreign(path: Path) -> list[str]:
    """Names in a run's folder that no run writes."""
    return sorted(part.name for part in path.iterdir() if not any(part.match(own) for own in _OURS))


def _set_aside(folder: RunFolder, aside: Path) -> None:
    """Move a run away; one that was moved before, for a run that was never finished, is the one to keep."""
    if aside.is_dir() and not folder.complete:
        shutil.rmtree(folder.path)
        return
    if aside.is_dir():
        shutil.rmtree(aside)
    os.replace(folder.path, aside)


def _put_back(path: Path, aside: Path, missing: Sequence[Path]) -> None:
    """Remove a run that did not begin, with the folders that were made for it."""
    shutil.rmtree(path, ignore_errors=True)
    if aside.is_dir():
        os.replace(aside, path)
    elif path not in missing:
        path.mkdir()
    for place in missing[1:]:
        with suppress(OSError):  # something else is in it by now
            place.rmdir()


def _unwritable(path: Path, error: Exception) -> OutputError:
    return OutputError(
        f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}\n"
        "  free some space or choose another folder:   --set output=...\n"
        "  an unfinished run continues from its last checkpoint when started again"
    )
