import time
from types import SimpleNamespace

import pytest
import sentencex  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_texts import texts as wild

from hftoolkit.documents.marks import joined
from hftoolkit.documents.pieces import Mark, Text, flat
from hftoolkit.documents.protection import protect
from hftoolkit.documents.sentences import Sentence, join, split

B, B_END, BR = Mark("<b>"), Mark("</b>"), Mark("<br>")


def cut(text: Text | str, language: str = "en", longest: int | None = None) -> list[tuple[str, str]]:
    found = split(text, language, longest)
    assert whole(found) == joined((text,) if isinstance(text, str) else text)
    return [(flat(each.text), each.between) for each in found]


def whole(sentences: list[Sentence]) -> Text:
    return joined(part for each in sentences for part in (*each.text, each.between))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n", [("", " \n")]),
        ("Hello.  Dr. Smith came.\tHe left ", [("Hello.", "  "), ("Dr. Smith came.", "\t"), ("He left", " ")]),
        ("  One. Two.\n\nThree", [("", "  "), ("One.", " "), ("Two.", "\n\n"), ("Three", "")]),
        (
            "See e.g. this, or 3.5 GB. Wait... what? Yes!",
            [("See e.g. this, or 3.5 GB.", " "), ("Wait... what?", " "), ("Yes!", "")],
        ),
        ("He said. “Why?” she asked.", [("He said.", " "), ("“Why?” she asked.", "")]),
        ("asyncio.Task is a.B.C", [("asyncio.Task is a.B.C", "")]),
        ("One.\u00a0Two.\u3000Three.", [("One.", "\u00a0"), ("Two.", "\u3000"), ("Three.", "")]),
    ],
)
def test_english(text: str, sentences: list[tuple[str, str]]) -> None:
    assert cut(text) == sentences


def test_languages_without_blanks() -> None:
    assert cut("你好。今天很好！你去吗？", "zh-Hans") == [("你好。", ""), ("今天很好！", ""), ("你去吗？", "")]
    assert cut("こんにちは。元気？", "ja") == [("こんにちは。", ""), ("元気？", "")]
    assert cut("Am 3. Mai. Gut.", "deu") == [("Am 3. Mai.", " "), ("Gut.", "")]
    assert cut("One. Two.", "no language") == [("One.", " "), ("Two.", "")]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("- one\n  * two\n12. three\n(a) four", ["one", "two", "three", "four"]),
        ("> a\n> > b\n## c\n• [x] d", ["a", "b", "c", "d"]),
        ("- 5 °C\n-5 °C\n1.5 m", ["5 °C", "-5 °C", "1.5 m"]),
        ("2020. A year.", ["2020.", "A year."]),
        ("Usage: x [y]\n  -h  help\n", ["Usage: x [y]", "-h  help"]),
        ("Title\nText goes\non here", ["Title", "Text goes\non here"]),
        ("Title:\nlower", ["Title:", "lower"]),
        ("a\u2028b\x0bc\rd\r\n\re", ["a", "b", "c\rd", "e"]),
        ("x" * 60 + "\nNew York", ["x" * 60 + "\nNew York"]),
        ("字" * 30 + "\n字", ["字" * 30 + "\n字"]),
        ("字\n字", ["字", "字"]),
    ],
)
def test_lines_and_lists(text: str, sentences: list[str]) -> None:
    assert [sentence for sentence, _ in cut(text) if sentence] == sentences


def test_markers_of_lists_are_between_sentences() -> None:
    assert cut("- one\n- two") == [("", "- "), ("one", "\n- "), ("two", "")]


def test_marks() -> None:
    assert cut((B, "One. Two.", B_END, " ", B, "Three.", B_END)) == [
        ("<b>One.", " "),
        ("Two.</b>", " "),
        ("<b>Three.</b>", ""),
    ]
    assert cut(("你好。", B_END, B, "再见。"), "zh") == [("你好。</b>", ""), ("<b>再见。", "")]
    assert cut(("One", BR, "two. ", BR, " Three")) == [
        ("One", ""),
        ("<br>", ""),
        ("two.", " "),
        ("<br>", " "),
        ("Three", ""),
    ]
    assert cut(protect(("See http://a.b/c. Then `x. Y`. %s is \ufffc bad.",))) == [
        ("See http://a.b/c.", " "),
        ("Then `x. Y`.", " "),
        ("%s is \ufffc bad.", ""),
    ]


