"""What answers are worth: scores of those that are given, and what a report shows of them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hftoolkit.metrics import means
from hftoolkit.metrics.answers import Agreement
from hftoolkit.metrics.measure import Measure
from hftoolkit.reports.questions import QuestionTally
from hftoolkit.tasks.base import Row
from hftoolkit.tasks.question_answering.answering import Answer, Answered

Agreed = Callable[[Answered, Row], tuple[Answer, Agreement]]
"""What is found for a row -> the answer that is given, and how it agrees with the right ones."""

Counts = Callable[[Answered, Row], NDArray[np.float64]]


def measures(agreed: Agreed, signature: Callable[[set[int]], str], *, no_answer: bool) -> list[Measure]:
    """The scores, the deciding one first.

    Args:
        agreed: How answers agree.
        signature: As `Measure.signature`.
        no_answer: Whether no answer may be given: then questions with and without one are scored apart too.
    """

    def f1(found: Answered, row: Row) -> NDArray[np.float64]:
        return means.counts(agreed(found, row)[1].f1)

    def exact(found: Answered, row: Row) -> NDArray[np.float64]:
        return means.counts(agreed(found, row)[1].exact)

    def of(answered: bool) -> Counts:
        return lambda found, row: f1(found, row) if bool(row["answers"]) == answered else np.zeros(2)

    counts: dict[str, Counts] = {"F1": f1, "EM": exact}
    if no_answer:
        counts |= {"HasAns F1": of(True), "NoAns F1": of(False)}
    return [Measure(name, count, means.total, signature) for name, count in counts.items()]


class AnswerTally:
    """Gathers answers with how they agree.

    Args:
        agreed: How they do.
        chinese: Whether the questions are Chinese.
    """

    def __init__(self, agreed: Agreed, *, chinese: bool) -> None:
        self._agreed = agreed
        self._tally = QuestionTally(chinese=chinese)
        self.sections = self._tally.sections

    def add(self, number: int, prediction: Answered, row: Row) -> None:
        """Take a prediction in; rows are numbered from 1."""
        answer, agreement = self._agreed(prediction, row)
        self._tally.add(number, row["question"], row["answers"], answer.text, answer.score, agreement)
