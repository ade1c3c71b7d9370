"""Fine-tune opus-mt, BERT and small GPT models with one recipe, one command and a result you can trust.

Layers, left may import right: cli > finetuning, checking, comparing, diagnosing > accounts, fitting, doubts,
systems > forecasting > starting, job > evaluation, exporting, pipelines, predicting_files, publishing,
scoring_files, translating_files > translating, predicting, generating, samples, scoring > sentencewise > tasks,
documents > training, engines, reports > data, models, metrics > recipe, hub, languages > errors.
The names below load what they need on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hftoolkit.checking import check as check
    from hftoolkit.comparing import compare as compare
    from hftoolkit.diagnosing import doctor as doctor
    from hftoolkit.errors import HftoolkitError as HftoolkitError
    from hftoolkit.evaluation import evaluate as evaluate
    from hftoolkit.exporting import export as export
    from hftoolkit.finetuning import finetune as finetune
    from hftoolkit.generating import generate as generate
    from hftoolkit.hub.bundle import unbundle as unbundle
    from hftoolkit.pipelines import load as load
    from hftoolkit.pipelines import pipeline as pipeline
    from hftoolkit.prefetching import prefetch as prefetch
    from hftoolkit.publishing import push as push
    from hftoolkit.recipe.schema import Recipe as Recipe
    from hftoolkit.reports.run import Report as Report
    from hftoolkit.scoring_files import score as score
    from hftoolkit.translating import translate as translate

__version__ = "0.1.0"

_HOMES = {
    "HftoolkitError": "hftoolkit.errors",
    "Recipe": "hftoolkit.recipe.schema",
    "Report": "hftoolkit.reports.run",
    "check": "hftoolkit.checking",
    "compare": "hftoolkit.comparing",
    "doctor": "hftoolkit.diagnosing",
    "evaluate": "hftoolkit.evaluation",
    "export": "hftoolkit.exporting",
    "finetune": "hftoolkit.finetuning",
    "generate": "hftoolkit.generating",
    "load": "hftoolkit.pipelines",
    "pipeline": "hftoolkit.pipelines",
    "prefetch": "hftoolkit.prefetching",
    "push": "hftoolkit.publishing",
    "score": "hftoolkit.scoring_files",
    "translate": "hftoolkit.translating",
    "unbundle": "hftoolkit.hub.bundle",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hftoolkit' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
