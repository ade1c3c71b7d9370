"""The exceptions, and the tree that is drawn of them."""

import inspect
import re

import pytest

from hftoolkit import errors
from hftoolkit.errors import HftoolkitError, Problem, RecipeError

CLASSES = {
    name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, HftoolkitError)
}


def drawn() -> list[tuple[str, str, int]]:
    """Name, name of the base and exit code of every exception in the drawing."""
    found: list[tuple[str, str, int]] = []
    above: list[tuple[int, str]] = [(-1, "Exception")]
    for line in (errors.__doc__ or "").splitlines():
        if entry := re.match(r"( {4}[│├└─ ]*)(\w+) +exit (\d)", line):
            depth, name = len(entry[1]), entry[2]
            while above[-1][0] >= depth:
                above.pop()
            found.append((name, above[-1][1], int(entry[3])))
            above.append((depth, name))
    return found


def test_the_drawing_is_the_classes() -> None:
    real = [(name, kind.__bases__[0].__name__, kind.exit_code) for name, kind in CLASSES.items()]
    assert sorted(drawn()) == sorted(real)


def test_the_drawing_has_the_order_of_the_file_where_it_can() -> None:
    names = [name for name, _, _ in drawn()]
    assert names == sorted(names, key=list(CLASSES).index)


@pytest.mark.parametrize("kind", CLASSES.values())
def test_every_exception_says_what_it_is_for(kind: type[HftoolkitError]) -> None:
    assert kind.__doc__


def test_one_problem_of_a_recipe() -> None:
    error = RecipeError("mine.yaml", [Problem(3, "model.nmae", "unknown key; did you mean 'name'?")])
    assert str(error) == (
        "mine.yaml: 1 problem in this recipe\n  line 3: model.nmae: unknown key; did you mean 'name'?"
    )


def test_several_problems_of_a_recipe_with_and_without_place() -> None:
    problems = [Problem(1, "", "expected keys, got a list"), Problem(None, "training.epochs", "expected a number")]
    error = RecipeError("mine.yaml", problems)
    assert error.problems == tuple(problems)
    assert str(error) == (
        "mine.yaml: 2 problems in this recipe\n"
        "  line 1: expected keys, got a list\n"
        "  --set: training.epochs: expected a number"
    )
