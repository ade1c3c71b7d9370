from pathlib import Path

import pytest
from document_reading import documents, kept, patient, places, texts, translated
from hypothesis import given
from hypothesis import strategies as st
from wild_texts import lines

from hftoolkit.documents.pieces import Mark
from hftoolkit.documents.settings import Settings
from hftoolkit.errors import DataError

SAMPLES = Path(__file__).parents[1] / "samples"
SRT_TIME = "00:00:01,000 --> 00:00:02,000\n"
VTT_TIME = "00:01.000 --> 00:02.000\n"


def sample(name: str) -> str:
    return (SAMPLES / name).read_bytes().decode()


def srt(text: str) -> str:
    return f"1\n{SRT_TIME}{text}\n\n2\n{SRT_TIME}Bye.\n"


def of_srt(text: str) -> list[str]:
    *found, last = texts(srt(text), "srt")
    assert last == "Bye."
    return found


def test_a_real_srt() -> None:
    assert texts(sample("film.srt"), "srt") == [
        "Good morning!",
        "We have been waiting for you since early this morning.",
        "Who is that?",
        "Nobody you know.",
        "La la la",
        "The answer is",
        "42",
        '<font color="#ffff00">JOHN:</font> 3 < 4, right?',
        "-5 degrees, and no blank line before the number",
    ]
    assert kept(sample("film.srt"), "srt") == sample("film.srt")


def test_a_real_srt_translated() -> None:
    known = {
        "We have been waiting for you since early this morning.": "我们从今天一大早就开始在这里等你们了，"
        "一直等到现在。",
        "Who is that?": "那是谁？",
        "La la la": "啦啦啦",
    }
    found = translated(sample("film.srt"), "srt", lambda text: tuple(known.get(str(part), part) for part in text))
    assert found == sample("film.srt").replace(
        "We have been waiting for you\r\nsince early this morning.",
        "我们从今天一大早就开始在这里等你们了，\r\n一直等到现在。",
    ).replace("Who is that?", "那是谁？").replace("La la la", "啦啦啦").replace(
        "-5 degrees, and no blank line before the number", "-5 degrees,\r\nand no blank line before the number"
    )


def test_a_real_vtt() -> None:
    assert texts(sample("talk.vtt"), "vtt") == [
        "Good morning & welcome to this talk.",
        "<c.yellow>Never</c> boil <00:05.000>the water <00:05.500>twice.",
        "Who are you?",
        "I am Bob.",
        "2 < 3 and 3\u00a0kg",
    ]
    assert [place.where for place in places(sample("talk.vtt"), "vtt")] == [
        f"line {number}" for number in (17, 21, 24, 25, 31)
    ]


def test_a_real_vtt_translated() -> None:
    english = Settings(source="de", target="en")
    assert translated(sample("talk.vtt"), "vtt", settings=english) == (
        sample("talk.vtt")
        .replace("Good morning &amp; welcome\nto this talk.", "GOOD MORNING &amp; WELCOME TO THIS TALK.")
        .replace(
            "Never</c> boil <00:05.000>the water <00:05.500>twice",
            "NEVER</c> BOIL <00:05.000>THE WATER <00:05.500>TWICE",
        )
        .replace("Who are you", "WHO ARE YOU")
        .replace("I am Bob", "I AM BOB")
        .replace("2 &lt; 3 and 3&nbsp;kg", "2 &lt; 3 AND 3&nbsp;KG")
    )


@pytest.mark.parametrize(
    ("cue", "found"),
    [
        ("- A\n- B", ["A", "B"]),
        ("-A\n-B", ["A", "B"]),
        ("– A\n– B", ["A", "B"]),
        ("<i>- A\nstill A\n- B</i>", ["A still A", "B"]),
        ("- One voice\non two lines", ["One voice on two lines"]),
        ("A\n- B", ["A - B"]),
        ("A\n- B\n- C", ["A", "B", "C"]),
        ("One -\ntwo", ["One - two"]),
        ("-10 degrees", ["-10 degrees"]),
        ("- 10 degrees", ["10 degrees"]),
    ],
)
def test_two_voices_are_two_texts(cue: str, found: list[str]) -> None:
    assert of_srt(cue) == found


def test_dashes_stay() -> None:
    assert translated(srt("<i>- who?</i>\n-  me."), "srt").startswith(f"1\n{SRT_TIME}<i>- WHO?</i>\n-  ME.\n\n")


@pytest.mark.parametrize(
    ("cue", "found"),
    [
        ("<i>All of it</i>", ["All of it"]),
        ("{\\an8}On top", ["On top"]),
        ("♪ Song ♪", ["Song"]),
        ("<i>A</i> b", ["<i>A</i> b"]),
        ("a\\Nb", ["a b"]),
        ("a<br/>b", ["a b"]),
        ("a < b and <3 and <Laughs>", ["a < b and <3 and <Laughs>"]),
        ("AT&amp;T & <b></b>", ["AT&amp;T & <b></b>"]),
        ("<i></i>", []),
        ("♪", []),
        ("", []),
    ],
)
def test_tags_are_marks(cue: str, found: list[str]) -> None:
    assert of_srt(cue) == found


