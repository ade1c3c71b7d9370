import pytest
from document_reading import documents, kept, patient, places, texts, translated
from hypothesis import given
from wild_texts import lines

MARKERS = ("- ", "* ", "• ", "1. ", "12) ", "(3) ", "1.2. ", "a) ", "iv. ", "> ", "一、", "(二)", "①", "　")


def test_every_line_is_translated_by_itself() -> None:
    assert translated("One.\nTwo.\n\nThree.", "text") == "ONE.\nTWO.\n\nTHREE."
    assert [place.where for place in places("One.\nTwo.\n\nThree.", "text")] == ["line 1", "line 2", "line 4"]


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("  ", "indented"),
        ("- ", "bullet"),
        ("\t* ", "bullet"),
        ("• ", "bullet"),
        ("— ", "said"),
        ("1. ", "numbered"),
        ("(12) ", "numbered"),
        ("1.2.3. ", "numbered"),
        ("a) ", "lettered"),
        ("iv) ", "numbered"),
        ("3、", "买茶"),
        ("一、", "买茶"),
        ("（二）", "买茶"),
        ("第三、", "买茶"),
        ("> > ", "quoted"),
        ("- [ ] ", "to do"),
        ("- [x] ", "done"),
        ("\u3000\u3000", "首行缩进"),
    ],
)
def test_what_stands_before_a_line_stays(before: str, text: str) -> None:
    assert texts(before + text, "text") == [text]
    assert translated(f"{before}{text}", "text") == before + text.upper()


@pytest.mark.parametrize(
    "line",
    [
        "-5 degrees",
        "A. Smith is here",
        "3.5 million",
        "2024. That year",
        "三、四天以后",
        "第一、第二名",
        "I am",
        "e.g. this",
    ],
)
def test_what_only_looks_like_a_marker_is_translated(line: str) -> None:
    assert texts(line, "text") == [line]


@pytest.mark.parametrize("line", ["", "   ", "\u3000", "-", "1.", "  * ", "> "])
def test_nothing_is_translated_of_a_line_without_words(line: str) -> None:
    assert texts(f"{line}\n", "text") == []


def test_blanks_at_the_end_stay() -> None:
    assert translated("one  \t\r\ntwo\u00a0\n", "text") == "ONE  \t\r\nTWO\u00a0\n"


def test_what_ends_no_line_is_within_it() -> None:
    assert texts("a\u2028b\x0bc\x85d\n", "text") == ["a\u2028b\x0bc\x85d"]


def test_a_translation_stays_on_its_line() -> None:
    assert translated("one\ntwo\n", "text", lambda text: ("a\r\nb\nc",)) == "a b c\na b c\n"


@patient
@given(documents(*MARKERS))
def test_untranslated_it_comes_back(text: str) -> None:
    assert kept(text, "text") == text


@patient
@given(documents(*MARKERS))
def test_a_translation_that_is_the_text_changes_nothing(text: str) -> None:
    text = text.replace("\r", "")
    assert translated(text, "text", lambda same: same) == text


@patient
@given(lines)
def test_a_line_in_a_line_out(line: str) -> None:
    assert translated("a\nb\nc\n", "text", lambda text: (line,)).count("\n") == 3
