"""Systems to be compared: what they are, and each run in a process of its own, so that its memory is its own."""

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import DataError, ModelError, UsageError
from hftoolkit.metrics.significance import resampled
from hftoolkit.models.suspicions import suspicions
from hftoolkit.recipe.schema import Languages, Recipe
from hftoolkit.reports.scores import Score
from hftoolkit.scoring import score, scores
from hftoolkit.tasks import find_task
from hftoolkit.tasks.base import Task
from hftoolkit.tasks.translation import Translated, Translation

Engine = Literal["auto", "ctranslate2", "torch", "openai"]

_NAMED: Final = re.compile(r"([^=/\\]*)=(.+)", re.DOTALL)
_ENGINE: Final = re.compile(r"(ctranslate2|torch|openai):(.+)", re.DOTALL)


@dataclass(frozen=True)
class System:
    """What answers: a model in an engine, a model of a server, or a file with a line for every row."""

    name: str
    """As tables call it."""

    model: str
    """Checkpoint, adapter, name of a server's model, or a file."""

    engine: Engine = "auto"

    file: bool = False
    """Whether it is a file of answers."""


@dataclass(frozen=True)
class Work:
    """What a system is to do."""

    task: str
    options: Mapping[str, Any]
    languages: Languages | None
    rows: Sequence[Mapping[str, Any]]
    decoding: Decoding = field(default_factory=Decoding)

    recipe: Recipe | None = None
    """That the rows are of, if they are of one."""

    server: Any = None
    """Where models of a server are."""


@dataclass(frozen=True)
class Ran:
    """What a system did."""

    made: str
    shown: list[str]
    scores: list[Score]

    samples: Mapping[str, NDArray[np.float64]]
    """Every score of rows drawn again: the same rows for every system."""

    sizes: Mapping[str, int]
    """Counts that each score has of a row: of systems with other labels they differ."""

    by_row: NDArray[np.float64]
    """The ranking score of every row."""

    ranking: str
    decimals: int
    rate: float | None
    memory: int | None
    flags: int | None
    notes: tuple[str, ...]


def read_system(text: str) -> System:
    """A system as a command names it: ``NAME=``, if it shall be called so, then a file of answers, or a model with its
    engine in front, such as ``torch:demo``, if it matters.

    Raises:
        UsageError: If nothing is named.
    """
    named = None if _there(text) else _NAMED.fullmatch(text)
    name, rest = (named[1].strip(), named[2]) if named else ("", text)
    engine = _ENGINE.fullmatch(rest)
    model = engine[2] if engine else rest
    if not model.strip() or (named and not name):
        raise UsageError(f"'{text}': expected a model or a file of answers, perhaps with a name in front: NAME=MODEL")
    if engine is None and model.endswith(".txt") and not _there(model):
        raise DataError(f"{model}: no such file\n  names count from the current folder")
    if engine is None and _there(model) and Path(model).is_file():
        return System(name or Path(model).name, model, file=True)
    kind: Any = engine[1] if engine else "auto"
    return System(name or rest, model, kind)


