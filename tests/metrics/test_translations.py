"""BLEU and chrF: the same as sacrebleu's, from counts added up row by row."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from hftoolkit.metrics import translations
from hftoolkit.metrics.translations import bleu, bleu_tokenizer, chrf, sentence_counts, signature, tokenizer_note, total

WORDS = st.sampled_from(
    ["the", "cat", "Katze,", "sat", "3.5", "(on)", "猫", "坐在", "垫子上。", "é", "e\u0301", "🙂", ""]
)
TEXT = st.lists(WORDS, max_size=9).map(" ".join)
ROWS = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=6)


def summed(metric, rows):
    return np.sum([sentence_counts(metric, hypothesis, references) for hypothesis, references in rows], axis=0)


def by_reference_file(rows):
    longest = max(len(references) for _, references in rows)
    padded = [references + [None] * (longest - len(references)) for _, references in rows]
    return [list(file) for file in zip(*padded, strict=True)]


@pytest.mark.parametrize("metric", [bleu("en"), bleu("zh"), bleu("th"), chrf()], ids=["13a", "zh", "char", "chrf"])
@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_a_sum_of_counts_gives_the_score_and_signature_of_sacrebleu(metric, rows):
    theirs = metric.corpus_score([hypothesis for hypothesis, _ in rows], by_reference_file(rows))

    assert total(metric, summed(metric, rows)) == theirs.score
    assert signature(metric, (len(references) for _, references in rows)) == str(metric.get_signature())


HYPOTHESES = ["The cat sat on the mat .", "他们去了北京。", "", "Nothing in common", "a b c d e f"]
REFERENCES = ["The cat sat on a mat.", "他们到北京去了。", "not empty", "完全不同", "a b c d e g"]


@pytest.mark.parametrize("language", ["en", "zh-Hans", "lo"])
def test_bleu_and_chrf_equal_the_sacrebleu_command_to_the_last_digit(tmp_path, language):
    rows = list(zip(HYPOTHESES, REFERENCES, strict=True))
    out = _sacrebleu(tmp_path, "--tokenize", bleu_tokenizer(language), "--metrics", "bleu", "chrf", "--width", "14")

    for metric, name in ((bleu(language), "BLEU"), (chrf(), "chrF2")):
        expected = f"{name}|{signature(metric, {1})} = {total(metric, summed(metric, rows)):.14f}"
        assert expected in out


def _sacrebleu(folder: Path, *options: str) -> str:
    (folder / "out.txt").write_text("\n".join(HYPOTHESES) + "\n", encoding="utf-8")
    (folder / "ref.txt").write_text("\n".join(REFERENCES) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "ref.txt", "--input", "out.txt", "--format", "text", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True, encoding="utf-8")
    return done.stdout


def test_a_single_reference_may_be_a_string():
    assert (sentence_counts(bleu("en"), "a b", "a c") == sentence_counts(bleu("en"), "a b", ["a c"])).all()


def test_a_row_without_references_is_refused():
    with pytest.raises(ValueError, match=r"^expected at least one reference, got none$"):
        sentence_counts(chrf(), "a", [])


def test_a_signature_needs_a_row():
    with pytest.raises(ValueError, match=r"^expected the number of references of at least one row, got none$"):
        signature(chrf(), [])


@pytest.mark.parametrize("number", [1, 4])
def test_signatures_word_for_word(number):
    version = sacrebleu.__version__
    assert signature(bleu("zh-Hant"), [number, number]) == (
        f"nrefs:{number}|case:mixed|eff:no|tok:zh|smooth:exp|version:{version}"
    )
    assert signature(chrf(), {number}) == f"nrefs:{number}|case:mixed|eff:yes|nc:6|nw:0|space:no|version:{version}"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("de", "13a"), ("pt-BR", "13a"), ("ZH", "zh"), ("cmn_Hant", "zh"), ("yue", "zh"), ("km-KH", "char")],
)
def test_the_tokenizer_follows_the_language(language, expected):
    assert bleu_tokenizer(language) == expected
    assert tokenizer_note(language) is None


@pytest.mark.parametrize(("language", "extra"), [("ja", "ja"), ("jpn", "ja"), ("ko-KR", "ko")])
def test_without_mecab_characters_are_counted_and_it_is_said(monkeypatch, language, extra):
    monkeypatch.setattr(translations, "find_spec", lambda name: None)

    assert "tok:char" in signature(bleu(language), {1})
    assert tokenizer_note(language) == (
        f"BLEU of '{language}' counts characters (tok:char), not words, because MeCab is not installed: "
        f"pip install 'sacrebleu[{extra}]'"
    )


@pytest.mark.parametrize(("language", "tokenizer"), [("ja", "ja-mecab"), ("ko", "ko-mecab")])
def test_with_mecab_words_are_counted(monkeypatch, language, tokenizer):
    monkeypatch.setattr(translations, "find_spec", lambda name: object())

    assert bleu_tokenizer(language) == tokenizer
    assert tokenizer_note(language) is None


def test_chinese_scored_as_english_is_wrong():
    rows = list(zip(["他们昨天去了北京大学。"], ["他们昨天到北京大学去了。"], strict=True))

    assert total(bleu("en"), summed(bleu("en"), rows)) < 1 < total(bleu("zh"), summed(bleu("zh"), rows))
