"""`hftoolkit.generate`: a text for a text, a list for a list; how each kind of model is spoken to."""

import logging
from pathlib import Path

import pytest
from conftest import PAIRS
from tiny_models import tiny_llama
from transformers import AutoModelForCausalLM, AutoTokenizer

from hftoolkit import generate, load
from hftoolkit.engines.prompts import chat_prompt, text_prompt
from hftoolkit.errors import HftoolkitError, ModelError, UsageError
from hftoolkit.generating import open_writer
from hftoolkit.models.adapters import add_adapter, save_adapter
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.recipe.schema import Adapter

QUESTION = {"role": "user", "content": "Good"}


def test_a_text_or_several(gpt2: Path) -> None:
    settings = {"model": gpt2, "temperature": 0, "max_new_tokens": 12}
    found = generate("Good", **settings)
    assert isinstance(found, str)
    assert generate(["x", "Good"], **settings)[1] == found
    assert generate([], **settings) == []


def test_a_text_is_shown_as_it_comes(gpt2: Path) -> None:
    pieces: list[str] = []
    found = generate("The library", model=gpt2, max_new_tokens=12, show=pieces.append)
    assert "".join(pieces) == found
    assert len(pieces) > 4


def test_settings(gpt2: Path) -> None:
    pipe = load(str(gpt2), device="cpu", max_new_tokens=20, return_full_text=False)
    found = generate("Good", model=gpt2, temperature=0.9, top_k=9, top_p=0.8, seed=7, max_new_tokens=20)
    assert pipe("Good", temperature=0.9, top_k=9, top_p=0.8, seed=7) == [{"generated_text": found}]
    assert (
        generate("Good", model=gpt2, max_new_tokens=20, stop=found[2])
        == pipe("Good")[0]["generated_text"].split(found[2])[0]
    )


def test_the_text_of_a_call_is_that_of_the_next(gpt2: Path) -> None:
    assert generate("Good", model=gpt2, max_new_tokens=9) == generate("Good", model=gpt2, max_new_tokens=9)


def test_who_is_asked_and_who_goes_on(gpt2: Path, llama: Path, tmp_path: Path) -> None:
    """A language model that was tuned from one that answers was not tuned on answers."""
    writer = open_writer(gpt2)
    assert writer.prompt("Good") == text_prompt(writer.engine.tokenizer, "Good")
    answerer = open_writer(llama)
    tokenizer = answerer.engine.tokenizer
    told = {"role": "system", "content": "Be brief."}
    assert answerer.prompt("Good") == chat_prompt(tokenizer, [QUESTION])
    assert answerer.prompt("Good", system="Be brief.") == chat_prompt(tokenizer, [told, QUESTION])
    assert answerer.prompt("Good", raw=True) == text_prompt(tokenizer, "Good")
    for task in ("language_modelling", "instruction_tuning"):
        tiny_llama(tmp_path)
        write_saved(Saved(task), tmp_path)
        own = open_writer(tmp_path)
        goes_on = task == "language_modelling"
        assert own.prompt("Good") == (text_prompt if goes_on else chat_prompt)(
            tokenizer, "Good" if goes_on else [QUESTION]
        )  # type: ignore[operator]
        assert own.prompt("Good", system="Be brief.") == chat_prompt(tokenizer, [told, QUESTION])
        assert load(str(tmp_path), device="cpu").task == "text-generation"


@pytest.mark.parametrize("own_tokenizer", [True, False])
def test_an_adapter(llama: Path, tmp_path: Path, own_tokenizer: bool) -> None:
    """One of ours, and one that peft wrote, without a tokenizer."""
    import torch

    model = AutoModelForCausalLM.from_pretrained(llama)
    adapted = add_adapter(model, Adapter(kind="lora", rank=2), str(llama), "main")
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_()
    save_adapter(adapted, tmp_path)
    if own_tokenizer:
        AutoTokenizer.from_pretrained(llama).save_pretrained(tmp_path)
        write_saved(Saved("instruction_tuning"), tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(llama)
    ids = torch.tensor([chat_prompt(tokenizer, [QUESTION]).tokens])
    adapted.eval()
    output = adapted.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False, pad_token_id=1
    )
    expected = tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)
    assert generate("Good", model=tmp_path, temperature=0, max_new_tokens=8) == expected
    assert generate("Good", model=llama, temperature=0, max_new_tokens=8) != expected


def test_a_text_without_room_is_told(gpt2: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hftoolkit"):
        generate("x?" * 47, model=gpt2)
    assert caplog.messages == ["1 text ends unfinished: the model has 96 tokens for prompt and text together"]


def test_what_is_refused(gpt2: Path, marian: Path) -> None:
    for call, kind, message in (
        (
            lambda: generate("Good"),
            UsageError,
            "which model?\n  name a run, a folder or a hub id, such as HuggingFaceTB/SmolLM2-135M-Instruct",
        ),
        (lambda: generate("Good", model=3), UsageError, "model: expected a name or a folder, got int"),
        (lambda: generate(3, model=gpt2), UsageError, "expected a text or a list of texts, got int"),
        (lambda: generate([3], model=gpt2), UsageError, "expected a text or a list of texts, got list"),
        (
            lambda: generate(["Good"], model=gpt2, show=print),
            UsageError,
            "show: pieces of several texts could not be told apart\n  give one text",
        ),
        (
            lambda: generate("Good", model=gpt2, system="Be brief.", raw=True),
            UsageError,
            "system: a text that is gone on with has no system prompt\n  leave out either of the two",
        ),
        (
            lambda: generate("Good", model=gpt2, system="Be brief."),
            ModelError,
            f"{gpt2}: this model has no chat template, and no place for a system prompt\n"
            "  leave it out, or choose a model that was tuned to answer",
        ),
        (
            lambda: generate(PAIRS[0][0], model=marian),
            ModelError,
            f"{marian}: this model was tuned for translation, not for writing\n"
            f"  use it:   hftoolkit translate --model {marian}",
        ),
    ):
        with pytest.raises(HftoolkitError) as caught:
            call()  # type: ignore[no-untyped-call]
        assert (type(caught.value), str(caught.value)) == (kind, message)


@pytest.mark.slow
def test_stories(shared: Path) -> None:
    """A model that really writes; its tokenizer takes the first blank of a text for its own."""
    model = shared / "models" / "tinystories-260k"
    settings = {"model": model, "temperature": 0, "max_new_tokens": 30}
    assert generate("Once upon a time", **settings) == (
        ", there was a little girl named Lily. She loved to play outside in the park. One day,"
    )
    pieces: list[str] = []
    found = generate("Lily was", **settings, show=pieces.append)
    assert found == " a little girl named Lily who loved to play with her toys. One day, she saw a big box"
    assert "".join(pieces) == found
    story = "Once upon a time, there was a little"
    assert generate("Once upon a time", **settings, stop=" girl") == story.removeprefix("Once upon a time")
    samples = {generate("Lily was", model=model, seed=seed, max_new_tokens=20) for seed in range(4)}
    assert len(samples) == 4