def _there(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # no name that a file could have
        return False


def run(system: System, work: Work) -> Ran:
    """Let a system answer, and score it.

    Raises:
        HftoolkitError: As loading and predicting do.
        ModelError: If its process was ended from outside.
    """
    if system.file:
        return _answers_of(system, work)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            pool.submit(abs, 0).result()
        except BrokenProcessPool as error:
            raise UsageError(
                "a model runs in a process of its own, which reads your script again from its beginning\n"
                '  put what it does below:   if __name__ == "__main__":'
            ) from error
        try:
            return pool.submit(_run, system, work).result()
        except BrokenProcessPool as error:
            raise ModelError(
                f"{system.name}: its process was ended from outside, perhaps for want of memory\n"
                "  free some, or leave this system out"
            ) from error


def _run(system: System, work: Work) -> Ran:
    """In a process of its own."""
    from hftoolkit.models.devices import choose_device, peak_memory

    task, made, predictions, seconds, notes = (
        _translated(system, work) if work.task == "translation" else _predicted(system, work)
    )
    rate = len(work.rows) / seconds if seconds else None
    used = None if system.engine == "openai" else peak_memory(choose_device())
    return _scored(task, work, made, predictions, rate, used, notes)


def _translated(system: System, work: Work) -> tuple[Task, str, list[Any], float, tuple[str, ...]]:
    from hftoolkit.translating import open_translator

    languages = work.languages
    if languages is None:
        raise UsageError("translation needs its languages\n  add:   --from en --to zh")
    translator = open_translator(
        system.model, source=languages.source, target=languages.target, engine=system.engine, server=work.server
    )
    sources = [row["source"] for row in work.rows]
    before = getattr(translator.engine, "kept", 0)
    list(translator.predict(sources[:1], work.decoding))  # loads what is loaded late
    begin = time.perf_counter()
    texts = list(translator.predict(sources, work.decoding))
    seconds = time.perf_counter() - begin
    remote = system.engine == "openai"
    if getattr(translator.engine, "kept", 0) > before + 1:
        seconds = 0.0  # answers from before say nothing about the server
    made = translator.engine.signature + ("" if remote else f"|{work.decoding}")
    notes = (*translator.notes, *(translator.engine.notes if remote else ()))
    task = find_task("translation")(work.options, languages)
    return task, made, [Translated(text) for text in texts], seconds, notes


def _predicted(system: System, work: Work) -> tuple[Task, str, list[Any], float, tuple[str, ...]]:
    from hftoolkit.models.devices import choose_device
    from hftoolkit.models.loading import load_checkpoint
    from hftoolkit.scoring import engine_of, made

    if system.engine not in ("auto", "torch"):
        raise UsageError(f"{system.name}: the engine {system.engine} translates, and this is {work.task}")
    if work.recipe is None:
        raise UsageError(f"{work.task} is compared on a recipe's test set\n  name a recipe")
    task = find_task(work.task)(work.options, work.languages)
    loaded = load_checkpoint(system.model, task.auto_class)
    if loaded.saved is not None and loaded.saved.task != work.task:
        raise ModelError(f"{system.name}: this model was tuned for {loaded.saved.task}, not for {work.task}")
    loaded.model.to(choose_device())
    task.restore(loaded.saved, loaded.model.config)
    task.bind(loaded.tokenizer, loaded.model.config)
    engine = engine_of(task, loaded.model, loaded.tokenizer, work.recipe)
    begin = time.perf_counter()
    predictions = list(task.predict(engine, work.rows, work.decoding))
    seconds = time.perf_counter() - begin
    return task, made(task, engine, work.decoding), predictions, seconds, (*loaded.notes, *engine.notes)


def _answers_of(system: System, work: Work) -> Ran:
    """Score a file of translations."""
    if work.task != "translation":
        raise UsageError(f"{system.name}: answers in a file can be compared for translation, not for {work.task}")
    from hftoolkit.scoring_files import read_texts

    (texts,), _ = read_texts([Path(system.model)])
    if len(texts) != len(work.rows):
        raise DataError(
            f"{system.model}: {len(texts):,} lines for {len(work.rows):,} rows\n"
            "  line N must be the translation of row N; an empty translation is an empty line"
        )
    task = find_task("translation")(work.options, work.languages)
    return _scored(task, work, "", [Translated(text) for text in texts], None, None, ())


def _scored(
    task: Task,
    work: Work,
    made: str,
    predictions: Sequence[Any],
    rate: float | None,
    memory: int | None,
    notes: tuple[str, ...],
) -> Ran:
    measures = task.every_measure()
    scored = score(task, predictions, work.rows, measures=measures)
    ranking = next(measure for measure in measures if measure.name == (task.ranking or task.goal))
    flags = None
    if isinstance(task, Translation):
        pairs = zip(work.rows, scored.shown, strict=True)
        flags = sum(bool(suspicions(row["source"], text, task.languages.target)) for row, text in pairs)
    counts = scored.counts
    return Ran(
        made=made,
        shown=scored.shown,
        scores=scores(task, scored, measures=measures),
        samples={one.name: resampled(counts[one.name], one.total, whole=one.whole) for one in measures},
        sizes={one.name: counts[one.name].shape[1] for one in measures},
        by_row=np.array([ranking.total(row) for row in counts[ranking.name]]) * (1 if ranking.higher else -1),
        ranking=ranking.name,
        decimals=ranking.decimals,
        rate=rate,
        memory=memory,
        flags=flags,
        notes=notes,
    )
