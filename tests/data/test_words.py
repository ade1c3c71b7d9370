"""Where words stand in a text."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.data.words import How, joined, word_places

HOWS: list[How] = ["fine", "usual", "characters"]


def words(text: str, how: How) -> list[str]:
    return [text[start:end] for start, end in word_places(text, how)]


@pytest.mark.parametrize(
    ("text", "fine", "usual"),
    [
        ("Paris (75001).", "Paris ( 75001 ) .", "Paris ( 75001 ) ."),
        ("the U.N. said", "the U . N . said", "the U.N. said"),
        ("the U.N.'s", "the U . N . ' s", "the U.N. 's"),
        ("in the U.S.A., said", "in the U . S . A . , said", "in the U.S.A. , said"),
        ("said J. Smith.", "said J . Smith .", "said J . Smith ."),
        ("Mr. O'Brien", "Mr . O ' Brien", "Mr . O'Brien"),
        ("Germany's well-known team", "Germany ' s well - known team", "Germany 's well-known team"),
        ("we’ll pay 1,000.50, or 10:30", "we ’ ll pay 1 , 000 . 50 , or 10 : 30", "we ’ll pay 1,000.50 , or 10:30"),
        ("at&t, a@b.com and/or", "at & t , a @ b . com and / or", "at&t , a@b.com and/or"),
        ("one,two -- 'three'", "one , two - - ' three '", "one , two - - ' three '"),
        ("snake_case 10km", "snake_case 10km", "snake_case 10km"),
        ("我在Paris住", "我 在 Paris 住", "我 在 Paris 住"),
        ("東京タワー", "東 京 タ ワ ー", "東 京 タ ワ ー"),
        ("서울에서 왔다", "서울에서 왔다", "서울에서 왔다"),
        ("e\u0301te\u0301 à", "e\u0301te\u0301 à", "e\u0301te\u0301 à"),
        ("हिन्दी में", "हिन्दी में", "हिन्दी में"),
        ("می\u200cروم", "می\u200cروم", "می\u200cروم"),
        ("❤\ufe0f👍🏽", "❤\ufe0f 👍 🏽", "❤\ufe0f 👍 🏽"),
        ("\ufeffa\u200bb\x00c", "a b c", "a b c"),
        ("", "", ""),
        (" \t\n\u3000", "", ""),
    ],
)
def test_words(text: str, fine: str, usual: str) -> None:
    assert words(text, "fine") == fine.split()
    assert words(text, "usual") == usual.split()


def test_characters_have_their_marks() -> None:
    assert words("我在 Pa\u0301", "characters") == ["我", "在", "P", "a\u0301"]


@pytest.mark.parametrize("how", HOWS)
@given(text=st.text())
def test_every_character_that_can_be_seen_is_in_one_word(how: How, text: str) -> None:
    places = word_places(text, how)
    assert all(start < end for start, end in places)
    assert all(one[1] <= other[0] for one, other in pairwise(places))
    inside = {place for start, end in places for place in range(start, end)}
    for place, character in enumerate(text):
        assert place in inside or unicodedata.category(character)[0] in "ZC"


@given(st.lists(st.text()), st.sampled_from(["", " "]))
def test_joined_words_stand_where_it_says(texts: list[str], between: str) -> None:
    text, places = joined(texts, between)
    assert text == between.join(texts)
    assert [text[start:end] for start, end in places] == texts
