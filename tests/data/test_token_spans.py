"""Characters -> tokens -> characters: whatever the text, the blanks and the tokenizer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers_of_kinds import tokenizer_of
from wild_texts import texts

from hftoolkit.data.census import Census
from hftoolkit.data.sources import read
from hftoolkit.data.token_spans import characters_of, tokens_of, whole_words
from hftoolkit.models.loading import load_tokenizer
from hftoolkit.recipe.schema import Source

KINDS = ("words", "bytes", "pieces")


@pytest.fixture(scope="module")
def tokenizers(bert: Path) -> dict[str, Any]:
    return {kind: tokenizer_of(kind, bert) for kind in KINDS}


def offsets_of(tokenizer: Any, text: str) -> Any:
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return np.array(found, dtype=np.int32).reshape(-1, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("He was born in Paris, France.", "Paris"),
        ("He was born in Paris, France.", "Paris, France"),
        ("He was born in Paris", "Paris"),
        ("Paris was his home", "Paris"),
        ("He was\n\n  born  in \t Paris", "born  in"),
        ("He was\u00a0born in\u3000Paris now", "born in\u3000Paris"),
    ],
)
def test_a_part_of_words_comes_back_as_it_was(tokenizers: dict[str, Any], kind: str, text: str, part: str) -> None:
    start = text.index(part)
    offsets = offsets_of(tokenizers[kind], text)
    span = tokens_of(offsets, start, start + len(part))
    assert span
    assert characters_of(text, offsets, *span) == (start, start + len(part))


def test_blanks_around_a_part_are_no_part_of_it(tokenizers: dict[str, Any]) -> None:
    text = "was  born  in"
    for kind in ("words", "bytes"):
        offsets = offsets_of(tokenizers[kind], text)
        span = tokens_of(offsets, 4, 10)
        assert span
        assert characters_of(text, offsets, *span) == (5, 9)


def test_marks_stay_with_their_letters(tokenizers: dict[str, Any]) -> None:
    text = "a cafe\u0301 in the nai\u0308ve"  # BERT's tokenizer drops them, and ends the token before
    offsets = offsets_of(tokenizers["words"], text)
    span = tokens_of(offsets, 2, 7)
    assert span
    assert characters_of(text, offsets, *span) == (2, 7)


def test_what_no_token_holds_is_nowhere(tokenizers: dict[str, Any]) -> None:
    offsets = offsets_of(tokenizers["words"], "a   b")
    assert tokens_of(offsets, 2, 3) is None
    assert tokens_of(offsets[:0], 0, 1) is None


@settings(max_examples=100, deadline=None)
@given(kind=st.sampled_from(KINDS), before=texts, part=texts, after=texts)
def test_a_part_of_any_text_is_held_by_the_fewest_tokens(
    tokenizers: dict[str, Any], kind: str, before: str, part: str, after: str
) -> None:
    text = before + part + after
    start, end = len(before), len(before) + len(part)
    offsets = offsets_of(tokenizers[kind], text)
    held = [place for place, (begin, stop) in enumerate(offsets.tolist()) if begin < end and stop > start]
    span = tokens_of(offsets, start, end)
    if not held or not part:
        assert span is None or not part
        return
    assert span == (held[0], held[-1])
    found_start, found_end = characters_of(text, offsets, *span)
    assert 0 <= found_start <= found_end <= len(text)
    # Everything of the part that any token knows of is in it, but for blanks.
    known = {place for begin, stop in offsets.tolist() for place in range(begin, stop)}
    wanted = [place for place in range(start, end) if place in known and not text[place].isspace()]
    assert all(found_start <= place < found_end for place in wanted)
    # And nothing else, but for the rest of the tokens at its ends, and marks.
    assert found_start >= offsets[span[0], 0]
    assert not text[found_start:found_end] or text[found_start:found_end].strip() == text[found_start:found_end]


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("in the 1990s he", "1990", "1990s"),
        ("unhappy people", "happy", "unhappy"),
        ("Denver's team", "Denver", "Denver"),
        ("1998-2001", "1998", "1998"),
        ("e-mail", "mail", "mail"),
        ("他在北京大学读书", "北京", "北京"),
        ("파리에서 태어났다", "파리", "파리"),
        ("ประเทศไทยสวย", "ไทย", "ไทย"),
        ("Straße", "tra", "Straße"),
        ("在Paris的", "ari", "Paris"),
        ("a_b", "b", "b"),
        ("all", "all", "all"),
    ],
)
def test_answers_are_whole_words_where_there_are_words(text: str, part: str, expected: str) -> None:
    start = text.index(part)
    found = whole_words(text, start, start + len(part))
    assert text[slice(*found)] == expected


@given(before=texts, part=texts, after=texts)
def test_whole_words_hold_the_part_and_do_not_grow_twice(before: str, part: str, after: str) -> None:
    text = before + part + after
    start, end = whole_words(text, len(before), len(before) + len(part))
    assert 0 <= start <= len(before) <= len(before) + len(part) <= end <= len(text)
    assert whole_words(text, start, end) == (start, end)
    if not part:
        assert start == end


@pytest.mark.slow
def test_answers_of_public_data_come_back_as_they_were(shared: Path) -> None:
    """Those of CMRC 2018 that are in their context; the others begin or end with a blank, or within a word."""
    tokenizer = load_tokenizer(shared / "models" / "tokenizer-bert-base-chinese", "bert-base-chinese")
    source = Source(source=str(shared / "data" / "qa" / "cmrc2018" / "cmrc2018_dev.json"))
    found, kept = 0, 0
    for _, raws in read(source, ["context", "answers", "starts"], Census("cmrc")):
        for row, _, _ in raws:
            offsets = offsets_of(tokenizer, row["context"])
            for answer, start in zip(row["answers"], row["starts"], strict=True):
                span = tokens_of(offsets, start, start + len(answer)) if start >= 0 else None
                if span is None:
                    continue
                found += 1
                place = whole_words(row["context"], *characters_of(row["context"], offsets, *span))
                kept += row["context"][slice(*place)] == answer
    assert (found, kept) == (9464, 9444)
