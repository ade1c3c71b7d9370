"""Texts go through a model sentence by sentence, and come back whole."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hftoolkit.documents.glossary import Glossary, read_glossary
from hftoolkit.documents.pieces import Mark, Text
from hftoolkit.documents.stand_ins import STYLES
from hftoolkit.engines.base import Hypothesis
from hftoolkit.engines.decoding import Decoding
from hftoolkit.sentencewise import Manner, Outcome, translated

LOOP = "我喜欢图书馆，我喜欢图书馆，我喜欢图书馆"


class Model:
    """Writes what it was told to write, and notes what it was asked."""

    def __init__(self, answer: Callable[[str, Decoding], str | Sequence[str]]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Decoding, int]] = []

    def write(self, sources: Sequence[str], decoding: Decoding, number: int) -> list[list[Hypothesis]]:
        self.asked += [(source, decoding, number) for source in sources]
        found = [self.answer(source, decoding) for source in sources]
        texts = [[one] if isinstance(one, str) else list(one) for one in found]
        return [[Hypothesis(text, -0.5 - place) for place, text in enumerate(some[:number])] for some in texts]


def outcomes(model: Model, texts: Sequence[str | Text], **settings: object) -> list[Outcome]:
    manner = {
        "source": "en",
        "target": "zh",
        "write": model.write,
        "decoding": Decoding(),
        "style": lambda: STYLES[0],
        "tokens": len,
        "longest": 1000,
        **settings,
    }
    places = [(f"line {n}", (text,) if isinstance(text, str) else text) for n, text in enumerate(texts, 1)]
    return list(translated(places, Manner(**manner)))  # type: ignore[arg-type]


def written(model: Model, text: str | Text, **settings: object) -> Text:
    return outcomes(model, [text], **settings)[0].text


def known(pairs: dict[str, str | Sequence[str]]) -> Model:
    return Model(lambda source, _: pairs[source])


@pytest.fixture
def glossary(tmp_path: Path) -> Glossary:
    path = tmp_path / "terms.tsv"
    path.write_text("library\t图书馆\n", encoding="utf-8")
    return read_glossary(path)


def test_sentences_are_translated_one_by_one_and_what_is_between_stays() -> None:
    model = known({"Good morning!": "早上好!", "How are you?": "你好吗?"})
    assert written(model, "  Good morning!\t How are you? ") == ("  早上好!\t 你好吗? ",)


def test_a_blank_between_sentences_goes_where_chinese_has_none() -> None:
    model = known({"Good morning!": "早上好！", "How are you?": "你好吗？"})
    assert written(model, "Good morning! How are you?") == ("早上好！你好吗？",)


@pytest.mark.parametrize("text", ["", " ", "42", "😀 !!", "3.14 + 2", "https://example.org", "%s {name}"])
def test_what_is_no_language_passes_as_it_is(text: str) -> None:
    model = known({})
    (outcome,) = outcomes(model, [text])
    assert "".join(part for part in outcome.text if isinstance(part, str)) == text
    assert outcome.sentences == ()
    assert model.asked == []


def test_the_same_sentence_is_asked_once() -> None:
    model = known({"Good morning!": "早上好！"})
    assert [outcome.text for outcome in outcomes(model, ["Good morning!"] * 3)] == [("早上好！",)] * 3
    assert len(model.asked) == 1


def test_a_mark_comes_back_in_its_place() -> None:
    model = known({"Open X1 now.": "现在打开 X1。"})
    text: Text = ("Open ", Mark("<file/>"), " now.")
    assert written(model, text) == ("现在打开 ", Mark("<file/>"), "。")


def test_what_must_survive_is_found_in_plain_text() -> None:
    model = known({"Write to X1 today.": "今天写信给 X1。"})
    assert written(model, "Write to me@example.org today.") == ("今天写信给 me@example.org。",)


def test_the_best_hypothesis_with_all_its_marks_is_taken() -> None:
    model = known({"Open X1 now.": ["现在打开。", "X1 现在 X1 打开。", "现在打开 X1。"]})
    (outcome,) = outcomes(model, [("Open ", Mark("<file/>"), " now.")])
    assert outcome.text == ("现在打开 ", Mark("<file/>"), "。")
    assert outcome.sentences[0].score == -2.5


def test_where_all_lose_a_mark_what_is_between_is_translated_in_pieces() -> None:
    model = known({"Open X1 now.": "现在打开。", "Open": "打开", "now.": "现在。"})
    (outcome,) = outcomes(model, [("Open ", Mark("<file/>"), " now.")])
    assert outcome.text == ("打开 ", Mark("<file/>"), " 现在。")


def test_the_score_of_pieces_is_that_of_all_their_tokens() -> None:
    answers = {
        "Open": Hypothesis("打开", -1.0),
        "now.": Hypothesis("现在。", -2.0),
        "Open X1 now.": Hypothesis("", -9.0),
    }
    (outcome,) = outcomes(
        known({}), [("Open ", Mark("<file/>"), " now.")], write=lambda sources, *_: [[answers[one]] for one in sources]
    )
    assert outcome.sentences[0].score == pytest.approx((2 * -1.0 + 3 * -2.0) / 5)


def test_a_model_that_copies_nothing_is_not_asked_to() -> None:
    model = known({"Open": "打开", "now.": "现在。"})
    assert written(model, ("Open ", Mark("<file/>"), " now."), style=lambda: None) == (
        "打开 ",
        Mark("<file/>"),
        " 现在。",
    )


def test_what_stands_for_marks_is_only_found_out_where_there_are_some() -> None:
    def style() -> None:
        raise AssertionError("nobody needs it")

    assert written(known({"Good night!": "晚安！"}), "Good night!", style=style) == ("晚安！",)


def test_a_loop_is_decoded_again_without() -> None:
    model = Model(lambda _, decoding: "我喜欢图书馆。" if decoding.no_repeat_ngram else LOOP)
    (outcome,) = outcomes(model, ["I like the library."], decoding=Decoding(1))
    assert outcome.text == ("我喜欢图书馆。",)
    assert outcome.sentences[0].faults == ()
    assert [(decoding.beams, decoding.no_repeat_ngram) for _, decoding, _ in model.asked] == [(1, 0), (4, 4)]


def test_what_still_looks_wrong_is_kept_and_said() -> None:
    (outcome,) = outcomes(Model(lambda *_: LOOP), ["I like the library."])
    assert outcome.text == (LOOP,)
    (sentence,) = outcome.sentences
    assert (sentence.where, sentence.source, sentence.translation) == ("line 1", "I like the library.", LOOP)
    assert sentence.faults == ("repetition",)


def test_a_lost_number_is_said() -> None:
    (outcome,) = outcomes(Model(lambda *_: "图书馆有一些书。"), ["The library has 4711 books."])
    assert outcome.sentences[0].faults == ("number 4711 is lost",)


def test_a_term_is_put_where_the_model_has_another_word(glossary: Glossary) -> None:
    model = known({"The library is open.": "书屋开着。", "The X1 is open.": "X1开着。"})
    (outcome,) = outcomes(model, ["The library is open."], glossary=glossary)
    assert outcome.text == ("图书馆开着。",)
    assert outcome.sentences[0].faults == ()


def test_a_term_that_is_right_costs_nothing(glossary: Glossary) -> None:
    model = known({"The library is open.": "图书馆开着。"})
    assert written(model, "The library is open.", glossary=glossary) == ("图书馆开着。",)
    assert len(model.asked) == 1


def test_alternatives_are_what_the_search_found() -> None:
    model = known({"Good night!": ["晚安！", "晚安。", "夜安！"]})
    (outcome,) = outcomes(model, ["Good night!"], alternatives=2)
    assert outcome.sentences[0].alternatives == (Hypothesis("晚安！", -0.5), Hypothesis("晚安。", -1.5))


def test_a_sentence_that_is_too_long_is_cut() -> None:
    model = Model(lambda source, _: f"[{len(source)}]")
    text = "word " * 100 + "end."
    (outcome,) = outcomes(model, [text], longest=100)
    assert all(len(source) <= 100 for source, _, _ in model.asked)
    assert len(outcome.sentences) > 4
