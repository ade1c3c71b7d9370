"""`hftoolkit predict`."""

import json
import sys
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out

if TYPE_CHECKING:
    from hftoolkit.predicting import Given, Opened


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--model", required=True, metavar="MODEL", help="A run, folder, hub id, package:NAME/FOLDER or adapter.")
@click.option("--file", "-f", metavar="FILE", type=click.Path(path_type=Path), help="Predict for all of this file.")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Ends in .jsonl, .csv or .tsv; of answers by question id, in .json; of tagged words, in .conll.",
)
@click.option("--format", "format", metavar="FORMAT", help="Of --file; left out: told by its name, else a text a line.")
@click.option("--column", "columns", metavar="ROLE=COLUMN", multiple=True, help="Where a role stands; may be repeated.")
@click.option(
    "--keep", metavar="[NAME=]COLUMN", multiple=True, help="Write this column too, under a name; may be repeated."
)
@click.option("--top-k", type=click.IntRange(1), metavar="NUMBER", default=1, help="List so many answers for each.")
@click.option("--device", metavar="DEVICE", help="cpu, cuda, mps or a GPU's number; left out: the best there is.")
@click.option("--overwrite", is_flag=True, help="Replace --output.")
@hub_options
def predict(
    texts: tuple[str, ...],
    model: str,
    file: Path | None,
    output: Path | None,
    format: str | None,
    columns: tuple[str, ...],
    keep: tuple[str, ...],
    top_k: int,
    device: str | None,
    overwrite: bool,
) -> None:
    """Predict for TEXT, a file, or standard input, a text a line.

    A model that reads several texts, such as a question and its context, is given them one after the other. Predictions
    go to standard output as JSON lines, everything else to standard error.
    """
    if texts and file is not None:
        raise click.UsageError("give texts or --file, not both")
    if not texts and file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError('nothing to predict from: give a text, as in: hftoolkit predict --model RUN "A text."')
    if file is None and (output is not None or columns or keep or format):
        raise click.UsageError("--output, --format, --column and --keep are about a file: give --file too")

    from typing import get_args

    from hftoolkit.generating import TASKS
    from hftoolkit.predicting import open_task, task_of
    from hftoolkit.predicting_files import Account, Wishes, predict_file, predictions, recorded
    from hftoolkit.recipe.schema import Format

    if format is not None and format not in get_args(Format):
        raise click.UsageError(f"--format: unknown format '{format}'; known: {', '.join(get_args(Format))}")
    kind = task_of(model)
    if kind == "translation":
        raise click.UsageError(f"'{model}' translates: use hftoolkit translate")
    if kind in TASKS:
        note = "this model writes: how likely it finds texts is told; hftoolkit generate shows its own"
        click.echo(f"note: {note}", err=True)
    wanted = int(device) if device is not None and device.lstrip("-").isdigit() else device
    opened = open_task(model, kind, device=wanted)
    for note in opened.notes:
        click.echo(f"note: {note}", err=True)
    account = Account()
    if file is not None:
        wishes = Wishes(_columns(columns), keep, format, top_k)  # type: ignore[arg-type]
        if output is not None:
            account = predict_file(opened, file, output, wishes, overwrite=overwrite)
        else:
            _print(predictions(opened, file, wishes, account))
    else:
        _print(recorded(opened, _given(opened, texts) if texts else _lines(opened), top_k, account))
    for note in (*account.notes, *opened.engine.notes):
        click.echo(f"note: {note}", err=True)


def _columns(given: tuple[str, ...]) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for one in given:
        role, equals, column = one.partition("=")
        if not (role and equals and column):
            raise click.UsageError(f"--column {one}: expected ROLE=COLUMN, as in --column text=sentence")
        found[role] = int(column) if column.isdecimal() else column
    return found


def _given(opened: "Opened", texts: tuple[str, ...]) -> Iterator["Given"]:
    """What stands on the command line."""
    asked = opened.task.asked
    if len(texts) != len(asked):
        raise click.UsageError(f"this model reads {' and '.join(asked)}: give {len(asked)}, got {len(texts)}")
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise click.UsageError("a text holds what is no character in the terminal's encoding: give a --file") from None
    yield dict(zip(asked, texts, strict=True))


def _lines(opened: "Opened") -> Iterator["Given"]:
    """What comes in, a text a line."""
    (role, *more) = opened.task.asked
    if more:
        raise click.UsageError(f"this model reads {' and '.join(opened.task.asked)}: give a --file that has them")
    from hftoolkit.documents.lines import decoded_lines

    lines = decoded_lines(BufferedReader(cast(RawIOBase, sys.stdin.buffer)), "standard input")
    for number, line in enumerate(lines):
        yield {role: (line if number else line.removeprefix("\ufeff")).removesuffix("\n").removesuffix("\r")}


def _print(records: Iterator[dict[str, object]]) -> None:
    for record in records:
        put_out(json.dumps(record, ensure_ascii=False))
