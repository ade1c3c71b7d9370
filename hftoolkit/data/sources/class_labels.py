"""Names of labels in the place of their numbers, as `datasets` says them: in a Parquet file or on a data set's card."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Features = Mapping[str, Any]
"""What columns hold, in the form of ``datasets.Features.to_dict``."""


def features_in(metadata: Mapping[bytes, bytes] | None) -> Features:
    """What a Parquet file says of its columns; nothing where `datasets` did not write it."""
    try:
        found = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return found if isinstance(found, Mapping) else {}


def with_names(row: Mapping[str, Any], columns: Mapping[str, str | list[str]], features: Features) -> dict[str, Any]:
    """A row with names of labels; null where a label, or one of a list, is not known (-1)."""
    return {
        role: _named(value, _feature(features, column)) if isinstance(column := columns.get(role), str) else value
        for role, value in row.items()
    }


def has_names(features: Any) -> bool:
    """Whether a column has names for numbers."""
    if not isinstance(features, Mapping):
        return False
    return features.get("_type") == "ClassLabel" or any(has_names(each) for each in features.values())


def _feature(features: Features, column: str) -> Any:
    """What a column holds; its name may be a dotted path."""
    if column in features:
        return features[column]
    head, _, rest = column.partition(".")
    inner = features.get(head)
    return _feature(inner, rest) if rest and isinstance(inner, Mapping) else None


def _named(value: Any, feature: Any) -> Any:
    if not isinstance(feature, Mapping):
        return value
    kind, inner = feature.get("_type"), feature.get("feature")
    if kind == "ClassLabel":
        return _name(value, feature.get("names", ()))
    if isinstance(value, Mapping):
        if isinstance(inner, Mapping):  # a sequence of mappings was once kept as a mapping of lists
            feature = {name: {"feature": each} for name, each in inner.items()}
        return {name: _named(each, feature.get(name)) for name, each in value.items()}
    if isinstance(value, list):
        names = [_named(each, inner) for each in value]
        return None if None in names and None not in value else names
    return value


def _name(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value not in names:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value >= len(names):
        return value
    return names[value] if value >= 0 else None
