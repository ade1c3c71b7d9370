"""Translating with a checkpoint: line by line, in its languages, what was cut said."""

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PAIRS
from hub_server import allowed, serve
from tiny_models import two_vocabularies

from hftoolkit.engines import pytorch
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.opening import Choice
from hftoolkit.errors import DataError, ModelError, UsageError
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.translating import Translator, Wishes, open_translator, translate

KNOWN = dict(PAIRS)
SOURCES = list(KNOWN)


@pytest.fixture(scope="module")
def translator(marian: Path) -> Translator:
    return open_translator(str(marian), engine="torch", device="cpu")


@pytest.fixture
def unsaid(marian: Path, tmp_path: Path) -> Path:
    """The tiny translator without our record of it."""
    copy = Path(shutil.copytree(marian, tmp_path / "unsaid"))
    (copy / "hftoolkit.json").unlink()
    return copy


@pytest.fixture(scope="module")
def varieties(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained checkpoint with target tokens."""
    folder = tmp_path_factory.mktemp("varieties")
    two_vocabularies(folder, SOURCES, KNOWN.values(), [">>cmn_Hans<<", ">>cmn_Hant<<"])
    return folder


def tokenizer_languages(folder: Path, source: str | None, target: str | None) -> None:
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"source_lang": source, "target_lang": target}
    path.write_text(json.dumps(settings), encoding="utf-8")


def refusal(**settings: str) -> str:
    with pytest.raises(ModelError) as caught:
        open_translator(device="cpu", **settings)  # type: ignore[arg-type]
    return str(caught.value)


# Lines


def test_lines_come_in_order(translator: Translator) -> None:
    assert list(translator.predict(SOURCES)) == list(KNOWN.values())


def test_blank_lines_pass_as_they_are(translator: Translator) -> None:
    lines = ["", SOURCES[0], "  ", "\t", SOURCES[1], "\u3000", ""]
    expected = ["", KNOWN[SOURCES[0]], "  ", "\t", KNOWN[SOURCES[1]], "\u3000", ""]
    assert list(translator.predict(lines)) == expected


@pytest.mark.parametrize("lines", [[], [""], ["", "  "]])
def test_nothing_but_blank_lines(translator: Translator, lines: list[str]) -> None:
    assert list(translator.predict(lines)) == lines


def test_lines_are_read_window_by_window(translator: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytorch, "WINDOW", 3)
    read: list[str] = []

    def stream() -> Iterator[str]:
        for line in ["", *SOURCES]:
            read.append(line)
            yield line

    output = translator.predict(stream(), Decoding(1))
    assert next(output) == ""
    assert next(output) == KNOWN[SOURCES[0]]
    assert len(read) == 4
    assert list(output) == list(KNOWN.values())[1:]


def test_a_line_is_one_line_whatever_the_model_writes(translator: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = translator.engine.tokenizer.batch_decode
    monkeypatch.setattr(
        translator.engine.tokenizer, "batch_decode", lambda *a, **s: [text + "\nx" for text in decode(*a, **s)]
    )
    assert list(translator.predict(SOURCES[:1])) == [KNOWN[SOURCES[0]] + " x"]


def test_the_decoding_is_the_callers(translator: Translator) -> None:
    (short,) = translator.predict(SOURCES[2:3], Decoding(1), max_length=4)
    assert KNOWN[SOURCES[2]].startswith(short)
    assert len(short) < len(KNOWN[SOURCES[2]])


def test_what_was_cut_is_counted_and_said_once(translator: Translator, caplog: pytest.LogCaptureFixture) -> None:
    long = "Where is the library? " * 20
    for lines in ([long, SOURCES[0], long], [SOURCES[0]], [long]):
        list(translator.predict(lines, Decoding(1)))
    assert [(record.name, record.levelno, record.getMessage()) for record in caplog.records] == [
        ("hftoolkit", logging.WARNING, "2 sources are longer than the model's 64 tokens and were cut"),
        ("hftoolkit", logging.WARNING, "1 source is longer than the model's 64 tokens and was cut"),
    ]


def test_what_was_cut_is_said_though_the_rest_is_not_wanted(
    translator: Translator, caplog: pytest.LogCaptureFixture
) -> None:
    output = translator.predict(["Where is the library? " * 20, *SOURCES], Decoding(1))
    next(output)
    output.close()  # type: ignore[attr-defined]
    assert caplog.messages == ["1 source is longer than the model's 64 tokens and was cut"]


# Languages and checkpoints


def test_languages_are_what_the_checkpoint_was_tuned_for(marian: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(marian, tmp_path / "copy"))
    write_saved(Saved("translation", "de", "pt-BR"), copy)
    assert open_translator(str(copy)).languages == Languages(source="de", target="pt-BR")


def test_otherwise_they_are_what_its_tokenizer_says(unsaid: Path) -> None:
    tokenizer_languages(unsaid, "eng", "por")
    assert open_translator(str(unsaid)).languages == Languages(source="en", target="pt")


@pytest.mark.parametrize("said", [None, "", "ROMANCE"])
def test_otherwise_english_to_chinese(unsaid: Path, said: str | None) -> None:
    tokenizer_languages(unsaid, said, said)
    assert open_translator(str(unsaid)).languages == Languages(source="en", target="zh")


def test_a_caller_may_say_which(unsaid: Path) -> None:
    tokenizer_languages(unsaid, None, None)
    translator = open_translator(str(unsaid), source="de", target="fr")
    assert translator.languages == Languages(source="de", target="fr")


def test_a_language_the_checkpoint_does_not_write(marian: Path, tmp_path: Path, unsaid: Path) -> None:
    tuned = Path(shutil.copytree(marian, tmp_path / "tuned"))
    write_saved(Saved("translation", "en", "pt"), tuned)
    tokenizer_languages(unsaid, "eng", "por")
    for folder in (tuned, unsaid):
        assert refusal(model=str(folder), target="zh-Hant") == (
            f"{folder}: this model translates to 'pt', not to 'zh-Hant'\n  leave --to out, or choose another model"
        )


def test_a_language_the_checkpoint_does_not_read(unsaid: Path) -> None:
    tokenizer_languages(unsaid, "eng", "por")
    assert refusal(model=str(unsaid), source="de") == (
        f"{unsaid}: this model translates from 'en', not from 'de'\n  leave --from out, or choose another model"
    )
    assert open_translator(str(unsaid), source="en-GB").languages.source == "en-GB"
    tokenizer_languages(unsaid, "gmw", "por")
    assert open_translator(str(unsaid), source="de").languages.source == "de"


def test_a_variety_of_its_language_is_not_refused(marian: Path) -> None:
    assert open_translator(str(marian), target="zh-Hant").languages.target == "zh-Hant"


def test_a_folder_may_be_a_path(marian: Path) -> None:
    assert open_translator(marian).name == str(marian)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": 5}, "model: expected a name or a folder, got int"),
        ({"source": 5}, "source: expected a language such as 'en', got int"),
        ({"target": ["pt"]}, "target: expected a language such as 'en', got list"),
        ({"device": 1.5}, "unknown device '1.5'\n  use 'cpu', 'mps', 'cuda', or the number of a GPU"),
    ],
)
def test_values_of_a_wrong_type(settings: dict[str, Any], message: str, marian: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_translator(**{"model": marian, **settings})
    assert str(caught.value) == message


def test_half_a_character_is_told(marian: Path) -> None:
    with pytest.raises(DataError, match=r"^text: character 6 is '\\ud800', half of a character"):
        translate("Good \ud800", model=marian)


@pytest.mark.parametrize(
    ("target", "token"), [("zh-Hans", ">>cmn_Hans<<"), ("zh-Hant", ">>cmn_Hant<<"), ("zh-TW", ">>cmn_Hant<<")]
)
def test_the_target_chooses_the_token(varieties: Path, target: str, token: str) -> None:
    assert open_translator(str(varieties), target=target).task.target_token == token


def test_a_tuned_checkpoint_keeps_its_token(varieties: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(varieties, tmp_path / "copy"))
    write_saved(Saved("translation", "en", "zh-Hant", ">>cmn_Hant<<"), copy)
    tokens = [open_translator(str(copy), target=target).task.target_token for target in (None, "zh-Hans")]
    assert tokens == [">>cmn_Hant<<", ">>cmn_Hans<<"]


def test_what_is_no_language(marian: Path) -> None:
    with pytest.raises(UsageError, match="'jp' is no language tag; did you mean 'ja'"):
        open_translator(str(marian), target="jp")


def test_without_a_model_the_languages_name_it(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with allowed(tmp_path / "home", monkeypatch), serve(models={"Helsinki-NLP/opus-mt-en-zh": marian}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        assert translate("Good night!", device="cpu") == "晚安！"
        assert translate("Good night!", target="zh-Hant", device="cpu") == "晚安！"
    with pytest.raises(UsageError, match="there is no opus-mt checkpoint from 'ko' to 'zh'"):
        translate("안녕", source="ko")


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_what_should_be_said_about_it_is_kept(engine: Choice, unsaid: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(unsaid / "model.safetensors"), unsaid / "pytorch_model.bin")
    (unsaid / "model.safetensors").unlink()
    note, *_ = open_translator(str(unsaid), engine=engine).notes
    assert note.startswith("pytorch_model.bin was read as tensors only")


# translate()


def test_a_text_is_translated(marian: Path) -> None:
    assert translate("Good morning!", model=str(marian), device="cpu") == "早上好！"


def test_the_lines_of_a_text_are_translated_one_by_one(marian: Path) -> None:
    text = "Good morning!\n\nWhere is the library?\n  \nGood night!\n"
    assert translate(text, model=str(marian), engine="torch") == "早上好！\n\n图书馆在哪里？\n  \n晚安！\n"


def test_a_list_of_texts_gives_a_list(marian: Path) -> None:
    texts = ["Good morning!\nGood night!", "", "Thank you very much!"]
    assert translate(texts, model=str(marian)) == ["早上好！\n晚安！", "", "非常感谢！"]
    assert translate([], model=str(marian)) == []
    assert translate("", model=str(marian)) == ""


def test_beams_are_the_callers(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Decoding] = []
    ours = Translator.translate

    def spy(self: Translator, texts: list[str], wishes: Wishes) -> list[str]:
        seen.append(wishes.decoding)
        return ours(self, texts, wishes)

    monkeypatch.setattr(Translator, "translate", spy)
    assert translate("Good night!", model=str(marian), beams=2) == "晚安！"
    assert translate("Good night!", model=str(marian)) == "晚安！"
    assert seen == [Decoding(2), Decoding(4)]


@pytest.mark.parametrize("text", [None, 5, b"text", ["text", None]])
def test_only_text_is_translated(marian: Path, text: Any) -> None:
    with pytest.raises(UsageError, match=r"^expected a text or a list of texts to translate, got \w+$"):
        translate(text, model=str(marian))


@pytest.mark.parametrize("beams", [0, -1, "4"])
def test_beams_are_a_number_from_one(marian: Path, beams: Any) -> None:
    with pytest.raises(UsageError, match=f"^beams: expected a whole number from 1, got {beams!r}$"):
        translate("Good morning!", model=str(marian), beams=beams)
