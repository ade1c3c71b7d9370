import contextlib
import json

import pytest
from document_reading import documents, kept, patient, places, texts, translated
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import texts as wild_texts

from hftoolkit.documents.pieces import Mark
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError, UsageError


def chosen(*columns: str) -> Settings:
    return Settings(source="en", target="zh", columns=columns)


def test_only_the_characters_of_the_string_change() -> None:
    line = '{ "id" :1,"text":  "one \\"two\\"\\n" ,"x":"\\u00e9\\/", "n": 1.50}\r\n'
    assert translated(line, "jsonl") == '{ "id" :1,"text":  "ONE \\"TWO\\"\\n" ,"x":"\\u00e9\\/", "n": 1.50}\r\n'


def test_chosen_columns() -> None:
    line = '{"a": "x", "b": "y", "c": "z"}\n'
    assert translated(line, "jsonl", settings=chosen("c", "a")) == '{"a": "X", "b": "y", "c": "Z"}\n'
    assert [place.where for place in places(line, "jsonl", chosen("a", "c"))] == [
        "line 1, column 'a'",
        "line 1, column 'c'",
    ]


@pytest.mark.parametrize("columns", ["en zh", "EN id", "en-US zh source", "x source", "text label", "only"])
def test_the_obvious_column(columns: str) -> None:
    names = columns.split()
    wanted = {"en-US zh source": "source", "x source": "source", "only": "only"}.get(columns, names[0])
    row = {name: name for name in names}
    assert texts(json.dumps(row), "jsonl") == [wanted]


def test_the_column_of_the_language_may_name_a_region_as_it_does() -> None:
    settings = Settings(source="pt-BR", target="en")
    assert texts('{"pt": "a", "pt_BR": "b"}', "jsonl", settings) == ["b"]


def test_the_only_string_is_the_obvious_column() -> None:
    assert texts('{"id": 1, "sentence": "Hi", "tags": []}', "jsonl") == ["Hi"]


def test_no_column_is_obvious() -> None:
    with pytest.raises(UsageError) as caught:
        texts('{"question": "a", "answer": "b"}', "jsonl")
    assert str(caught.value) == (
        "doc: which columns are to be translated?\n  say it:  --column NAME  where the columns are: question, answer"
    )


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(UsageError) as caught:
        texts('{"question": "a", "answer": "b"}', "jsonl", chosen("questions"))
    assert str(caught.value) == (
        "doc: no column 'questions'; did you mean 'question'?\n  the columns are: question, answer"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at character 2"),
        ('["a"]', 'expected an object in braces, got ["a"]'),
        ('{"text": "a"', "not JSON: Expecting ',' delimiter at character 13"),
    ],
)
def test_a_broken_line(line: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        texts('{"text": "a"}\n' + line, "jsonl")
    assert str(caught.value) == f"doc: line 2: {message}\n  expected one JSON object a line"


def test_a_line_that_is_nested_too_deep() -> None:
    with pytest.raises(DataError, match="line 1: not JSON: maximum recursion depth"):
        texts('{"text": ' + "[" * 100_000, "jsonl")


def test_what_is_no_text_is_not_passed_over_in_silence() -> None:
    assert texts('{"text": "a"}\n{"text": null}\n{"text": 3}\n{}\n', "jsonl") == ["a"]
    with pytest.raises(DataError) as caught:
        texts('{"text": "a"}\n{"text": ["b"]}\n', "jsonl")
    assert str(caught.value) == ("doc: line 2: column 'text' is a list, expected text\n  choose columns that hold text")


def test_a_file_that_escapes_what_is_not_ascii_goes_on_to() -> None:
    chinese = lambda text: ("你",)  # noqa: E731
    assert translated('{"text": "caf\\u00e9"}\n{"text": "a"}\n', "jsonl", chinese) == (
        '{"text": "\\u4f60"}\n{"text": "\\u4f60"}\n'
    )
    assert translated('{"text": "café"}\n{"text": "a"}\n', "jsonl", chinese) == '{"text": "你"}\n{"text": "你"}\n'
    assert translated('{"text": "a\\u0007b\\\\u1234"}\n', "jsonl", chinese) == '{"text": "你"}\n'


def test_half_a_pair_of_surrogates_is_a_mark() -> None:
    (place,) = places('{"text": "a\\ud83d b"}', "jsonl")
    assert place.texts == (("a", Mark("\\ud83d"), " b"),)
    assert place.fill(place.texts) == "a\\ud83d b"
    assert texts('{"text": "\\ud83d"}', "jsonl") == []


def test_blank_lines_and_blank_strings_stay() -> None:
    text = '\n{"text": " \\n"}\n \t\n{"text": ""}\n'
    assert texts(text, "jsonl") == []
    assert kept(text, "jsonl") == text


def test_blanks_around_a_text_stay() -> None:
    assert translated('{"text": " \\ta b\\n"}', "jsonl") == '{"text": " \\tA B\\n"}'


others = st.sampled_from([None, True, -1.5e-7, "", "a\n\u2028é", [1, {"text": "b"}], {"text": ["c"]}])


@patient
@given(wild_texts, others, wild_texts, st.booleans(), st.booleans())
def test_nothing_else_of_an_object_changes(
    key: str, value: object, translation: str, ascii_only: bool, spaced: bool
) -> None:
    rows = [{key: value, "text": "a", f"{key}x": value}, {"text": "b"}]
    separators = (" ,\t", " :  ") if spaced else None
    document = "\n".join(json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows)
    assert kept(document, "jsonl", chosen("text")) == document
    changed = translated(document, "jsonl", lambda text: (translation,), chosen("text"))
    assert [json.loads(line) for line in changed.split("\n")] == [{**row, "text": translation} for row in rows]


@patient
@given(documents('{"text": "a b"}\n', '{"text":"\\u4f60"}', "{", "}", '"text"', ":", ","))
def test_untranslated_it_comes_back_or_is_refused(text: str) -> None:
    with contextlib.suppress(DataError, UsageError):
        assert kept(text, "jsonl") == text
