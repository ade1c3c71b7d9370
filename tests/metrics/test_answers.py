"""Exact match and F1 of answers: what the official scripts of SQuAD and CMRC say they compute, written once more."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_texts import texts

from hftoolkit.metrics.answers import Agreement, _treebank_words, chinese, choose_silence, english

WORDS = st.sampled_from(
    ["the", "The", "a", "an", "Eiffel", "tower", "tower,", "U.S.", "theatre", "1,500", "«a»", "well-known", "–", "a-x"]
)
ENGLISH = st.lists(WORDS, max_size=6).map(" ".join) | texts
PIECES = st.sampled_from(["北京", "。", " ", "BERT", "2.0", *"北京大学，《…-〇龥龦٠"])
CHINESE = st.lists(PIECES, max_size=8).map("".join)


def as_squad(answer, right):
    """SQuAD 2.0: F1 of bags of words, the best of the right answers that hold a word; without any, only '' is right."""

    def words(text):
        kept = "".join(char for char in text.lower() if char not in string.punctuation)
        padded, cleaned = f" {kept} ", ""
        while padded:  # articles that stand alone, whatever surrounds them
            for article in ("the", "an", "a"):
                behind = padded[1 + len(article) : 2 + len(article)]
                if padded[1:].startswith(article) and not inside(padded[0]) and not inside(behind):
                    cleaned += padded[0] + " "
                    padded = padded[1 + len(article) :]
                    break
            else:
                cleaned += padded[0]
                padded = padded[1:]
        return cleaned.split()

    def inside(char):
        return bool(char) and (char.isalnum() or char == "_")

    def f1(mine, theirs):
        left, common = list(theirs), 0
        for word in mine:
            if word in left:
                left.remove(word)
                common += 1
        if not mine or not theirs:
            return float(mine == theirs)
        precision, recall = common / len(mine), common / len(theirs)
        return 2 * precision * recall / (precision + recall) if common else 0.0

    wanted = [words(each) for each in right if words(each)] or [[]]
    mine = words(answer)
    return 100 * max(float(mine == each) for each in wanted), 100 * max(f1(mine, each) for each in wanted)


def as_cmrc(answer, right):
    """CMRC 2018: F1 of the longest run in common, Chinese characters singly and others by blanks; EM of characters."""
    marks = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"

    def plain(text):
        return "".join(char for char in text.lower().strip() if char not in marks)

    def words(text):
        return "".join(f" {char} " if "\u4e00" <= char <= "\u9fa5" else char for char in plain(text)).split()

    def f1(mine, theirs):
        runs = {tuple(mine[i:j]) for i in range(len(mine)) for j in range(i + 1, len(mine) + 1)}
        runs &= {tuple(theirs[i:j]) for i in range(len(theirs)) for j in range(i + 1, len(theirs) + 1)}
        longest = max(map(len, runs), default=0)
        if not longest:
            return 0.0
        precision, recall = longest / len(mine), longest / len(theirs)
        return 2 * precision * recall / (precision + recall)

    exact = any(plain(answer) == plain(each) for each in right)
    return 100 * float(exact), 100 * max(f1(words(answer), words(each)) for each in right)


@given(answer=ENGLISH, right=st.lists(ENGLISH, max_size=3))
@settings(max_examples=1000, deadline=None)
def test_english_answers_score_as_squad_scores_them(answer, right):
    assert english(answer, right) == pytest.approx(as_squad(answer, right))


@given(answer=CHINESE, right=st.lists(CHINESE, min_size=1, max_size=3))
@settings(max_examples=1000, deadline=None)
def test_chinese_answers_score_as_cmrc_scores_them(answer, right):
    assert chinese(answer, right) == pytest.approx(as_cmrc(answer, right))


@pytest.mark.parametrize(
    ("answer", "right", "expected"),
    [
        ("the Eiffel Tower!", ["Eiffel tower"], (100, 100)),
        ("Denver Broncos", ["The Denver Broncos defeated Carolina", "Broncos"], (0, 200 / 3)),
        ("cat cat", ["cat"], (0, 200 / 3)),
        ("Mary-Ann", ["MaryAnn"], (100, 100)),  # punctuation goes before words are split
        ("a", ["b"], (0, 0)),
        ("", ["b"], (0, 0)),
        ("", [], (100, 100)),
        ("b", [], (0, 0)),
        ("", ["the", "b"], (0, 0)),  # an article is no answer
        ("the", ["the"], (100, 100)),  # where there is nothing else, nothing is right
    ],
)
def test_english_answers(answer, right, expected):
    assert english(answer, right) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "right", "expected"),
    [
        ("《北京大学》", ["北京大学"], (100, 100)),
        ("北京的大学", ["北京大学"], (0, 200 * 2 / 9)),  # a run, not all characters in common
        ("1998年5月", ["1998年", "5月"], (0, 200 * 2 / 6)),  # 1998 年 5 月
        ("Deep Learning", ["deep learning"], (100, 100)),
        ("BERT-base模型", ["bertbase模型"], (100, 100)),  # what is left of a word is one word
        ("", ["北京"], (0, 0)),
        ("。", ["，"], (100, 0)),  # as the script has it: nothing equals nothing, but has no run in common
        ("……", ["…"], (0, 0)),  # …… is in its list, but is compared with single characters
        ("", [], (100, 100)),
        ("北京", [], (0, 0)),
    ],
)
def test_chinese_answers(answer, right, expected):
    assert chinese(answer, right) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('(lionel richie) "hotshot" ', "( lionel richie ) `` hotshot ''"),
        ('""f"#"', "`` `` f '' # ''"),
        ("nt$25,000 0.80% r&b, 1962", "nt $ 25,000 0.80 % r & b , 1962"),
        ("s.g. tallentyre. st. john.", "s.g. tallentyre. st. john ."),
        ('he said "st. john."', "he said `` st. john . ''"),
        ("hey! say! jump... what?", "hey ! say ! jump ... what ?"),
        ("don't it's we'll dogs' rock'n'roll", "do n't it 's we 'll dogs ' rock'n'roll"),
        ("cannot gonna 'tis so''", "can not gon na ' tis so ''"),
        ("40 °15 ′37 ″—40", "40 °15 ′37 ″ — 40"),
        ("{zhcn;zhtw} ‘x <br>", "{ zhcn ; zhtw } ‘ x < br >"),
        ("", ""),
    ],
)
def test_other_words_are_split_as_word_tokenize_of_nltk_splits_them(text, words):
    assert _treebank_words(text) == words.split()


@given(answer=texts, right=st.lists(texts, max_size=3))
def test_any_text_has_a_score(answer, right):
    for agreement in (english(answer, right), chinese(answer, right)):
        assert isinstance(agreement, Agreement)
        assert agreement.exact in (0, 100)
        assert 0 <= agreement.f1 <= 100


POINTS = st.sampled_from([0.0, 50.0, 100.0])
QUESTIONS = st.lists(st.tuples(POINTS, POINTS, st.integers(-4, 4).map(float)), min_size=1, max_size=12)


def score_at(threshold, questions):
    return np.mean([silent if no_answer > threshold else answered for answered, silent, no_answer in questions])


@given(questions=QUESTIONS)
@settings(max_examples=500, deadline=None)
def test_no_threshold_is_better_than_the_chosen_one(questions):
    chosen = choose_silence(*np.array(questions).T)

    assert score_at(chosen.threshold, questions) == pytest.approx(chosen.score)
    assert chosen.score == pytest.approx(max(score_at(threshold, questions) for threshold in np.arange(-5, 6)))


@given(
    levels=st.lists(st.floats(0, 1), min_size=1, max_size=12, unique=True),
    points=st.lists(st.none() | POINTS, min_size=12, max_size=12),
)
@settings(max_examples=1000, deadline=None)
def test_the_chosen_score_is_the_best_one_of_squad(levels, points):
    """Its search answers one question more at a time, from those that have an answer most surely on."""
    questions = sorted(zip(levels, points, strict=False), key=lambda row: row[0])
    running = best = sum(score is None for _, score in questions)
    for _, score in questions:
        running += -1 if score is None else score / 100
        best = max(best, running)

    answered = np.array([0.0 if score is None else score for _, score in questions])
    silent = np.array([100.0 * (score is None) for _, score in questions])
    chosen = choose_silence(answered, silent, np.array([level for level, _ in questions]))

    assert chosen.score == pytest.approx(100 * best / len(questions))


def test_the_threshold_lies_between_the_scores_that_it_separates():
    answered, silent = np.array([100, 0.0]), np.array([0.0, 100])

    assert choose_silence(answered, silent, np.array([-3.0, 1.0])) == (-1, 100)
    assert choose_silence(answered, silent * 0, np.array([-3.0, 1.0])).threshold == -1
    assert choose_silence(answered * 0, silent, np.array([-3.0, 1.0])).threshold == -4  # better never to answer
    assert choose_silence(answered + 1, silent * 0, np.array([-3.0, 1.0])).threshold == 1  # always to answer


def test_a_threshold_needs_rows():
    with pytest.raises(ValueError, match=r"^expected at least one row, got none$"):
        choose_silence(np.zeros(0), np.zeros(0), np.zeros(0))
