"""Entities in a report: by type, by kind of mistake, one for another, how sure, the surest."""

from collections.abc import Sequence

from hftoolkit.metrics.tags import Entity
from hftoolkit.reports.entities import EntityTally, around
from hftoolkit.reports.sections import Curve, Listing, Matrix, Section, Table

TEXT = "a b c d e f g h i j"


def gathered(types: Sequence[str], *sentences: tuple[list[Entity], list[Entity]], sure: float = 0.9) -> list[Section]:
    tally = EntityTally(types)
    for number, (predicted, true) in enumerate(sentences, 1):
        tally.add(
            number, TEXT, predicted, true, lambda entity: (2 * entity.start, 2 * entity.end - 1), lambda entity: sure
        )
    return tally.sections()


ONE = (
    [Entity("LOC", 0, 2), Entity("PER", 3, 4), Entity("LOC", 5, 6), Entity("LOC", 8, 9)],
    [Entity("LOC", 0, 2), Entity("ORG", 3, 4), Entity("LOC", 5, 7), Entity("PER", 9, 10)],
)


def test_by_type() -> None:
    table = gathered(["LOC", "PER"], ONE)[0]
    assert isinstance(table, Table)
    assert table.header == ["type", "precision", "recall", "F1", "entities"]
    assert table.rows == [
        ["LOC", 100 / 3, 50.0, 40.0, 2],
        ["PER", 0.0, 0.0, 0.0, 1],
        ["(not in training)", 0.0, 0.0, 0.0, 1],
        ["all", 25.0, 25.0, 25.0, 4],
    ]


def test_types_that_are_all_known() -> None:
    table = gathered(["LOC"], ([], [Entity("LOC", 0, 1)]))[0]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["LOC", "all"]


def test_by_kind_of_mistake() -> None:
    table = gathered(["LOC", "PER"], ONE)[1]
    assert isinstance(table, Table)
    assert table.header == ["type", "right", "boundary", "type", "both", "missed", "invented"]
    assert table.rows == [
        ["LOC", 1, 1, 0, 0, 0, 1],
        ["PER", 0, 0, 0, 0, 1, 0],
        ["(not in training)", 0, 0, 1, 0, 0, 0],
        ["all", 1, 1, 1, 0, 1, 1],
    ]


def test_one_for_another() -> None:
    matrix = gathered(["LOC", "PER"], ONE)[2]
    assert isinstance(matrix, Matrix)
    assert matrix.names == ["LOC", "PER", "(not in training)", "(none)"]
    assert matrix.counts == [[2, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]


def test_many_types_are_a_table() -> None:
    types = [f"T{number:02}" for number in range(21)]
    wrong = ([Entity("T01", 0, 1)], [Entity("T02", 0, 1)])
    table = gathered(types, wrong, wrong, ([Entity("T03", 0, 1)], [Entity("T03", 0, 1)]))[2]
    assert isinstance(table, Table)
    assert (table.header, table.rows) == (["right", "predicted", "entities"], [["T02", "T01", 2]])


def test_how_sure() -> None:
    curve = gathered(["LOC", "PER"], ONE, sure=0.8)[3]
    assert isinstance(curve, Curve)
    assert curve.points == [(80.0, 25.0)]
    assert curve.sizes == [4]


def test_the_surest_mistakes() -> None:
    listed = gathered(["LOC", "PER"], ONE)[-1]
    assert isinstance(listed, Listing)
    assert listed.header == ["mistake", "right", "predicted", "text"]
    assert sorted(listed.items) == [
        (1, ["boundary", "f g (LOC)", "f (LOC), 90.0 %", TEXT]),
        (1, ["invented", "(none)", "i (LOC), 90.0 %", TEXT]),
        (1, ["missed", "j (PER)", "(none), 90.0 %", TEXT]),
        (1, ["type", "d (ORG)", "d (PER), 90.0 %", TEXT]),
    ]


def test_without_mistakes_none_are_listed() -> None:
    same = [Entity("LOC", 0, 1)]
    assert [section.kind for section in gathered(["LOC"], (same, same))] == ["table", "table", "matrix", "curve"]


def test_of_a_long_text_what_stands_around_is_shown() -> None:
    text = "x" * 100 + "Rome" + "y" * 100
    assert around(text, (100, 104)) == "…" + "x" * 60 + "Rome" + "y" * 60 + "…"
    assert around("in\nRome", (3, 7)) == "in Rome"
