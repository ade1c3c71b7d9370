"""Tag schemes: faults, entities, tags, and from one scheme into another."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval import scheme as theirs
from seqeval.metrics.sequence_labeling import get_entities

from hftoolkit.metrics.tags import (
    Entity,
    Fault,
    Scheme,
    convert,
    entity_types,
    faults,
    lenient_entities,
    strict_entities,
    write_tags,
)

SCHEMES = get_args(Scheme)
TYPES = ["PER", "LOC", "B-2"]

WORDS = ["Ada", "Lovelace", "Byron", "and", "Paris", "of", "New", "York"]
ENTITIES = [Entity("PER", 0, 2), Entity("PER", 2, 3), Entity("LOC", 4, 5), Entity("LOC", 5, 8)]
TAGGED = {
    "IOB1": "I-PER I-PER B-PER O I-LOC B-LOC I-LOC I-LOC",
    "IOB2": "B-PER I-PER B-PER O B-LOC B-LOC I-LOC I-LOC",
    "BIOES": "B-PER E-PER S-PER O S-LOC B-LOC I-LOC E-LOC",
    "BMES": "B-PER E-PER S-PER O S-LOC B-LOC M-LOC E-LOC",
}


def sentences(letters):
    tag = st.builds("{}-{}".format, st.sampled_from(letters), st.sampled_from(TYPES)) | st.sampled_from(letters)
    return st.lists(tag | st.just("O"), max_size=12)


@st.composite
def tagged(draw, touching=True):
    """Entities of a sentence, and how many words it has."""
    entities, place, last = [], 0, None
    for gap, length, type_ in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from([*TYPES, "_"])), max_size=5)
    ):
        start = place + (gap or int(not touching and type_ == last))
        entities.append(Entity(type_, start, start + length))
        place, last = start + length, type_
    return entities, place + draw(st.integers(0, 2))


@pytest.mark.parametrize("scheme", TAGGED)
def test_every_scheme_writes_and_reads_the_same_entities(scheme):
    tags = TAGGED[scheme].split()

    assert write_tags(ENTITIES, len(WORDS), scheme) == tags
    assert lenient_entities(tags, scheme) == strict_entities(tags, scheme) == ENTITIES
    assert faults(tags, scheme) == []
    for other, expected in TAGGED.items():
        assert convert(tags, scheme, other) == expected.split()


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data())
@settings(deadline=None)
def test_what_is_written_is_read_and_has_no_fault(scheme, data):
    entities, words = data.draw(tagged(touching=scheme != "none"))
    tags = write_tags(reversed(entities), words, scheme)

    assert len(tags) == words
    assert faults(tags, scheme) == []
    assert lenient_entities(tags, scheme) == strict_entities(tags, scheme) == entities
    assert entity_types(tags, scheme) == sorted({entity.type for entity in entities})


@given(tags=sentences("BIES"))
@settings(max_examples=1000, deadline=None)
def test_a_lenient_reading_is_that_of_seqeval(tags):
    assert lenient_entities(tags, "BIOES") == [(type_, first, last + 1) for type_, first, last in get_entities(tags)]


@pytest.mark.parametrize(
    ("scheme", "letters", "their_scheme"), [("IOB2", "BI", theirs.IOB2), ("BIOES", "BIES", theirs.IOBES)]
)
@given(data=st.data())
@settings(max_examples=1000, deadline=None)
def test_a_strict_reading_is_that_of_seqeval(scheme, letters, their_scheme, data):
    tags = data.draw(sentences(letters))
    found = theirs.Tokens(tags, their_scheme).entities

    assert strict_entities(tags, scheme) == [(entity.tag, entity.start, entity.end) for entity in found]


@pytest.mark.parametrize("scheme", TAGGED)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_tags_have_faults_where_writing_their_entities_gives_other_tags(scheme, data):
    tags = data.draw(sentences({"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES", "BMES": "BMES"}[scheme]))

    as_written = write_tags(lenient_entities(tags, scheme), len(tags), scheme)

    assert (faults(tags, scheme) == []) == (as_written == tags)
    assert faults(as_written, scheme) == []


NOTHING_ENDS = "an entity ends with E-, and has S- where it is one word"
IOB1_STARTS = "an entity starts with I-, and with B- only behind another of its type"


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        ("IOB2", "O I-LOC I-LOC", [(1, "'I-LOC' follows 'O'; an entity starts with B-")]),
        ("IOB2", "I-LOC O", [(0, "'I-LOC' comes first; an entity starts with B-")]),
        ("IOB2", "B-PER I-LOC", [(1, "'I-LOC' follows 'B-PER'; an entity starts with B-")]),
        ("IOB2", "B-PER E-PER I-PER", [(1, "'E-PER' is no tag of IOB2; expected O, B-TYPE, I-TYPE")]),
        ("IOB1", "O B-LOC", [(1, f"'B-LOC' follows 'O'; {IOB1_STARTS}")]),
        ("IOB1", "B-LOC", [(0, f"'B-LOC' comes first; {IOB1_STARTS}")]),
        ("IOB1", "I-PER B-LOC", [(1, f"'B-LOC' follows 'I-PER'; {IOB1_STARTS}")]),
        ("IOB1", "I-PER I-LOC B-LOC", []),
        ("BIOES", "B-PER O", [(1, f"'O' follows 'B-PER'; {NOTHING_ENDS}")]),
        ("BIOES", "B-PER I-PER", [(1, f"'I-PER' comes last; {NOTHING_ENDS}")]),
        ("BIOES", "B-PER E-LOC", [(1, f"'E-LOC' follows 'B-PER'; {NOTHING_ENDS}")]),
        ("BIOES", "S-PER E-PER", [(1, "'E-PER' follows 'S-PER'; an entity starts with B-")]),
        ("BMES", "B-PER I-PER", [(1, "'I-PER' is no tag of BMES; expected O, B-TYPE, M-TYPE, E-TYPE, S-TYPE")]),
        ("BMES", "B M E S", []),
        ("IOB2", "PER", [(0, "'PER' is no tag of IOB2; expected O, B-TYPE, I-TYPE")]),
        ("IOB2", "B-", [(0, "'B-' is no tag of IOB2; expected O, B-TYPE, I-TYPE")]),
        ("none", "NOUN VERB I-X", []),
    ],
)
def test_faults_say_where_and_why(scheme, tags, expected):
    assert faults(tags.split(), scheme) == [Fault(*each) for each in expected]


def test_every_word_has_at_most_one_fault():
    found = faults(["I-PER", "X", "E-PER", "B-PER"], "BIOES")

    assert [fault.position for fault in found] == [0, 1, 3]  # what follows something unknown is not judged


def test_a_type_may_hold_what_looks_like_a_letter():
    assert lenient_entities(["B-E-S", "I-E-S"], "IOB2") == [Entity("E-S", 0, 2)]


def test_types_alone_are_runs():
    assert lenient_entities(["PER", "PER", "O", "LOC", "PER"], "none") == [
        Entity("PER", 0, 2),
        Entity("LOC", 3, 4),
        Entity("PER", 4, 5),
    ]


def test_what_is_no_tag_is_refused():
    with pytest.raises(ValueError, match=r"^'LABEL_0' is no tag of IOB2; expected O, B-TYPE, I-TYPE$"):
        lenient_entities(["O", "LABEL_0"], "IOB2")


@pytest.mark.parametrize(
    ("entities", "scheme", "message"),
    [
        ([("PER", 0, 2), ("LOC", 1, 3)], "IOB2", "'LOC' in words 1 to 2 overlaps 'PER' in words 0 to 1"),
        ([("PER", 2, 5)], "IOB2", "expected entities within 4 words, got 'PER' in words 2 to 4"),
        ([("PER", 2, 2)], "IOB2", "expected entities within 4 words, got 'PER' in words 2 to 1"),
        (
            [("PER", 0, 1), ("PER", 1, 2)],
            "none",
            "types alone cannot tell 'PER' in words 1 to 1 from 'PER' in words 0 to 0",
        ),
    ],
)
def test_entities_that_cannot_be_tagged_are_refused(entities, scheme, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        write_tags([Entity(*entity) for entity in entities], 4, scheme)
