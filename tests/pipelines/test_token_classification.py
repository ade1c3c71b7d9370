"""Token classification beside transformers' own pipeline, input by input; and what is refused."""

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tagger import write_tagger
from tokenizers_of_kinds import tokenizer_of

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.pipelines import load, pipeline
from hftoolkit.pipelines.aggregation import STRATEGIES
from hftoolkit.pipelines.token_classification import TokenClassificationPipeline

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC"]
TEXTS = [
    "good film, a great story",
    "a",
    "",
    "Café U.N. was (not) very GOOD",
    "北京 x",
    "letters of unknown words  with   blanks",
    "it was the food, the film and the story that we like",
]
LONG = " ".join(TEXTS * 4)


def write_model(folder: Path, tokenizer: Any, positions: int = 48) -> Path:
    """A model of random weights that is sure of what it says."""
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=positions,
        id2label=dict(enumerate(NAMES)),
        label2id={name: number for number, name in enumerate(NAMES)},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = transformers.BertForTokenClassification(config)
        model.classifier.weight.data *= 40
    model.save_pretrained(folder)
    tokenizer.model_max_length = positions
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["words", "bytes", "pieces"])
def both(
    request: pytest.FixtureRequest, bert: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TokenClassificationPipeline, Any]:
    """Ours and theirs, with the tokenizers of BERT, RoBERTa and DeBERTa."""
    folder = write_model(tmp_path_factory.mktemp("tagger"), tokenizer_of(request.param, bert))
    ours = pipeline("token-classification", model=str(folder), device="cpu")
    return ours, transformers.pipeline("token-classification", model=str(folder), device="cpu")


@pytest.fixture(scope="module")
def pipe(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> TokenClassificationPipeline:
    """Says great film is an ORG, food a LOC."""
    found = pipeline("ner", model=str(write_tagger(bert, tmp_path_factory.mktemp("tagger"))), device="cpu")
    assert isinstance(found, TokenClassificationPipeline)
    return found


def theirs_of(theirs: Any, inputs: Any, **settings: Any) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tokenizer does not support real words")
        return theirs(inputs, **settings)


def assert_same(found: Any, expected: Any) -> None:
    """The same shapes and labels; scores that differ by rounding alone."""
    assert type(found) is type(expected)
    if isinstance(found, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert list(found) == list(expected)
        assert {k: v for k, v in found.items() if k != "score"} == {k: v for k, v in expected.items() if k != "score"}
        assert found["score"] == pytest.approx(float(expected["score"]), abs=1e-5)
        assert type(found["score"]) is float


# As transformers 5 has it


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_answers_are_those_of_transformers(both: tuple[Any, Any], strategy: str) -> None:
    ours, theirs = both
    expected = theirs_of(theirs, TEXTS, aggregation_strategy=strategy, ignore_labels=[])
    assert_same(ours(TEXTS, aggregation_strategy=strategy, ignore_labels=[]), expected)
    assert len({answer.get("entity", answer.get("entity_group")) for found in expected for answer in found}) > 2
    for text in TEXTS:
        expected = theirs_of(theirs, text, aggregation_strategy=strategy)
        assert_same(ours(text, aggregation_strategy=strategy), expected)


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=30), strategy=st.sampled_from(STRATEGIES))
def test_they_are_for_any_text(both: tuple[Any, Any], text: str, strategy: str) -> None:
    ours, theirs = both
    assert_same(
        ours(text, aggregation_strategy=strategy, ignore_labels=[]),
        theirs_of(theirs, text, aggregation_strategy=strategy, ignore_labels=[]),
    )


@pytest.mark.parametrize("strategy", STRATEGIES[1:])
@pytest.mark.parametrize("stride", [0, 8, 20])
def test_long_texts_are_read_in_windows(both: tuple[Any, Any], strategy: str, stride: int) -> None:
    ours, theirs = both
    for text in (LONG, TEXTS[0]):
        expected = theirs_of(theirs, text, aggregation_strategy=strategy, stride=stride)
        assert_same(ours(text, aggregation_strategy=strategy, stride=stride), expected)


def test_without_a_stride_they_are_cut_and_it_is_said(both: tuple[Any, Any], caplog: pytest.LogCaptureFixture) -> None:
    ours, theirs = both
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        found = ours([LONG, "a"])
    assert caplog.messages == ["1 row is longer than the model's 48 tokens and was cut"]
    assert_same(found, theirs_of(theirs, [LONG, "a"]))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("delimiter", [None, "", " - "])
