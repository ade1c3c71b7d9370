"""`hftoolkit models`."""

import click

from hftoolkit.cli.output import put_out


@click.command()
@click.option("--base-url", metavar="URL", help="Left out: Ollama on this machine, http://localhost:11434/v1.")
def models(base_url: str | None) -> None:
    """List the models of a server that speaks OpenAI's protocol.

    Ollama, llama.cpp, vLLM and transformers serve are such servers, and hosted ones. A key is taken from the
    environment: OPENAI_API_KEY.
    """
    from hftoolkit.engines.openai_server import Server, models_of

    server = Server(base_url)
    names = models_of(server)
    for name in names:
        put_out(name)
    if not names:
        click.echo(f"note: {server.shown} lists no models", err=True)
