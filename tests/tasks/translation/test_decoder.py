"""Translating with a decoder alone: what it reads, what is learned of a row, what a checkpoint says about it."""

from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from conftest import PAIRS

from hftoolkit.engines.decoding import Decoding
from hftoolkit.errors import ModelError
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.saved import Saved
from hftoolkit.recipe.schema import Languages
from hftoolkit.tasks.translation import Translation
from hftoolkit.tasks.translation.names import name_of
from hftoolkit.training.next_tokens import IGNORED, NEXT

ROWS = [{"source": source, "target": target} for source, target in PAIRS[:5]]


def bound(folder: Path, target: str = "zh", **options: Any) -> tuple[Translation, Loaded]:
    task = Translation(options, Languages(source="en", target=target))
    loaded = load_checkpoint(str(folder), task.auto_class)
    task.bind(loaded.tokenizer, loaded.model.config)
    return task, loaded


def features(task: Translation, loaded: Loaded) -> list[dict[str, Any]]:
    found = task.encode(ROWS, loaded.tokenizer, 96)
    return [{name: np.array(ids, np.int32) for name, ids in one.items()} for (one,) in found]


def test_a_separator_asks_for_a_language(gpt2: Path) -> None:
    task, loaded = bound(gpt2)
    assert task.prompt("Good night!") == "Good night! <to-zh>"
    number = loaded.tokenizer.convert_tokens_to_ids("<to-zh>")
    assert task.new_tokens == (number,) == (len(loaded.tokenizer) - 1,)
    ids = loaded.tokenizer("Good night! <to-zh> x", add_special_tokens=False)["input_ids"]
    assert ids == [
        *loaded.tokenizer("Good night!")["input_ids"],
        number,
        *loaded.tokenizer("x", add_special_tokens=False)["input_ids"],
    ]


@pytest.mark.parametrize(("target", "token"), [("fr", "<to-fr>"), ("zh_CN", "<to-zh-Hans>"), ("pt-br", "<to-pt-BR>")])
def test_every_language_has_its_own(gpt2: Path, target: str, token: str) -> None:
    assert bound(gpt2, target)[0].target_token == token


def test_a_model_that_begins_texts_with_a_token_does_so_here(llama: Path) -> None:
    task, loaded = bound(llama, prompt="separator")
    (feature,) = features(task, loaded)[:1]
    assert feature["input_ids"][0] == loaded.tokenizer.bos_token_id
    assert task.prompt("x") == "<s>x <to-zh>"


