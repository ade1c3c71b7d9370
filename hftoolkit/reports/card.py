"""A run as the card of its model at the hub: what it is, how to use it, what it reached, how it was made."""

from hftoolkit.hub.names import is_hub_id
from hftoolkit.recipe.writer import as_yaml
from hftoolkit.reports.card_header import PIPELINES, header
from hftoolkit.reports.markdown import render
from hftoolkit.reports.markdown_text import plain
from hftoolkit.reports.published import published
from hftoolkit.reports.run import Report

_CALLS = {
    "pretraining": 'f"... {pipe.tokenizer.mask_token} ..."',
    "question_answering": 'question="...", context="..."',
}
"""What a pipeline is called with, where it is no text."""

_COMMANDS = {"translation": "translate", "language_modelling": "generate", "instruction_tuning": "generate"}
"""What uses a model of a task; the others predict."""


def render_card(report: Report, name: str) -> str:
    """The card of a model, for its README.md.

    Args:
        report: The run.
        name: The repository, ``ORG/NAME``.
    """
    shown, base = published(report), _base(report)
    verdict, _, scores = render(shown).partition("\n\n")  # there it is the title
    parts = [
        f"---\n{header(shown, name, base)}\n---",
        f"# {plain(name.rpartition('/')[2])}",
        _what(report, shown, base),
        "## Use it",
        _use(shown, name),
        "## Result",
        verdict.removeprefix("# "),
        scores.rstrip(),
        "## Recipe",
        f"```yaml\n{as_yaml(shown.recipe)}```",
    ]
    return "\n\n".join(parts) + "\n"


def _base(report: Report) -> str | None:
    """The hub id of the model that was trained; None for a folder, a package's, the built-in or a new one."""
    model = report.model
    return model.name if model.revision and is_hub_id(model.name) else None


def _what(report: Report, shown: Report, base: str | None) -> str:
    """What the model is, and where it comes from."""
    model, folder = report.model, shown.model.name != report.model.name
    purpose = PIPELINES[report.task].replace("-", " ")
    if said := report.recipe["data"].get("languages"):
        purpose += f" from {said['source']} to {said['target']}"
    purpose += f", trained with hftoolkit {report.versions['hftoolkit']}."
    if model.name == "scratch":
        return f"A model trained from nothing for {purpose}"
    made = f"An adapter ({model.adapter}) on" if model.adapter else "A fine-tuned copy of"
    text = f"{made} {_origin(shown.model.name, folder, base)}, for {purpose}"
    if model.adapter and folder:
        text += " Write where that lies under `base_model_name_or_path` in `adapter_config.json`."
    return text


def _origin(name: str, folder: bool, base: str | None) -> str:
    """The model that was trained, and where it is."""
    if base is not None:
        return f"[`{base}`](https://huggingface.co/{base})"
    if folder:
        return f"`{name}`, a model that is not at the hub"
    where = "a model in a Python package" if name.startswith("package:") else "the built-in model of hftoolkit"
    return f"`{name}`, {where}"


def _use(report: Report, name: str) -> str:
    """A command, three lines of Python, and what else loads it."""
    model = report.model
    pair = report.task == "classification" and (report.recipe.get("options") or {}).get("pair")
    texts = ['"..."'] * (2 if pair or report.task == "question_answering" else 1)
    call = '{"text": "...", "text_pair": "..."}' if pair else _CALLS.get(report.task, '"..."')
    command = f"hftoolkit {_COMMANDS.get(report.task, 'predict')} --model {name} {' '.join(texts)}"
    python = f'from hftoolkit import load\n\npipe = load("{name}")\nprint(pipe({call}))'
    # What a mask looks like only the model's tokenizer knows.
    shell = [] if report.task == "pretraining" else [f"```bash\n{command}\n```"]
    loads = "peft loads it on its base," if model.adapter else "transformers loads it as"
    return "\n\n".join([*shell, f"```python\n{python}\n```", f"Without hftoolkit, {loads} a `{model.architecture}`."])
