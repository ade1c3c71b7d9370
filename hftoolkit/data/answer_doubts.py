"""What looks wrong about questions and answers: none, too long, not there, several for the same, other columns."""

import re
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from hftoolkit.data.prepared import RunRows
from hftoolkit.data.rows import Rows

_SHOWN: Final = 5
"""Rows that are named."""

_IDEOGRAPH: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")

_HALF, _SOME = 0.5, 0.05
"""Shares of rows above which a user hears of it."""


def doubts_about_answers(
    rows: Sequence[Mapping[str, Any]], *, chinese: bool, no_answer: bool, longest: int
) -> Iterator[str]:
    """Sentences about rows that look wrong.

    Args:
        rows: Some rows of one source.
        chinese: Whether answers are compared as Chinese ones.
        no_answer: Whether questions may have none.
        longest: Tokens of the longest answer that is given.
    """
    if not rows:
        return
    if median(len(row["question"]) for row in rows) > median(len(row["context"]) for row in rows):
        yield (
            "most questions are longer than their contexts: the columns may be swapped\n"
            "  map them:   columns: {question: ..., context: ...}"
        )
    unanswered = sum(not row["answers"] for row in rows)
    if unanswered > (0 if not no_answer else len(rows) - 1):
        yield _about_none(unanswered, len(rows), no_answer=no_answer)
    texts = [row["answers"][0] for row in rows if row["answers"]]
    ideographs = sum(bool(_IDEOGRAPH.search(text)) for text in texts)
    if (ideographs > _HALF * len(texts)) > chinese:
        yield (
            "most answers are Chinese, but are compared by words between blanks: too few will count as right\n"
            "  say so:   options: {language: chinese}"
        )
    elif chinese and texts and not ideographs:
        yield "no answer is Chinese, but answers are compared as Chinese ones\n  say so:   options: {language: english}"
    long = sum(_least_tokens(text) > longest for text in texts)
    if long > _SOME * len(texts):
        yield (
            f"{long:,} of {len(texts):,} answers looked at have more than {longest} words or Chinese characters: they "
            "can never be given whole\n  raise options.max_answer_tokens"
        )


def doubts_among_answers(rows: RunRows) -> Iterator[str]:
    """Sentences about all rows of a run, each naming its place in the recipe, file and line."""
    yield from _contradictions(rows.train)
    for place, part in [("data.validation", rows.validation), *((f"data.test.{n}", p) for n, p in rows.tests.items())]:
        lost = [number for number, row in enumerate(part) if row["answers"] and max(row["starts"]) < 0]
        if lost:
            yield (
                f"{place}: {_counted(len(lost), 'has an answer that is', 'have answers that are')} not in the context: "
                f"{_named(part.places(lost[:_SHOWN]), len(lost))}\n"
                "  they count as wrong, whatever is answered: correct the answer or the context"
            )


def _about_none(unanswered: int, rows: int, *, no_answer: bool) -> str:
    if no_answer:
        return "no question looked at has an answer\n  look at the columns"
    have = "has" if unanswered == 1 else "have"
    return (
        f"{unanswered:,} of {rows:,} questions looked at {have} no answer, but one is always given\n"
        "  to learn when to give none:   options: {no_answer: true}"
    )


def _least_tokens(text: str) -> int:
    """Tokens that a text has at least, whatever the tokenizer: its words and its ideographs."""
    return max(len(text.split()), len(_IDEOGRAPH.findall(text)))


def _contradictions(rows: Rows) -> Iterator[str]:
    """Questions that stand twice on the same context, without an answer in common."""
    keys = rows.input_keys
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    pairs = sorted((int(order[place]), int(order[place + 1])) for place in same)
    found = rows.take([number for pair in pairs for number in pair])
    wrong = [
        pair
        for pair, one, other in zip(pairs, found[::2], found[1::2], strict=True)
        if not (set(one["answers"]) & set(other["answers"]) or one["answers"] == other["answers"])
    ]
    if wrong:
        places = rows.places([number for pair in wrong[:_SHOWN] for number in pair])
        shown = [f"{one} and {other}" for one, other in zip(places[::2], places[1::2], strict=True)]
        yield (
            f"data.train: {_counted(len(wrong), 'has', 'have')} the question and context of another row, and another "
            f"answer: {_named(shown, len(wrong))}\n  one of the two may be wrong: correct it, or take it out"
        )


def _counted(number: int, one: str, several: str) -> str:
    return f"1 row {one}" if number == 1 else f"{number:,} rows {several}"


def _named(places: Sequence[str], number: int) -> str:
    return ", ".join(places) + (f" and {number - _SHOWN:,} more" if number > _SHOWN else "")