def test_a_chat_asks_by_an_instruction(llama: Path) -> None:
    task, _ = bound(llama, "zh-Hans")
    assert task.new_tokens == ()
    assert task.target_token is None
    assert task.prompt("Good night!") == (
        "<s><|im_start|>user\nTranslate from English to Simplified Chinese:\nGood night!<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


@pytest.mark.parametrize("prompt", ["separator", "chat"])
def test_what_is_learned_is_the_translation_and_its_end(llama: Path, prompt: str) -> None:
    task, loaded = bound(llama, prompt=prompt)
    end = "<|im_end|>" if prompt == "chat" else "</s>"
    for row, feature in zip(ROWS, features(task, loaded), strict=True):
        ids, labels = feature["input_ids"], feature["labels"]
        learned = ids[labels != IGNORED]
        assert loaded.tokenizer.decode(learned) == f"{row['target']}{end}"
        assert np.array_equal(labels[labels != IGNORED], learned)
        read = ids[: len(ids) - len(learned)]
        asked = loaded.tokenizer(task.prompt(row["source"]), add_special_tokens=False)["input_ids"]
        assert read.tolist() == asked


def test_several_answers_are_several_features(gpt2: Path) -> None:
    task, loaded = bound(gpt2)
    (found,) = task.encode([{"source": "a", "target": ["b", "c"]}], loaded.tokenizer, 96)
    assert len(found) == 2


@pytest.mark.parametrize("model", ["gpt2", "llama"])
def test_the_loss_is_that_of_transformers(model: str, request: pytest.FixtureRequest) -> None:
    task, loaded = bound(request.getfixturevalue(model), prompt="separator")
    task.begin(loaded.model, ())
    expected = 0.0
    found = features(task, loaded)
    for one in found:
        ids, labels = (torch.tensor(one[name], dtype=torch.int64)[None] for name in ("input_ids", "labels"))
        expected += loaded.model(input_ids=ids, labels=labels).loss.item() * int((labels != IGNORED).sum())
    assert task.packed
    batch = task.collate(found, 1)
    assert batch.counts == {NEXT: sum(int((one["labels"] != IGNORED).sum()) for one in found)}
    assert task.loss(loaded.model, batch)[NEXT].item() == pytest.approx(expected, rel=1e-5)


def test_a_new_token_begins_as_the_mean_of_the_others(llama: Path) -> None:
    task, loaded = bound(llama, prompt="separator")
    before = loaded.model.get_input_embeddings().weight.detach().clone()
    task.begin(loaded.model, ())
    after = loaded.model.get_input_embeddings().weight.detach()
    assert torch.equal(after[:-1], before)
    assert torch.allclose(after[-1], before.mean(0))
    assert loaded.model.config.vocab_size == len(loaded.tokenizer)
    assert loaded.model.get_output_embeddings().weight is loaded.model.get_input_embeddings().weight


def test_what_is_said(gpt2: Path, llama: Path) -> None:
    task, loaded = bound(gpt2)
    assert task.begin(loaded.model, ()) == [
        "options.prompt: separator; what the model reads ends with '<to-zh>'",
        "'<to-zh>' is a new token, and learned: what stands behind it is the translation",
    ]
    task, loaded = bound(llama)
    assert task.begin(loaded.model, ()) == [
        "options.prompt: chat; what the model reads ends with its chat template's beginning of an answer"
    ]


def test_a_checkpoint_says_how_it_is_asked(llama: Path) -> None:
    task, loaded = bound(llama, prompt="separator")
    end = loaded.tokenizer.eos_token_id
    assert task.saved() == Saved("translation", "en", "zh", "<to-zh>", {"prompt": "separator", "end": end})
    other = Translation({}, Languages(source="en", target="zh"))
    other.restore(task.saved(), loaded.model.config)
    other.bind(loaded.tokenizer, loaded.model.config)
    assert other.prompt("x") == task.prompt("x")
    assert other.new_tokens == ()


def test_the_form_is_part_of_the_key_of_features(llama: Path) -> None:
    keys = {bound(llama, *which)[0].fingerprint() for which in (("zh",), ("fr",))}
    keys |= {bound(llama, target, prompt="separator")[0].fingerprint() for target in ("zh", "fr")}
    assert len(keys) == 4


def test_a_chat_needs_a_template(gpt2: Path) -> None:
    with pytest.raises(ModelError) as caught:
        bound(gpt2, prompt="chat")
    assert str(caught.value) == (
        "options.prompt: this model has no chat template by which it could be asked\n"
        "  ask it by a new token:   options: {prompt: separator}"
    )


def test_a_model_with_an_encoder_is_not_asked(marian: Path) -> None:
    with pytest.raises(ModelError, match=r"options\.prompt: this model has an encoder: it reads a source as it is"):
        bound(marian, prompt="chat")


def test_a_model_that_knows_the_separator_is_asked_by_it(llama: Path) -> None:
    _, loaded = bound(llama, prompt="separator")
    again = Translation({}, Languages(source="en", target="zh"))
    again.bind(loaded.tokenizer, loaded.model.config)
    assert again.prompt("x") == "<s>x <to-zh>"
    assert again.new_tokens == ()
    other = Translation({"prompt": "chat"}, Languages(source="en", target="zh"))
    other.bind(loaded.tokenizer, loaded.model.config)
    assert other.begin(loaded.model, ())[1] == (
        "options.prompt: this model was tuned by a separator, and is asked by a chat now"
    )


def test_what_a_translation_spells_like_a_special_token_is_text(llama: Path) -> None:
    task, loaded = bound(llama, prompt="separator")
    ((feature,),) = task.encode([{"source": "a", "target": "<s>old</s> <to-zh> new"}], loaded.tokenizer, 96)
    learned = [number for number in feature["labels"] if number != IGNORED]
    special = {loaded.tokenizer.convert_tokens_to_ids(token) for token in ("<s>", "</s>", "<to-zh>")}
    assert [number in special for number in learned] == [False] * (len(learned) - 1) + [True]
    assert loaded.tokenizer.decode(learned[:-1]) == "<s>old</s> <to-zh> new"


def test_a_template_that_names_the_date_has_one_key(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for day in (1, 2):
        monkeypatch.setattr(
            "transformers.utils.chat_template_utils.datetime", SimpleNamespace(now=partial(datetime, 2026, 11, day))
        )
        task = Translation({}, Languages(source="en", target="zh"))
        loaded = load_checkpoint(str(llama), task.auto_class)
        loaded.tokenizer.chat_template = "{{ strftime_now('%d.') }}" + loaded.tokenizer.chat_template
        task.bind(loaded.tokenizer, loaded.model.config)
        assert task.prompt("x").startswith(f"0{day}.")
        keys.append(task.fingerprint())
    assert keys[0] == keys[1]


def test_a_template_that_does_not_serve(llama: Path) -> None:
    task = Translation({}, Languages(source="en", target="zh"))
    loaded = load_checkpoint(str(llama), task.auto_class)
    loaded.tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    with pytest.raises(ModelError) as caught:
        task.bind(loaded.tokenizer, loaded.model.config)
    assert str(caught.value) == (
        "this model's chat template ends an answer with no token of its own: the model would never end one\n"
        "  ask it by a new token:   options: {prompt: separator}"
    )


def test_a_translation_must_end(gpt2: Path) -> None:
    task, loaded = bound(gpt2)
    loaded.tokenizer.eos_token = None
    with pytest.raises(ModelError) as caught:
        task.bind(loaded.tokenizer, loaded.model.config)
    assert str(caught.value) == (
        "this model's tokenizer has no token for the end of a text: the model would never end a translation\n"
        "  choose a causal language model, such as HuggingFaceTB/SmolLM2-135M-Instruct"
    )


def test_predictions_come_in_order(llama: Path) -> None:
    task, loaded = bound(llama)
    engine = task.engine(loaded.model, loaded.tokenizer)
    found = [one.text for one in task.predict(engine, ROWS, Decoding(1))]
    assert len(set(found)) == len(ROWS)
    assert found[3:] == [one.text for one in task.predict(engine, ROWS[3:], Decoding(1))]


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("zh", "Chinese"),
        ("zh_CN", "Simplified Chinese"),
        ("zh-TW", "Traditional Chinese"),
        ("pt-BR", "Portuguese (Brazil)"),
        ("de-AT", "German"),
        ("es", "Spanish"),
        ("tlh", "tlh"),
    ],
)
def test_names_of_languages(tag: str, name: str) -> None:
    assert name_of(tag) == name
