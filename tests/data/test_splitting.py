from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hftoolkit.data.rows import Rows, load_rows
from hftoolkit.data.splitting import hold_out, hold_out_files, leakage
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


def in_files(folder: Path, sizes: dict[str, int], **keys: Any) -> Rows:
    """Rows in as many files as there are sizes, all inputs different."""
    for name, size in sizes.items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{name} {number}\tt\n" for number in range(size))
        path.write_text(f"source\ttarget\n{lines}", encoding="utf-8", newline="")
    source = Source(source=str(folder / "data"), **keys)
    return load_rows([source], ["source"], ["target"], filters=Filters(), folder=folder / "cache")


def files_in(rows: Rows) -> set[str]:
    return {row["source"].rpartition(" ")[0] for row in rows}


def test_whole_files_are_on_one_side(tmp_path: Path) -> None:
    rows = in_files(tmp_path, {f"{n % 7}/{n}.tsv": 10 + n for n in range(60)})
    kept, held = hold_out_files(rows, 0.1, seed=1)
    assert sorted([*kept.numbers.tolist(), *held.numbers.tolist()]) == list(range(len(rows)))
    assert (np.diff(kept.numbers) > 0).all()
    assert not files_in(kept) & files_in(held)
    assert len(held) == pytest.approx(len(rows) * 0.1, abs=6)  # half of the smallest file


def test_the_seed_decides_which_files(tmp_path: Path) -> None:
    rows = in_files(tmp_path, {f"{n}.tsv": 10 for n in range(60)})
    one, again, other = (files_in(hold_out_files(rows, 0.2, seed=seed)[1]) for seed in (1, 1, 2))
    assert one == again != other
    assert len(one) == 12


def test_files_are_chosen_by_their_names_not_by_the_folder_they_are_in(tmp_path: Path) -> None:
    sizes = {f"x/{n}.tsv": 10 for n in range(20)}
    one, two = (in_files(tmp_path / name, sizes) for name in ("a", "b/c"))
    assert files_in(hold_out_files(one, 0.3, seed=1)[1]) == files_in(hold_out_files(two, 0.3, seed=1)[1])


def test_a_file_that_is_too_large_for_the_share_stays(tmp_path: Path) -> None:
    rows = in_files(tmp_path, {"large.tsv": 900, **{f"{n}.tsv": 10 for n in range(10)}})
    for seed in range(9):
        assert len(hold_out_files(rows, 0.05, seed=seed)[1]) == 50


def test_one_more_file_is_held_out_where_that_meets_the_share_better(tmp_path: Path) -> None:
    rows = in_files(tmp_path, {f"{n}.tsv": 10 for n in range(10)})
    assert [len(hold_out_files(rows, share, seed=1)[1]) for share in (0.24, 0.26)] == [20, 30]


@pytest.mark.parametrize(("share", "held"), [(1e-9, {3}), (1 - 1e-9, {7, 8, 9})])
def test_at_least_one_file_is_on_each_side(tmp_path: Path, share: float, held: set[int]) -> None:
    rows = in_files(tmp_path, {"a.tsv": 4, "b.tsv": 3, "c.tsv": 5})
    assert {len(hold_out_files(rows, share, seed=seed)[1]) for seed in range(9)} == held


def test_files_of_several_sources_are_split_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.tsv").write_text(f"source\ttarget\n{name}\tx\n", encoding="utf-8")
    sources = [Source(source=str(tmp_path / f"{name}.tsv")) for name in ("a", "b")]
    rows = load_rows(sources, ["source"], ["target"], filters=Filters(), folder=tmp_path / "cache")
    kept, held = hold_out_files(rows, 0.5, seed=1)
    assert len(kept) == len(held) == 1


def test_a_second_split_divides_what_is_left(tmp_path: Path) -> None:
    rest, one = hold_out_files(in_files(tmp_path, {f"{n}.tsv": 10 for n in range(30)}), 0.2, seed=1)
    kept, two = hold_out_files(rest, 0.25, seed=2)
    assert [len(part) for part in (kept, one, two)] == [180, 60, 60]
    assert not files_in(one) & files_in(two)


def test_one_file_cannot_be_split_by_files(tmp_path: Path) -> None:
    rows = in_files(tmp_path, {"x/a.tsv": 3, "b.tsv": 0})
    with pytest.raises(DataError) as caught:
        hold_out_files(rows, 0.1, seed=1)
    assert str(caught.value) == (
        f"{tmp_path / 'data'}: split: by: file: all 3 rows are from one file (x/a.tsv)\n  split by row:  {{split: 0.1}}"
    )
