"""Pairs of texts beside transformers' own model for the next sentence; and what is refused."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from guesser import write_guesser

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.pipelines import load, pipeline
from hftoolkit.pipelines.next_sentence import NextSentencePipeline

PAIRS = [
    {"text": "the film was good.", "text_pair": "i like it."},
    {"text": "i like it.", "text_pair": "the film was good."},
    {"text": "a", "text_pair": ""},
    {"text": "the food is not good, it was awful!", "text_pair": "we hate food. we hate films. we hate stories."},
]


@pytest.fixture(scope="module")
def folder(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_guesser(bert, tmp_path_factory.mktemp("paired"), paired=True)


@pytest.fixture(scope="module")
def pipe(folder: Path) -> NextSentencePipeline:
    found = pipeline("next-sentence-prediction", model=str(folder), device="cpu")
    assert isinstance(found, NextSentencePipeline)
    return found


def expected(folder: Path, pair: dict[str, str]) -> float:
    model = transformers.BertForNextSentencePrediction.from_pretrained(str(folder)).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    with torch.inference_mode():
        logits = model(**tokenizer(pair["text"], pair["text_pair"], return_tensors="pt")).logits
    return float(logits.softmax(-1)[0, 0])


def test_probabilities_are_those_of_transformers_model(pipe: NextSentencePipeline, folder: Path) -> None:
    found = pipe(PAIRS)
    assert [list(answer) for answer in found] == [["is_next"]] * len(PAIRS)
    right = [expected(folder, pair) for pair in PAIRS]
    assert [answer["is_next"] for answer in found] == pytest.approx(right, abs=1e-5)
    assert max(right) - min(right) > 0.01
    assert pipe(PAIRS[0])["is_next"] == pytest.approx(right[0], abs=1e-5)
    assert [one["is_next"] for one in pipe(PAIRS, batch_size=1)] == pytest.approx(right, abs=1e-5)


def test_any_other_iterable_is_read_as_it_goes(pipe: NextSentencePipeline) -> None:
    answers = pipe(pair for pair in PAIRS)
    assert isinstance(answers, Iterator)
    assert [one["is_next"] for one in answers] == pytest.approx([one["is_next"] for one in pipe(PAIRS)], abs=1e-5)


def test_long_pairs_are_cut_and_it_is_said(pipe: NextSentencePipeline, caplog: pytest.LogCaptureFixture) -> None:
    long = {"text": "film " * 40, "text_pair": "food " * 30}
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        assert 0 < pipe(long)["is_next"] < 1
    assert caplog.messages == ["1 row is longer than the model's 48 tokens and was cut"]


@pytest.mark.parametrize("given", ["a text", 3, [("a", "b")], {"text": "a"}, {"text": "a", "text_pair": 3}, ["a"]])
def test_what_is_no_pair(pipe: NextSentencePipeline, given: Any) -> None:
    kind = type(given[0] if isinstance(given, list) else given).__name__
    with pytest.raises(UsageError) as caught:
        pipe(given)
    assert str(caught.value) == (
        f'expected a pair of texts, got {kind}\n  write it:   {{"text": "...", "text_pair": "..."}}'
    )


def test_a_checkpoint_from_elsewhere(bert: Path, tmp_path: Path, pipe: NextSentencePipeline) -> None:
    elsewhere = write_guesser(bert, tmp_path / "elsewhere", paired=True, saved=False)
    found = pipeline("next-sentence-prediction", model=str(elsewhere), device="cpu")
    assert found(PAIRS) == pipe(PAIRS)
    assert type(found.model) is transformers.BertForPreTraining
    assert found.tokenizer.mask_token == "[MASK]"  # noqa: S105


def test_models_that_cannot(bert: Path, tmp_path: Path) -> None:
    name = "next-sentence-prediction"
    with pytest.raises(UsageError) as caught:
        pipeline(name)
    assert str(caught.value) == f'{name}: which model?\n  name one:   pipeline("{name}", model="runs/mine")'
    with pytest.raises(UsageError) as caught:
        pipeline(name, model=str(bert), top_k=3)
    assert str(caught.value) == "unknown setting 'top_k'\n  known: batch_size"
    single = write_guesser(bert, tmp_path / "single")
    with pytest.raises(ModelError) as refused:
        pipeline(name, model=str(single))
    assert str(refused.value) == (
        f"{single}: this model was not trained to tell what comes next\n"
        "  train it so:   options: {next_sentence: true}"
    )
    with pytest.raises(ModelError, match="not trained for this task"):
        pipeline(name, model=str(write_guesser(bert, tmp_path / "other", saved=False)))
    assert load(str(single), device="cpu").task == "fill-mask"
