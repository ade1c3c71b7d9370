from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.spans import Span, read_spans

TEXT = "Marie Curie came from Warsaw."


@given(st.integers(0, 1000), st.integers(0, 1000), st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_a_span_comes_back_as_it_was(start: int, end: int, label: str) -> None:
    assert Span.read(str(Span(start, end, label))) == Span(start, end, label)


@pytest.mark.parametrize(
    "values",
    [
        [{"start": 0, "end": 11, "label": "person"}, {"start": 22, "end": 28, "label": "place of birth"}],
        [
            {"start": 22, "end": 28, "label": "place of birth", "text": "Warsaw"},
            {"start": 0, "end": 11, "type": "person"},
        ],
        [{"id": 1, "start_offset": 0, "end_offset": 11, "label": "person"}, [22, 28, "place of birth"]],
        [[22, 28, "place of birth"], [0, 11, "person"]],
        ["22 28 place of birth", "0 11 person"],
        [{"start": 0, "end": 11, "entity_group": "person"}, "22 28 place of birth", [0, 11, "person"]],
    ],
)
def test_all_ways_to_say_spans(values: list[Any]) -> None:
    assert [str(span) for span in read_spans(values, TEXT)] == ["0 11 person", "22 28 place of birth"]


def test_no_spans() -> None:
    assert read_spans([], TEXT) == []


def test_spans_may_touch() -> None:
    assert len(read_spans([[0, 5, "a"], [5, 11, "b"]], TEXT)) == 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"start": 0}, 'spans: expected a list, got {"start": 0}'),
        (["person"], 'spans: expected start, end and label, got "person"'),
        ([[0, 5]], "spans: expected start, end and label, got [0, 5]"),
        ([["0", "5", "x"]], 'spans: expected start, end and label, got ["0", "5", "x"]'),
        ([[False, True, "x"]], 'spans: expected start, end and label, got [false, true, "x"]'),
        ([[0, 5, " "]], 'spans: expected start, end and label, got [0, 5, " "]'),
        (["0 5 "], 'spans: expected start, end and label, got "0 5 "'),
        ([{"start": 0, "end": 5}], 'spans: expected start, end and label, got {"start": 0, "end": 5}'),
        ([None], "spans: expected start, end and label, got null"),
        ([[22, 30, "LOC"]], "spans: 'LOC' from 22 to 30 lies outside the text, which has 29 characters"),
        ([[-1, 3, "LOC"]], "spans: 'LOC' from -1 to 3 lies outside the text, which has 29 characters"),
        ([[5, 3, "LOC"]], "spans: 'LOC' from 5 to 3 lies outside the text, which has 29 characters"),
        ([[5, 5, "LOC"]], "spans: 'LOC' from 5 to 5 holds no text"),
        ([[5, 6, "LOC"]], "spans: 'LOC' from 5 to 6 holds no text"),
        ([[0, 11, "PER"], [6, 15, "ORG"]], "spans: 'PER' from 0 to 11 overlaps 'ORG' from 6 to 15"),
        ([[0, 5, "PER"], [0, 5, "ORG"]], "spans: 'ORG' from 0 to 5 overlaps 'PER' from 0 to 5"),
        (
            [{"start": 23, "end": 29, "label": "LOC", "text": "Warsaw"}],
            "spans: 'LOC' from 23 to 29 is 'arsaw.' in the text, not 'Warsaw'",
        ),
    ],
)
def test_spans_that_cannot_be_used(values: Any, expected: str) -> None:
    with pytest.raises(ValueError, match="spans: ") as caught:
        read_spans(values, TEXT)
    assert str(caught.value) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["start", "end", "label", "text"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(json_values)
def test_wild_values_are_refused_or_cut_the_text(values: Any) -> None:
    try:
        spans = read_spans(values, TEXT)
    except ValueError:
        return
    assert all(TEXT[span.start : span.end].strip() for span in spans)
