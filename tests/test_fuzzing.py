"""Recipes and data files in which anything may be wrong: they are refused with the place of what is wrong, or run."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from file_mutations import data_files
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mutations import TOP, Mutant
from recipe_mutations import recipes
from sandbox import CANARY, Ran, World
from tiny_models import tiny_bert, tiny_gpt2, tiny_llama

from hftoolkit import fitting
from hftoolkit.recipe.parsing import parse
from hftoolkit.training.loop import Step

pytestmark = pytest.mark.usefixtures("no_pictures", "_few_steps")

SECONDS: Final = 60.0
"""A run of one step takes less than one; machines may be busy."""

STEPS: Final = 20
"""Steps after which a user interrupts a run that would go on for ever."""

INTERRUPTED: Final = 130

_KEY: Final = re.compile(
    r"(?:^|[ '])(?:--set|model|data|adapter|training|evaluation|options|tracking|endpoint|output)(?:\.[\w.]+)?(?:'|: )"
)
"""A key of the recipe."""

_PLACE: Final = re.compile(r"(?:line|row|rows|entry|unit|byte) \d+|\[\d+\]|^step \d+: ")
"""A place in a data file, or the step at which training diverged."""

_WHOLE: Final = (
    *(
        "is empty",
        "no row is left of ",
        "no row is held out",
        "no row is left to learn from",
        "all rows are from one file",
    ),
    *("no column ", "columns: ", "columns are named ", "the first line has ", "equally many lines", "encoding: "),
    *("not gzip, damaged or cut off: ", "cannot be read as Parquet: ", "declares entities of its own"),
    *("the outermost element is ", "no unit is in ", "expected a list in brackets", "expected nothing behind the list"),
)
"""What is said of a data file as a whole."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with tiny models in it."""
    top = tmp_path_factory.mktemp("world")
    for make in (tiny_bert, tiny_gpt2, tiny_llama):
        make(top / "models" / make.__name__.removeprefix("tiny_"))
    return World(top)


@pytest.fixture
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are interrupted when it is clear that they go on."""
    whole = fitting.steps_of

    def few(*arguments: Any) -> Iterator[Step]:
        for number, step in enumerate(whole(*arguments)):
            if number == STEPS:
                raise KeyboardInterrupt
            yield step

    monkeypatch.setattr(fitting, "steps_of", few)


def test_recipes_are_refused_with_a_place_or_run(world: World) -> None:
    _try_all(world, recipes(), 24)


def test_data_files_are_refused_with_a_place_or_run(world: World) -> None:
    _try_all(world, data_files(), 24)


@pytest.mark.slow
def test_two_thousand_recipes(world: World) -> None:
    _try_all(world, recipes(), 2000)


@pytest.mark.slow
def test_five_hundred_data_files(world: World) -> None:
    _try_all(world, data_files(), 500)


def _try_all(world: World, mutants: st.SearchStrategy[Mutant], number: int) -> None:
    """Try so many mutants, always the same ones; a fifth of them must run."""
    tally: Counter[str] = Counter()

    @settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(mutants, st.integers(0, 3))
    def each(mutant: Mutant, draw: int) -> None:
        accepted = accepts(world, mutant, *(("check", "--json") if draw == 0 else ("finetune",)))
        tally["accepted" if accepted else "refused"] += 1

    each()
    assert tally.total() >= number
    assert tally["accepted"] >= 0.2 * number, tally


def accepts(world: World, mutant: Mutant, command: str, *options: str) -> bool:
    """Whether a mutant is accepted and runs; if it is not, it is refused as it should be."""
    stand_in, top = TOP.encode(), str(world.top).encode()
    files = {f"data/{name}": content.replace(stand_in, top) for name, content in mutant.files.items()}
    recipe = mutant.recipe.replace(stand_in, top)
    world.clear({**files, "recipe.yaml": recipe})
    overrides = [text.replace(TOP, str(world.top)) for text in mutant.overrides]
    ran = world.run(command, "recipe.yaml", *(f"--set={text}" for text in overrides), *options, seconds=SECONDS)
    said = ran.outcome.out + ran.outcome.err
    assert ran.outcome.code in (0, 1, 2, INTERRUPTED), said
    assert "Traceback" not in said
    assert not ran.noted
    says = _read(recipe, overrides)
    _check_written(world, ran, says)
    if mutant.broken:
        assert CANARY not in said
        assert not world.holds(CANARY)
    if ran.outcome.code in (0, INTERRUPTED):
        return True
    for message in _errors(ran, command):
        _check_place(message.replace(str(world.top / "home"), "~"), recipe, says, mutant.broken)
    return False


def _check_written(world: World, ran: Ran, recipe: Mapping[str, Any]) -> None:
    """Nothing was written but the output folder, with those above it; nor was it tried outside of the world."""
    output = _output(world, recipe.get("output"))
    written = {Path(world.top, name) for name in ran.changed} | {Path(name) for name in ran.tried}
    assert not [path for path in written if not (output and (path.is_relative_to(output) or path in output.parents))]


def _output(world: World, output: Any) -> Path | None:
    """The folder of a run, from the root; None where what a recipe says is none."""
    if not isinstance(output, str):
        return None
    home = str(world.top / "home")
    return Path(os.path.abspath(world.work / (home + output[1:] if f"{output}/".startswith("~/") else output)))


def _errors(ran: Ran, command: str) -> list[str]:
    """The messages that say why a command did not go on."""
    if command == "check":
        found = json.loads(ran.outcome.out)["findings"]
        return [finding["message"] for finding in found if finding["level"] == "error"]
    return [ran.outcome.err[ran.outcome.err.index("error: ") :].removeprefix("error: ")]


def _check_place(message: str, text: bytes, recipe: Mapping[str, Any], broken: str) -> None:
    """An error names its place: all problems of a recipe with their lines; else a name or a key of the recipe, and in a
    data file, a line, a row or whatever it has, if it is not about the file as a whole."""
    first, *more = message.splitlines()
    if count := re.fullmatch(r"recipe\.yaml: (\d+) problems? in this recipe", first):
        lines = [re.match(r"  (?:line (\d+)|--set): \S", line) for line in more]
        assert len(lines) == int(count[1]), message
        last = len(text.splitlines()) + 1
        assert all(line and 1 <= int(line[1] or 1) <= last for line in lines), message
        return
    where = f"{first}\n{more[0]}" if first.endswith("do not fit") else first
    if broken and f"data/{broken}" in where:
        assert _PLACE.search(where) or any(words in where for words in _WHOLE), message
    else:
        named = any(_is_named(name, where) for name in ("recipe.yaml", *_texts(recipe)))
        assert named or _KEY.search(where) or _PLACE.search(where), message


def _is_named(name: str, where: str) -> bool:
    return f"'{name}'" in where or where.startswith(f"{name}:") or (len(name) > 2 and name in where)


def _read(recipe: bytes, overrides: Sequence[str]) -> Mapping[str, Any]:
    """What a recipe says, as far as it can be read, with what is said on the command line under whole keys."""
    value = parse(recipe.decode("utf-8-sig", "replace")).value
    said = {key: parse(text).value for key, _, text in (override.partition("=") for override in overrides)}
    return {**value, **said} if isinstance(value, dict) else said


def _texts(value: Any) -> Iterator[str]:
    """All texts of a recipe, as they are, as Python shows them, and as paths are written."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield from (value, repr(value)[1:-1], os.path.normpath(value), Path(value).as_posix())
