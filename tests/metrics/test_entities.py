"""Entity scores: the same as seqeval's, from counts added up row by row; and what went wrong."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval import scheme as schemes
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as lenient_scores
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores

from hftoolkit.metrics.entities import KINDS, Mistake, entity_counts, mistake_counts, mistakes
from hftoolkit.metrics.labels import label_scores, macro_f1, overall, weighted_f1
from hftoolkit.metrics.tags import Entity, lenient_entities, strict_entities

TYPES = ["LOC", "ORG", "PER"]


def corpora(letters):
    tag = st.builds("{}-{}".format, st.sampled_from(letters), st.sampled_from(TYPES)) | st.just("O")
    sentence = st.lists(st.tuples(tag, tag) | tag.map(lambda same: (same, same)), min_size=1, max_size=8)
    return st.lists(sentence, min_size=1, max_size=4)


def column(corpus, side):
    return [[pair[side] for pair in sentence] for sentence in corpus]


def points(*scores):
    return [pytest.approx(100 * score) for score in scores]


@pytest.mark.parametrize(
    ("letters", "read", "scores"),
    [
        ("BIES", partial(lenient_entities, scheme="BIOES"), lenient_scores),
        ("BI", partial(strict_entities, scheme="IOB2"), partial(strict_scores, scheme=schemes.IOB2)),
        ("BIES", partial(strict_entities, scheme="BIOES"), partial(strict_scores, scheme=schemes.IOBES)),
    ],
    ids=["default", "strict IOB2", "strict BIOES"],
)
@given(data=st.data())
@settings(max_examples=1000, deadline=None)
def test_scores_are_those_of_seqeval(letters, read, scores, data):
    corpus = data.draw(corpora(letters))
    predicted, true = column(corpus, 0), column(corpus, 1)
    theirs = scores(true, predicted, average=None, zero_division=0)
    micro = scores(true, predicted, average="micro", zero_division=0)

    counts = sum(entity_counts(read(one), read(other), TYPES) for one, other in zip(predicted, true, strict=True))

    occurring = counts.reshape(3, -1)[1:].any(axis=0)  # seqeval does not name the others
    ours = [score for score, occurs in zip(label_scores(counts), occurring, strict=True) if occurs]
    assert [list(score) for score in ours] == [[*points(*score[:3]), score[3]] for score in zip(*theirs, strict=True)]
    assert list(overall(counts)) == [*points(*micro[:3]), sum(theirs[3])]
    if ours:
        assert macro_f1(counts) == pytest.approx(100 * theirs[2].mean())
    if sum(theirs[3]):
        assert weighted_f1(counts) == pytest.approx(100 * np.average(theirs[2], weights=theirs[3]))


def test_types_that_were_not_named_count_for_all():
    predicted, true = [Entity("PER", 0, 1), Entity("GPE", 2, 3)], [Entity("PER", 0, 1), Entity("DATE", 5, 6)]

    counts = entity_counts(predicted, true, ["PER"])

    assert counts.reshape(3, 2).tolist() == [[1, 0], [1, 1], [1, 1]]
    assert overall(counts) == (50, 50, 50, 2)


A, B = Entity("PER", 0, 2), Entity("PER", 3, 6)


@pytest.mark.parametrize(
    ("predicted", "true", "expected"),
    [
        ([A, B], [A, B], []),
        ([], [A], [Mistake("missed", A, None)]),
        ([A], [], [Mistake("invented", A, A)]),
        ([Entity("ORG", 0, 2)], [A], [Mistake("type", A, Entity("ORG", 0, 2))]),
        ([Entity("PER", 1, 3)], [A], [Mistake("boundary", A, Entity("PER", 1, 3))]),
        ([Entity("ORG", 1, 3)], [A], [Mistake("both", A, Entity("ORG", 1, 3))]),
        # what only touches was not meant
        ([Entity("PER", 2, 3)], [A], [Mistake("missed", A, None), Mistake("invented", *[Entity("PER", 2, 3)] * 2)]),
        # two entities taken for one: the larger one has the wrong boundary, the other was missed
        ([Entity("PER", 0, 6)], [A, B], [Mistake("missed", A, None), Mistake("boundary", B, Entity("PER", 0, 6))]),
        # one taken for two, of which the right type comes before the larger part
        (
            [Entity("ORG", 3, 5), Entity("PER", 5, 6)],
            [B],
            [Mistake("invented", *[Entity("ORG", 3, 5)] * 2), Mistake("boundary", B, Entity("PER", 5, 6))],
        ),
        # the same words come before the same type
        (
            [Entity("PER", 0, 4)],
            [Entity("ORG", 0, 4)],
            [Mistake("type", Entity("ORG", 0, 4), Entity("PER", 0, 4))],
        ),
    ],
)
def test_mistakes_have_a_kind(predicted, true, expected):
    assert mistakes(predicted, true) == expected


@given(corpus=corpora("BIES"))
@settings(max_examples=500, deadline=None)
def test_every_wrong_and_every_unfound_entity_is_one_mistake(corpus):
    read = partial(lenient_entities, scheme="BIOES")
    for predicted, true in zip(map(read, column(corpus, 0)), map(read, column(corpus, 1)), strict=True):
        found = mistakes(predicted, true)
        counts = entity_counts(predicted, true, TYPES).reshape(3, -1)
        table = dict(zip(KINDS, mistake_counts(predicted, true, TYPES), strict=True))

        wrong = [each.predicted for each in found if each.kind != "missed"]
        unfound = [each.entity for each in found if each.kind != "invented"]
        assert sorted(wrong) == sorted(set(predicted) - set(true))
        assert sorted(unfound) == sorted(set(true) - set(predicted))
        assert sum(map(np.sum, table.values())) == len(found)
        missing = counts[2] - counts[0]
        assert (table["boundary"] + table["type"] + table["both"] + table["missed"]).tolist() == missing.tolist()


def test_a_table_of_mistakes_goes_by_the_right_type():
    predicted = [Entity("ORG", 0, 2), Entity("GPE", 4, 5), Entity("PER", 7, 8)]
    true = [Entity("PER", 0, 2), Entity("DATE", 9, 10), Entity("PER", 7, 9)]

    table = dict(zip(KINDS, mistake_counts(predicted, true, ["ORG", "PER"]).tolist(), strict=True))

    assert table == {
        "boundary": [0, 1, 0],
        "type": [0, 1, 0],
        "both": [0, 0, 0],
        "missed": [0, 0, 1],
        "invented": [0, 0, 1],
    }
