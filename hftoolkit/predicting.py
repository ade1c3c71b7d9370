"""A checkpoint by its name, ready to predict: the task it was tuned for, its model in an engine."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hftoolkit import hub
from hftoolkit.errors import ModelError
from hftoolkit.models.adapter_folders import adapter_base, is_adapter
from hftoolkit.models.saved import read_saved
from hftoolkit.tasks import find_task
from hftoolkit.tasks.base import Task

_BY_ENDING: Final[Mapping[str, str]] = {
    "ForSequenceClassification": "classification",
    "ForTokenClassification": "ner",
    "ForQuestionAnswering": "question_answering",
    "ForMaskedLM": "pretraining",
    "ForPreTraining": "pretraining",
    "MarianMTModel": "translation",
    "ForCausalLM": "language_modelling",
    "LMHeadModel": "language_modelling",
}
"""The task of a checkpoint from elsewhere, by the end of its architecture's name."""


Given = Mapping[str, Any]
"""What a user gives for a prediction: a text for every role that the task asks for, and perhaps more."""


@dataclass(frozen=True)
class Opened:
    """A checkpoint that predicts."""

    name: str
    """As the user wrote it."""

    task: Task
    engine: Any

    notes: tuple[str, ...]
    """What should be said about it."""


def task_of(name: str, revision: str = "main") -> str:
    """What a checkpoint was tuned for.

    Args:
        name: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder.
        revision: Branch, tag or commit of a hub id.

    Raises:
        HubError: If it cannot be fetched.
        ModelError: If it does not say, or for something that is no task here.
    """
    folder = hub.resolve(name, revision)
    saved = read_saved(folder)
    while saved is None and is_adapter(folder):
        folder = hub.resolve(*adapter_base(folder))
        saved = read_saved(folder)
    if saved is not None:
        return saved.task
    kind = _architecture(folder)
    found = next((task for ending, task in _BY_ENDING.items() if kind.endswith(ending)), None)
    if found is None:
        raise ModelError(
            f"{name}: this checkpoint was not tuned for a task that is known here"
            + (f": it is a '{kind}'" if kind else "")
            + "\n  train it first:   hftoolkit finetune RECIPE"
        )
    return found


def open_task(
    name: str,
    kind: str,
    *,
    device: int | str | None = None,
    revision: str = "main",
    options: Mapping[str, Any] | None = None,
) -> Opened:
    """Load a checkpoint for its task, in float32.

    Args:
        name: Hub id, folder, ``package:NAME/FOLDER`` or adapter folder.
        kind: Name of the task.
        device: A GPU's number, -1 for the CPU, or a name; None: the best there is.
        revision: Branch, tag or commit of a hub id.
        options: The task's, for a checkpoint from elsewhere, which does not say them.

    Raises:
        HubError: If it cannot be fetched.
        ModelError: If it cannot be loaded, or was tuned for something else.
    """
    from hftoolkit.models.devices import choose_device
    from hftoolkit.models.loading import load_checkpoint

    saved = read_saved(hub.resolve(name, revision))
    if saved is not None and saved.task != kind:
        raise ModelError(
            f"{name}: this model was tuned for {_words(saved.task)}, not for {_words(kind)}\n"
            "  choose another model, or load it as what it is:   hftoolkit.load(MODEL)"
        )
    task = find_task(kind)(options, None) if saved is None and options else find_task(kind).of(saved)
    loaded = load_checkpoint(name, task.auto_class, revision=revision)
    loaded.model.to(choose_device(device))
    task.restore(loaded.saved, loaded.model.config)
    task.bind(loaded.tokenizer, loaded.model.config)
    return Opened(name, task, task.engine(loaded.model, loaded.tokenizer), loaded.notes)


def answered(
    opened: Opened, rows: Iterable[Given], top_k: int = 1, *, roles: Sequence[str] | None = None
) -> Iterator[tuple[Given, dict[str, Any]]]:
    """Predict for rows as they come, in order and in constant memory.

    Args:
        opened: The model.
        rows: What is given; what the task does not ask for is not looked at.
        top_k: Answers wanted; more than one come under ``top``, the best first.
        roles: What of a row is looked at; None: what the task asks for.

    Returns:
        Every row with what is predicted, as values that JSON knows.
    """
    task = opened.task
    waiting: deque[Given] = deque()

    def read() -> Iterator[Mapping[str, Any]]:
        for row in rows:
            waiting.append(row)
            yield task.row_of({role: row[role] for role in roles or task.asked})

    for prediction in task.predict(opened.engine, read()):
        record = task.record(prediction)
        yield waiting.popleft(), record | ({"top": task.ranked(prediction, top_k)} if top_k > 1 else {})


def _architecture(folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return str((config.get("architectures") or [""])[0])
    except (OSError, ValueError, AttributeError, TypeError, IndexError, KeyError):
        return ""


def _words(task: str) -> str:
    return task.replace("_", " ")
