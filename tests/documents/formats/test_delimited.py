import contextlib
import csv
import io

import pytest
from document_reading import documents, kept, patient, places, texts, translated
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import cells
from wild_texts import texts as wild_texts

from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError, UsageError


def chosen(*columns: str) -> Settings:
    return Settings(source="en", target="zh", columns=columns)


def test_csv_columns_by_name() -> None:
    text = 'id,zh,en\n1,"x, y","one ""two"""\n2,z,three\n'
    assert translated(text, "csv") == 'id,zh,en\n1,"x, y","ONE ""TWO"""\n2,z,THREE\n'
    assert [place.where for place in places(text, "csv")] == ["line 2, column 'en'", "line 3, column 'en'"]


def test_tsv_columns_by_number_have_no_header() -> None:
    text = 'one\tx\t"two\nthree\ty\tfour"\n'
    assert translated(text, "tsv", settings=chosen("3", "1")) == 'ONE\tx\t"TWO\nTHREE\ty\tFOUR"\n'
    assert places(text, "tsv", chosen("3"))[0].where == "line 1, column 3"


def test_numbers_may_be_names() -> None:
    assert texts("1,2\na,b\n", "csv", chosen("2")) == ["b"]


def test_fields_that_stay_keep_their_quotes() -> None:
    text = '"id","text",x\r\n"1",one," y"\r\n'
    assert translated(text, "csv") == '"id","text",x\r\n"1",ONE," y"\r\n'


def test_a_translated_field_is_quoted_when_it_was_or_must_be() -> None:
    text = 'text\none\n"two"\nthree\nfour\n'
    given = iter(["a,b", "c", 'say "d"', "e\nf"])
    assert translated(text, "csv", lambda text: (next(given),)) == 'text\n"a,b"\n"c"\n"say ""d"""\n"e\nf"\n'


def test_semicolons_separate_where_no_comma_is_in_the_first_line() -> None:
    text = "id;text\n1;one, two\n"
    assert texts(text, "csv") == ["one, two"]
    assert translated(text, "csv", lambda text: ("a;b",)) == 'id;text\n1;"a;b"\n'


def test_a_quoted_field_goes_over_lines() -> None:
    text = 'id,text\r\n1,"one\r\n\r\ntwo ""x"",\nthree"\r\n2,"four"\r\n'
    assert texts(text, "csv") == ['one\r\n\r\ntwo "x",\nthree', "four"]
    assert [place.where for place in places(text, "csv")] == ["line 2, column 'text'", "line 6, column 'text'"]
    assert translated(text, "csv") == text.replace("one", "ONE").replace(
        'two ""x"",\nthree', 'TWO ""X"",\nTHREE'
    ).replace("four", "FOUR")


def test_a_cell_of_a_tsv_cannot_hold_a_tab() -> None:
    assert translated("text\tx\none\t1\n", "tsv", lambda text: ("a\tb\r\nc",)) == "text\tx\na b c\t1\n"


def test_quotes_are_characters_in_a_tsv() -> None:
    assert texts('text\n"one\nsay ""two""\n', "tsv") == ['"one', 'say ""two""']


def test_blanks_around_a_text_stay() -> None:
    assert translated('text,x\n one\t,1\n"two\n",2\n', "csv") == 'text,x\n ONE\t,1\n"TWO\n",2\n'


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_blank_lines_and_cells_stay(format: str) -> None:
    text = "\nid,text\n\n1,\n2, \n\n".replace(",", "," if format == "csv" else "\t")
    assert texts(text, format) == []
    assert kept(text, format) == text


@pytest.mark.parametrize("format", ["csv", "tsv"])
@pytest.mark.parametrize("text", ["", "\n\n", "text\n", "text"])
def test_nothing_to_translate(text: str, format: str) -> None:
    assert kept(text, format) == text
    assert texts(text, format) == []


