"""The folder of tasks is their registry."""

import subprocess
import sys

import pytest

from hftoolkit.recipe.schema import Languages, Part
from hftoolkit.tasks import find_task, task_names, task_options
from hftoolkit.tasks.base import Task

LANGUAGES = Languages(source="en", target="zh-Hans")


def test_every_file_but_the_base_is_a_task() -> None:
    assert "translation" in task_names()
    assert "base" not in task_names()
    assert task_names() == sorted(task_names())


@pytest.mark.parametrize("name", task_names())
def test_a_task_is_found_by_the_name_of_its_file(name: str) -> None:
    task = find_task(name)
    assert issubclass(task, Task)
    assert task is not Task
    assert task.name() == name


@pytest.mark.parametrize("name", task_names())
def test_its_goal_is_one_of_its_measures(name: str) -> None:
    task = find_task(name)
    measures = [measure.name for measure in task(task.Options(), LANGUAGES).measures()]
    made = task(task.Options(), LANGUAGES)
    assert made.goal in measures
    assert (made.ranking or made.goal) in measures
    assert made.deciding().name == made.goal
    assert len(set(measures)) == len(measures)


@pytest.mark.parametrize("name", task_names())
def test_it_says_what_its_rows_have(name: str) -> None:
    task = find_task(name)
    assert task.inputs
    assert task.answers or name in ("instruction_tuning", "language_modelling", "pretraining")  # it is in the inputs
    assert not set(task.inputs) & set(task.answers)
    assert task.trivial_name


def test_options_are_by_task() -> None:
    options = task_options()
    assert list(options) == task_names()
    assert all(issubclass(one, Part) for one in options.values())


def test_finding_tasks_loads_nothing_heavy() -> None:
    code = "import sys; from hftoolkit.tasks import task_options; task_options(); "
    code += "print({'torch', 'transformers', 'datasets'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "set()\n"


@pytest.mark.parametrize("name", task_names())
def test_it_can_be_asked_for_doubts(name: str) -> None:
    """A few rows are never reason enough."""
    task = find_task(name)
    assert task(task.Options(), LANGUAGES).doubts([]) == []


def test_a_task_need_not_doubt() -> None:
    """What `check` asks of a task has an answer where the task says nothing of its own."""

    class Plain(Task):
        def __init__(self) -> None:
            self.seen: list[object] = []

        def predict(self, engine: object, rows: object, decoding: object) -> object:  # type: ignore[override]
            for row in rows:  # type: ignore[attr-defined]
                self.seen.append(row)
                yield row

    Plain.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
    task = Plain()
    assert task.begin(None, ()) == task.samples(None, [{"text": "a"}], 1) == []
    assert task.doubts([{"text": "a"}]) == task.doubts_about(None) == task.doubts_of(None, None, [{"text": "a"}]) == []
    task.rehearse(None, [{"text": "a"}, {"text": "b"}], None)  # type: ignore[arg-type]
    assert task.seen == [{"text": "a"}, {"text": "b"}]
