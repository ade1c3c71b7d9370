"""The first sentence of a report, word for word."""

from dataclasses import replace

import pytest

from hftoolkit.reports.scores import Change, Score
from hftoolkit.reports.verdict import cautions, verdict

GAINED = "BLEU rose from 30.1 to 41.2 on 'docs' (+11.1, 95 % interval +9.8 to +12.3, p < 0.001)"
LOST = "fell from 36.0 to 34.2 on 'flores' (-1.8, 95 % interval -2.7 to -0.9, p = 0.004)"


def test_gains_stand_before_losses(docs, flores):
    assert verdict([flores, docs]) == f"{GAINED} and {LOST}."


def test_test_sets_that_went_the_same_way_share_a_verb(docs):
    assert verdict([docs, replace(docs, name="more")]) == (
        f"{GAINED} and from 30.1 to 41.2 on 'more' (+11.1, 95 % interval +9.8 to +12.3, p < 0.001)."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(0.3, -0.2, 0.8, 0.14), "+0.3, 95 % interval -0.2 to +0.8, p = 0.140"),
        # sacrebleu's p is one-sided near 0.05: the interval has to agree
        (Change(0.3, -0.02, 0.8, 0.04), "+0.3, 95 % interval -0.0 to +0.8, p = 0.040"),
        (Change(0.3, 0.01, 0.8, 0.05), "+0.3, 95 % interval +0.0 to +0.8, p = 0.050"),
    ],
)
def test_what_chance_explains_is_not_called_a_gain(docs, change, words):
    test = replace(docs, after=[Score("BLEU", 30.42, 29.0, 31.9, "")], changes={"BLEU": change})

    assert verdict([test]) == f"BLEU did not change significantly on 'docs' (30.1 to 30.4, {words})."


def test_three_outcomes_make_one_sentence(docs, flores):
    unsure = replace(docs, name="news", changes={"BLEU": Change(11.1, -1.0, 23.0, 0.2)})

    assert verdict([docs, flores, unsure]) == (
        f"{GAINED}, {LOST} and did not change significantly on 'news' "
        "(30.1 to 41.2, +11.1, 95 % interval -1.0 to +23.0, p = 0.200)."
    )


def test_an_equal_score_did_not_change(docs):
    test = replace(docs, after=docs.before, changes={"BLEU": Change(0.0, 0.0, 0.0, 1.0)})

    assert verdict([test]) == "BLEU did not change on 'docs' (30.1 before and after)."


def test_a_trivial_baseline_is_named_first(docs):
    assert verdict([replace(docs, baseline="a copy of the source")]) == (
        f"There was no model to compare with; against a copy of the source, {GAINED}."
    )


def test_without_a_baseline_nothing_is_claimed(docs, flores):
    bare = replace(flores, before=[], baseline="", changes={}, after=[Score("BLEU", 34.2, None, None, "")])

    assert verdict([replace(docs, before=[], changes={}), bare]) == (
        "BLEU is 41.2 (95 % interval 39.5 to 42.9) on 'docs' and 34.2 on 'flores'; there is nothing to compare it with."
    )


def test_an_untested_difference_says_so(docs):
    assert verdict([replace(docs, changes={})]) == "BLEU rose from 30.1 to 41.2 on 'docs' (+11.1, not tested)."


def test_where_less_is_better_a_fall_is_the_gain(bits):
    rose = replace(
        bits, name="news", before=bits.after, after=bits.before, changes={"bits per byte": Change(0.5, 0.4, 0.6, 0.0)}
    )

    assert verdict([rose, bits]) == (
        "bits per byte fell from 2.000 to 1.500 on 'docs' (-0.500, 95 % interval -0.612 to -0.400, p < 0.001) and "
        "rose from 1.500 to 2.000 on 'news' (+0.500, 95 % interval +0.400 to +0.600, p < 0.001)."
    )
    assert verdict([replace(bits, before=[], changes={})]) == (
        "bits per byte is 1.500 (95 % interval 1.490 to 1.510) on 'docs'; there is nothing to compare it with."
    )


def test_rows_seen_in_training_are_a_caution(docs, flores):
    assert cautions([docs, flores]) == [
        "3 of the 1,200 rows of 'docs' also stand in the training data, "
        "which makes its scores look better than they are."
    ]
