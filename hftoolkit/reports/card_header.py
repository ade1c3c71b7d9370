"""The YAML on top of a model card: what the hub sorts and searches models by, and its index of scores."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hftoolkit.hub.names import is_hub_id
from hftoolkit.languages import read_tag
from hftoolkit.reports.run import Report
from hftoolkit.reports.scores import Score, TestSet

PIPELINES: Final[Mapping[str, str]] = {
    "translation": "translation",
    "classification": "text-classification",
    "pretraining": "fill-mask",
    "ner": "token-classification",
    "question_answering": "question-answering",
    "language_modelling": "text-generation",
    "instruction_tuning": "text-generation",
}
"""What the hub calls a task."""

_METRICS: Final[Mapping[str, str]] = {
    "chrF2": "chrf",
    "macro F1": "f1",
    "micro F1": "f1",
    "masked accuracy": "accuracy",
    "next sentence accuracy": "accuracy",
    "MCC": "matthews_correlation",
    "Pearson": "pearsonr",
    "Spearman": "spearmanr",
    "mean error": "mae",
}
"""What the hub calls a score, where it is not the name in small letters."""


def header(report: Report, name: str, base: str | None) -> str:
    """The YAML of a card, without the lines around it.

    No licence is named: a run does not know what its base and its rows allow.

    Args:
        report: The run, as strangers may see it.
        name: The repository, ``ORG/NAME``.
        base: The hub id of the model that was trained, if it has one.
    """
    from huggingface_hub import ModelCardData

    kind = str((report.recipe.get("adapter") or {}).get("kind", "lora"))
    results = [result for test in report.tests for result in _results(report, test)]
    data = ModelCardData(
        language=_languages(report),
        base_model=base,
        base_model_relation=None if base is None else "adapter" if report.model.adapter else "finetune",
        datasets=list(dict.fromkeys(filter(None, map(_hub_data, report.recipe["data"]["train"])))) or None,
        library_name="peft" if report.model.adapter else "transformers",
        pipeline_tag=PIPELINES[report.task],
        tags=["hftoolkit", *([kind] if report.model.adapter else [])],
        metrics=list(dict.fromkeys(result.metric_type for result in results)) or None,
        model_name=name.rpartition("/")[2],
        eval_results=results or None,
    )
    return str(data.to_yaml())


def _languages(report: Report) -> list[str] | None:
    """Codes without script and region, which the hub does not sort by."""
    said = report.recipe["data"].get("languages")
    return [read_tag(said[side]).language for side in ("source", "target")] if said else None


def _results(report: Report, test: TestSet) -> Iterator[Any]:
    """The scores of a test set after training; one that is no number has no place in the index."""
    from huggingface_hub import EvalResult

    source = report.recipe["data"].get("test", {}).get(test.name, {})
    data = _hub_data(source)
    print_of = {part.use: part.fingerprint for part in report.data}
    for score in test.after:
        if math.isfinite(score.value):
            yield EvalResult(
                task_type=PIPELINES[report.task],
                dataset_type=data or "local",
                dataset_name=test.name,
                # By type, configuration and split the index tells data sets apart.
                dataset_config=source.get("subset") if data else test.name,
                dataset_split=source.get("split") if data else None,
                dataset_revision=source.get("revision") if data else None,
                dataset_args={"rows": test.rows, "sha256": print_of.get(f"test: {test.name}")},
                metric_type=_METRICS.get(score.name, score.name.lower().replace(" ", "_")),
                metric_name=score.name,
                metric_value=round(score.value, 4),
                metric_args=_account(score),
            )


def _account(score: Score) -> dict[str, Any] | None:
    """How a score was made, and how sure it is."""
    ends = (score.low, score.high)
    interval = [round(end, 4) for end in ends if end is not None and math.isfinite(end)]
    signature = {"signature": score.signature} if score.signature else {}
    return {**signature, **({"interval_95": interval} if len(interval) == 2 else {})} or None


def _hub_data(source: Mapping[str, Any]) -> str | None:
    """The hub id of a source in a recipe; None for anything else."""
    from hftoolkit.data.sources.formats import format_of_file

    name, form = source.get("source"), source.get("format")
    if not isinstance(name, str) or "/" not in name or not is_hub_id(name):
        return None
    hub = form == "hub" or (form is None and format_of_file(Path(name)) is None)
    return name if hub else None
