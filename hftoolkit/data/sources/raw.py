"""What a reader yields."""

from typing import Any

Raw = tuple[dict[str, Any], str, int]
"""A row (role to value), and its place for messages: ``f"{place} {number}"`` reads ``train.tsv: line 17``."""
