"""`hftoolkit generate`."""

import sys
from io import BufferedReader, RawIOBase
from typing import cast

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out


@click.command()
@click.argument("prompt", required=False)
@click.option("--model", metavar="MODEL", help="A run, folder, hub id, package:NAME/FOLDER or adapter.")
@click.option("--system", metavar="TEXT", help="What a model that answers is told before PROMPT.")
@click.option("--raw", is_flag=True, help="Go on with PROMPT, even where the model answers.")
@click.option(
    "--max-tokens",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Written at most; left out: what the model says, else 256.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    metavar="NUMBER",
    help="0 always takes the likeliest; left out: what the model says, else 0.7.",
)
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Draw from the likeliest that have this share together.",
)
@click.option("--seed", type=click.IntRange(0), metavar="NUMBER", default=1, help="Another one gives another text.")
@click.option("--stop", metavar="TEXT", multiple=True, help="Stop before this text; may be repeated.")
@click.option("--device", metavar="DEVICE", help="cpu, cuda, mps or a GPU's number; left out: the best there is.")
@hub_options
def generate(
    prompt: str | None,
    model: str | None,
    system: str | None,
    raw: bool,
    max_tokens: int | None,
    temperature: float | None,
    top_p: float | None,
    seed: int,
    stop: tuple[str, ...],
    device: str | None,
) -> None:
    """Answer PROMPT, or go on with it: whichever the model was made for. Without PROMPT, standard input is read.

    The text goes to standard output as it is written, everything else to standard error.
    """
    if prompt is None and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError('nothing to write about: give a prompt, as in: hftoolkit generate "Once upon a time"')

    from hftoolkit.generating import open_writer
    from hftoolkit.models.decoders import EXAMPLE

    if model is None:
        raise click.UsageError(f"which model? name a run, a folder or a hub id, as in: --model {EXAMPLE}")
    text = _standard_input() if prompt is None else _characters(prompt)
    wanted = int(device) if device is not None and device.lstrip("-").isdigit() else device
    writer = open_writer(model, device=wanted)
    for note in writer.notes:
        click.echo(f"note: {note}", err=True)
    sampling = writer.sampling(temperature=temperature, top_p=top_p, seed=seed, max_new_tokens=max_tokens, stop=stop)
    begun = writer.prompt(text, system=system, raw=raw)
    try:
        written = writer.engine.stream(begun, sampling, lambda piece: put_out(piece, end=""))
    except KeyboardInterrupt:
        put_out("")
        sys.exit(130)
    put_out("")
    for note in writer.engine.notes:
        click.echo(f"note: {note}", err=True)
    if written.ended == "limit" and not writer.engine.notes:
        click.echo(f"note: stopped after {len(written.tokens):,} tokens; --max-tokens NUMBER allows more", err=True)


def _characters(prompt: str) -> str:
    """What stands on the command line."""
    try:
        prompt.encode()
    except UnicodeEncodeError:
        raise click.UsageError(
            "the prompt holds what is no character in the terminal's encoding: give it on standard input"
        ) from None
    return prompt


def _standard_input() -> str:
    """All that comes in, without the end of its last line."""
    from hftoolkit.documents.lines import body_and_end, decoded_lines

    text = "".join(decoded_lines(BufferedReader(cast(RawIOBase, sys.stdin.buffer)), "standard input"))
    return body_and_end(text.removeprefix("\ufeff"))[0]
