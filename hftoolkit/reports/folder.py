"""The folder of a run: fresh, unfinished or finished; its step log and its predictions."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from hftoolkit.errors import OutputError
from hftoolkit.recipe.schema import Recipe
from hftoolkit.recipe.writer import write_recipe
from hftoolkit.reports.run import Point


@dataclass(frozen=True)
class RunFolder:
    """Where a run writes; complete when report.json is there."""

    path: Path

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
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]

    def rewind(self, step: int) -> None:
        """Drop from the log what came after a checkpoint."""
        kept = "".join(json.dumps(line) + "\n" for line in self.lines() if line["step"] <= step)
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


def open_run(recipe: Recipe, *, overwrite: bool) -> RunFolder:
    """Make the folder of a run, or find it unfinished.

    Args:
        recipe: With all that is chosen by the machine filled in.
        overwrite: Remove a run that is there.

    Raises:
        OutputError: If the folder holds a finished run, an unfinished one of another recipe, or anything else.
    """
    path = Path(recipe.output)
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path}: expected a folder, found a file\n  choose another one:   --set output=...")
    ours = (path / "recipe.yaml").is_file()
    if path.is_dir() and any(path.iterdir()) and not ours:
        raise OutputError(
            f"{path}: this folder is not empty and holds no run of hftoolkit\n  choose another one:   --set output=..."
        )
    if ours and overwrite:
        shutil.rmtree(path)
        ours = False
    if (path / "report.json").is_file():
        raise OutputError(
            f"{path}: this folder holds a finished run\n"
            f"  look at it:     {path / 'report.md'}\n"
            "  run again:      add --overwrite, or choose another folder with --set output=..."
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not ours:
            write_recipe(recipe, path / "recipe.yaml")
    except OSError as error:
        raise _unwritable(path, error) from error
    if ours and (differing := _differing(recipe, path)):
        raise OutputError(
            f"{path}: this folder holds an unfinished run of another recipe; they differ in: {', '.join(differing)}\n"
            f"  continue that one:   hftoolkit finetune {path / 'recipe.yaml'}\n"
            "  start again:         add --overwrite, or choose another folder with --set output=..."
        )
    return RunFolder(path)


def _differing(recipe: Recipe, path: Path) -> list[str]:
    """Lines of the saved recipe that the new one says otherwise."""
    saved = (path / "recipe.yaml").read_text(encoding="utf-8").splitlines()
    draft = path / "recipe.yaml.partial"  # in the same folder, because paths are written relative to it
    write_recipe(recipe, draft)
    wanted = draft.read_text(encoding="utf-8").splitlines()
    draft.unlink()
    return sorted({line.split(":")[0].strip(" -") for line in set(saved) ^ set(wanted)} - {""})


def _unwritable(path: Path, error: Exception) -> OutputError:
    return OutputError(
        f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}\n"
        "  free some space or choose another folder:   --set output=...\n"
        "  an unfinished run continues from its last checkpoint when started again"
    )
