"""`hftoolkit compare`."""

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out


@click.command()
@click.argument("systems", metavar="SYSTEM...", nargs=-1, required=True)
@click.option("--recipe", metavar="RECIPE|RUN", type=click.Path(path_type=str), help="Compare on its test set.")
@click.option("--test", metavar="NAME", help="Which of its test sets; left out: the first.")
@click.option("--source", "sources", metavar="FILE", type=click.Path(path_type=str), help="Or: sources, a line each.")
@click.option(
    "--reference",
    "references",
    metavar="FILE",
    type=click.Path(path_type=str),
    multiple=True,
    help="Their translations, line for line; may be repeated.",
)
@click.option("--from", "source", metavar="LANGUAGE", help="Of the sources; left out: en.")
@click.option("--to", "target", metavar="LANGUAGE", help="Of the references, such as zh.")
@click.option("--beams", type=click.IntRange(1), metavar="NUMBER", default=4, help="Left out: 4; 1 is greedy.")
@click.option("--base-url", metavar="URL", help="Of the server of openai:MODEL; left out: Ollama on this machine.")
@click.option("--output", "-o", metavar="FOLDER", type=click.Path(path_type=str), help="For Markdown, page, JSON.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@hub_options
def compare(
    systems: tuple[str, ...],
    recipe: str | None,
    test: str | None,
    sources: str | None,
    references: tuple[str, ...],
    source: str | None,
    target: str | None,
    beams: int,
    base_url: str | None,
    output: str | None,
    overwrite: bool,
) -> None:
    """Compare systems on the same rows: scores with intervals, paired tests against the first, speed and memory.

    A SYSTEM is a model, a run, an adapter or a file of translations, perhaps with a name or an engine in front:
    tuned=runs/mine, torch:demo, openai:qwen2.5:3b, human.txt.
    """
    from hftoolkit.comparing import compare as run

    server = None
    if any("openai:" in system for system in systems):
        from hftoolkit.engines.openai_server import Server

        server = Server(base_url)
    elif base_url is not None:
        raise click.UsageError("--base-url is about a server: name a system such as openai:MODEL")
    found = run(
        systems,
        recipe=recipe,
        test=test,
        sources=sources,
        references=references,
        source=source,
        target=target,
        beams=beams,
        server=server,
        output=output,
        overwrite=overwrite,
    )
    for side in found.sides:
        for note in side.notes:
            click.echo(f"note: {side.name}: {note}", err=True)
    put_out(str(found))
