"""`hftoolkit translate`."""

import sys
from collections.abc import Iterator
from typing import BinaryIO

import click

from hftoolkit.errors import DataError, OutputError


@click.command()
@click.argument("text", required=False)
@click.option(
    "--file", "file", metavar="FILE", type=click.Path(path_type=str), help="Translate this file, line by line."
)
@click.option(
    "--model",
    metavar="MODEL",
    help="Hub id, folder, package:NAME/FOLDER or adapter; left out: opus-mt of the languages.",
)
@click.option("--from", "source", metavar="LANGUAGE", help="Left out: what the model says, else en.")
@click.option("--to", "target", metavar="LANGUAGE", help="Such as zh-Hant; left out: what the model says, else zh.")
@click.option("--beams", type=click.IntRange(1), metavar="NUMBER", default=4, help="Left out: 4; 1 is greedy.")
@click.option("--device", metavar="DEVICE", help="cpu, cuda, mps or a GPU's number; left out: the best there is.")
def translate(
    text: str | None,
    file: str | None,
    model: str | None,
    source: str | None,
    target: str | None,
    beams: int,
    device: str | None,
) -> None:
    """Translate TEXT, a file, or standard input line by line.

    The translation goes to standard output, one line for every line; everything else to standard error.
    """
    if text is not None and file is not None:
        raise click.UsageError("give a text or --file, not both")
    if text is None and file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError('nothing to translate: give a text, as in: hftoolkit translate "Good morning!"')
    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.translating import open_translator

    lines = _lines(text, file)
    wanted = int(device) if device is not None and device.lstrip("-").isdigit() else device
    translator = open_translator(model, source=source, target=target, device=wanted)
    for note in translator.notes:
        click.echo(f"note: {note}", err=True)
    for line in translator.translate(lines, Decoding(beams)):
        _write(line)


def _write(line: str) -> None:
    """Write a line at once, so that whoever reads along sees it."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"standard output: cannot be written: {error.strerror}\n  free some space, or write elsewhere"
        ) from error


def _lines(text: str | None, file: str | None) -> Iterator[str]:
    """Lines without their ends; a line ends at a line feed alone, whatever else Unicode calls a line."""
    if text is not None:
        return iter(text.split("\n"))
    return _read(file)


def _read(file: str | None) -> Iterator[str]:
    if file is None:
        return _decoded(sys.stdin.buffer, "standard input")
    try:
        return _decoded(open(file, "rb"), file)  # closed by the reader
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}\n  check the name of the file") from error


def _decoded(stream: BinaryIO, name: str) -> Iterator[str]:
    with stream:
        for number, line in enumerate(stream, start=1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{name}: line {number}: byte {error.start + 1} is not UTF-8\n  save the text as UTF-8 first"
                ) from error
