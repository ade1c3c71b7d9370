"""What looks wrong about tags, with file and line."""

from pathlib import Path

from tagged_rows import run_rows, span_rows

from hftoolkit.tasks.ner.doubts import doubts_about_tags
from hftoolkit.tasks.ner.options import Options

GOOD = ["in/O New/B-LOC York/I-LOC", "Ann/B-PER and/O Bob/B-PER", "Ann/B-PER in/O Rome/B-LOC", "it/O is/O"]


def doubts(folder: Path, *, options: Options | None = None, **parts: list[str]) -> list[str]:
    rows = run_rows(folder, **{"train": GOOD, "validation": GOOD[1:], "test": GOOD[:1], **parts})
    return list(doubts_about_tags(rows, options or Options()))


def test_good_rows_raise_no_doubt(tmp_path: Path) -> None:
    assert doubts(tmp_path) == []


def test_held_out_rows_that_break_the_scheme_of_the_training_rows(tmp_path: Path) -> None:
    found = doubts(tmp_path, test=[GOOD[0], "in/O New/O York/I-LOC"], validation=["New/B-LOC"] + ["York/I-LOC"] * 6)
    advice = (
        "  the tags are read as IOB2; where that is wrong, say so:   options: {scheme: IOB1}\n"
        "  correct the others, or have them read all the same:   options: {mend: true}"
    )
    lines = "".join(
        f"  {tmp_path}/validation.conll: line {line}: word 1, 'York': 'I-LOC' comes first; an entity starts with B-\n"
        for line in (3, 5, 7, 9, 11)
    )
    assert found == [
        "data.validation: 6 rows have tags that break their scheme: a run will stop at them\n"
        f"{lines}  and 1 more\n{advice}",
        "data.test.test: 1 row has tags that break their scheme: a run will stop at them\n"
        f"  {tmp_path}/test.conll: line 5: word 3, 'York': 'I-LOC' follows 'O'; an entity starts with B-\n{advice}",
    ]


def test_of_training_rows_that_break_it_an_error_tells(tmp_path: Path) -> None:
    assert doubts(tmp_path, train=[*GOOD, "York/I-LOC"], test=["a/B-ORG"]) == []


def test_what_is_mended_is_no_doubt(tmp_path: Path) -> None:
    assert doubts(tmp_path, test=["York/I-LOC"], options=Options(mend=True)) == []


def test_types_that_are_in_no_training_row(tmp_path: Path) -> None:
    assert doubts(tmp_path, test=[GOOD[0], "UN/B-ORG"]) == [
        f"data.test.test: the label 'ORG' ({tmp_path}/test.conll: line 5) is in no training row, and will never be "
        "predicted\n  add training rows, or correct the label"
    ]


def test_plain_tags_that_are_in_no_training_row(tmp_path: Path) -> None:
    plain = ["a/DET b/NOUN"] * 6
    assert doubts(tmp_path, train=plain, validation=plain, test=["a/X"]) == [
        f"data.test.test: the label 'X' ({tmp_path}/test.conll: line 1) is in no training row, and will never be "
        "predicted\n  add training rows, or correct the label"
    ]


def test_tags_that_are_numbers(tmp_path: Path) -> None:
    numbers = ["a/0 b/3"] * 6
    assert doubts(tmp_path, train=numbers, validation=numbers, test=numbers) == [
        "data.train: the tags are numbers, such as 0: they are learned as they are, and no entity is seen in them\n"
        "  write their names in their place"
    ]


def test_the_same_words_with_other_entities(tmp_path: Path) -> None:
    assert doubts(tmp_path, train=[*GOOD, "Ann/B-PER in/O Rome/O"]) == [
        f"data.train: 1 row has the input of another row, and another label: {tmp_path}/train.conll: line 9 and "
        f"{tmp_path}/train.conll: line 16\n  one of the two may be wrong: correct it, or take it out"
    ]


def test_words_that_are_nearly_always_named(tmp_path: Path) -> None:
    train = [*GOOD, *[f"Rome/B-LOC {number}/O" for number in range(30)], "Rome/O is/O", "in/O Rome/O"]
    assert doubts(tmp_path, train=train) == [
        "data.train: words that are nearly always part of an entity stand outside of one 2 times: "
        f"'Rome' 2 of 33 times ({tmp_path}/train.conll: line 106)\n"
        "  entities may have been overlooked: look at these rows"
    ]
    once = [*GOOD, *[f"Rome/B-LOC {number}/O" for number in range(60)], "Rome/O is/O"]
    assert doubts(tmp_path, train=once) == []
    character = [sentence.replace("Rome", "京") for sentence in train]
    assert doubts(tmp_path, train=character) == []


def test_rows_without_entities(tmp_path: Path) -> None:
    train = [*GOOD, *[f"nothing/O {number}/O" for number in range(40)]]
    assert doubts(tmp_path, train=train) == [
        "data.train: 41 of 44 rows have no entity: a model may learn to find none\n"
        "  leave some of them out, or see that the column is the right one"
    ]


def test_spans_that_no_prediction_can_equal(tmp_path: Path) -> None:
    good = [("New York", [(0, 8, "LOC")])] * 3
    rows = span_rows(tmp_path, train=good, validation=good, test=[*good, ("10km", [(0, 2, "LOC")])])
    assert list(doubts_about_tags(rows, Options(spans=True))) == [
        "data.test.test: 1 span begins or ends inside a word: no model can find them exactly; the first is '10' "
        f"({tmp_path}/test.jsonl: line 4)\n  correct their places"
    ]
