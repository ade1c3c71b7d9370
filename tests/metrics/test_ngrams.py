"""What BLEU is made of: sacrebleu's own counts, and the n-grams behind them."""

import pytest
from hypothesis import given, settings
from metrics.test_translations import ROWS, by_reference_file

from hftoolkit.metrics.ngrams import explain
from hftoolkit.metrics.translations import bleu


@pytest.mark.parametrize("language", ["en", "zh"])
@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_its_counts_are_those_of_sacrebleu(language, rows):
    metric = bleu(language)
    theirs = metric.corpus_score([hypothesis for hypothesis, _ in rows], by_reference_file(rows))
    found = explain(metric, rows)
    assert [order.matched for order in found.orders] == theirs.counts
    assert [order.written for order in found.orders] == theirs.totals
    assert [order.precision for order in found.orders] == theirs.precisions
    assert (found.written, found.closest) == (theirs.sys_len, theirs.ref_len)
    assert (found.brevity_penalty, found.bleu) == (theirs.bp, theirs.score)


def test_what_was_missed_and_what_was_invented() -> None:
    rows = [
        ("the cat sat", ["the cat sat on a mat", "a dog"]),
        ("the the dog", ["the dog"]),
        ("the cat", ["the hat", "the cat"]),
    ]
    one, two, *_ = explain(bleu("en"), rows).orders
    assert one.missed == [("a", 1), ("mat", 1), ("on", 1)]
    assert one.invented == [("the", 1)]
    assert two.missed == [("a mat", 1), ("on a", 1), ("sat on", 1)]
    assert two.invented == [("the the", 1)]


def test_the_most_frequent_come_first_and_not_all_are_listed() -> None:
    rows = [("x", ["b a b c"])] * 2
    found = explain(bleu("en"), rows, shown=2)
    assert found.orders[0].missed == [("b", 4), ("a", 2)]
    assert found.orders[3].missed == [("b a b c", 2)]


def test_a_row_without_reference() -> None:
    with pytest.raises(ValueError, match="at least one reference"):
        explain(bleu("en"), [("a", [])])