def test_the_only_column_with_words_below_a_header() -> None:
    assert texts("id,sentence,score\n1,Hello there,0.5\n2,Bye,1\n", "csv") == ["Hello there", "Bye"]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("1,Hello there\n2,Bye\n", "1, Hello there"),  # no header: the first row would be passed over
        ("Hello there\nBye\n", "Hello there"),
        ("question,answer\na,b\n", "question, answer"),
    ],
)
def test_no_column_is_obvious(text: str, columns: str) -> None:
    with pytest.raises(UsageError) as caught:
        texts(text, "csv")
    assert str(caught.value) == (
        "doc: which columns are to be translated?\n"
        f"  say it:  --column NAME_OR_NUMBER  where the columns are: {columns}"
    )


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(UsageError) as caught:
        texts("id,text\n1,a\n", "csv", chosen("txt"))
    assert str(caught.value) == "doc: no column 'txt'; did you mean 'text'?\n  the columns are: id, text"
    with pytest.raises(UsageError) as caught:
        texts("a,b\n", "csv", chosen("3"))
    assert str(caught.value) == "doc: no column 3; the first line has 2\n  columns count from 1"


def test_two_columns_of_the_same_name() -> None:
    with pytest.raises(DataError) as caught:
        texts("a,a\n1,2\n", "csv", chosen("a"))
    assert str(caught.value) == "doc: 2 columns are named 'a'\n  give each its own name"


def test_a_row_with_another_number_of_columns() -> None:
    with pytest.raises(DataError) as caught:
        texts("id\ttext\n1\ta\tb\n", "tsv")
    assert str(caught.value) == (
        "doc: line 2: 3 columns, expected 2\n"
        "  a tab separates columns and cannot stand in a text; quoted fields need  --format csv"
    )
    with pytest.raises(DataError) as caught:
        texts("id,text\n1,a\nb\n", "csv")
    assert str(caught.value) == (
        "doc: line 3: 1 column, expected 2\n"
        '  a text with a comma, quote or line end stands in quotes, a quote in it is doubled: ""'
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('text\na\n"b\nc\n', "line 3: not CSV: a quote is opened and never closed"),
        ('id,text\n1,"a"b\n', "line 2: not CSV: ',' expected after '\"'"),
    ],
)
def test_what_is_not_csv(text: str, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        texts(text, "csv")
    assert str(caught.value) == (
        f'doc: {problem}\n  a text with a comma, quote or line end stands in quotes, a quote in it is doubled: ""'
    )


unbroken = wild_texts.map(lambda text: text.replace("\r", ""))  # which csv does not always quote


@patient
@given(
    st.lists(st.tuples(unbroken, unbroken), min_size=1, max_size=4),
    wild_texts,
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_a_csv_reader_reads_the_translation(
    rows: list[tuple[str, str]], translation: str, delimiter: str, end: str, quoting: int
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([("id", "text"), *((a, f"x{b}x") for a, b in rows)])
    document = out.getvalue()
    assert kept(document, "csv") == document
    assert texts(document, "csv") == [f"x{b}x" for _, b in rows]
    changed = translated(document, "csv", lambda text: (translation,))
    read = list(csv.reader(io.StringIO(changed, newline=""), delimiter=delimiter))
    assert read == [["id", "text"], *([a, translation] for a, _ in rows)]


@patient
@given(st.lists(st.tuples(cells, cells), max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_tsv_comes_back(rows: list[tuple[str, str]], end: str) -> None:
    document = "".join(f"{a}\t{b}{end}" for a, b in [("id", "text"), *rows])
    assert kept(document, "tsv") == document
    assert texts(document, "tsv") == [b.strip() for _, b in rows if b.strip()]


@patient
@given(documents(",", '"', '""', "\n", "text", "id,text\n", '"a\nb"', ";", "\t"), st.sampled_from(["csv", "tsv"]))
def test_untranslated_it_comes_back_or_is_refused(text: str, format: str) -> None:
    with contextlib.suppress(DataError, UsageError):
        assert kept(text, format, chosen("1")) == text
