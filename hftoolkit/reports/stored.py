"""A report as JSON text that any reader of JSON takes."""

import json
import math
import re
from typing import TYPE_CHECKING, Any, TypeVar

from hftoolkit.errors import DataError

if TYPE_CHECKING:
    from hftoolkit.reports.run import Report

    AnyReport = TypeVar("AnyReport", bound=Report)

_SURROGATE = re.compile("[\ud800-\udfff]")


def dump(values: dict[str, Any]) -> str:
    """JSON of plain values; NaN and infinities, which JSON does not know, become strings."""
    text = json.dumps(_finite(values), ensure_ascii=False, indent=2, allow_nan=False)
    # Half a UTF-16 pair, as a broken JSONL row may hold, cannot be written as UTF-8, but can be escaped.
    return _SURROGATE.sub(lambda half: f"\\u{ord(half.group()):04x}", text) + "\n"


def load(text: str, kind: "type[AnyReport]") -> "AnyReport":
    """A report from its JSON.

    Raises:
        DataError: If the text is not the JSON of a report.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(json.loads(text))
    except json.JSONDecodeError as error:
        raise DataError(f"report.json: line {error.lineno}: not JSON: {error.msg}{_REMEDY}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        message = first["msg"][0].lower() + first["msg"][1:]
        raise DataError(f"report.json: {place}: {message}{_REMEDY}") from error


_REMEDY = "\n  the run that wrote it can be repeated:  hftoolkit finetune FOLDER/recipe.yaml --overwrite"


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value
