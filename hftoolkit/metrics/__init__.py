"""Scores as functions of a sum of per-row counts."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hftoolkit.metrics.hub_metrics import load_metric

__all__ = ["load_metric"]


def __getattr__(name: str) -> Any:
    if name != "load_metric":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hftoolkit.metrics.hub_metrics import load_metric  # on first use: `evaluate` takes seconds to import

    return load_metric
