"""Words of rows, and words of spans."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.spans import Span
from hftoolkit.metrics.tags import Entity
from hftoolkit.tasks.ner.options import Options
from hftoolkit.tasks.ner.sentences import Sentence, Tagged, aligned, sentence_of


def of_text(text: str, **options: bool) -> Sentence:
    return sentence_of({"text": text}, Options(spans=True, **options))


def test_words_have_a_blank_between_them() -> None:
    sentence = sentence_of({"words": ["New", "York", "."]}, Options())
    assert sentence == Sentence("New York .", ["New", "York", "."], [(0, 3), (4, 8), (9, 10)])


def test_characters_have_none() -> None:
    sentence = sentence_of({"words": ["北", "京", "2008"]}, Options(characters=True))
    assert sentence == Sentence("北京2008", ["北", "京", "2008"], [(0, 1), (1, 2), (2, 6)])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(), ["the", "U.N.", "'s"]),
        (Options(spans=True), ["the", "U", ".", "N", ".", "'", "s"]),
        (Options(characters=True), list("theU.N.'s")),
    ],
)
def test_words_of_a_text(options: Options, words: list[str]) -> None:
    text = "the U.N.'s"
    sentence = sentence_of({"text": text}, options)
    assert sentence.words == words == [text[start:end] for start, end in sentence.places]


def test_where_words_stand() -> None:
    sentence = of_text("in New  York.")
    assert sentence.place(Entity("LOC", 1, 3)) == (3, 12)
    assert [sentence.words_at(*part) for part in [(3, 12), (4, 5), (2, 4), (6, 8), (12, 13), (0, 13)]] == [
        (1, 3),
        (1, 2),
        (1, 2),
        None,
        (3, 4),
        (0, 4),
    ]


def test_the_score_of_words_is_their_mean() -> None:
    assert Tagged(of_text("a b c"), ["O"] * 3, [0.5, 1.0, 0.0]).score(0, 2) == 0.75


def test_spans_that_are_words() -> None:
    (found,) = aligned([Span(3, 11, "LOC")], of_text("in New York."))
    assert found == ("LOC", Entity("LOC", 1, 3), (3, 11), True)


def test_white_space_around_a_span_is_none_of_it() -> None:
    (found,) = aligned([Span(2, 12, "LOC")], of_text("in New York ."))
    assert found == ("LOC", Entity("LOC", 1, 3), (3, 11), True)


def test_a_span_inside_a_word_is_learned_as_the_word() -> None:
    (found,) = aligned([Span(0, 2, "NUMBER")], of_text("10km on"))
    assert found == ("NUMBER", Entity("NUMBER", 0, 1), (0, 2), False)


def test_two_spans_in_a_word() -> None:
    one, other = aligned([Span(0, 2, "NUMBER"), Span(2, 4, "UNIT")], of_text("10km on"))
    assert one.entity == Entity("NUMBER", 0, 1)
    assert other == ("UNIT", None, (2, 4), False)


def test_what_is_left_of_a_span_whose_first_word_is_taken() -> None:
    one, other = aligned([Span(0, 2, "NUMBER"), Span(2, 7, "UNIT")], of_text("10km on"))
    assert one.entity == Entity("NUMBER", 0, 1)
    assert other == ("UNIT", Entity("UNIT", 1, 2), (2, 7), False)


def test_a_span_without_words() -> None:
    (found,) = aligned([Span(1, 2, "X")], of_text("a\u200bb"))
    assert found == ("X", None, (1, 2), False)


@pytest.mark.parametrize("characters", [False, True])
@given(text=st.text(), data=st.data())
def test_spans_of_whole_words_come_back_as_they_are(characters: bool, text: str, data: st.DataObject) -> None:
    sentence = of_text(text, characters=characters)
    edges = data.draw(st.lists(st.sampled_from(range(len(sentence.words) + 1)), unique=True).map(sorted))
    wanted = [Entity("X", start, end) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    spans = [Span(*sentence.place(entity), "X") for entity in wanted]
    found = aligned(spans, sentence)
    assert [one.entity for one in found] == wanted
    assert [one.place for one in found] == [(span.start, span.end) for span in spans]
    assert all(one.exact for one in found)


@given(text=st.text(max_size=30), cuts=st.lists(st.integers(0, 30), unique=True).map(sorted))
def test_whatever_the_spans_their_words_do_not_overlap(text: str, cuts: Sequence[int]) -> None:
    sentence = of_text(text)
    pairs = [(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=False) if end <= len(text)]
    spans = [Span(start, end, "X") for start, end in pairs if text[start:end].strip()]
    behind = 0
    for span, found in zip(spans, aligned(spans, sentence), strict=True):
        if found.entity:
            assert behind <= found.entity.start < found.entity.end
            start, end = sentence.place(found.entity)
            assert start < span.end
            assert end > span.start
            behind = found.entity.end
