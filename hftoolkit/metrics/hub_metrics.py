"""Scores as `evaluate.Metric` objects: ours work offline, those of the hub need consent."""

import math
import numbers
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import datasets
import evaluate
import numpy as np

from hftoolkit.errors import DataError, HubError, UsageError
from hftoolkit.hub import offline
from hftoolkit.metrics import translations
from hftoolkit.metrics.significance import bootstrap

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU, CHRF

_TEXT = datasets.Value("string")


class Translations(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """BLEU or chrF of sacrebleu for code written for `evaluate`.

    ``compute(predictions=[...], references=[...])`` takes one reference a row, or a list of them, and gives ``score``,
    ``low`` and ``high`` (95 % interval) and ``signature``.
    """

    def __init__(self, metric: "BLEU | CHRF") -> None:
        self.metric = metric
        super().__init__(keep_in_memory=True)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=f"{type(self.metric).__name__} of sacrebleu, with its signature and a 95 % interval.",
            citation="Post, 2018, A Call for Clarity in Reporting BLEU Scores, arXiv:1804.08771",
            inputs_description="predictions: list of str; references: list of str, or list of list of str.",
            features=[
                datasets.Features({"predictions": _TEXT, "references": datasets.Sequence(_TEXT)}),
                datasets.Features({"predictions": _TEXT, "references": _TEXT}),
            ],
        )

    def _compute(self, predictions: Sequence[str], references: Sequence[str | list[str]]) -> dict[str, Any]:
        rows = zip(predictions, references, strict=True)
        counts = np.stack([translations.sentence_counts(self.metric, *row) for row in rows])
        total = partial(translations.total, self.metric)
        interval = bootstrap(counts, total)
        signature = translations.signature(self.metric, map(_number_of, references))
        return {"score": total(counts.sum(axis=0)), "low": interval.low, "high": interval.high, "signature": signature}


_OURS: dict[str, Callable[[str], "BLEU | CHRF"]] = {
    "bleu": translations.bleu,
    "chrf": lambda language: translations.chrf(),
}


def load_metric(name: str, language: str = "", trusted: Collection[str] = ()) -> evaluate.EvaluationModule:
    """A metric by its name: ``bleu`` and ``chrf`` are ours and need no network, the others come from the hub.

    Args:
        name: ``bleu``, ``chrf``, a name at https://huggingface.co/evaluate-metric, ``ORG/NAME``, or a folder.
        language: Tag of the language of the predictions; BLEU chooses its tokenizer by it.
        trusted: Names of the metrics whose Python code may run here.

    Raises:
        UsageError: If the metric is code from elsewhere and was not trusted.
        HubError: If it cannot be loaded.
    """
    if name in _OURS:
        return Translations(_OURS[name](language))
    if name not in trusted:
        raise UsageError(
            f"metric '{name}' is Python code from the hub that would run here; {_ours()} need no consent\n"
            f"  if you trust it, in a recipe:  evaluation: {{metrics: [{name}], trust_metric_code: [{name}]}}\n"
            f"  if you trust it, in Python:    load_metric('{name}', trusted=['{name}'])"
        )
    before = evaluate.config.HF_EVALUATE_OFFLINE
    evaluate.config.HF_EVALUATE_OFFLINE = before or offline()  # it knows nothing of HF_HUB_OFFLINE
    try:
        return evaluate.load(name, keep_in_memory=True)
    except ImportError as error:
        raise HubError(f"metric '{name}' needs packages that are missing: {_first_line(error)}") from error
    except (OSError, TypeError, ValueError, IndexError) as error:  # the last one for '/'
        raise HubError(
            f"cannot load metric '{name}': {_first_line(error)}\n"
            "  behind a mirror:   HF_ENDPOINT=https://hf-mirror.com hftoolkit ...\n"
            "  without network:   use a folder with the metric's file, or leave it out of evaluation.metrics"
        ) from error
    finally:
        evaluate.config.HF_EVALUATE_OFFLINE = before


def metric_scores(
    metric: evaluate.EvaluationModule,
    name: str,
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    sources: Sequence[str],
) -> dict[str, float]:
    """Every number a metric gives for a corpus.

    Args:
        metric: From `load_metric`.
        name: What the scores are called: ``comet``, or ``comet.mean_score`` where there are several.
        predictions: What the model wrote.
        references: At least one a row.
        sources: The inputs; only metrics that ask for ``sources`` see them.

    Raises:
        DataError: If the metric does not take translations, or gives no number.
    """
    single = all(len(row) == 1 for row in references)
    columns: dict[str, Any] = {"references": [row[0] for row in references] if single else references}
    try:
        if "sources" in metric._feature_names():
            columns["sources"] = sources
        result = metric.compute(predictions=predictions, **columns) or {}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"metric '{name}' does not take these predictions and references: {_first_line(error)}\n"
            "  leave it out of evaluation.metrics"
        ) from error
    scores = {key: float(value) for key, value in result.items() if _is_score(value)}
    if not scores:
        raise DataError(f"metric '{name}' gives no number for a corpus\n  leave it out of evaluation.metrics")
    if len(scores) == 1:
        return {name: next(iter(scores.values()))}
    return {f"{name}.{key}": value for key, value in scores.items()}


def _is_score(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _number_of(references: str | list[str]) -> int:
    return 1 if isinstance(references, str) else len(references)


def _ours() -> str:
    return " and ".join(f"'{name}'" for name in _OURS)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
