"""Settings of a decoding: how far a row may go, and which settings transformers is handed."""

import pytest
from transformers import GenerationConfig

from hftoolkit.engines.decoding import KNOWN, Decoding, check_settings
from hftoolkit.errors import UsageError
from hftoolkit.recipe.schema import Evaluation


def refusal(**settings: object) -> str:
    with pytest.raises(UsageError) as caught:
        check_settings(settings)
    return str(caught.value)


@pytest.mark.parametrize(("source", "positions", "limit"), [(1, 512, 23), (4, 512, 32), (400, 512, 512), (400, 64, 64)])
def test_a_row_may_be_three_times_as_long_as_its_source(source: int, positions: int, limit: int) -> None:
    assert Decoding().limit(source, positions) == limit


def test_the_signature_names_what_the_output_depends_on() -> None:
    assert str(Decoding()) == "beams:4|lp:1|max:3x+20"
    assert str(Decoding(beams=1, length_penalty=0.6)) == "beams:1|max:3x+20"
    assert str(Decoding(beams=2, length_penalty=0.6, longest=1.5)) == "beams:2|lp:0.6|max:1.5x+20"
    assert str(Decoding(no_repeat_ngram=3, repetition_penalty=1.2)) == "beams:4|lp:1|max:3x+20|ngram:3|rp:1.2"


def test_it_is_that_of_a_recipe() -> None:
    assert Decoding.of(Evaluation(beams=5, length_penalty=0.6)) == Decoding(5, 0.6)


def test_every_known_setting_is_one_of_transformers() -> None:
    assert set(KNOWN) <= set(vars(GenerationConfig()))


def test_known_settings_pass() -> None:
    check_settings({"num_beams": 1, "max_length": 2, "no_repeat_ngram_size": 0, "temperature": 0.5, "do_sample": True})


def test_an_unknown_setting_is_an_error_that_names_the_nearest() -> None:
    assert refusal(num_beam=4) == (
        "unknown generation setting 'num_beam'; did you mean 'num_beams'?\n"
        "  known: bad_words_ids, begin_suppress_tokens, do_sample, early_stopping, encoder_no_repeat_ngram_size, "
        "encoder_repetition_penalty, epsilon_cutoff, eta_cutoff, exponential_decay_length_penalty, "
        "forced_bos_token_id, length_penalty, max_length, max_new_tokens, max_time, min_length, min_new_tokens, min_p, "
        "no_repeat_ngram_size, num_beams, remove_invalid_values, renormalize_logits, repetition_penalty, "
        "sequence_bias, suppress_tokens, temperature, top_k, top_p, typical_p"
    )


@pytest.mark.parametrize("name", ["xyz", "update", "_from_model_config"])
def test_what_is_near_nothing_is_just_unknown(name: str) -> None:
    assert refusal(**{name: 1}).startswith(f"unknown generation setting '{name}'\n  known: ")


@pytest.mark.parametrize(
    ("name", "least", "value"),
    [("num_beams", 1, 0), ("num_beams", 1, "4"), ("num_beams", 1, True), ("max_length", 2, 1), ("top_k", 0, 2.5)],
)
def test_a_number_that_cannot_be(name: str, least: int, value: object) -> None:
    assert refusal(**{name: value}) == f"{name}: expected a whole number from {least}, got {value!r}"
