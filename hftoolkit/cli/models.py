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
    from hftoolkit.engines.openai import Server, models_of

    for name in models_of(Server(base_url)):
        put_out(name)
