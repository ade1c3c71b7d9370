import pytest
from document_reading import patient
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import lines

from hftoolkit.documents.line_breaks import in_lines
from hftoolkit.documents.pieces import Mark, Part, flat


def broken(text: str, target: str = "en") -> list[str]:
    return [flat(tuple(line)) for line in in_lines([text], target)]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("en", "A line of forty-two characters is not broken"[:42]),
        ("zh", "二十个字符以内的一行字幕不会被分成两行的"),
        ("zh-Hant", "這一行也很短"),
        ("en", "x" * 60),  # no place to break
    ],
)
def test_what_fits_stays_on_one_line(target: str, text: str) -> None:
    assert broken(text, target) == [text]


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ("en", ["We have been waiting for you,", "and now it is far too late to go."]),
        ("en", ["This sentence has no pause in it and", "is broken near its middle at a blank"]),
        ("zh", ["我们从今天一大早就开始在这里等你，", "一直等到了现在。"]),
        ("zh", ["这一句话里面没有任何停顿", "所以在中间分成了两行字幕"]),
        ("ja", ["これは一行には長すぎる字幕なので、", "二行に分けられます。"]),
        ("ko", ["우리는 오늘 아침 일찍부터", "여기에서 기다리고 있었어요"]),
        ("zh", ["请先打开设置，", "然后选择 Microsoft Windows 选项"]),
    ],
)
def test_what_does_not_is_broken_in_two(target: str, lines: list[str]) -> None:
    joint = "" if target in ("zh", "ja") else " "
    assert broken(joint.join(lines), target) == lines


@pytest.mark.parametrize("word", ["“这些引号里面的话”", "（括号里面的这些话）", "Microsoft", "3,141,592"])
def test_no_line_begins_or_ends_within(word: str) -> None:
    first, second = broken(f"这是一个很长很长的例子{word}还有一些别的话", "zh")
    assert first[-1] not in "“（"
    assert second[0] not in "”）"
    if word.isascii():
        assert word in first or word in second


def test_marks_stay_with_their_words() -> None:
    text: list[Part] = ["We have been ", Mark("<i>"), "waiting for you,", Mark("</i>"), " and now it is far too late."]
    assert in_lines(text, "en") == [
        ["We have been ", Mark("<i>"), "waiting for you,", Mark("</i>")],
        ["and now it is far too late."],
    ]
    text = ["We have been waiting for you, ", Mark("<i>"), "and now it is far too late.", Mark("</i>")]
    assert in_lines(text, "en")[1] == [Mark("<i>"), "and now it is far too late.", Mark("</i>")]


@patient
@given(st.lists(lines | lines.map(Mark), max_size=5), st.sampled_from(["zh", "en"]))
def test_nothing_but_blanks_is_lost(text: list[Part], target: str) -> None:
    found = in_lines(text, target)
    assert len(found) <= 2
    assert [part for line in found for part in line if isinstance(part, Mark)] == [
        part for part in text if isinstance(part, Mark)
    ]
    words = "".join(part for line in found for part in line if isinstance(part, str))
    assert words.replace(" ", "") == "".join(part for part in text if isinstance(part, str)).replace(" ", "")
