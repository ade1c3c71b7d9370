"""What a report shows of answered questions."""

import pytest

from hftoolkit.metrics.answers import chinese, english
from hftoolkit.reports.questions import QuestionTally
from hftoolkit.reports.sections import Listing, Section, Table


def gathered(rows: list[tuple[str, list[str], str]], language: str = "english") -> list[Section]:
    """What is shown of questions, right answers and given ones; every third row is less sure."""
    tally = QuestionTally(chinese=language == "chinese")
    agree = chinese if language == "chinese" else english
    for number, (question, right, given) in enumerate(rows, 1):
        tally.add(number, question, right, given, 1 - number % 3 / 4, agree(given, right))
    return tally.sections()


def table(sections: list[Section], title: str) -> list[list[str | int | float]]:
    found = next(one for one in sections if one.title == title)
    assert isinstance(found, Table)
    return found.rows


def test_every_question_has_one_outcome() -> None:
    rows = [
        ("who?", ["Ada", "Ada Lovelace"], "ada"),
        ("who?", ["Ada Lovelace"], "Ada"),
        ("who?", ["Ada"], "Bob"),
        ("who?", [], ""),
        ("who?", ["Ada"], ""),
        ("who?", [], "Ada"),
    ]
    assert table(gathered(rows), "What became of the questions") == [
        ["exactly right", 1, pytest.approx(100 / 6)],
        ["right in part", 1, pytest.approx(100 / 6)],
        ["nothing in common with a right answer", 1, pytest.approx(100 / 6)],
        ["no answer, rightly", 1, pytest.approx(100 / 6)],
        ["no answer, though there is one", 1, pytest.approx(100 / 6)],
        ["an answer, though there is none", 1, pytest.approx(100 / 6)],
    ]


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("What is it?", "what"),
        ("In what year?", "what"),
        ("To whom?", "who"),
        ("Whose is it?", "who"),
        ("How many are there?", "how many, how much, ..."),
        ("How is it made?", "how"),
        ("Since when?", "when"),
        ("Name it.", "other"),
        ("Is somewhat good?", "other"),
    ],
)
def test_english_questions_by_their_word(question: str, word: str) -> None:
    ((found, number, _, _),) = table(gathered([(question, ["x"], "x")]), "By question word")
    assert (found, number) == (word, 1)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("他是谁？", "谁"),
        ("他在哪里出生？", "哪里"),
        ("什么时候成立的？", "什么时候"),
        ("成立于哪一年？", "什么时候"),
        ("为什么失败？", "为什么"),
        ("有多少人？", "多少"),
        ("怎样制作？", "怎么"),
        ("属于哪一类？", "哪"),
        ("它是什么？", "什么"),
        ("作者？", "other"),
    ],
)
def test_chinese_questions_by_their_word(question: str, word: str) -> None:
    ((found, number, _, _),) = table(gathered([(question, ["北京"], "北京")], "chinese"), "By question word")
    assert (found, number) == (word, 1)


def test_scores_by_word_and_by_length_of_the_shortest_right_answer() -> None:
    rows = [
        ("What?", ["one"], "one"),
        ("What?", ["one two three", "one two"], "two"),
        ("Who?", ["a b c d e f g"], "x"),
        ("Who?", [], ""),
    ]
    sections = gathered(rows)
    assert table(sections, "By question word") == [
        ["what", 2, 50.0, pytest.approx((100 + 200 / 3) / 2)],
        ["who", 2, 50.0, 50.0],
    ]
    assert [line[:2] for line in table(sections, "By words of the right answer")] == [
        ["1", 1],
        ["2", 1],
        ["5 to 9", 1],
        ["no answer", 1],
    ]
    long = [("什么？", ["北京" * 15], "北京"), ("什么？", ["北京市"], "北京")]
    assert [line[0] for line in table(gathered(long, "chinese"), "By characters of the right answer")] == [
        "3 to 4",
        "20 and more",
    ]


def test_the_surest_mistakes_come_first_and_no_more_than_twenty() -> None:
    rows = [("who?", ["Ada", "Ada", "A. L."], "Bob"), ("who?", ["Ada"], "Ada B."), ("who?", [], "Bob")] * 20
    *_, mistakes = gathered(rows)
    assert isinstance(mistakes, Listing)
    assert len(mistakes.items) == 20
    assert mistakes.items[0] == (3, ["(none)", "Bob (100.0 %)", "who?"])
    assert not any(item[1][1].startswith("Ada") for item in mistakes.items)
    *_, mistakes = gathered(rows[:1])
    assert isinstance(mistakes, Listing)
    assert mistakes.items == [(1, ["Ada / A. L.", "Bob (75.0 %)", "who?"])]


def test_nothing_is_listed_where_nothing_is_wrong() -> None:
    assert all(isinstance(one, Table) for one in gathered([("who?", ["Ada"], "Ada")]))
    assert [table(gathered([]), one.title) for one in gathered([])] == [[], [], []]
