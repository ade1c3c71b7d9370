from pathlib import Path

import numpy as np
import pytest

from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.data.splitting import hold_out, leakage
from hftoolkit.errors import DataError
from hftoolkit.recipe.schema import Filters, Source


def loaded(folder: Path, pairs: list[tuple[str, str]], name: str = "t.tsv") -> Rows:
    path = folder / name
    path.write_text("source\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in pairs), encoding="utf-8", newline="")
    sources = [Source(source=str(path))]
    return load_rows(sources, ["source"], ["target"], filters=Filters(), folder=folder / "cache")


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return loaded(tmp_path, [(f"text {i // 2}", f"translation {i}") for i in range(4000)])


def test_every_row_is_on_one_side_in_its_order(rows: Rows) -> None:
    kept, held = hold_out(rows, 0.1, seed=1)
    assert sorted([*kept.numbers.tolist(), *held.numbers.tolist()]) == list(range(4000))
    assert (np.diff(kept.numbers) > 0).all()
    assert (np.diff(held.numbers) > 0).all()


def test_equal_inputs_are_on_one_side(rows: Rows) -> None:
    kept, held = hold_out(rows, 0.1, seed=1)
    assert not set(kept.input_keys.tolist()) & set(held.input_keys.tolist())
    assert leakage(kept, held) == 0


def test_the_share_is_met_roughly(rows: Rows) -> None:
    assert len(hold_out(rows, 0.1, seed=1)[1]) == pytest.approx(400, abs=80)
    assert len(hold_out(rows, 0.5, seed=1)[1]) == pytest.approx(2000, abs=200)


def test_the_seed_decides(rows: Rows) -> None:
    one, again, other = (hold_out(rows, 0.1, seed=seed)[1] for seed in (1, 1, 2))
    assert one.numbers.tolist() == again.numbers.tolist()
    assert one.fingerprint == again.fingerprint != other.fingerprint
    overlap = len(set(one.numbers.tolist()) & set(other.numbers.tolist()))
    assert overlap == pytest.approx(40, abs=30)  # two seeds are independent: a tenth of a tenth


def test_a_row_keeps_its_side_when_rows_are_added(tmp_path: Path) -> None:
    few = loaded(tmp_path, [(f"text {i}", f"t {i}") for i in range(100)], "few.tsv")
    many = loaded(tmp_path, [(f"text {i}", f"t {i}") for i in range(300)], "many.tsv")
    held = {row["source"] for row in hold_out(few, 0.2, seed=3)[1]}
    assert held == {row["source"] for row in hold_out(many, 0.2, seed=3)[1]} & {f"text {i}" for i in range(100)}


def test_nothing_held_out_is_an_error(tmp_path: Path) -> None:
    rows = loaded(tmp_path, [("a", "b"), ("c", "d")])
    with pytest.raises(DataError) as caught:
        hold_out(rows, 1e-9, seed=1)
    assert str(caught.value) == (
        f"{tmp_path / 't.tsv'}: split: 1e-09 of 2 rows: no row is held out\n"
        "  take another share, add rows, or name a file of its own:  {source: FILE}"
    )


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    rows = loaded(tmp_path, [("a", "b"), ("c", "d")])
    with pytest.raises(DataError, match=r"split: 1 of 2 rows: no row is left to learn from"):
        hold_out(rows, 1 - 1e-16, seed=1)


def test_leakage_counts_rows_whose_input_stands_in_train(tmp_path: Path) -> None:
    train = loaded(tmp_path, [("a", "1"), ("b", "2"), ("c", "3")])
    test = loaded(tmp_path, [("b", "other"), ("b", "2"), ("d", "4"), ("B", "5")], "test.tsv")
    assert leakage(train, test) == 2
