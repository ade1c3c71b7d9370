"""`hftoolkit translate`."""

import sys
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.errors import OutputError

if TYPE_CHECKING:
    from hftoolkit.documents.reading import Document
    from hftoolkit.documents.settings import Settings


@click.command()
@click.argument("text", required=False)
@click.option("--file", "-f", metavar="FILE", type=click.Path(path_type=Path), help="Translate this document.")
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(path_type=Path), help="Write it here; left out: standard output."
)
@click.option("--format", "format", metavar="FORMAT", help="Left out: told by the name of the file, else text.")
@click.option(
    "--column", "columns", metavar="COLUMN", multiple=True, help="Of JSON Lines, CSV and TSV; may be repeated."
)
@click.option("--all-entries", is_flag=True, help="Of PO, XLIFF and TMX: translated entries too.")
@click.option(
    "--model",
    metavar="MODEL",
    help="demo, hub id, folder, package:NAME/FOLDER or adapter; left out: opus-mt of the languages.",
)
@click.option("--from", "source", metavar="LANGUAGE", help="Left out: what the model says, else en.")
@click.option("--to", "target", metavar="LANGUAGE", help="Such as zh-Hant; left out: what the model says, else zh.")
@click.option("--beams", type=click.IntRange(1), metavar="NUMBER", default=4, help="Left out: 4; 1 is greedy.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "ctranslate2", "torch", "openai"]),
    default="auto",
    help="Left out: auto, the fast one (ctranslate2) where it can; openai is a server.",
)
@click.option("--base-url", metavar="URL", help="Of the server; left out: Ollama on this machine.")
@click.option("--system", metavar="TEXT", help="What the server's model is told; {source}, {target} are languages.")
@click.option("--concurrency", type=click.IntRange(1), metavar="NUMBER", help="Requests at once; left out: 4.")
@click.option("--device", metavar="DEVICE", help="cpu, cuda, mps or a GPU's number; left out: the best there is.")
@click.option(
    "--glossary", metavar="FILE", type=click.Path(path_type=Path), help="Terms, tab, how they are translated."
)
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="List here what looks wrong.")
@click.option("--scores", is_flag=True, help="List all sentences with scores, as JSON lines.")
@click.option("--n-best", type=click.IntRange(1), metavar="NUMBER", default=1, help="List so many for each.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted --output stopped.")
@click.option("--overwrite", is_flag=True, help="Replace --output and --report.")
@hub_options
def translate(
    text: str | None,
    file: Path | None,
    output: Path | None,
    format: str | None,
    columns: tuple[str, ...],
    all_entries: bool,
    model: str | None,
    source: str | None,
    target: str | None,
    beams: int,
    engine: Literal["auto", "ctranslate2", "torch", "openai"],
    base_url: str | None,
    system: str | None,
    concurrency: int | None,
    device: str | None,
    glossary: Path | None,
    report: Path | None,
    scores: bool,
    n_best: int,
    resume: bool,
    overwrite: bool,
) -> None:
    """Translate TEXT, a document, or standard input.

    The translation goes to standard output, in the format of the document; everything else to standard error. With
    --scores or --n-best the sentences are listed, as JSON lines: in the --report, or in place of the translation.
    """
    if text is not None and file is not None:
        raise click.UsageError("give a text or --file, not both")
    if text is None and file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError('nothing to translate: give a text, as in: hftoolkit translate "Good morning!"')
    if output is not None and file is None:
        raise click.UsageError("--output is for a document: give its --file too")
    if resume and output is None:
        raise click.UsageError("--resume is about --output: give that too")
    if resume and overwrite:
        raise click.UsageError("--resume keeps what is there, --overwrite does not: give one of them")
    if n_best > beams:
        raise click.UsageError(f"--n-best {n_best} needs as many beams: give --beams {n_best}")
    remote = {"--base-url": base_url, "--system": system, "--concurrency": concurrency}
    if engine == "openai" and (n_best > 1 or device is not None):
        raise click.UsageError(f"{'--n-best' if n_best > 1 else '--device'} is not for --engine openai: leave it out")
    if engine != "openai" and (odd := [name for name, value in remote.items() if value is not None]):
        raise click.UsageError(f"{odd[0]} is about a server: add --engine openai")
    every = scores or n_best > 1
    if every and output is not None and report is None:
        raise click.UsageError("--scores and --n-best list the sentences: say where with --report")

    from hftoolkit.documents.formats import format_named
    from hftoolkit.documents.glossary import read_glossary
    from hftoolkit.documents.reading import check_document
    from hftoolkit.documents.settings import Settings
    from hftoolkit.engines.decoding import Decoding
    from hftoolkit.sentencewise import Sentence
    from hftoolkit.translating import Wishes, open_translator
    from hftoolkit.translating_files import Tally, check_written, rendered, reported, translate_file

    def listed(sentence: Sentence) -> bool:
        return every or bool(sentence.faults)

    # Mistakes are told before a model is loaded.
    check_written([*filter(None, (output, report))], [*filter(None, (file, glossary))])
    if file is not None:
        check_document(file, format, columns, all_entries)
    else:
        format_named(format or "text").check(columns, all_entries)
    terms = None if glossary is None else read_glossary(glossary)
    wanted = int(device) if device is not None and device.lstrip("-").isdigit() else device
    server = None
    if engine == "openai":
        from hftoolkit.engines.openai_server import CONCURRENCY, Server

        server = Server(base_url, system, concurrency or CONCURRENCY)
    translator = open_translator(model, source=source, target=target, engine=engine, device=wanted, server=server)
    for note in translator.notes:
        click.echo(f"note: {note}", err=True)
    settings = Settings(translator.languages.source, translator.languages.target, columns, all_entries)
    wishes = Wishes(Decoding(beams), terms, n_best)
    if file is not None and output is not None:
        tally = translate_file(
            translator,
            file,
            output,
            wishes,
            settings=settings,
            format=format,
            report=report,
            listed=listed,
            resume=resume,
            overwrite=overwrite,
        )
    else:
        tally = Tally()
        document = _document(text, file, format, settings)
        pieces = rendered(translator, document, wishes, listed, tally)
        if report is not None:
            pieces = reported(pieces, report, overwrite=overwrite)
        for translation, lines in pieces:
            _write(lines if every and report is None else translation)
        if text is not None and not every:
            _write(b"\n")
    if tally.suspicious:
        what = "sentence looks" if tally.suspicious == 1 else "sentences look"
        where = "--report FILE lists them" if report is None else f"see {report}"
        click.echo(f"note: {tally.suspicious:,} of {tally.sentences:,} {what} wrong; {where}", err=True)
    if engine == "openai":
        for note in translator.engine.notes:
            click.echo(f"note: {note}", err=True)


def _document(text: str | None, file: Path | None, format: str | None, settings: "Settings") -> "Document":
    from hftoolkit.documents.formats import format_named
    from hftoolkit.documents.reading import document_of, open_document, read_document

    if text is not None:
        return read_document(text, settings, format or "text")
    if file is not None:
        return open_document(file, settings, format)
    return document_of(
        BufferedReader(cast(RawIOBase, sys.stdin.buffer)), "standard input", settings, format_named(format or "text")
    )


def _write(content: bytes) -> None:
    """Write at once, so that whoever reads along sees it."""
    if sys.stdout is None:
        raise OutputError("standard output: is closed\n  open it, or write into a file:  --file FILE --output FILE")
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"standard output: cannot be written: {error.strerror}\n  free some space, or write elsewhere"
        ) from error
