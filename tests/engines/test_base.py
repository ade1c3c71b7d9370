"""What engines have in common."""

import pytest

from hftoolkit.engines.base import check_n_best, cut_note
from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import UsageError


@pytest.mark.parametrize("n_best", [1, 4])
def test_a_search_finds_as_many_texts_as_it_has_beams(n_best: int) -> None:
    check_n_best(n_best, Decoding(4))


@pytest.mark.parametrize("n_best", [0, 5])
def test_it_finds_no_more(n_best: int) -> None:
    with pytest.raises(UsageError) as caught:
        check_n_best(n_best, Decoding(4))
    assert str(caught.value) == (
        f"n_best: expected a whole number from 1 to the number of beams, 4, got {n_best}\n"
        "  raise the number of beams, or ask for fewer"
    )


def test_how_many_were_cut_is_put_into_words() -> None:
    assert cut_note(1, 512) == "1 source is longer than the model's 512 tokens and was cut"
    assert cut_note(1234, 1024) == "1,234 sources are longer than the model's 1,024 tokens and were cut"
