"""Tables of rows of unequal lengths."""

import numpy as np
import pytest

from hftoolkit.data.padding import counted, model_inputs, padded, stepped


@pytest.mark.parametrize(
    ("longest", "widest", "width"),
    [(5, 0, 5), (5, 512, 8), (8, 512, 8), (1, 512, 4), (9, 11, 9), (9, 12, 12), (14, 12, 14)],
)
def test_width_is_a_multiple_of_four_up_to_what_a_model_can_read(longest: int, widest: int, width: int) -> None:
    rows = [[7], [7] * longest]
    table = padded(rows, 1, widest=widest)
    assert table.tolist() == [[7] + [1] * (width - 1), [7] * longest + [1] * (width - longest)]
    assert counted(rows, widest=widest).tolist() == (table == 7).astype(int).tolist()


def test_all_that_an_encoder_reads_has_one_width() -> None:
    features = [{"input_ids": [2, 5, 3], "token_type_ids": [0, 0, 1]}, {"input_ids": [2, 3]}]
    tables = model_inputs(features, 9, widest=512)
    assert {name: table.tolist() for name, table in tables.items()} == {
        "input_ids": [[2, 5, 3, 9], [2, 3, 9, 9]],
        "attention_mask": [[1, 1, 1, 0], [1, 1, 0, 0]],
        "token_type_ids": [[0, 0, 1, 0], [0, 0, 0, 0]],
    }


def test_lengths_of_a_plan_are_those_of_the_tables() -> None:
    assert stepped(np.array([[1, 4], [5, 0]], np.int32)).tolist() == [[4, 4], [8, 0]]
