"""The rows of a run: training, validation and test, split and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.data.splitting import hold_out, hold_out_files, leakage
from hftoolkit.recipe.schema import Data, Source, Split


@dataclass(frozen=True)
class RunRows:
    """All rows of a run."""

    train: Rows
    validation: Rows
    tests: Mapping[str, Rows]

    leaks: Mapping[str, int]
    """Rows of each test set whose input stands in the training rows too."""


def load_run(data: Data, inputs: Sequence[str], answers: Sequence[str], *, folder: Path, seed: int) -> RunRows:
    """Load, filter and split all that a recipe names.

    Args:
        data: The recipe's data.
        inputs: Roles needed to predict.
        answers: Roles needed to learn and to be measured.
        folder: Where rows are kept.
        seed: Seed of the splits.

    Raises:
        DataError: If a file cannot be read, or a split is empty.
    """
    train = load_rows(data.train, inputs, answers, filters=data.filters, folder=folder, languages=data.languages)
    held: dict[str, Rows] = {}
    wanted = {"data.validation": data.validation, **{f"data.test.{name}": part for name, part in data.test.items()}}
    for number, (key, part) in enumerate(wanted.items()):
        if isinstance(part, Split):
            # Each split has its own seed: with one alone, a second split of equal size would look in vain.
            divide = hold_out_files if part.by == "file" else hold_out
            train, held[key] = divide(train, part.split, seed + number)
        else:
            held[key] = _load_whole(part, data, inputs, answers, folder)
    tests = {name: held[f"data.test.{name}"] for name in data.test}
    return RunRows(train, held["data.validation"], tests, {name: leakage(train, rows) for name, rows in tests.items()})


def load_tests(
    data: Data, inputs: Sequence[str], answers: Sequence[str], *, folder: Path, seed: int
) -> Mapping[str, Rows]:
    """Only the test sets; the training rows are read where a test set is split from them."""
    if any(isinstance(part, Split) for part in data.test.values()):
        return load_run(data, inputs, answers, folder=folder, seed=seed).tests
    return {
        name: _load_whole(part, data, inputs, answers, folder)
        for name, part in data.test.items()
        if not isinstance(part, Split)
    }


def _load_whole(source: Source, data: Data, inputs: Sequence[str], answers: Sequence[str], folder: Path) -> Rows:
    return load_rows([source], inputs, answers, filters=None, folder=folder, languages=data.languages)
