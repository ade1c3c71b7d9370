"""Text classification beside transformers' own pipeline, input by input; and what is refused."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import transformers
from tiny_models import tiny_classifier

from hftoolkit.engines import heads
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.pipelines import load, pipeline
from hftoolkit.pipelines.text_classification import TextClassificationPipeline

TEXTS = ["good film", "a", "not very good, i hate it", "the story was awful and the food was bad", "great!", "好"]
PAIRS = [{"text": "good film", "text_pair": "bad food"}, {"text": "a", "text_pair": "the story was great, i like it"}]


@pytest.fixture(scope="module")
def folder(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_classifier(bert, tmp_path_factory.mktemp("tuned"), 4, "single_label_classification")


@pytest.fixture(scope="module")
def pipe(folder: Path) -> TextClassificationPipeline:
    found = pipeline("text-classification", model=str(folder), device="cpu")
    assert isinstance(found, TextClassificationPipeline)
    return found


def assert_same(found: Any, expected: Any) -> None:
    """The same shapes and labels; scores that differ by rounding alone."""
    assert type(found) is type(expected)
    if isinstance(found, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert list(found) == list(expected) == ["label", "score"]
        assert found["label"] == expected["label"]
        assert found["score"] == pytest.approx(expected["score"], abs=1e-5)
        assert type(found["score"]) is float


# As transformers 5 has it


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (4, "single_label_classification"),
        (4, "multi_label_classification"),
        (1, "regression"),
        (2, None),
        (1, None),
    ],
)
@pytest.mark.parametrize("inputs", [TEXTS[0], TEXTS, TEXTS[:1], PAIRS[0], PAIRS, [TEXTS[0], PAIRS[0], PAIRS[1]]])
@pytest.mark.parametrize(
    "settings",
    [{}, {"top_k": 1}, {"top_k": 3}, {"top_k": None}, {"function_to_apply": "none"}, {"function_to_apply": "SIGMOID"}],
)
def test_answers_are_those_of_transformers(
    bert: Path, tmp_path_factory: pytest.TempPathFactory, labels: int, problem: str | None, inputs: Any, settings: Any
) -> None:
    ours, theirs = _both(bert, tmp_path_factory, labels, problem)
    assert_same(ours(inputs, **settings), theirs(inputs, **settings))


_MADE: dict[tuple[int, str | None], tuple[Any, Any]] = {}


def _both(bert: Path, factory: pytest.TempPathFactory, labels: int, problem: str | None) -> tuple[Any, Any]:
    if (labels, problem) not in _MADE:
        made = tiny_classifier(bert, factory.mktemp("both"), labels, problem)
        _MADE[labels, problem] = (
            pipeline("text-classification", model=str(made), device="cpu"),
            transformers.pipeline("text-classification", model=str(made), device="cpu"),
        )
    return _MADE[labels, problem]


@pytest.mark.parametrize("settings", [{"top_k": 2}, {"top_k": None}, {"top_k": 1}, {"function_to_apply": "none"}])
@pytest.mark.parametrize("inputs", [TEXTS[0], TEXTS, PAIRS[0]])
def test_settings_may_be_given_once(folder: Path, inputs: Any, settings: Any) -> None:
    ours = pipeline("text-classification", model=str(folder), device="cpu", **settings)
    theirs = transformers.pipeline("text-classification", model=str(folder), device="cpu", **settings)
    assert_same(ours(inputs), theirs(inputs))
    assert_same(ours(inputs, top_k=3), theirs(inputs, top_k=3))


def test_none_give_none(pipe: TextClassificationPipeline) -> None:
    assert pipe([]) == []  # where transformers fails


def test_the_old_way_to_write_a_pair(pipe: TextClassificationPipeline, folder: Path) -> None:
    theirs = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    pairs = [[["good film", "bad food"]]]
    assert_same(pipe(pairs), theirs(pairs))


def test_a_generator_is_read_as_it_is_classified(
    pipe: TextClassificationPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "WINDOW", 2)
    monkeypatch.setattr(heads, "CHUNK", 2)
    read = []

    def stream() -> Iterator[str]:
        for text in TEXTS:
            read.append(text)
            yield text

    answers = pipe(stream())
    assert read == []
    first = next(answers)
    assert len(read) == 2
    assert [first, *answers] == [pytest.approx(pipe(text)[0]) for text in TEXTS]


# Whatever goes together


@pytest.mark.parametrize("size", [1, 2, 100])
def test_answers_do_not_depend_on_the_batch(pipe: TextClassificationPipeline, size: int) -> None:
    mixed = [*TEXTS, *PAIRS]
    assert_same(pipe(mixed, batch_size=size, top_k=None), [pipe([one], top_k=None)[0] for one in mixed])


def test_what_is_too_long_is_cut_and_said(pipe: TextClassificationPipeline, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        found = pipe(["good " * 200, "good"])
    assert caplog.messages == ["1 row is longer than the model's 48 tokens and was cut"]
    assert_same(found[:1], pipe(["good " * 46]))
    caplog.clear()
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        pipe("good")
    assert caplog.messages == []


@pytest.mark.parametrize("shape", [lambda pair: pair, lambda pair: [pair], lambda pair: iter([pair])])
def test_so_is_a_pair_however_it_is_given(
    pipe: TextClassificationPipeline, caplog: pytest.LogCaptureFixture, shape: Callable[[Any], Any]
) -> None:
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        list(pipe(shape({"text": "good " * 200, "text_pair": "bad"})))
    assert caplog.messages == ["1 row is longer than the model's 48 tokens and was cut"]


def test_settings_of_transformers_that_always_hold_here(pipe: TextClassificationPipeline) -> None:
    assert pipe("good", truncation=True, padding=True, max_length=12) == pipe("good")


def test_model_and_tokenizer_are_transformers_own(pipe: TextClassificationPipeline) -> None:
    assert type(pipe.model).__name__ == "BertForSequenceClassification"
    assert pipe.tokenizer.decode(pipe.tokenizer("good")["input_ids"]) == "[CLS] good [SEP]"
    assert pipe.task == "text-classification"


# Which pipeline a checkpoint has


def test_a_checkpoint_from_elsewhere_says_it_by_its_architecture(folder: Path) -> None:
    assert isinstance(load(str(folder), device="cpu"), TextClassificationPipeline)
    assert isinstance(pipeline("sentiment-analysis", model=str(folder)), TextClassificationPipeline)


def test_ours_by_its_task(bert: Path, tmp_path: Path) -> None:
    made = tiny_classifier(bert, tmp_path / "ours", 2, "single_label_classification")
    write_saved(Saved("classification", state={"options": {"pair": True}}), made)
    assert_same(load(str(made))([PAIRS[0]]), pipeline("text-classification", model=str(made))([PAIRS[0]]))


def test_one_that_was_tuned_for_something_else(marian: Path) -> None:
    with pytest.raises(ModelError) as caught:
        pipeline("text-classification", model=str(marian))
    assert str(caught.value) == (
        f"{marian}: this model was tuned for translation, not for classification\n"
        "  choose another model, or load it as what it is:   hftoolkit.load(MODEL)"
    )


def test_one_that_was_tuned_for_nothing(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load(str(bert))
    assert str(caught.value) == (
        f"{bert}: this checkpoint was not tuned for a task that is known here: it is a 'BertModel'\n"
        "  train it first:   hftoolkit finetune RECIPE"
    )
    (tmp_path / "config.json").write_text(json.dumps({"architectures": []}), encoding="utf-8")
    with pytest.raises(ModelError, match="a task that is known here\n"):
        load(str(tmp_path))


# What is refused


def refusal(pipe: TextClassificationPipeline, inputs: Any = "good", **settings: Any) -> str:
    with pytest.raises(UsageError) as caught:
        pipe(inputs, **settings)
    return str(caught.value)


@pytest.mark.parametrize("wrong", [3, ["good", 3], [None], [["a", "b"]], {"text_pair": "a"}, {"text": 3}, {"txt": "a"}])
def test_what_is_neither_text_nor_pair(pipe: TextClassificationPipeline, wrong: Any) -> None:
    assert refusal(pipe, wrong).startswith("expected a text")


def test_the_words_for_it(pipe: TextClassificationPipeline) -> None:
    assert refusal(pipe, None) == "expected a text, a pair or several of them, got NoneType"
    assert refusal(pipe, ["good", 3]) == (
        'expected a text or a pair of them, got int\n  a pair is written:   {"text": "...", "text_pair": "..."}'
    )


def test_settings_that_cannot_be(pipe: TextClassificationPipeline, folder: Path) -> None:
    unknown = "unknown setting 'return_all_scores'\n  known: batch_size, function_to_apply, top_k"
    assert refusal(pipe, return_all_scores=True) == unknown
    for wrong in (0, -1, "2", 1.5, True):
        assert refusal(pipe, top_k=wrong) == (
            f"top_k: expected a whole number from 1, or None for all labels, got {wrong!r}"
        )
    assert refusal(pipe, function_to_apply="tanh") == ("function_to_apply: expected sigmoid, softmax, none, got 'tanh'")
    with pytest.raises(UsageError) as caught:
        pipeline("text-classification", model="./nothing", return_all_scores=True)  # before a model is looked for
    assert str(caught.value) == unknown


def test_a_model_has_to_be_named() -> None:
    with pytest.raises(UsageError) as caught:
        pipeline("sentiment-analysis")
    assert str(caught.value) == (
        'sentiment-analysis: which model?\n  name one:   pipeline("sentiment-analysis", model="runs/mine")'
    )
