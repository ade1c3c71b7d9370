"""The program `hftoolkit`: commands found by name and loaded when called, errors in one place."""

import io
import logging
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module

import click

from hftoolkit import __version__
from hftoolkit.errors import HftoolkitError

COMMANDS = {
    "check": "Look at all that a recipe names before it runs: problems, tokens, time, memory.",
    "finetune": "Fine-tune a model as a recipe says; report what was gained and lost.",
    "evaluate": "Score a model on a recipe's test sets.",
    "score": "Score translations in text files: BLEU, chrF, TER; a paired test of two.",
    "compare": "Compare systems on the same rows: scores, tests, speed, memory, page.",
    "predict": "Predict labels, entities or answers for text or a file.",
    "translate": "Translate text, a file, or standard input line by line.",
    "models": "List the models of a server, such as Ollama.",
    "generate": "Answer a text, or go on with it, as it is written.",
    "export": "Write a model for transformers, CTranslate2 or Ollama, adapters merged.",
    "push": "Publish a run's model, with a card that has its scores.",
    "doctor": "Look at this installation: what it has, reaches and lacks, on a page.",
    "recipes": "List, show and copy the built-in recipes.",
    "prefetch": "Download and lock all that recipes name; pack it for a machine without network.",
    "unbundle": "Put what prefetch has packed into the cache of this machine.",
}
"""Names and help, so that `--help` imports none of them."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"hftoolkit.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            close = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"no such command '{args[0]}'" + (f"; did you mean '{close[0]}'?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hftoolkit", message="%(prog)s %(version)s")
def hftoolkit() -> None:
    """Fine-tune opus-mt, BERT and small GPT models with one recipe, and use the result.

    Behind a mirror, set HF_ENDPOINT=https://hf-mirror.com; what is downloaded once is used without a network.
    """


def main() -> None:
    """Run the program and leave with 0, 1 (data, models, network) or 2 (a wrong command or recipe)."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="strict" if stream is sys.stdin else "backslashreplace")
    logger, handler = logging.getLogger("hftoolkit"), logging.StreamHandler(sys.stderr)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        hftoolkit(prog_name="hftoolkit", standalone_mode=False)
    except HftoolkitError as error:
        _leave(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _leave(error.format_message() + _help_of(error), error.exit_code)
    except click.Abort:
        _leave("interrupted; a run continues when it is started again, a document with --resume", 130)
    except Exception:  # our own bug: say so, and show where
        traceback.print_exc()
        _leave("this is a bug in hftoolkit, not a mistake of yours; please report the lines above", 70)
    finally:
        logger.removeHandler(handler)


def _help_of(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return "" if context is None else f"\n  see:   {context.command_path} --help"


def _leave(message: str, code: int) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)