def test_long_sentences_are_cut_between_clauses_words_or_characters() -> None:
    parts = cut("The first part, which is long, and 1,000 others, goes on", longest=30)
    assert [part for part, _ in parts] == ["The first part, which is long,", "and 1,000 others, goes on"]
    assert [part for part, _ in cut("one two three four five six", longest=10)] == ["one two", "three four", "five six"]
    assert [part for part, _ in cut("字" * 25, "zh", longest=10)] == ["字" * 10, "字" * 10, "字" * 5]
    assert cut("e\u0301" * 8, longest=5) == [("e\u0301" * 2, "")] * 4
    assert cut("👨\u200d👩👨\u200d👩", longest=4) == [("👨\u200d👩", "")] * 2
    assert cut("ab", longest=2) == [("ab", "")]


def test_a_mark_counts_and_is_not_cut() -> None:
    text = (Mark("`" + "a b, " * 20 + "`"), " one, ") * 8
    parts = split(text, "en", 30)
    assert len(parts) > 2
    assert whole(parts) == joined(text)


def test_length_is_what_is_measured() -> None:
    parts = split("one two three four five six", "en", 2, lambda text: len(text.split()))
    assert [flat(part.text) for part in parts] == ["one two", "three four", "five six"]


LONG = "Very long, and no end; it goes on " * 600


@pytest.mark.parametrize("text", [LONG, LONG.replace(" ", ""), "长" * 20_000])
def test_nothing_is_longer_than_what_is_measured(text: str) -> None:
    asked = 0

    def measure(part: str) -> int:
        nonlocal asked
        asked += len(part)
        return len(part.encode())

    parts = split(text, "en", 300, measure)
    assert all(len(flat(part.text).encode()) <= 300 for part in parts)
    assert len(parts) < 3 * len(text.encode()) / 300
    assert asked < 50 * len(text)
    assert flat(whole(parts)) == text


def test_a_sentence_that_cannot_be_long_is_not_measured() -> None:
    def measure(text: str) -> int:
        raise AssertionError(text)

    assert len(split("One. Two.", "en", 100, measure)) == 2


def test_many_lines_take_little_time() -> None:
    begun = time.process_time()
    for number in range(2_000):
        split(f"This is line {number} of a file. It has two sentences, as Dr. Smith said.", "en", 200)
    assert time.process_time() - begun < 2  # 100,000 lines in less than 100 s even on a slow machine; 3 s on most


def test_sentences_put_together() -> None:
    sentences: list[tuple[Text, str]] = [
        (("你好。",), " "),
        (("“再见！”",), " "),
        ((B, "好？", B_END), " "),
        (("OK.",), " "),
        (("好！",), "\n"),
        (("好！",), "  "),
        (("“Yes.”",), " "),
        (("好。",), " "),
    ]
    assert flat(join(sentences)) == "你好。“再见！”<b>好？</b>OK. 好！\n好！  “Yes.” 好。 "
    assert join([]) == ()


parts = st.one_of(
    wild,
    st.sampled_from(
        ["One. ", "Two! ", "“Q. ", "。", "？", "- x\n", "\n\n", "\n", "1. ", "(", "e.g. ", "\ufffc", " ", "a", "Mr. "]
    ),
    st.sampled_from([B, B_END, BR, Mark("%s"), Mark("`a. b`")]),
)


@settings(deadline=None)
@given(
    st.lists(parts, max_size=12).map(joined),
    st.sampled_from(["en", "zh", "de", "ar", "xx"]),
    st.none() | st.integers(1, 12),
)
def test_nothing_is_lost(text: Text, language: str, longest: int | None) -> None:
    sentences = split(text, language, longest)
    assert whole(sentences) == text
    assert [part for each in sentences for part in each.text if isinstance(part, Mark)] == [
        part for part in text if isinstance(part, Mark)
    ]
    for number, each in enumerate(sentences):
        assert each.text or number == 0
        for part, place in ((each.text[0], 0), (each.text[-1], -1)) if each.text else ():
            assert isinstance(part, Mark) or not part[place].isspace()
    if not set(flat(text)) & set("。！？；：，、）」』】》〉〕｡"):
        assert join(sentences) == text


def test_many_blanks_take_little_time() -> None:
    begun = time.process_time()
    split("a" + " " * 100_000 + "b", "en")
    assert time.process_time() - begun < 2  # 70 s where every blank is tried as the first one before a line break


def test_long_lines_are_segmented_by_and_by(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def segment(code: str, text: str) -> list[str]:
        asked.append(len(text))
        return list(sentencex.segment(code, text))

    monkeypatch.setattr("hftoolkit.documents.sentences.sentencex", SimpleNamespace(segment=segment))
    sentences = [f"This is sentence {number} of Mr. Smith." for number in range(1000)]
    found = split(" ".join(sentences), "en")
    assert [flat(sentence.text) for sentence in found] == sentences
    assert max(asked) <= 4096  # "“a " 70,000 times takes sentencex 80 s
    quotes = "“a " * 3000
    assert flat(join(split(quotes, "en"))) == quotes
