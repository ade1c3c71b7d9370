"""Filling of masks beside transformers' own pipeline, input by input; and what is refused."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import transformers
from guesser import write_guesser

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.pipelines import load, pipeline
from hftoolkit.pipelines.fill_mask import FillMaskPipeline

TEXTS = [
    "the film was [MASK].",
    "[MASK]",
    "I like the [MASK] very much, not the [MASK]!",
    "a story, not very [MASK], i hate it. it was 好",
    "[MASK] [MASK] [MASK]",
]


@pytest.fixture(scope="module")
def folder(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_guesser(bert, tmp_path_factory.mktemp("guesser"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> FillMaskPipeline:
    found = pipeline("fill-mask", model=str(folder), device="cpu")
    assert isinstance(found, FillMaskPipeline)
    return found


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return transformers.pipeline("fill-mask", model=str(folder), device="cpu")


def assert_same(found: Any, expected: Any) -> None:
    """The same shapes, tokens and texts; scores that differ by rounding alone."""
    assert type(found) is type(expected)
    if isinstance(found, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert list(found) == list(expected) == ["score", "token", "token_str", "sequence"]
        assert found["score"] == pytest.approx(expected["score"], rel=1e-4, abs=1e-7)
        assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]
        assert [found[name] for name in list(found)[1:]] == [expected[name] for name in list(found)[1:]]


SETTINGS: list[dict[str, Any]] = [
    {},
    {"top_k": 1},
    {"top_k": 90},
    {"targets": "film"},
    {"targets": ["good", "bad", "film", "good"]},
    {"targets": ["good", "bad"], "top_k": 1},
    {"tokenizer_kwargs": {"truncation": True}},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("text", TEXTS)
def test_answers_are_those_of_transformers(
    pipe: FillMaskPipeline, theirs: Any, text: str, settings: dict[str, Any]
) -> None:
    assert_same(pipe(text, **settings), theirs(text, **settings))


@pytest.mark.parametrize("settings", SETTINGS[:4], ids=str)
def test_several_texts_at_once(pipe: FillMaskPipeline, theirs: Any, settings: dict[str, Any]) -> None:
    assert_same(pipe(TEXTS, **settings), theirs(TEXTS, **settings))
    assert_same(pipe(TEXTS, batch_size=2, **settings), theirs(TEXTS, **settings))
    assert_same(pipe(TEXTS[:1], **settings), theirs(TEXTS[:1], **settings))


def test_settings_of_the_pipeline_hold_in_every_call(folder: Path, theirs: Any) -> None:
    ours = pipeline("fill-mask", model=str(folder), device="cpu", top_k=2, targets=["good", "bad", "film"])
    assert_same(ours(TEXTS), theirs(TEXTS, top_k=2, targets=["good", "bad", "film"]))
    assert_same(ours(TEXTS[0], top_k=1), theirs(TEXTS[0], top_k=1, targets=["good", "bad", "film"]))


def test_a_target_that_is_no_token_stands_for_its_first_piece(
    pipe: FillMaskPipeline, theirs: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        found = pipe(TEXTS[0], targets=["goodness", "bad", ""])
    assert caplog.messages == [
        "'goodness' is not in the vocabulary: 'good' is weighed",
        "'' is not in the vocabulary: left out",
    ]
    assert_same(found, theirs(TEXTS[0], targets=["goodness", "bad"]))


def test_any_other_iterable_is_read_as_it_goes(pipe: FillMaskPipeline) -> None:
    answers = pipe(text for text in TEXTS)
    assert isinstance(answers, Iterator)
    assert_same(list(answers), pipe(TEXTS))


def test_a_checkpoint_from_elsewhere_and_one_that_knows_what_it_is(
    bert: Path, folder: Path, tmp_path: Path, theirs: Any
) -> None:
    assert_same(load(str(folder), device="cpu")(TEXTS), theirs(TEXTS))
    elsewhere = write_guesser(bert, tmp_path / "elsewhere", saved=False)
    assert_same(load(str(elsewhere), device="cpu")(TEXTS), theirs(TEXTS))
    both = write_guesser(bert, tmp_path / "both", paired=True)
    assert_same(
        load(str(both), device="cpu")(TEXTS), transformers.pipeline("fill-mask", model=str(both), device="cpu")(TEXTS)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a film",
            "no [MASK] in 'a film': nothing to fill\n  write [MASK] where a token is to be guessed",
        ),
        (
            f"[MASK]{' film' * 60}",
            f"'[MASK]{' film' * 10} ...' has 63 tokens, more than the 48 that the model reads\n"
            "  give the part around the mask",
        ),
        (3, "expected a text or several of them, got int"),
        ([None], "expected a text with [MASK] in it, got NoneType"),
    ],
)
def test_texts_that_cannot_be_filled(pipe: FillMaskPipeline, text: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        pipe(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"topk": 3}, "unknown setting 'topk'\n  known: batch_size, targets, tokenizer_kwargs, top_k"),
        ({"top_k": 0}, "top_k: expected a whole number from 1, got 0"),
        ({"targets": 3}, "targets: expected a text or a list of texts, got int"),
        ({"targets": [""]}, "targets: none of them is in the vocabulary\n  name tokens that the model knows"),
    ],
)
def test_settings_that_are_none(pipe: FillMaskPipeline, folder: Path, settings: dict[str, Any], message: str) -> None:
    for call in (lambda: pipe(TEXTS[0], **settings), lambda: pipeline("fill-mask", model=str(folder), **settings)):
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value) == message


def test_models_that_cannot(bert: Path) -> None:
    with pytest.raises(UsageError) as caught:
        pipeline("fill-mask")
    assert str(caught.value) == 'fill-mask: which model?\n  name one:   pipeline("fill-mask", model="runs/mine")'
    with pytest.raises(ModelError, match=r"this model was not trained for this task: 'cls\.predictions"):
        pipeline("fill-mask", model=str(bert))
