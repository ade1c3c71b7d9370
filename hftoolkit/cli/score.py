"""`hftoolkit score`."""

import json

import click

from hftoolkit.cli.output import put_out


@click.command()
@click.argument("hypotheses", metavar="HYP", type=click.Path(path_type=str))
@click.argument("references", metavar="REF...", type=click.Path(path_type=str), nargs=-1, required=True)
@click.option("--to", "target", metavar="LANGUAGE", required=True, help="Language of the texts, such as zh.")
@click.option("--against", metavar="HYP", type=click.Path(path_type=str), help="Another system's, for a paired test.")
@click.option("--explain", is_flag=True, help="Show how BLEU comes about.")
@click.option("--json", "as_json", is_flag=True, help="Print it for programs.")
def score(
    hypotheses: str, references: tuple[str, ...], target: str, against: str | None, explain: bool, as_json: bool
) -> None:
    """Score translations in a text file, a line each: BLEU, chrF2 and TER.

    HYP holds what a system wrote, every REF what it should be, line for line.
    """
    from hftoolkit import scoring_files

    found = scoring_files.score(hypotheses, references, target=target, against=against, explained=explain)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    put_out(json.dumps(scoring_files.as_json(found), ensure_ascii=False, indent=2) if as_json else str(found))
