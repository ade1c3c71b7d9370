"""Answers that stand in a context: where each of them begins, whether or not the file says it rightly."""

import json
from collections.abc import Mapping
from typing import Any, Final

ADVICE: Final = (
    'answers are {"text": ["Paris"], "answer_start": [17]}, [{"text": "Paris", "answer_start": 17}] or texts alone;'
    " there are none where the context has no answer"
)
"""What to do about answers that cannot be used."""

FOUND: Final = "answers without a position, found in their context"
SEVERAL: Final = "of these, answers that their context has several times: the first place is taken"
REPAIRED: Final = "repaired answer positions"
ABSENT: Final = "answers that are not in their context: they count in scores, and teach nothing"
BLANK: Final = "blank answers, taken for none"


def read_answers(value: Any, starts: Any, context: str) -> tuple[list[str], list[int], list[str]]:
    """Answers as files say them.

    Args:
        value: A mapping of lists, a list of mappings, a list of texts, or one of any of them.
        starts: Where they begin, as a list of numbers, where ``value`` does not say it.
        context: What they stand in.

    Returns:
        The answers; where each begins, the nearest place to that in the file where it does not stand there, -1 where it
        stands nowhere; and what is to be counted of them.

    Raises:
        ValueError: If they are none of these.
    """
    texts, given = _unpacked(value)
    if starts is not None:
        given = _listed(starts)
    if given is None:
        given = [None] * len(texts)
    if len(given) != len(texts):
        raise ValueError(f"answers: {len(texts)} texts, but {len(given)} positions")
    kept: list[str] = []
    places: list[int] = []
    counted: list[str] = []
    for raw, said in zip(texts, given, strict=True):
        text, start = _text(raw), _start(said)
        if not text.strip():
            counted.append(BLANK)
            continue
        place = _place(context, text, start)
        kept.append(text)
        places.append(place)
        if place < 0:
            counted.append(ABSENT)
        elif start is None:
            counted.append(FOUND)
            counted += [SEVERAL] if context.find(text, place + 1) >= 0 else []
        elif place != start:
            counted.append(REPAIRED)
    return kept, places, counted


def _unpacked(value: Any) -> tuple[list[Any], list[Any] | None]:
    """Texts, and their positions where they are said."""
    if isinstance(value, Mapping):
        texts = _listed(value.get("text"))
        starts = _start_in(value)
        return texts, None if starts is None else _listed(starts)
    values = _listed(value)
    if values and all(isinstance(each, Mapping) for each in values):
        starts = [_start_in(each) for each in values]
        return [each.get("text") for each in values], None if all(each is None for each in starts) else starts
    return values, None


def _start_in(answer: Mapping[str, Any]) -> Any:
    return answer.get("answer_start", answer.get("start"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)  # a year, where spreadsheets were at work
    raise ValueError(f"answers: expected a text, got {json.dumps(value, ensure_ascii=False, default=str):.60}")


def _start(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        shown = f"{json.dumps(value, ensure_ascii=False, default=str):.60}"
        raise ValueError(f"answers: expected a position, in characters from 0, got {shown}") from None


def _place(context: str, text: str, start: int | None) -> int:
    """Where a text stands in a context: the place that is nearest to a start; -1: it stands nowhere."""
    if start is None or start <= 0:
        return context.find(text)
    after = context.find(text, start)
    before = context.rfind(text, 0, start - 1 + len(text))
    if after < 0 or before < 0:
        return max(after, before)
    return after if after - start <= start - before else before
