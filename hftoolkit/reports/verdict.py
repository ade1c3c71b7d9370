"""The first sentence of a report: what was gained, what was lost, how sure that is."""

from collections.abc import Callable, Iterable, Sequence

from hftoolkit.reports.scores import UNTOUCHED, Score, TestSet
from hftoolkit.reports.wording import gained, joined, number, probability, reached, signed


def verdict(tests: Sequence[TestSet]) -> str:
    """What happened to the deciding score on every test set, gains first.

    Test sets with the same baseline share a sentence; a baseline that is no model is named before anything is claimed
    against it.
    """
    with_model = [test for test in tests if test.before and test.baseline == UNTOUCHED]
    trivial = [test for test in tests if test.before and test.baseline != UNTOUCHED]
    alone = [test for test in tests if not test.before]
    sentences = [_sentence(with_model)] if with_model else []
    for baseline in dict.fromkeys(test.baseline for test in trivial):
        compared = _sentence([test for test in trivial if test.baseline == baseline])
        sentences.append(f"There was no model to compare with; against {baseline}, {compared}")
    if alone:
        scores = joined(f"{reached(test.after[0])}{_interval(test.after[0])} on '{test.name}'" for test in alone)
        sentences.append(f"{alone[0].after[0].name} is {scores}; there is nothing to compare it with.")
    return " ".join(sentences)


def cautions(tests: Iterable[TestSet]) -> list[str]:
    """One sentence for each test set whose rows were partly seen in training."""
    return [
        f"{test.leakage:,} of the {test.rows:,} rows of '{test.name}' also stand in the training data, "
        "which makes its scores look better than they are."
        for test in tests
        if test.leakage
    ]


def _sentence(tests: Sequence[TestSet]) -> str:
    name = tests[0].after[0].name
    gain, loss = ("rose", "fell") if tests[0].after[0].higher else ("fell", "rose")
    groups: list[tuple[str, Callable[[TestSet], str]]] = [
        (gain, _moved),
        (loss, _moved),
        ("did not change significantly", _unsure),
        ("did not change", _still),
    ]
    clauses = []
    for verb, wording in groups:
        members = [test for test in tests if _verb(test) == verb]
        if members:
            clauses.append(f"{verb} {joined(wording(test) for test in members)}")
    return f"{name} {joined(clauses)}."


def _verb(test: TestSet) -> str:
    before, after = test.before[0], test.after[0]
    change = test.changes.get(after.name)
    if after.value == before.value:
        return "did not change"
    if change is not None and not change.significant:
        return "did not change significantly"
    return "rose" if after.value > before.value else "fell"


def _moved(test: TestSet) -> str:
    before, after = test.before[0], test.after[0]
    return f"from {reached(before)} to {reached(after)} on '{test.name}' ({_change(test, before, after)})"


def _unsure(test: TestSet) -> str:
    before, after = test.before[0], test.after[0]
    return f"on '{test.name}' ({reached(before)} to {reached(after)}, {_change(test, before, after)})"


def _still(test: TestSet) -> str:
    return f"on '{test.name}' ({reached(test.after[0])} before and after)"


def _change(test: TestSet, before: Score, after: Score) -> str:
    change, decimals = test.changes.get(after.name), after.decimals
    if change is None:
        return f"{gained(before, after)}, not tested"
    interval = f"95 % interval {signed(change.low, decimals)} to {signed(change.high, decimals)}"
    return f"{signed(change.difference, decimals)}, {interval}, {probability(change.p)}"


def _interval(score: Score) -> str:
    if score.low is None or score.high is None:
        return ""
    return f" (95 % interval {number(score.low, score.decimals)} to {number(score.high, score.decimals)})"
