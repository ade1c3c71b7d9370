"""`hftoolkit finetune`."""

import click


@click.command()
@click.argument("recipe", type=click.Path(path_type=str))
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key, as in --set training.epochs=1."
)
@click.option("--overwrite", is_flag=True, help="Remove a run that is in the output folder.")
def finetune(recipe: str, overrides: tuple[str, ...], overwrite: bool) -> None:
    """Fine-tune a model as RECIPE says; report what was gained and lost.

    RECIPE is a file, or the name of a built-in recipe. A run that was interrupted continues when it is started again.
    """
    from hftoolkit.finetuning import finetune as run

    report = run(recipe, overrides=overrides, overwrite=overwrite)
    output = report.recipe["output"]
    click.echo(report.verdict())
    for test in report.tests:
        for before, after in zip(test.before, test.after, strict=True):
            click.echo(
                f"  {test.name:16} {after.name:6} {before.value:6.2f} -> {after.value:6.2f}  [{after.low:.1f}, {after.high:.1f}]"
            )
    click.echo(f'  report: {output}/report.html   use it: hftoolkit translate --model {output} "..."')
