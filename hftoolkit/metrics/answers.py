"""How well answers that are taken from a text agree with those that people took: exact match and F1, 0 to 100.

Both are means of what every question scores, for `hftoolkit.metrics.means`. A question that people found no answer to
is answered rightly by an empty text.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)
_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")

_PUNCTUATION_CHINESE: Final = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_PIECES: Final = re.compile("[\u4e00-\u9fa5]|[^\u4e00-\u9fa5]+")

# What the Penn Treebank separates from words: marks, the period that ends a text, clitics, words that are two.
_MARKS: Final = re.compile(r"[][(){}<>;@#$%&?!«»‘„\u2012-\u2015]|\.{2,}|,(?!\d)")
_OPENING: Final = re.compile(r'(?:^|(?<=^")|(?<=[\s(\[{<«‘„]))"')
_LAST_PERIOD: Final = re.compile(r"(?<=[^.])\.(?=[])}>\"'\s]*$)")
_CLITICS: Final = re.compile(r"(?<=[^'\s])('s|'m|'d|'ll|'re|'ve|n't|')(?!\S)")
_FIRST_APOSTROPHE: Final = re.compile(r"(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)")
_TWO_WORDS: Final = re.compile(r"\b(can(?=not\b)|gim(?=me\b)|gon(?=na\b)|got(?=ta\b)|lem(?=me\b)|wan(?=na\s))")


class Agreement(NamedTuple):
    """What an answer scores, against the one of several right answers that suits it best."""

    exact: float
    """100 where it is one of them, else 0."""

    f1: float
    """Harmonic mean of how much of it is right and how much of what is right is in it; 0 to 100."""


class Silence(NamedTuple):
    """From where on to give no answer."""

    threshold: float
    """Give none where the score of no answer is above it."""

    score: float
    """Mean score of the rows on which it was chosen; 0 to 100."""


def english(answer: str, right: Sequence[str]) -> Agreement:
    """Agreement as SQuAD's official scripts take it: of words, whatever their case, without punctuation and articles.

    Args:
        answer: The one to measure; empty where none is given.
        right: Answers of people; none where there is no answer.

    Source:
        Rajpurkar et al., 2018, arXiv:1806.03822: ``evaluate-v2.0.py``. ``evaluate-v1.1.py`` differs only where a right
        answer is nothing but punctuation and articles.
    """
    words = _english_words(answer)
    wanted = [found for found in map(_english_words, right) if found] or [[]]
    return Agreement(
        exact=100.0 * (words in wanted),
        f1=max(_f1(sum((Counter(words) & Counter(other)).values()), words, other) for other in wanted),
    )


def chinese(answer: str, right: Sequence[str]) -> Agreement:
    """Agreement as CMRC's official script takes it: of the longest run of Chinese characters and other words.

    Other words are those of NLTK's ``word_tokenize``, as in the official script, but without its model of where
    sentences end: CMRC's own answers come out the same.

    Args:
        answer: The one to measure; empty where none is given.
        right: Answers of people; none where there is no answer.

    Source:
        Cui et al., 2019, arXiv:1810.07366: ``cmrc2018_evaluate.py``.
    """
    if not right:
        return Agreement(*[100.0 * (not answer)] * 2)
    words = _chinese_words(answer)
    scores = []
    for other in map(_chinese_words, right):
        run = SequenceMatcher(None, words, other, autojunk=False).find_longest_match()
        scores.append(_f1(run.size, words, other) if run.size else 0.0)
    plain = _without_punctuation(answer)
    return Agreement(exact=100.0 * any(plain == _without_punctuation(other) for other in right), f1=max(scores))


def choose_silence(
    answered: NDArray[np.floating], silent: NDArray[np.floating], no_answer: NDArray[np.floating]
) -> Silence:
    """The threshold for giving no answer with which rows held out of training score most.

    Every threshold that makes a difference is tried, as SQuAD's official script does; the one returned lies halfway
    between the scores that it separates.

    Args:
        answered: What every row scores with its best answer; shape ``[N]``.
        silent: What it scores with none; shape ``[N]``.
        no_answer: The model's score of no answer, against that of its best answer; shape ``[N]``.

    Raises:
        ValueError: If there are no rows.
    """
    if not len(no_answer):
        raise ValueError("expected at least one row, got none")
    order = np.argsort(no_answer, kind="stable")
    levels = no_answer[order].astype(np.float64)
    sums = silent.sum() + np.cumsum((answered - silent)[order])  # when one more row is answered
    last = np.append(levels[1:] != levels[:-1], True)  # rows of equal scores are answered together
    levels, sums = levels[last], np.append(silent.sum(), sums[last])
    best = int(np.argmax(sums))
    thresholds = [levels[0] - 1, *(levels[:-1] + levels[1:]) / 2, levels[-1]]
    return Silence(float(thresholds[best]), float(sums[best] / len(no_answer)))


def _english_words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _without_punctuation(text: str) -> str:
    return text.lower().strip().translate(_PUNCTUATION_CHINESE)


def _chinese_words(text: str) -> list[str]:
    return [word for piece in _PIECES.findall(_without_punctuation(text)) for word in _treebank_words(piece)]


def _treebank_words(text: str) -> list[str]:
    """Words of a text in small letters as the Penn Treebank has them.

    Source:
        Robert MacIntyre's ``tokenizer.sed`` and what NLTK's ``word_tokenize`` made of it.
    """
    text = _FIRST_APOSTROPHE.sub("' ", _OPENING.sub(" `` ", text))
    text = _MARKS.sub(r" \g<0> ", _LAST_PERIOD.sub(" . ", text))
    text = text.replace("''", '"').replace('"', " '' ")
    return _TWO_WORDS.sub(r" \1 ", _CLITICS.sub(r" \1", f"{text} ")).split()


def _f1(common: int, words: Sequence[str], right: Sequence[str]) -> float:
    """Harmonic mean of the shares of two answers that they have in common; two that are empty agree."""
    return 200 * common / (len(words) + len(right)) if words or right else 100.0