def test_words_may_be_given_one_by_one(both: tuple[Any, Any], strategy: str, delimiter: str | None) -> None:
    ours, theirs = both
    given_as = {"is_split_into_words": True, "delimiter": delimiter, "aggregation_strategy": strategy}
    words = TEXTS[3].split()
    assert_same(ours([words, ["food"]], **given_as), theirs_of(theirs, [words, ["food"]], **given_as))
    assert_same(ours(words, **given_as), theirs_of(theirs, words, **given_as))


def test_settings_may_be_given_once(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    again = TokenClassificationPipeline(_opened(ours), aggregation_strategy="SIMPLE", ignore_labels=["PER"])
    assert_same(again(TEXTS), theirs_of(theirs, TEXTS, aggregation_strategy="simple", ignore_labels=["PER"]))
    expected = theirs_of(theirs, TEXTS, aggregation_strategy="first", ignore_labels=["PER"])
    assert_same(again(TEXTS, aggregation_strategy="first", truncation=True, batch_size=2), expected)


def _opened(pipe: Any) -> Any:
    from hftoolkit.predicting import open_task

    return open_task(pipe.model.config._name_or_path, "ner", device="cpu")


# As it is used


def test_entities_with_their_places(pipe: TokenClassificationPipeline) -> None:
    assert pipe.task == "token-classification"
    assert pipe("a great film, food!", aggregation_strategy="simple") == [
        {"entity_group": "ORG", "score": pytest.approx(0.90, abs=0.02), "word": "great film", "start": 2, "end": 12},
        {"entity_group": "LOC", "score": pytest.approx(0.90, abs=0.02), "word": "food", "start": 14, "end": 18},
    ]
    assert [one["entity"] for one in pipe("great film")] == ["B-ORG", "I-ORG"]
    assert pipe([]) == []


def test_what_is_no_list_is_read_as_it_is_tagged(pipe: TokenClassificationPipeline) -> None:
    read = []

    def texts() -> Iterator[str]:
        for text in ("food", "a", "great"):
            read.append(text)
            yield text

    found = pipe(texts())
    assert read == []
    assert [[one["word"] for one in answers] for answers in found] == [["food"], [], ["great"]]


def test_a_tokenizer_that_does_not_tell_words_is_told_of(
    both: tuple[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    ours, _ = both
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        ours("a b", aggregation_strategy="first")
        ours("a b", aggregation_strategy="simple")
    told = ["this tokenizer does not mark tokens inside words: they were told by the blanks between words"]
    assert caplog.messages == ([] if "##a" in ours.tokenizer.get_vocab() else told)


def test_a_tuned_model_is_loaded_as_what_it_is(bert: Path, tmp_path: Path) -> None:
    folder = write_tagger(bert, tmp_path / "tagger")
    assert isinstance(load(str(folder), device="cpu"), TokenClassificationPipeline)  # told by its architecture
    write_saved(Saved("ner", state={"options": {"characters": True}}), folder)
    found = load(str(folder), device="cpu", aggregation_strategy="simple")
    assert [one["word"] for one in found("great film")] == ["great film"]
    assert found.model.config.num_labels == 7
    assert found.tokenizer.is_fast


# What is refused


@pytest.mark.parametrize(
    ("inputs", "given_as", "message"),
    [
        (1, {}, "expected a text or several of them, got int"),
        ([1], {}, "expected a text to tag, got int"),
        ("a b", {"is_split_into_words": True}, "expected a list of words to tag, got str"),
        ([["a", 1]], {"is_split_into_words": True}, "expected a list of words to tag, got list"),
        ("a", {"top_k": 1}, "unknown setting 'top_k'"),
        (
            "a",
            {"aggregation_strategy": "best"},
            "aggregation_strategy: expected none, simple, first, average, max",
        ),
        ("a", {"stride": -1, "aggregation_strategy": "max"}, "stride: expected a whole number of tokens, got -1"),
        ("a", {"stride": 48, "aggregation_strategy": "max"}, "stride: expected less than the 46 tokens of a window"),
        ("a", {"stride": 2}, "stride: tokens of several windows can only be put together as entities"),
    ],
)
def test_what_is_wrong_is_told(
    pipe: TokenClassificationPipeline, inputs: Any, given_as: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        pipe(inputs, **given_as)
    assert str(caught.value).startswith(message)


def test_a_model_must_be_named_and_be_one_of_these(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        pipeline("ner")
    assert str(caught.value) == 'ner: which model?\n  name one:   pipeline("ner", model="runs/mine")'
    with pytest.raises(ModelError, match="this model was not trained for this task: 'classifier"):
        pipeline("ner", model=str(bert), device="cpu")
