"""Which scheme some tags have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftoolkit.metrics.schemes import SchemeFinder
from hftoolkit.metrics.tags import Entity, Scheme, faults, write_tags


def told(*sentences: str) -> Scheme:
    finder = SchemeFinder()
    for tags in sentences:
        finder.add(tags.split())
    return finder.scheme()


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        (["I-PER I-PER O", "O I-LOC B-LOC"], "IOB1"),
        (["B-PER I-PER O", "O B-LOC B-LOC"], "IOB2"),
        (["B-PER E-PER O", "O S-LOC B-LOC I-LOC E-LOC"], "BIOES"),
        (["B-PER E-PER O", "O S-LOC B-LOC M-LOC E-LOC"], "BMES"),
        (["B E S B M E"], "BMES"),  # words of Chinese, nothing else
        (["B I O"], "IOB2"),
        (["DET NOUN VERB"], "none"),
        (["PER O LOC LOC"], "none"),
        (["O O"], "IOB2"),
        ([], "IOB2"),
        (["0 1 2"], "none"),
    ],
)
def test_the_scheme_is_told(sentences: list[str], scheme: Scheme) -> None:
    assert told(*sentences) == scheme


@pytest.mark.parametrize("wrong", ["PER", "E-PER", "b-PER", "L-PER"])
def test_a_few_mistakes_do_not_change_it(wrong: str) -> None:
    assert told(*["B-PER I-PER O B-LOC"] * 5, f"O {wrong}") == "IOB2"
    assert told(*["I-PER I-PER O I-LOC"] * 5, f"O {wrong}") == "IOB1"


@given(st.data(), st.sampled_from(["IOB1", "IOB2", "BIOES", "BMES"]))
def test_what_was_written_in_a_scheme_has_no_faults_in_the_one_told(data: st.DataObject, scheme: Scheme) -> None:
    sentences = []
    for _ in range(data.draw(st.integers(1, 4))):
        entities, place = [], 0
        for _ in range(data.draw(st.integers(0, 4))):
            start = place + data.draw(st.integers(0, 2))
            place = start + data.draw(st.integers(1, 4))
            entities.append(Entity(data.draw(st.sampled_from(["PER", "LOC", "creative-work"])), start, place))
        sentences.append(write_tags(entities, place + 1, scheme))
    found = told(*map(" ".join, sentences))
    assert all(faults(tags, found) == [] for tags in sentences)
