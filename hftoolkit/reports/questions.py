"""What a report shows of answered questions besides scores: by what is asked, by length, the surest mistakes."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hftoolkit.metrics.answers import Agreement
from hftoolkit.reports.classes import Mistakes
from hftoolkit.reports.sections import Listing, Section, Table

_OTHER: Final = "other"

_ENGLISH: Final = re.compile(r"\b(how (?:many|much|long|old|far|often)|who(?:m|se)?|what|when|where|which|why|how)\b")
_QUANTITY: Final = "how many, how much, ..."
_ENGLISH_WORDS: Final = ("what", "who", "when", "where", "which", "why", "how", _QUANTITY, _OTHER)

_CHINESE: Final[dict[str, re.Pattern[str]]] = {
    "为什么": re.compile("为什么|為什麼|为何|為何|何故|原因"),
    "什么时候": re.compile("时候|時候|何时|何時|哪年|哪一年|哪天|哪一天|几月|幾月|时间|時間|日期|年份"),
    "哪里": re.compile("哪里|哪裡|哪儿|何处|何處|哪个?(?:地方|城市|国家|省)|何地|位于|位於"),
    "谁": re.compile("谁|誰|何人|哪位"),
    "多少": re.compile("多少|多长|多長|多大|多高|多远|多遠|几|幾"),
    "怎么": re.compile("怎|如何"),
    "哪": re.compile("哪"),
    "什么": re.compile("什么|什麼|何"),
}

_LENGTHS: Final = (1, 2, 3, 5, 10, 20)
"""Beginnings of the classes of lengths."""

_OUTCOMES: Final = (
    "exactly right",
    "right in part",
    "nothing in common with a right answer",
    "no answer, rightly",
    "no answer, though there is one",
    "an answer, though there is none",
)


class QuestionTally:
    """Gathers answered questions.

    Args:
        chinese: Whether questions are sorted by Chinese words, and answers measured in characters.
    """

    def __init__(self, *, chinese: bool) -> None:
        self._chinese = chinese
        self._asked: dict[str, NDArray[np.float64]] = {}
        self._lengths: dict[str, NDArray[np.float64]] = {}
        self._outcomes = dict.fromkeys(_OUTCOMES, 0)
        self._mistakes = Mistakes()

    def add(
        self, number: int, question: str, right: Sequence[str], given: str, score: float, agreed: Agreement
    ) -> None:
        """Take a question in.

        Args:
            number: Of the row, from 1.
            question: What was asked.
            right: Answers of people, none where there is none.
            given: The answer that was given; empty where none was.
            score: The model's probability of that, 0 to 1.
            agreed: How it agrees with the right ones.
        """
        counts = np.array([1, agreed.exact, agreed.f1])
        for table, name in ((self._asked, self._word(question)), (self._lengths, self._length(right))):
            table[name] = table.get(name, 0) + counts
        self._outcomes[_outcome(bool(right), bool(given), agreed)] += 1
        if agreed.f1 == 0:
            texts = [
                " / ".join(dict.fromkeys(right)) or "(none)",
                f"{given or '(none)'} ({100 * score:.1f} %)",
                question,
            ]
            self._mistakes.add(score, number, texts)

    def sections(self) -> list[Section]:
        """What was gathered."""
        words = [*_CHINESE, _OTHER] if self._chinese else _ENGLISH_WORDS
        unit = "characters" if self._chinese else "words"
        total = max(1, sum(self._outcomes.values()))
        outcomes: list[list[str | int | float]] = [
            [outcome, times, 100 * times / total] for outcome, times in self._outcomes.items() if times
        ]
        found: list[Section] = [
            Table("What became of the questions", ["answer", "questions", "% of them"], outcomes),
            _table("By question word", "question word", self._asked, words),
            _table(f"By {unit} of the right answer", unit, self._lengths, [*map(_named, _LENGTHS), "no answer"]),
        ]
        if self._mistakes.items():
            note = "Where a model is sure and wrong, it is often the right answer that is wrong, or not the only one."
            header = ["right", "given", "question"]
            found.append(Listing("The surest mistakes", header, self._mistakes.items(), note))
        return found

    def _word(self, question: str) -> str:
        if self._chinese:
            return next((word for word, pattern in _CHINESE.items() if pattern.search(question)), _OTHER)
        found = _ENGLISH.search(question.lower())
        if not found:
            return _OTHER
        word = found[1]
        return "who" if word.startswith("who") else _QUANTITY if " " in word else word

    def _length(self, right: Sequence[str]) -> str:
        if not right:
            return "no answer"
        size = min(len(text.strip()) if self._chinese else len(text.split()) for text in right)
        return _named(max((one for one in _LENGTHS if one <= size), default=_LENGTHS[0]))


def _named(length: int) -> str:
    """A class of lengths by its beginning."""
    place = _LENGTHS.index(length)
    if place == len(_LENGTHS) - 1:
        return f"{length} and more"
    last = _LENGTHS[place + 1] - 1
    return str(length) if last == length else f"{length} to {last}"


def _outcome(answerable: bool, answered: bool, agreed: Agreement) -> str:
    if not answered:
        return _OUTCOMES[4 if answerable else 3]
    if not answerable:
        return _OUTCOMES[5]
    return _OUTCOMES[0 if agreed.exact else 1 if agreed.f1 else 2]


def _table(title: str, name: str, counts: dict[str, NDArray[np.float64]], order: Sequence[str]) -> Table:
    rows: list[list[str | int | float]] = []
    for one in order:
        if one in counts:
            number, exact, f1 = counts[one]
            rows.append([one, int(number), float(exact / number), float(f1 / number)])
    return Table(title, [name, "questions", "EM", "F1"], rows)
