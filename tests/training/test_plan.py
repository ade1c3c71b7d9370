import math
from dataclasses import replace
from itertools import combinations, islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.training.plan import Plan


def made(lengths: Any, **settings: Any) -> Plan:
    lengths = np.array(lengths, np.int32)
    sources = np.array(settings.pop("sources", [0] * len(lengths)), np.uint16)
    return Plan(lengths, sources, **{"weights": [1.0], "batch_tokens": 40, "epochs": 1, **settings})


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Up to three sources, one or two padded sides, short and overlong rows."""
    count = draw(st.integers(1, 40))
    sides = draw(st.integers(1, 2))
    lengths = draw(
        st.lists(st.lists(st.integers(1, 60), min_size=sides, max_size=sides), min_size=count, max_size=count)
    )
    sources = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    return made(
        lengths,
        sources=sources,
        weights=[1.0, 1.0, 1.0],
        batch_tokens=draw(st.integers(16, 200)),
        epochs=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def padded_tokens(plan: Plan, rows: Any) -> int:
    return int(plan.lengths[rows].max(axis=0).sum()) * len(rows)


def shown(plan: Plan, *args: Any, **settings: Any) -> list[Any]:
    """The steps as plain values, which can be compared."""
    return [
        (step.number, step.epoch, step.last_of_epoch, [(m.rows.tolist(), m.counted) for m in step.micro_batches])
        for step in plan.steps(*args, **settings)
    ]


@given(plan=plans())
def test_every_row_of_weight_one_is_seen_once_an_epoch(plan: Plan) -> None:
    for epoch in range(plan.epochs):
        rows = np.concatenate([m.rows for step in plan.steps() if step.epoch == epoch for m in step.micro_batches])
        assert sorted(rows.tolist()) == list(range(len(plan.lengths)))


@given(plan=plans())
def test_no_batch_is_over_the_budget_unless_it_is_one_row(plan: Plan) -> None:
    for step in plan.steps():
        rows = step.micro_batches[0].rows
        assert len(rows) == 1 or padded_tokens(plan, rows) <= plan.batch_tokens


@given(plan=plans())
def test_no_two_batches_would_fit_into_one(plan: Plan) -> None:
    plan = replace(plan, lengths=plan.lengths[:, :1])
    for one, other in combinations(plan.epoch(0), 2):
        assert padded_tokens(plan, np.append(one, other)) > plan.batch_tokens


@given(plan=plans(), processes=st.integers(1, 4), micro_batches=st.integers(1, 4))
def test_processes_share_every_batch_and_stay_in_step(plan: Plan, processes: int, micro_batches: int) -> None:
    whole = list(plan.steps())
    shares = [
        list(plan.steps(process=process, processes=processes, micro_batches=micro_batches))
        for process in range(processes)
    ]
    for step, *parts in zip(whole, *shares, strict=True):
        assert {(part.number, part.epoch, part.last_of_epoch) for part in parts} == {
            (step.number, step.epoch, step.last_of_epoch)
        }
        pieces = min(micro_batches, math.ceil(len(step.micro_batches[0].rows) / processes))
        assert {len(part.micro_batches) for part in parts} == {pieces}
        rows = [row for part in parts for micro in part.micro_batches if micro.counted for row in micro.rows.tolist()]
        assert sorted(rows) == sorted(step.micro_batches[0].rows.tolist())


@given(plan=plans(), data=st.data())
def test_beginning_later_is_the_same_as_skipping(plan: Plan, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, plan.total + 2))
    assert shown(plan, first, micro_batches=2) == shown(plan, micro_batches=2)[first:]


@given(plan=plans())
def test_the_total_is_known_before_the_first_step(plan: Plan) -> None:
    steps = list(plan.steps())
    assert [step.number for step in steps] == list(range(plan.total))
    assert [sum(step.epoch == epoch for step in steps) for epoch in range(plan.epochs)] == list(plan.steps_per_epoch)
    assert [step.epoch for step in steps if step.last_of_epoch] == list(range(plan.epochs))


@given(plan=plans(), most=st.integers(1, 60))
def test_max_steps_ends_the_same_plan_early(plan: Plan, most: int) -> None:
    ended = replace(plan, max_steps=most)
    assert ended.total == min(most, plan.total)
    pieces = [rows for *_, rows in shown(ended)]
    assert pieces == [rows for *_, rows in islice(shown(plan), most)]
    assert list(ended.steps())[-1].last_of_epoch


@given(plan=plans())
def test_the_same_plan_twice(plan: Plan) -> None:
    assert shown(plan) == shown(replace(plan))


def test_a_million_epochs_are_planned_at_once() -> None:
    plan = made([[3]], epochs=1_000_000, max_steps=999_999)  # adding up all before would take an hour
    assert plan.total == 999_999


def test_a_random_state_changes_nothing() -> None:
    plan = made([[n % 7 + 1] for n in range(50)], epochs=2)
    np.random.seed(1)
    first = shown(plan)
    np.random.seed(2)
    assert shown(plan) == first


def test_epochs_and_seeds_differ_in_order_and_in_company() -> None:
    plan = made([[5]] * 64, epochs=2)
    one, two = ([batch.tolist() for batch in plan.epoch(number)] for number in (0, 1))
    other = [batch.tolist() for batch in replace(plan, seed=2).epoch(0)]
    assert len({str(one), str(two), str(other)}) == 3
    assert {frozenset(batch) for batch in one} != {frozenset(batch) for batch in two}


def test_known_batches_of_a_budget() -> None:
    # One side, 12 tokens: 4 rows of 3; then 2 rows of 5, 6; then the row that is too long, alone.
    plan = made([[3], [20], [3], [6], [3], [5], [3]], batch_tokens=12)
    assert sorted(sorted(batch.tolist()) for batch in plan.epoch(0)) == [[0, 2, 4, 6], [1], [3, 5]]


def test_both_sides_count() -> None:
    # Sides of 3 and 4 are 7 tokens a row: two rows fit into 14, three do not.
    assert [len(batch) for batch in made([[3, 4]] * 6, batch_tokens=14).epoch(0)] == [2, 2, 2]
    assert [len(batch) for batch in made([[3, 4]] * 6, batch_tokens=13).epoch(0)] == [1] * 6


def test_fewer_rows_than_pieces_are_filled_up_with_what_does_not_count() -> None:
    plan = made([[5]] * 3, batch_tokens=15)
    pieces = [
        (micro.rows.tolist(), micro.counted)
        for process in range(2)
        for micro in next(plan.steps(process=process, processes=2, micro_batches=2)).micro_batches
    ]
    first = plan.epoch(0)[0].tolist()[0]
    assert [counted for _, counted in pieces] == [True, True, True, False]
    assert all(rows == [first] for rows, counted in pieces if not counted)


def test_there_are_no_more_pieces_than_rows() -> None:
    plan = made([[5]] * 3, batch_tokens=15)
    (step,) = plan.steps(micro_batches=10**9)
    assert [(len(micro.rows), micro.counted) for micro in step.micro_batches] == [(1, True)] * 3


def test_a_small_weight_takes_the_next_share_in_every_epoch() -> None:
    plan = made([[4]] * 30, sources=[0] * 20 + [1] * 10, weights=[1.0, 0.3], epochs=10)
    seen = [np.concatenate(plan.epoch(epoch)) for epoch in range(10)]
    assert all((rows >= 20).sum() == 3 for rows in seen)
    times = np.bincount(np.concatenate(seen), minlength=30)
    assert times[:20].tolist() == [10] * 20
    assert times[20:].tolist() == [3] * 10  # 10 epochs of 30 % are three passes


@given(
    count=st.integers(1, 30),
    weight=st.floats(0.01, 3.5),
    epochs=st.integers(1, 12),
)
def test_any_weight_sees_all_rows_equally_often_but_for_one(count: int, weight: float, epochs: int) -> None:
    plan = made([[4]] * count, weights=[weight], epochs=epochs)
    rows = [np.concatenate(plan.epoch(epoch)) for epoch in range(epochs)]
    assert {len(part) for part in rows} == {max(1, round(weight * count))}
    times = np.bincount(np.concatenate(rows), minlength=count)
    assert times.max() - times.min() <= 1


def test_a_weight_of_two_sees_rows_twice() -> None:
    plan = made([[4], [5], [6]], weights=[2.0])
    assert sorted(np.concatenate(plan.epoch(0)).tolist()) == [0, 0, 1, 1, 2, 2]


@given(plan=plans(), weights=st.lists(st.sampled_from([0.1, 0.5, 1.0, 2.0]), min_size=3, max_size=3))
def test_the_total_is_known_with_weights(plan: Plan, weights: list[float]) -> None:
    plan = replace(plan, weights=weights)
    assert [step.number for step in plan.steps()] == list(range(plan.total))


def test_a_source_without_rows_is_no_error() -> None:
    plan = made([[4], [4]], sources=[1, 1], weights=[1.0, 1.0])
    assert sorted(np.concatenate(plan.epoch(0)).tolist()) == [0, 1]


@pytest.mark.parametrize("processes", [1, 3])
def test_steps_are_mixed_in_length(processes: int) -> None:
    plan = made([[n] for n in range(1, 101)], batch_tokens=100)
    longest = [plan.lengths[step.micro_batches[0].rows].max() for step in plan.steps(processes=processes)]
    assert sorted(longest) != longest
    assert sorted(longest, reverse=True) != longest


# Packed rows


@st.composite
def packed_plans(draw: st.DrawFn) -> Plan:
    return replace(draw(plans()), packed=True)


def tokens(plan: Plan, rows: Any) -> int:
    return int(plan.lengths[rows].sum())


@given(plan=packed_plans())
def test_packed_rows_are_seen_once_an_epoch(plan: Plan) -> None:
    for epoch in range(plan.epochs):
        rows = np.concatenate([m.rows for step in plan.steps() if step.epoch == epoch for m in step.micro_batches])
        assert sorted(rows.tolist()) == list(range(len(plan.lengths)))
    steps = list(plan.steps())
    assert [step.number for step in steps] == list(range(plan.total))
    assert [step.epoch for step in steps if step.last_of_epoch] == list(range(plan.epochs))


@given(plan=packed_plans())
def test_packed_batches_hold_as_many_tokens_as_the_budget_lets_them(plan: Plan) -> None:
    order = plan._order(0)
    batches = np.split(order, plan._cuts(order)[1:])
    for batch in batches:
        assert len(batch) == 1 or tokens(plan, batch) <= plan.batch_tokens
    for batch, behind in pairwise(batches):
        assert tokens(plan, [*batch, behind[0]]) > plan.batch_tokens


@given(plan=packed_plans(), processes=st.integers(1, 3), micro_batches=st.integers(1, 4))
def test_packed_batches_are_shared_by_tokens(plan: Plan, processes: int, micro_batches: int) -> None:
    shares = [plan.steps(process=n, processes=processes, micro_batches=micro_batches) for n in range(processes)]
    for step, *parts in zip(plan.steps(), *shares, strict=True):
        whole = step.micro_batches[0].rows
        pieces = [micro.rows for part in parts for micro in part.micro_batches if micro.counted]
        assert sorted(np.concatenate(pieces).tolist()) == sorted(whole.tolist())
        longest = int(plan.lengths[whole].sum(axis=1).max())
        assert all(
            tokens(plan, piece) <= tokens(plan, whole) / (processes * micro_batches) + longest for piece in pieces
        )


@given(plan=packed_plans(), data=st.data())
def test_packed_plans_are_begun_anywhere(plan: Plan, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, plan.total + 2))
    assert shown(plan, first, micro_batches=2) == shown(plan, micro_batches=2)[first:]


def test_packed_rows_of_all_lengths_share_a_batch() -> None:
    plan = made([[n] for n in range(1, 101)], batch_tokens=500, packed=True)
    assert all(np.ptp(plan.lengths[batch]) > 20 for batch in plan.epoch(0) if len(batch) > 5)
    assert len(plan.epoch(0)) == 11 or len(plan.epoch(0)) == 12  # 5,050 tokens


def test_known_packed_batches() -> None:
    plan = made([[6], [5], [1], [20], [3]], batch_tokens=12, packed=True)
    order = np.arange(5)
    assert plan._cuts(order) == [0, 3, 4]
    assert [piece.tolist() for piece in plan._pieces(order, 2)] == [[0, 1, 2], [3, 4]]
