"""Questions and contexts as windows: as the tokenizer itself would make them, whatever its kind."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers_of_kinds import tokenizer_of
from wild_texts import texts

from hftoolkit.data.questions import Asked, Frame, Sizes, read_questions

CONTEXT = "the food was good, the film was bad. we like the story. 1990 was a great year! i hate it. " * 3


@pytest.fixture(scope="module")
def tokenizers(bert: Path) -> dict[str, Any]:
    return {kind: tokenizer_of(kind, bert) for kind in ("words", "bytes", "pieces")}


def read(tokenizer: Any, question: str, context: str, sizes: Sizes) -> Asked:
    return read_questions([{"question": question, "context": context}], tokenizer, Frame.of(tokenizer), sizes)[0]


@pytest.mark.parametrize("kind", ["words", "bytes", "pieces"])
@pytest.mark.parametrize(("window", "overlap"), [(600, 16), (64, 16), (40, 0)])
def test_windows_are_those_of_the_tokenizer(tokenizers: dict[str, Any], kind: str, window: int, overlap: int) -> None:
    tokenizer = tokenizers[kind]
    theirs = tokenizer(
        "was it good?",
        CONTEXT,
        truncation="only_second",
        max_length=window,
        stride=overlap,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    ours = read(tokenizer, "was it good?", CONTEXT, Sizes(window, overlap, 30))
    assert [one["input_ids"] for one in ours.features] == theirs["input_ids"]
    if kind == "words":
        assert [one["token_type_ids"] for one in ours.features] == theirs["token_type_ids"]
    for number, (feature, first) in enumerate(zip(ours.features, ours.begins, strict=True)):
        begin, end = feature["context"]
        sides = theirs.sequence_ids(number)
        assert [place for place, side in enumerate(sides) if side == 1] == list(range(begin, end))
        assert ours.offsets[first : first + end - begin].tolist() == [
            list(one) for one in theirs["offset_mapping"][number][begin:end]
        ]


def test_models_that_are_not_told_which_text_a_token_is_of_are_not_told(tokenizers: dict[str, Any]) -> None:
    assert Frame.of(tokenizers["words"]).types == ([0], 0, [0], 1, [1])
    bare = tokenizers["bytes"]
    bare.model_input_names = ["input_ids", "attention_mask"]
    assert Frame.of(bare).types is None
    assert read(bare, "a?", "b", Sizes(40, 0, 8)).features[0].keys() == {"input_ids", "context"}


def test_of_a_long_question_the_beginning_is_read_and_it_is_marked(tokenizers: dict[str, Any]) -> None:
    tokenizer = tokenizers["words"]
    (feature,) = read(tokenizer, "was it good, was it bad?", "the film", Sizes(40, 8, 4)).features
    assert tokenizer.decode(feature["input_ids"]) == "[CLS] was it good, [SEP] the film [SEP]"
    assert feature["cut"] == [1]
    (whole,) = read(tokenizer, "was it good,", "the film", Sizes(40, 8, 4)).features
    assert feature["input_ids"] == whole["input_ids"]
    assert "cut" not in whole


def test_a_cut_question_is_marked_once_for_its_row(tokenizers: dict[str, Any]) -> None:
    features = read(tokenizers["words"], "was it good, was it bad?", CONTEXT, Sizes(40, 8, 4)).features
    assert ["cut" in one for one in features] == [True, *[False] * (len(features) - 1)]
    assert len(features) > 2


def test_no_question_takes_more_than_half_of_a_window(tokenizers: dict[str, Any]) -> None:
    features = read(tokenizers["words"], "was it good? " * 9, "the film was bad " * 9, Sizes(23, 4, 64)).features
    assert {one["context"][0] for one in features} == {12}  # 20 tokens are no special ones
    assert max(len(one["input_ids"]) for one in features) == 23


@pytest.mark.parametrize("context", ["", " \n "])
def test_a_context_without_tokens_is_one_window(tokenizers: dict[str, Any], context: str) -> None:
    found = read(tokenizers["words"], "a?", context, Sizes(40, 8, 8))
    assert [one["context"] for one in found.features] == [[4, 4]]
    assert found.offsets.shape == (0, 2)


def test_texts_that_occur_again_are_read_once(tokenizers: dict[str, Any]) -> None:
    seen: list[list[str]] = []

    class Counting:
        def __call__(self, some: list[str], **settings: Any) -> Any:
            seen.append(some)
            return tokenizers["words"](some, **settings)

    rows = [{"question": question, "context": "the film"} for question in ("good?", "bad?", "good?")]
    read_questions(rows, Counting(), Frame.of(tokenizers["words"]), Sizes(40, 8, 8))
    assert seen == [["good?", "bad?"], ["the film"]]


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(["words", "bytes", "pieces"]),
    question=texts,
    context=st.lists(texts, max_size=8).map("".join),
    window=st.integers(5, 40),
    overlap=st.integers(0, 40),
)
def test_every_token_is_in_a_window(
    tokenizers: dict[str, Any], kind: str, question: str, context: str, window: int, overlap: int
) -> None:
    tokenizer = tokenizers[kind]
    found = read(tokenizer, question, context, Sizes(window, overlap, 8))
    alone = tokenizer(context, add_special_tokens=False)["input_ids"]
    assert len(found.offsets) == len(alone)
    rebuilt: dict[int, int] = {}
    for feature, first in zip(found.features, found.begins, strict=True):
        assert len(feature["input_ids"]) <= window
        begin, end = feature["context"]
        rebuilt |= zip(range(first, first + end - begin), feature["input_ids"][begin:end], strict=True)
    assert [rebuilt[place] for place in range(len(alone))] == alone
