"""Conversations as tokens: what is cut, what is dropped, what is measured."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.errors import DataError
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.tasks.instruction_tuning import InstructionTuning
from hftoolkit.tasks.instruction_tuning.reading import PLACES, Reading
from hftoolkit.training.next_tokens import IGNORED

ROW = {"messages": ["user Is it open?", "assistant Yes.", "user Why?", "assistant I do not know."]}


@pytest.fixture(scope="module")
def loaded(llama: Any) -> Loaded:
    return load_checkpoint(str(llama), InstructionTuning({}, None).auto_class)


def learned(loaded: Loaded, row: Any, limit: int, too_long: Any = "drop") -> dict[str, list[int]]:
    ((feature,),) = Reading(loaded.tokenizer, too_long).learned([row], limit)
    return feature


def answers(loaded: Loaded, feature: dict[str, list[int]]) -> str:
    pairs = zip(feature["input_ids"], feature["labels"], strict=True)
    assert all(label in (number, IGNORED) for number, label in pairs)
    return str(loaded.tokenizer.decode([label for label in feature["labels"] if label != IGNORED]))


def test_what_fits_is_kept_whole(loaded: Loaded) -> None:
    whole = learned(loaded, ROW, 96, "error")
    assert answers(loaded, whole) == "Yes.<|im_end|>I do not know.<|im_end|>"
    assert "cut" not in whole


def test_what_stands_behind_the_last_answer_teaches_nothing(loaded: Loaded) -> None:
    more = {"messages": [*ROW["messages"], "user Thanks!", "user Bye!"]}
    assert learned(loaded, more, 96) == learned(loaded, ROW, 96)


def test_what_is_too_long_is_left_as_it_is_to_be_dropped(loaded: Loaded) -> None:
    assert learned(loaded, ROW, 20) == learned(loaded, ROW, 96)


def test_it_is_cut_at_one_end(loaded: Loaded) -> None:
    whole = learned(loaded, ROW, 96)
    left, right = (learned(loaded, ROW, 34, side) for side in ("left", "right"))
    assert left == {**{name: ids[-34:] for name, ids in whole.items()}, "cut": [1]}
    assert right == {**{name: ids[:34] for name, ids in whole.items()}, "cut": [1]}
    assert answers(loaded, left) == "I do not know.<|im_end|>"
    assert answers(loaded, right) == "Yes.<|im_end|>"


def test_what_has_no_answer_left_is_dropped(loaded: Loaded) -> None:
    assert learned(loaded, ROW, 20, "right") == learned(loaded, ROW, 96)
    # of an answer whose first token begins the row alone nothing can be learned
    row = {"messages": ["user Is it open?", "assistant y"]}
    assert len(learned(loaded, row, 1, "left")["input_ids"]) > 1


def test_it_is_told_of(loaded: Loaded) -> None:
    with pytest.raises(DataError) as caught:
        learned(loaded, ROW, 50, "error")
    size = len(learned(loaded, ROW, 96)["input_ids"])
    assert str(caught.value) == (
        f"a conversation has {size} tokens: at most 50 are learned from\n"
        "  it is:   user Is it open? / assistant Yes. / user Why? / assistant I…\n"
        "  leave such rows out, or cut them:   options: {too_long: drop}   or left, or right"
    )


@given(
    said=st.lists(st.sampled_from(["Yes.", "The library is open.", "No"]), min_size=1, max_size=6),
    window=st.integers(4, 64),
)
def test_every_token_of_an_answer_is_measured_once(said: list[str], window: int, loaded: Loaded) -> None:
    row = {"messages": [text for answer in said for text in ("user Why?", f"assistant {answer}")]}
    reading = Reading(loaded.tokenizer, "drop")
    ((ids, mask),) = reading.tokens([row])
    (features,) = reading.measured([row], window)
    assert all(len(feature["input_ids"]) <= window and feature[PLACES] for feature in features)
    found = [feature["input_ids"][place] for feature in features for place in feature[PLACES]]
    assert found == [number for number, one in zip(ids, mask, strict=True) if one]
    assert all(place >= min(window // 2, 1) for feature in features for place in feature[PLACES])


def test_what_stands_before_the_first_answer(loaded: Loaded) -> None:
    row = {"messages": ["system Be brief.", *ROW["messages"]]}
    asked, ids = Reading(loaded.tokenizer, "drop").question(row)
    assert asked == "Be brief.\nIs it open?"
    assert loaded.tokenizer.decode(ids).endswith("<|im_start|>user\nIs it open?<|im_end|>\n<|im_start|>assistant\n")