def test_marks_and_words() -> None:
    (place, _) = places(srt("Say <b>hello</b>\nto {\\i1}me"), "srt")
    assert place.texts == (("Say ", Mark("<b>"), "hello", Mark("</b>"), " to ", Mark("{\\i1}"), "me"),)
    assert place.where == "line 3"


def test_lines_of_chinese_are_joined_without_a_blank() -> None:
    assert of_srt("我们一直\n在等你") == ["我们一直在等你"]
    assert of_srt("<i>我们</i>\n<b>在</b>等") == ["<i>我们</i><b>在</b>等"]
    assert of_srt("우리는\n기다려") == ["우리는 기다려"]


def test_a_cue_without_a_number_and_a_number_as_a_text() -> None:
    assert texts(f"{SRT_TIME}42\n\n43\n{SRT_TIME}Bye.\n\n44\n", "srt") == ["42", "Bye.", "44"]


def test_words_behind_blank_lines_belong_to_the_cue() -> None:
    assert of_srt("One\n\ntwo\n \nthree") == ["One", "two", "three"]


@pytest.mark.parametrize(
    ("format", "text", "time"),
    [("srt", "Dear all,\n", "00:00:01,000 --> 00:00:04,000"), ("vtt", "1\nHello", "00:01.000 --> 00:04.000")],
)
def test_no_subtitles_at_all(format: str, text: str, time: str) -> None:
    with pytest.raises(DataError) as caught:
        texts(text, format)
    assert str(caught.value) == (
        f"doc: no subtitle found: no line with times, such as {time}\n  name the format it has"
    )


@pytest.mark.parametrize(("format", "text"), [("srt", ""), ("srt", "\n\n"), ("vtt", "WEBVTT\n"), ("vtt", "")])
def test_nothing_to_translate(format: str, text: str) -> None:
    assert kept(text, format) == text


@pytest.mark.parametrize("block", ["NOTE a --> b is kept\n", "STYLE\n::cue { }\n", "REGION\nid:x\n", "an id\n"])
def test_blocks_that_are_no_cues_stay(block: str) -> None:
    assert texts(f"WEBVTT\n\n{block}\n{VTT_TIME}One\n", "vtt") == ["One"]


def test_voices_of_vtt_are_kept_outside() -> None:
    text = f"WEBVTT\n\n{VTT_TIME}<v Ann>one\n<v.loud Bob>two</v>\n"
    assert texts(text, "vtt") == ["one", "two"]
    assert translated(text, "vtt") == text.replace("one", "ONE").replace("two", "TWO")


def test_a_time_line_ends_a_cue_of_vtt() -> None:
    assert texts(f"WEBVTT\n\n{VTT_TIME}One\n{VTT_TIME}Two\n", "vtt") == ["One", "Two"]


SRT = ("1\n", SRT_TIME, SRT_TIME, "- ", "<i>", "</i>", "{\\an8}", "♪", "\n\n", "<br>")
VTT = ("WEBVTT\n\n", VTT_TIME, VTT_TIME, "NOTE x\n", "STYLE\n", "<v Bob>", "</v>", "<i>", "</i>", "&amp;", "\n\n")


@patient
@given(documents(*SRT), documents(*VTT))
def test_untranslated_it_comes_back_or_is_refused(srt: str, vtt: str) -> None:
    for format, text in (("srt", srt), ("vtt", vtt)):
        try:
            assert kept(text, format) == text
        except DataError:
            assert "-->" not in text or format == "srt"


@patient
@given(documents(*SRT), st.sampled_from(["zh", "en"]))
def test_what_is_not_text_stays_where_it_is(text: str, target: str) -> None:
    settings = Settings(source="en", target=target)
    text = f"{SRT_TIME}{text}"
    changed = translated(text, "srt", lambda _: ("T",), settings)
    assert len(places(text, "srt")) == changed.count("T") - text.count("T") + sum(
        each.count("T") for each in texts(text, "srt")
    )


@patient
@given(lines.filter(lambda line: line.strip() and line.strip()[0] not in "-–—‐‑"), st.sampled_from(["zh", "en"]))
def test_a_vtt_reads_as_it_was_translated(translation: str, target: str) -> None:
    settings = Settings(source="en", target=target)
    changed = translated(f"WEBVTT\n\n{VTT_TIME}Hello\n", "vtt", lambda _: (translation,), settings)
    assert "".join("".join(texts(changed, "vtt", settings)).split()) == "".join(translation.split())
