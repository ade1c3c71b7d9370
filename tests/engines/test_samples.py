"""On what a converted model is tried."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hftoolkit.engines.sample_sentences import SENTENCES
from hftoolkit.engines.samples import ROWS, sample
from hftoolkit.languages import THREE_LETTERS
from hftoolkit.models.marian_tokenizer import MarianTokenizer


@pytest.fixture
def tokenizer(marian: Path, tmp_path: Path) -> Any:
    """Makes the tiny translator's tokenizer with other languages and more entries."""

    def make(source: str | None, target: str | None, *entries: str) -> MarianTokenizer:
        folder = tmp_path / "tokenizer"
        shutil.copytree(marian, folder)
        for name, more in (
            ("tokenizer_config.json", {"source_lang": source, "target_lang": target}),
            ("vocab.json", {entry: 1000 + number for number, entry in enumerate(entries)}),
        ):
            facts = json.loads((folder / name).read_text(encoding="utf-8")) | more
            (folder / name).write_text(json.dumps(facts), encoding="utf-8")
        return MarianTokenizer(folder)

    return make


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_every_language_has_its_sentences(language: str) -> None:
    lines = SENTENCES[language].strip().splitlines()
    assert language in THREE_LETTERS
    assert len(lines) == len(set(lines)) == ROWS
    assert all(line == line.strip() and line for line in lines)


@pytest.mark.parametrize("tag", ["de", "deu", "de-AT"])
def test_of_a_known_language_sentences_are_taken(tokenizer: Any, tag: str) -> None:
    assert sample(tokenizer(tag, "en"), None)[0] == "Guten Morgen!"


@pytest.mark.parametrize("tag", ["cy", "ROMANCE", "mul", None])
def test_of_others_words_of_the_vocabulary(tokenizer: Any, tag: str | None) -> None:
    known = tokenizer(tag, "en")
    lines = sample(known, None)
    assert len(lines) == ROWS
    words = [word for line in lines for word in line.split(", ")]
    assert set(words) == set(known.words(len(words)))


def test_two_vocabularies_of_characters_have_a_sample_too(two: Path) -> None:
    assert all(sample(MarianTokenizer(two), ">>cmn_Hant<<"))


def test_the_target_token_that_was_tuned_with_stands_in_front(tokenizer: Any) -> None:
    known = tokenizer("en", "zh", ">>cmn_Hans<<", ">>cmn_Hant<<")
    assert sample(known, ">>cmn_Hant<<")[0] == ">>cmn_Hant<< Good morning!"


def test_else_that_of_the_target_language(tokenizer: Any) -> None:
    known = tokenizer("en", "zh-Hant", ">>cmn_Hans<<", ">>cmn_Hant<<")
    assert {line.split()[0] for line in sample(known, None)} == {">>cmn_Hant<<"}


def test_else_none(tokenizer: Any) -> None:
    assert sample(tokenizer("en", "de", ">>eng<<"), None)[0] == "Good morning!"


@pytest.mark.parametrize("target", ["mul", "ROMANCE", None])
def test_a_model_that_writes_many_languages_is_tried_on_several(tokenizer: Any, target: str | None) -> None:
    known = tokenizer("en", target, ">>fra<<", ">>ita<<", ">>spa<<")
    assert {line.split()[0] for line in sample(known, None)} == {">>fra<<", ">>ita<<", ">>spa<<"}
