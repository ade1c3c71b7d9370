from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.sources.answers import ABSENT, BLANK, FOUND, REPAIRED, SEVERAL, read_answers

CONTEXT = "In 1903 and in 1911 Marie Curie won the Nobel Prize; in 1911 she was alone."


@pytest.mark.parametrize(
    "value",
    [
        {"text": ["1903", "1911"], "answer_start": [3, 15]},
        {"text": ["1903", "1911"], "start": [3, 15]},
        [{"text": "1903", "answer_start": 3}, {"text": "1911", "answer_start": 15}],
        [{"text": "1903", "start": 3}, {"text": "1911", "start": 15.0}],
    ],
)
def test_all_ways_to_say_answers(value: Any) -> None:
    assert read_answers(value, None, CONTEXT) == (["1903", "1911"], [3, 15], [])


@pytest.mark.parametrize("starts", [[20], 20, "20", ["20"]])
def test_positions_beside_the_texts(starts: Any) -> None:
    assert read_answers("Marie Curie", starts, CONTEXT) == (["Marie Curie"], [20], [])
    assert read_answers({"text": "Marie Curie", "answer_start": 3}, starts, CONTEXT)[1] == [20]


@pytest.mark.parametrize("value", [[], {"text": [], "answer_start": []}, {}, None])
def test_no_answer(value: Any) -> None:
    assert read_answers(value, None, CONTEXT) == ([], [], [])


def test_a_blank_answer_is_none() -> None:
    assert read_answers({"text": ["", " "], "answer_start": [-1, 0]}, None, CONTEXT) == ([], [], [BLANK, BLANK])


def test_texts_alone_are_found_in_the_context() -> None:
    texts = ["Marie Curie", "1911", "Pierre"]
    assert read_answers(texts, None, CONTEXT) == (texts, [20, 15, -1], [FOUND, FOUND, SEVERAL, ABSENT])


def test_numbers_are_texts() -> None:
    assert read_answers([1903, 2.5], None, CONTEXT) == (["1903", "2.5"], [3, -1], [FOUND, ABSENT])


@pytest.mark.parametrize(
    ("text", "start", "place"),
    [
        ("1903", -1, 3),
        ("1903", 2, 3),
        ("1911", -1, 15),
        ("1911", 14, 15),
        ("1911", 16, 15),
        ("1911", 50, 56),
        ("1911", 59, 56),
        ("1911", 10**12, 56),
        ("1911", 35, 15),
        ("1911", 36, 56),
    ],
)
def test_a_wrong_position_becomes_the_nearest_place(text: str, start: int, place: int) -> None:
    assert read_answers({"text": [text], "answer_start": [start]}, None, CONTEXT) == ([text], [place], [REPAIRED])


@given(st.text("ab", max_size=12), st.text("ab", min_size=1, max_size=3), st.integers(-2, 14))
def test_the_nearest_place_of_all(context: str, text: str, start: int) -> None:
    places = [place for place in range(len(context)) if context.startswith(text, place)]
    (found,) = read_answers({"text": [text], "answer_start": [start]}, None, context)[1]
    if places:
        assert found in places
        assert abs(found - start) == min(abs(place - start) for place in places)
    else:
        assert found == -1


@pytest.mark.parametrize(
    ("value", "starts", "expected"),
    [
        ([None], None, "answers: expected a text, got null"),
        ([["a"]], None, 'answers: expected a text, got ["a"]'),
        (True, None, "answers: expected a text, got true"),
        ([{"text": "a"}, "b"], None, 'answers: expected a text, got {"text": "a"}'),
        (["a", "b"], [1], "answers: 2 texts, but 1 positions"),
        ({"text": [], "answer_start": [3]}, None, "answers: 0 texts, but 1 positions"),
        ("a", ["here"], 'answers: expected a position, in characters from 0, got "here"'),
        ("a", [float("nan")], "answers: expected a position, in characters from 0, got NaN"),
        ("a", [float("inf")], "answers: expected a position, in characters from 0, got Infinity"),
        ("a", [[1]], "answers: expected a position, in characters from 0, got [1]"),
    ],
)
def test_answers_that_cannot_be_used(value: Any, starts: Any, expected: str) -> None:
    with pytest.raises(ValueError, match="answers: ") as caught:
        read_answers(value, starts, CONTEXT)
    assert str(caught.value) == expected
