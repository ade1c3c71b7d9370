"""Several systems on the same rows: scores with intervals, paired tests against the first, speed, memory, page."""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from hftoolkit import hub
from hftoolkit.data.prepared import load_tests
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import OutputError, UsageError
from hftoolkit.evaluation import read
from hftoolkit.languages import normalise
from hftoolkit.metrics.significance import paired
from hftoolkit.recipe.schema import Languages, Recipe
from hftoolkit.reports import comparison
from hftoolkit.reports.comparison import SHOWN, Comparison, Differing, Side
from hftoolkit.reports.scores import Change
from hftoolkit.scoring_files import read_texts
from hftoolkit.systems import Ran, System, Work, read_system, run
from hftoolkit.tasks import find_task

FILES: Final = ("compare.md", "compare.html", "compare.json")


def compare(
    systems: Sequence[str],
    *,
    recipe: Recipe | Mapping[str, Any] | str | Path | None = None,
    test: str | None = None,
    sources: str | Path | None = None,
    references: Sequence[str | Path] = (),
    source: str | None = None,
    target: str | None = None,
    beams: int = 4,
    server: Any = None,
    output: str | Path | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Compare systems on the same rows: translations of text files, or a test set of a recipe of any task.

    Every model runs in a process of its own, so that time and memory are its own. Translations are bare decoding, line
    by line, as reports score them.

    Args:
        systems: Checkpoints, adapters, runs or, for translation, files of outputs and models of a server; perhaps with
            a name or an engine in front: ``tuned=runs/mine``, ``torch:demo``, ``openai:qwen2.5:3b``, ``human.txt``. The
            first is what the others are tested against.
        recipe: A recipe, its file, or the name of a built-in one, whose test set is used.
        test: Which of its test sets; left out: the first.
        sources: A file of sources, a line each, in the place of a recipe.
        references: Files of what their translations should be, line for line.
        source: Language of the sources; left out: English.
        target: Language translated to.
        beams: 1 is greedy.
        server: An `hftoolkit.engines.openai_server.Server`, for models of a server.
        output: Folder for compare.md, compare.html and compare.json.
        overwrite: Replace them.

    Raises:
        UsageError: If it is not said what to compare, or on what.
        RecipeError: If the recipe has problems.
        DataError: If rows cannot be read, or a file has other lines.
        ModelError: If a model cannot be loaded or does not suit.
        HubError: If something cannot be fetched, or a server does not answer.
        OutputError: If the files are there, or cannot be written.
    """
    asked = [read_system(text) for text in systems]
    if not asked:
        raise UsageError("no system to compare\n  name a model, a run or a file of translations, or several")
    asked = _told_apart(asked)
    folder = None if output is None else _free(Path(output), overwrite=overwrite)
    if recipe is None and sources is None:
        raise UsageError("compared on what?\n  name a recipe, or a file of sources with its references")
    files = {"sources": sources, "references": references, "source": source, "target": target}
    if recipe is not None and (odd := [name for name, value in files.items() if value]):
        raise UsageError(f"{odd[0]}: the recipe says it already\n  leave one of them out")
    if recipe is None and test is not None:
        raise UsageError("test: this is about a recipe's test sets\n  leave it out")
    made = None if recipe is None else read(recipe, [])
    with hub.using(None if made is None else hub.of_recipe(made.endpoint)):
        if made is not None:
            work = _of_recipe(made, test)
        else:
            work = _of_files(Path(str(sources)), [Path(one) for one in references], source, target)
        work = replace(work, decoding=Decoding(beams), server=server)
        ran = [run(system, work) for system in asked]
    found = _comparison(asked, ran, work)
    if folder is not None:
        _write(found, folder)
    return found


def _told_apart(systems: Sequence[System]) -> list[System]:
    """With another name for each."""
    found: list[System] = []
    for system in systems:
        taken = {one.name for one in found}
        name, number = system.name, 2
        while name in taken:
            name, number = f"{system.name} ({number})", number + 1
        found.append(replace(system, name=name))
    return found


def _of_recipe(made: Recipe, test: str | None) -> Work:
    task = find_task(made.task)(made.options, made.data.languages)
    tests = load_tests(
        made.data, task.inputs, task.answers, folder=hub.cache_folder() / "rows", seed=made.training.seed
    )
    name = test or next(iter(tests))
    if name not in tests:
        raise UsageError(f"no test set '{name}' in this recipe\n  it has: {', '.join(tests)}")
    rows = [dict(row) for row in tests[name]]
    return Work(made.task, made.options, made.data.languages, rows, recipe=made)


def _of_files(sources: Path, references: Sequence[Path], source: str | None, target: str | None) -> Work:
    if not references:
        raise UsageError("no references: there is nothing to score against\n  name a file of them, or several")
    if target is None:
        raise UsageError("the language of the translations is missing: it chooses how words are told apart")
    for tag in (target, source or "en"):
        normalise(tag)
    (texts, *others), _ = read_texts([sources, *references])
    rows = [{"source": text, "target": list(known)} for text, *known in zip(texts, *others, strict=True)]
    return Work("translation", {}, Languages(source=source or "en", target=target), rows)


def _comparison(systems: Sequence[System], ran: Sequence[Ran], work: Work) -> Comparison:
    first = ran[0]
    sides = []
    for system, one in zip(systems, ran, strict=True):
        changes = {}
        bases = {} if one is first else {score.name: score for score in first.scores}
        for score in one.scores:
            base = bases.get(score.name)
            if base is not None and _comparable(score.signature) == _comparable(base.signature):
                samples = first.samples[score.name], one.samples[score.name]
                found = paired(*samples, score.value - base.value)
                changes[score.name] = Change(found.difference, found.low, found.high, found.p)
        sides.append(Side(system.name, one.made, one.scores, changes, one.rate, one.memory, one.flags, one.notes))
    return Comparison(work.task, len(work.rows), sides, first.ranking, first.decimals, _differing(ran, work))


def _comparable(signature: str) -> str:
    """What two scores must have in common: not the thresholds, which every system has of its own."""
    return re.sub(r"threshold[: ]-?[\d.]+", "", signature)


def _differing(ran: Sequence[Ran], work: Work) -> list[Differing]:
    """The rows on which the systems' scores are farthest apart."""
    by_row = np.stack([one.by_row for one in ran])  # [systems, N]
    spread = by_row.max(axis=0) - by_row.min(axis=0)
    task = find_task(work.task)(work.options, work.languages)
    found = []
    for place in np.argsort(-spread, kind="stable")[:SHOWN]:
        if spread[place] <= 0:
            break
        source, references = task.shown_row(work.rows[place])
        answers = [one.shown[place] for one in ran]
        scores = [float(abs(value)) for value in by_row[:, place]]
        found.append(Differing(int(place) + 1, source, references, answers, scores))
    return found


def _free(folder: Path, *, overwrite: bool) -> Path:
    there = [name for name in FILES if (folder / name).exists()]
    if there and not overwrite:
        raise OutputError(f"{folder / there[0]}: exists already\n  choose another folder, or add:   --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}\n  choose another folder") from error
    return folder


def _write(found: Comparison, folder: Path) -> None:
    contents = (comparison.markdown(found), comparison.page(found), found.to_json())
    for name, text in zip(FILES, contents, strict=True):
        draft = folder / f".{name}.{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(text, encoding="utf-8", errors="replace")
            os.replace(draft, folder / name)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise OutputError(
                f"{folder / name}: cannot be written: {error.strerror}\n  choose another folder"
            ) from error
