"""Where scores stand on their common scale."""

from dataclasses import replace

from hftoolkit.reports.scores import Score
from hftoolkit.reports.strips import Mark, scale_of


def test_the_scale_holds_every_interval_of_a_name(docs, flores):
    scale = scale_of("BLEU", [docs, flores])

    assert (scale.low, scale.high) == (28.7, 42.9)
    assert scale.mark(docs.before[0]).low == 2
    assert scale.mark(docs.after[0]).high == 98


def test_one_score_without_interval_has_a_place(docs):
    score = Score("F1", 50.0, None, None, "")
    scale = scale_of("F1", [replace(docs, before=[], after=[score])])

    assert scale.mark(score) == Mark(2.0, 2.0, 2.0)
