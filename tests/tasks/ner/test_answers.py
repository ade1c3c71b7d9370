"""What rows say: schemes, what breaks them, spans."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from tagged_rows import as_row, train_rows

from hftoolkit.errors import DataError
from hftoolkit.metrics.tags import Entity, Scheme
from hftoolkit.tasks.ner.answers import Answers
from hftoolkit.tasks.ner.options import Options
from hftoolkit.tasks.ner.sentences import sentence_of


def entities(sentence: str, options: Options) -> list[Entity]:
    row = as_row(sentence)
    return Answers(options).entities(row, sentence_of(row, options))


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-PER I-PER B-PER O I-LOC"),
        ("IOB2", "B-PER I-PER B-PER O B-LOC"),
        ("BIOES", "B-PER E-PER S-PER O S-LOC"),
        ("BMES", "B-PER E-PER S-PER O S-LOC"),
    ],
)
def test_every_scheme_becomes_iob2(scheme: Scheme, tags: str) -> None:
    row = {"words": list("abcde"), "tags": tags.split()}
    answers = Answers(Options(scheme=scheme))
    sentence = sentence_of(row, answers.options)
    assert answers.entities(row, sentence) == [Entity("PER", 0, 2), Entity("PER", 2, 3), Entity("LOC", 4, 5)]
    assert answers.tags(row, sentence) == ["B-PER", "I-PER", "B-PER", "O", "B-LOC"]


def test_plain_tags_stay_as_they_are() -> None:
    row = as_row("a/DET I/O b/B-")
    answers = Answers(Options(scheme="none"))
    assert answers.tags(row, sentence_of(row, answers.options)) == ["DET", "O", "B-"]


def test_what_breaks_the_scheme_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        entities("in/O New/O York/I-LOC", Options(scheme="IOB2"))
    assert str(caught.value) == (
        "a row's tags break their scheme: word 3, 'York': 'I-LOC' follows 'O'; an entity starts with B-, in "
        "'in New York'\n"
        "  to see its file and line:   hftoolkit check RECIPE\n"
        "  the tags are read as IOB2; where that is wrong, say so:   options: {scheme: IOB1}\n"
        "  correct the others, or have them read all the same:   options: {mend: true}"
    )


def test_iob1_is_not_told_to_say_iob1() -> None:
    with pytest.raises(DataError, match=r"read as IOB1; where that is wrong, say so:   options: \{scheme: IOB2\}"):
        entities("York/B-LOC", Options(scheme="IOB1"))


def test_it_can_be_mended() -> None:
    assert entities("in/O New/I-LOC York/I-LOC", Options(scheme="IOB2", mend=True)) == [Entity("LOC", 1, 3)]


@pytest.mark.parametrize("options", [Options(), Options(mend=True), Options(scheme="IOB2")])
def test_what_is_no_tag_is_always_refused(options: Options) -> None:
    with pytest.raises(DataError, match="word 1, 'York': 'LOC' is no tag of IOB2; expected O, B-TYPE, I-TYPE"):
        entities("York/LOC", options)


def test_where_the_scheme_is_not_known_any_is_read() -> None:
    assert entities("New/I-LOC York/I-LOC", Options()) == [Entity("LOC", 0, 2)]
    assert entities("New/B-LOC York/E-LOC Rio/S-LOC", Options()) == [Entity("LOC", 0, 2), Entity("LOC", 2, 3)]


def test_the_rows_tell_the_scheme(tmp_path: Path) -> None:
    answers = Answers(Options())
    answers.find_scheme(train_rows(tmp_path, "New/B-LOC York/E-LOC"))
    assert answers.scheme == "BIOES"


def test_the_recipe_knows_better(tmp_path: Path) -> None:
    answers = Answers(Options(scheme="BMES"))
    answers.find_scheme(train_rows(tmp_path, "New/B-LOC York/E-LOC"))
    assert answers.scheme == "BMES"


def test_spans_are_entities() -> None:
    options = Options(spans=True)
    row = {"text": "in New York", "spans": ["3 11 place of birth"]}
    answers, sentence = Answers(options), sentence_of(row, options)
    assert answers.entities(row, sentence) == [Entity("place of birth", 1, 3)]
    assert answers.tags(row, sentence) == ["O", "B-place of birth", "I-place of birth"]


@pytest.mark.parametrize("other", [{"scheme": "IOB2"}, {"mend": True}])
def test_spans_have_no_scheme(other: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="spans have no tags: leave 'scheme' and 'mend' out"):
        Options(spans=True, **other)
