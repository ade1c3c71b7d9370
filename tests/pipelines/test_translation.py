"""The translation pipeline in the call and return shapes of transformers 4, and the names of pipelines."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import PAIRS
from tiny_models import two_vocabularies

import hftoolkit
from hftoolkit.engines import pytorch
from hftoolkit.errors import UsageError
from hftoolkit.models import devices
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.pipelines import SUPPORTED, load, pipeline
from hftoolkit.pipelines.translation import TranslationPipeline

KNOWN = dict(PAIRS)
SOURCES = list(KNOWN)


@pytest.fixture(scope="module")
def pipe(marian: Path) -> TranslationPipeline:
    return pipeline("translation_en_to_zh", model=str(marian), device="cpu")


def answer(source: str) -> dict[str, str]:
    return {"translation_text": KNOWN[source]}


def refusal(*arguments: Any, **settings: Any) -> str:
    with pytest.raises(UsageError) as caught:
        pipeline(*arguments, **settings)
    return str(caught.value)


def call_refusal(pipe: TranslationPipeline, texts: Any = "Hi", **settings: Any) -> str:
    with pytest.raises(UsageError) as caught:
        pipe(texts, **settings)
    return str(caught.value)


# Shapes


def test_a_text_gives_a_list_with_one_dict(pipe: TranslationPipeline) -> None:
    assert pipe("Good morning!") == [{"translation_text": "早上好！"}]


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_gives_a_dict_for_every_text(pipe: TranslationPipeline, kind: type) -> None:
    assert pipe(kind(SOURCES)) == [answer(source) for source in SOURCES]


def test_a_list_of_one_and_a_list_of_none(pipe: TranslationPipeline) -> None:
    assert pipe(SOURCES[:1]) == [answer(SOURCES[0])]
    assert pipe([]) == []


def test_a_generator_gives_for_every_text_what_the_text_alone_gives(pipe: TranslationPipeline) -> None:
    answers = pipe(source for source in SOURCES)
    assert not isinstance(answers, list)
    assert list(answers) == [[answer(source)] for source in SOURCES]


def test_a_generator_is_read_as_it_is_translated(pipe: TranslationPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytorch, "WINDOW", 4)
    read: list[str] = []

    def stream() -> Iterator[str]:
        for source in SOURCES:
            read.append(source)
            yield source

    answers = iter(pipe(stream()))
    assert read == []
    assert next(answers) == [answer(SOURCES[0])]
    assert len(read) == 4


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_blank_text_passes(pipe: TranslationPipeline, text: str) -> None:
    assert pipe(text) == [{"translation_text": text}]
    assert pipe([text, SOURCES[0]]) == [{"translation_text": text}, answer(SOURCES[0])]


@pytest.mark.parametrize(("texts", "kind"), [(["Hi", 3], "int"), ([None], "NoneType"), ([["Hi"]], "list")])
def test_what_is_no_text(pipe: TranslationPipeline, texts: list[Any], kind: str) -> None:
    assert call_refusal(pipe, texts) == f"expected text to translate, got {kind}"


def test_model_and_tokenizer_are_transformers_own(pipe: TranslationPipeline) -> None:
    assert type(pipe.model).__name__ == "MarianMTModel"
    assert type(pipe.tokenizer).__name__ == "MarianTokenizer"
    assert pipe.task == "translation"


# Settings


class Spy:
    """Keeps the generation settings and the rows of every batch of a pipeline."""

    def __init__(self, pipe: TranslationPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        self.configs: list[Any] = []
        self.rows: list[int] = []
        generate = pipe.model.generate

        def spy(**inputs: Any) -> Any:
            self.configs.append(inputs["generation_config"])
            self.rows.append(len(inputs["input_ids"]))
            return generate(**inputs)

        monkeypatch.setattr(pipe.model, "generate", spy)


@pytest.fixture
def spy(pipe: TranslationPipeline, monkeypatch: pytest.MonkeyPatch) -> Spy:
    return Spy(pipe, monkeypatch)


def test_four_beams_unless_something_else_is_said(pipe: TranslationPipeline, spy: Spy) -> None:
    pipe("Good night!")
    pipe("Good night!", num_beams=1)
    pipe("Good night!", num_beams=2, length_penalty=0.5)
    assert [(one.num_beams, one.length_penalty) for one in spy.configs] == [(4, 1.0), (1, 1.0), (2, 0.5)]


def test_settings_of_the_pipeline_hold_until_a_call_says_otherwise(
    marian: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = pipeline("translation", model=str(marian), num_beams=2, no_repeat_ngram_size=5, batch_size=3)
    spy = Spy(pipe, monkeypatch)
    pipe(SOURCES[:4])
    pipe(SOURCES[:4], num_beams=3, batch_size=2)
    pipe(SOURCES[:4])
    assert [one.num_beams for one in spy.configs] == [2, 2, 3, 3, 2, 2]
    assert {one.no_repeat_ngram_size for one in spy.configs} == {5}
    assert spy.rows == [3, 1, 2, 2, 3, 1]


def test_a_batch_size_belongs_to_its_call_though_it_is_read_later(pipe: TranslationPipeline, spy: Spy) -> None:
    later = pipe((source for source in SOURCES[:4]), batch_size=2)
    pipe(SOURCES[:3], batch_size=1)
    list(later)
    assert spy.rows == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("name", ["max_length", "max_new_tokens"])
def test_an_output_can_be_shortened(pipe: TranslationPipeline, name: str) -> None:
    source = "Where is the library?"
    (short,) = pipe(source, **{name: 4})
    assert KNOWN[source].startswith(short["translation_text"])
    assert 0 < len(short["translation_text"]) < len(KNOWN[source])
    assert pipe(source, **{name: 60}) == [answer(source)]


def test_sampling(pipe: TranslationPipeline) -> None:
    torch.manual_seed(1)
    found = {pipe("I am", do_sample=True, num_beams=1, temperature=5.0)[0]["translation_text"] for _ in range(5)}
    assert len(found) > 1


def test_what_transformers_takes_and_always_holds_here_changes_nothing(pipe: TranslationPipeline) -> None:
    assert pipe("Good night!", truncation=True, num_return_sequences=1) == [answer("Good night!")]


def test_an_unknown_setting_is_an_error_at_once(pipe: TranslationPipeline, marian: Path) -> None:
    first = "unknown generation setting 'max_lenght'; did you mean 'max_length'?"
    assert call_refusal(pipe, max_lenght=5).startswith(f"{first}\n  known: bad_words_ids, ")
    assert call_refusal(pipe, (text for text in "ab"), max_lenght=5).startswith(first)
    # Before a model is looked for.
    assert refusal("translation", model="./nothing", max_lenght=5).startswith(first)


def test_a_number_that_cannot_be(pipe: TranslationPipeline) -> None:
    assert call_refusal(pipe, num_beams=0) == "num_beams: expected a whole number from 1, got 0"


def test_several_translations_of_a_text_are_not_given(pipe: TranslationPipeline) -> None:
    assert call_refusal(pipe, num_return_sequences=2) == (
        "num_return_sequences: every text has one translation here\n  leave it out"
    )


@pytest.mark.parametrize("name", ["src_lang", "tgt_lang"])
def test_a_call_does_not_choose_languages(pipe: TranslationPipeline, name: str) -> None:
    assert call_refusal(pipe, **{name: "de"}) == (
        f"{name}: languages are chosen once\n  give it to pipeline(...), not to a call"
    )


# Names, languages, devices


@pytest.fixture(scope="module")
def varieties(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("varieties")
    two_vocabularies(folder, SOURCES, KNOWN.values(), [">>cmn_Hans<<", ">>cmn_Hant<<"])
    return str(folder)


@pytest.mark.parametrize(
    ("task", "settings", "source", "target"),
    [
        ("translation_en_to_zh", {}, "en", "zh"),
        ("translation_de_to_zh-Hant", {}, "de", "zh-Hant"),
        ("translation", {"src_lang": "de", "tgt_lang": "zh-Hant"}, "de", "zh-Hant"),
        ("translation", {"tgt_lang": "zh-Hant"}, "en", "zh-Hant"),
        ("translation_en_to_zh", {"src_lang": "de", "tgt_lang": "zh-Hant"}, "de", "zh-Hant"),
        ("translation", {}, "en", "zh"),
    ],
)
def test_languages_come_from_the_name_or_beside_it(
    varieties: str, task: str, settings: dict[str, str], source: str, target: str
) -> None:
    translator = pipeline(task, model=varieties, **settings).translator  # type: ignore[arg-type]
    assert (translator.languages.source, translator.languages.target) == (source, target)
    assert translator.task.target_token == (">>cmn_Hant<<" if "Hant" in target else ">>cmn_Hans<<")


@pytest.mark.parametrize(
    ("task", "near"),
    [
        ("translaton", "; did you mean 'translation'?"),
        ("translation_en_zh", "; did you mean 'translation_en_to_zh'?"),
        ("sentiment", "; did you mean 'sentiment-analysis'?"),
        ("summary", ""),
    ],
)
def test_an_unknown_pipeline(task: str, near: str) -> None:
    assert refusal(task) == f"unknown pipeline '{task}'{near}\n  known: {SUPPORTED}"
    assert SUPPORTED.startswith("translation, text-classification, ")
    assert SUPPORTED.endswith(", translation_XX_to_YY such as translation_en_to_zh")


def test_an_unknown_language_in_the_name() -> None:
    assert refusal("translation_en_to_jp").startswith("'jp' is no language tag; did you mean 'ja'?")


def test_a_gpu_that_is_not_there_is_said_once(
    marian: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(devices, "_said", set())
    for _ in range(2):
        pipe = pipeline("translation_en_to_zh", model=str(marian), device=0)
        assert pipe("Good night!") == [answer("Good night!")]
        assert pipe.model.device == torch.device("cpu")
    assert capsys.readouterr().err == "note: no GPU 'cuda:0' here: running on the CPU\n"


def test_a_checkpoint_knows_its_pipeline(marian: Path, tmp_path: Path) -> None:
    assert load(str(marian), device="cpu")("Good night!") == [answer("Good night!")]
    copy = Path(shutil.copytree(marian, tmp_path / "copy"))
    write_saved(Saved("translation", "en", "zh-Hant"), copy)
    assert load(str(copy)).translator.languages.target == "zh-Hant"


def test_they_are_public() -> None:
    assert hftoolkit.pipeline is pipeline
    assert hftoolkit.load is load


def test_a_pipeline_has_a_name(marian: Path) -> None:
    with pytest.raises(UsageError, match=r"^expected the name of a pipeline, got NoneType\n  known: translation"):
        pipeline(None, model=str(marian))  # type: ignore[arg-type]


def test_a_pipeline_takes_text(marian: Path) -> None:
    with pytest.raises(UsageError, match=r"^expected a text or several to translate, got NoneType$"):
        pipeline("translation", model=str(marian))(None)  # type: ignore[arg-type]
