"""What CTranslate2 is asked for."""

from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.searching import search_of


def test_beams_and_their_penalty_reach_the_search() -> None:
    decoding = Decoding(3, 0.6, no_repeat_ngram=2, repetition_penalty=1.5)
    assert search_of(decoding, {}).options == {
        "beam_size": 3,
        "length_penalty": 0.6,
        "no_repeat_ngram_size": 2,
        "repetition_penalty": 1.5,
        "min_decoding_length": 0,
        "patience": 1.25,
    }
