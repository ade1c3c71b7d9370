from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_reading import read_all, write
from wild_texts import cells

from hftoolkit.errors import DataError

ROLES = ("words", "tags")
ADVICE = "all lines have the same columns, separated by tabs or by blanks; a blank line ends a sentence"

FOUR = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.conll"


def rows_in(path: Path, text: str, **keys: Any) -> list[dict[str, Any]]:
    return read_all(ROLES, source=write(path, text), **keys)[0]


def message(path: Path, text: str, **keys: Any) -> str:
    with pytest.raises(DataError) as caught:
        rows_in(path, text, **keys)
    return str(caught.value)


def notes(path: Path, text: str, **keys: Any) -> list[str]:
    return read_all(ROLES, source=write(path, text), **keys)[1].notes


WORDS = cells.map(lambda text: text.strip(" ").lstrip("\ufeff")).filter(
    lambda text: bool(text) and not text.startswith(("#", "-DOCSTART-"))
)


@given(
    st.lists(st.lists(st.tuples(WORDS, st.sampled_from(["O", "B-x", "I-x"])), min_size=1), max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_round_trip(sentences: list[list[tuple[str, str]]], end: str, last: bool) -> None:
    text = (end * 2).join(end.join("\t".join(word) for word in sentence) for sentence in sentences)
    with TemporaryDirectory() as folder:
        rows = rows_in(Path(folder) / "t.conll", text + end * last)
    assert rows == [{"words": [w for w, _ in each], "tags": [t for _, t in each]} for each in sentences]


def test_the_first_column_and_the_last_one_of_columns_separated_by_blanks(path: Path) -> None:
    rows, census, places = read_all(ROLES, source=write(path, FOUR))
    assert rows == [{"words": ["EU", "rejects"], "tags": ["B-ORG", "O"]}, {"words": ["Peter"], "tags": ["B-PER"]}]
    assert census.notes == ["-DOCSTART- lines, each the start of a document: 1"]
    assert census.dropped == {}
    assert places == [f"{path}: line 3", f"{path}: line 6"]


def test_columns_are_chosen_by_number(path: Path) -> None:
    assert rows_in(path, FOUR, columns={"tags": 2})[0] == {"words": ["EU", "rejects"], "tags": ["NNP", "VBZ"]}
    assert rows_in(path, FOUR, columns={"words": 4, "tags": 3})[1] == {"words": ["B-PER"], "tags": ["B-NP"]}


def test_words_alone_need_no_tags(path: Path) -> None:
    assert read_all(("words",), source=write(path, "EU\nrejects\n"))[0] == [{"words": ["EU", "rejects"]}]


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\t\n", " \t \n", "-DOCSTART-\n", "-DOCSTART- O\n", "\n\n\n"])
def test_what_ends_a_sentence(path: Path, blank: str) -> None:
    rows = rows_in(path, f"{blank}a\tO\n{blank}b\tO\n{blank}")
    assert [row["words"] for row in rows] == [["a"], ["b"]]


def test_runs_of_blanks_and_tabs_separate_where_the_first_line_has_no_tab(path: Path) -> None:
    assert rows_in(path, "  a  X O \nb\tY \t I-a\n") == [{"words": ["a", "b"], "tags": ["O", "I-a"]}]


def test_blanks_are_part_of_a_word_where_tabs_separate(path: Path) -> None:
    rows = rows_in(path, "New York\tB-LOC \n \tO\n")
    assert rows == [{"words": ["New York", " "], "tags": ["B-LOC", "O"]}]


def test_white_space_of_other_kinds_is_part_of_a_word(path: Path) -> None:
    rows = rows_in(path, "\u3000 O\na\u00a0b O\n\x85 O\n")
    assert rows == [{"words": ["\u3000", "a\u00a0b", "\x85"], "tags": ["O"] * 3}]


def test_byte_order_marks_at_the_start_and_where_files_were_joined(path: Path) -> None:
    text = "\ufeffa O\n\n\ufeffb O\nDubbz\ufeff O\n"
    rows, census, _ = read_all(ROLES, source=write(path, text))
    assert [row["words"] for row in rows] == [["a"], ["b", "Dubbz\ufeff"]]
    assert census.notes == [
        f"{path} begins with a byte order mark: read as UTF-8",
        f"byte order marks inside a file, left out: 1 (the first: {path}: line 3)",
    ]
    path.write_bytes(text.replace("\ufeffa", "a").encode("utf-16"))
    assert read_all(ROLES, source=str(path))[0] == rows


def test_comments_before_a_sentence_and_words_that_look_like_them(path: Path) -> None:
    text = (
        "# id 7f3a domain=train\na _ _ O\n\n# sent_id = 2\n# text = # b\n# _ _ O\nb _ _ O\n# _ _ B-x\n\n"
        "# id 9 domain=dev\n#tag _ _ O\n"
    )
    rows, census, places = read_all(ROLES, source=write(path, text))
    assert [row["words"] for row in rows] == [["a"], ["#", "b", "#"], ["#tag"]]
    assert census.notes == ["comments: 4"]
    assert places[1] == f"{path}: line 6"


def test_lines_with_other_columns_are_told_at_once(path: Path) -> None:
    assert message(path, "a O\nb\n\nNew York O\n") == (
        f"{path}: 2 lines do not fit\n  line 2: 1 column, expected 2\n  line 4: 3 columns, expected 2\n  {ADVICE}"
    )


def test_an_empty_column(path: Path) -> None:
    assert message(path, "a\tO\nb\t\n") == f"{path}: line 2: column 2 is empty\n  {ADVICE}"


def test_a_number_of_a_column_that_is_not_there(path: Path) -> None:
    assert message(path, FOUR, columns={"tags": 5}) == (
        f"{path}: columns: tags: no column 5; the first line has 4\n"
        "  columns count from 1; tabs separate them, or blanks"
    )


def test_a_name_of_a_column(path: Path) -> None:
    assert message(path, FOUR, columns={"tags": "ner"}) == (
        f"{path}: columns: tags: 'ner' is no number, but columns have no names in this format\n"
        "  give its number from 1:  columns: {words: 1, tags: 4}"
    )


def test_words_without_tags(path: Path) -> None:
    assert message(path, "a\nb\n") == (
        f"{path}: words and tags are both in column 1; the first line has 1\n"
        "  say which are the tags:  columns: {words: 1, tags: 2}"
    )


def test_an_empty_file_has_no_rows(path: Path) -> None:
    assert rows_in(path, "\n\n") == []


def test_places_in_segmented_words_are_left_out(path: Path) -> None:
    text = "科0\tO\n技1\tO\n20\tO\n" + "".join(f"w{n}\tO\n" for n in range(17))
    rows, census, _ = read_all(ROLES, source=write(path, text + "\n\ufffd\ufffd0\tO\n越2\tO\n110\tO\n"))
    assert rows[0]["words"] == ["科", "技", "2"] + ["w"] * 17
    assert rows[1]["words"] == ["\ufffd\ufffd", "越", "1"]
    assert census.notes == [
        f"{path} has characters with their places in segmented words (科0 技1): the places are left out"
    ]


@pytest.mark.parametrize(
    "words", [["10", "20"], ["a0", "b0"], ["a1", "b2"], ["B1", "B12"], ["科0", "技1", "全"], ["ab0", "c1"]]
)
def test_words_that_only_look_like_characters_with_places(path: Path, words: list[str]) -> None:
    assert rows_in(path, "".join(f"{word}\tO\n" for word in words))[0]["words"] == words
    assert notes(path, "".join(f"{word}\tO\n" for word in words)) == []


def test_a_word_without_a_place_where_all_have_one(path: Path) -> None:
    text = "".join(f"w{n}\tO\n" for n in range(20)) + "\nw0\tO\n全\tO\n"
    assert message(path, text) == (
        f"{path}: line 23: expected a character and its place in a word, got '全'\n  {ADVICE}"
    )


CONLLU = """# sent_id = 1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tv\tMood=Imp\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tp\t_\t1\tobj\t_\t_
2.1\tx\ty\tVERB\t_\t_\t_\t_\t_\t_
3\tNew York\tNew York\tPROPN\t_\t_\t1\tobl\t_\tSpaceAfter=No

# sent_id = 2
1\tSí\tsí\tINTJ\ti\t_\t0\troot\t_\t_
"""


@pytest.fixture
def treebank(tmp_path: Path) -> Path:
    return tmp_path / "es-ud-train.conllu"


def test_syntactic_words_and_their_parts_of_speech(treebank: Path) -> None:
    rows, census, places = read_all(ROLES, source=write(treebank, CONLLU))
    assert rows == [
        {"words": ["Vamos", "nos", "New York"], "tags": ["VERB", "PRON", "PROPN"]},
        {"words": ["Sí"], "tags": ["INTJ"]},
    ]
    assert census.notes == [
        "tokens of several words, in whose place the words are read: 1",
        "empty words, which stand in no text, left out: 1",
    ]
    assert places == [f"{treebank}: line 4", f"{treebank}: line 10"]


def test_columns_of_conllu_have_names_and_numbers(treebank: Path) -> None:
    rows = rows_in(treebank, CONLLU, columns={"words": "LEMMA", "tags": 8})
    assert rows[0] == {"words": ["ir", "nosotros", "New York"], "tags": ["root", "obj", "obl"]}


def test_words_without_a_tag_are_counted(treebank: Path) -> None:
    assert notes(treebank, CONLLU, columns={"tags": "XPOS"})[-1] == (
        f"sentences with words that have no tag but '_': 1 (the first: {treebank}: line 4)"
    )


def test_an_unknown_column_of_conllu(treebank: Path) -> None:
    assert message(treebank, CONLLU, columns={"tags": "UPSO"}) == (
        f"{treebank}: no column 'UPSO'; did you mean 'UPOS'?\n"
        "  the columns are: ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC\n"
        "  say which one holds which role:  columns: {words: FORM, tags: UPOS}"
    )
    assert "no column '11'\n" in message(treebank, CONLLU, columns={"tags": 11})


def test_lines_that_are_no_conllu_are_told_at_once(treebank: Path) -> None:
    text = "1\ta\ta\tX\t_\t_\t_\t_\t_\t_\n2\tb\nthree" + "\t_" * 9 + "\n"
    assert message(treebank, text) == (
        f"{treebank}: 2 lines do not fit\n"
        "  line 2: 2 columns, expected 10\n"
        "  line 3: expected the number of a word, got 'three'\n"
        "  a line of CoNLL-U has 10 columns, separated by tabs; a blank line ends a sentence"
    )
