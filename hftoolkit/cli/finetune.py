"""`hftoolkit finetune`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hftoolkit.cli.hub_options import hub_options
from hftoolkit.cli.output import put_out

if TYPE_CHECKING:
    from hftoolkit.reports.run import Report


@click.command()
@click.argument("recipe", type=click.Path(path_type=str))
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key, as in --set training.epochs=1."
)
@click.option("--overwrite", is_flag=True, help="Put the new run in the place of one in the output folder.")
@hub_options
def finetune(recipe: str, overrides: tuple[str, ...], overwrite: bool) -> None:
    """Fine-tune a model as RECIPE says; report what was gained and lost.

    RECIPE is a file, or the name of a built-in recipe. A run that was interrupted continues when it is started again.
    """
    from hftoolkit.finetuning import finetune as run

    report = run(recipe, overrides=overrides, overwrite=overwrite)
    if report.tests:  # of several processes one has the scores
        put_out("\n".join(_lines(report)))


def _lines(report: "Report") -> Iterator[str]:
    from hftoolkit.generating import TASKS
    from hftoolkit.reports.wording import interval

    yield report.verdict()
    wide = max(len(test.name) for test in report.tests)
    long = max(len(score.name) for test in report.tests for score in test.after)
    for test in report.tests:
        for before, after in zip(test.before, test.after, strict=True):
            digits = max(2, after.decimals)
            change = f"{before.value:6.{digits}f} -> {after.value:6.{digits}f}{interval(after)}"
            yield f"  {test.name:{wide}}  {after.name:{long}} {change}"
    output = report.recipe["output"]
    yield f"  report:   {output}/report.html"
    command = "translate" if report.task == "translation" else "generate" if report.task in TASKS else "predict"
    yield f'  use it:   hftoolkit {command} --model {output} "..."'
