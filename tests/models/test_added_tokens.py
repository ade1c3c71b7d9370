"""A new token in a tokenizer, and its row in a model."""

from pathlib import Path

import pytest
import torch
import transformers

from hftoolkit.models.adapters import add_adapter
from hftoolkit.models.added_tokens import add_token, make_room
from hftoolkit.models.projection import output_layer, scores_plainly
from hftoolkit.recipe.schema import Adapter


def test_a_token_is_added_once_and_takes_the_blanks_beside_it(gpt2: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(gpt2)
    size = len(tokenizer)
    for _ in range(2):
        add_token(tokenizer, "<to-fr>")
    assert len(tokenizer) == size + 1
    assert tokenizer("a <to-fr> b")["input_ids"] == [*tokenizer("a")["input_ids"], size, *tokenizer("b")["input_ids"]]
    assert tokenizer.decode(tokenizer("a <to-fr> b")["input_ids"], skip_special_tokens=True) == "ab"


@pytest.mark.parametrize("tied", [True, False])
def test_new_rows_are_the_mean_of_the_others(llama: Path, tied: bool) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(llama)
    model = transformers.AutoModelForCausalLM.from_pretrained(llama, tie_word_embeddings=tied)
    tables = [model.get_input_embeddings(), model.get_output_embeddings()]
    before = [table.weight.detach().clone() for table in tables]
    add_token(tokenizer, "<to-fr>")
    make_room(model, tokenizer)
    for get, old in zip((model.get_input_embeddings, model.get_output_embeddings), before, strict=True):
        assert torch.equal(get().weight[:-1], old)
        assert torch.allclose(get().weight[-1], old.mean(0))
    assert (model.get_input_embeddings().weight is model.get_output_embeddings().weight) == tied


def test_a_new_token_in_a_row_to_spare(llama: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(llama)
    model = transformers.AutoModelForCausalLM.from_pretrained(llama)
    size = len(tokenizer)
    model.resize_token_embeddings(size + 8, mean_resizing=False)
    before = model.get_input_embeddings().weight.detach().clone()
    add_token(tokenizer, "<to-fr>")
    make_room(model, tokenizer, [size])
    after = model.get_input_embeddings().weight.detach()
    others = [number for number in range(size + 8) if number != size]
    assert torch.equal(after[others], before[others])
    assert torch.allclose(after[size], before[others].mean(0))


def test_a_model_without_an_output_layer(bert: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(bert)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(bert)
    add_token(tokenizer, "<to-fr>")
    make_room(model, tokenizer)
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer)


def test_a_model_with_rows_to_spare_stays_as_it_is(llama: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(llama)
    model = transformers.AutoModelForCausalLM.from_pretrained(llama)
    model.resize_token_embeddings(len(tokenizer) + 8, mean_resizing=False)
    before = model.get_input_embeddings().weight
    add_token(tokenizer, "<to-fr>")
    make_room(model, tokenizer)
    assert model.get_input_embeddings().weight is before


def test_the_output_layer_below_what_peft_puts_around_it(llama: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(llama)
    weight = model.get_output_embeddings().weight
    wrapped = add_adapter(model, Adapter(kind="lora", rank=2), "base", "main", (), [3]).get_base_model()
    assert not isinstance(wrapped.get_output_embeddings(), torch.nn.Linear)
    assert output_layer(wrapped).weight is weight
    assert scores_plainly(wrapped)
