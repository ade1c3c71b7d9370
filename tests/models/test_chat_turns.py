"""Chat templates in their parts, and Modelfiles made of them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import transformers
from tiny_models import CHATML

from hftoolkit.errors import ModelError
from hftoolkit.models.chat_turns import Turns, turns_of
from hftoolkit.models.ollama import check_family, modelfile

QWEN = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for message in messages %}<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
GEMMA3 = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set told = messages[0]['content'] + '\n\n' %}"
    "{% set others = messages[1:] %}{% else %}{% set told = '' %}{% set others = messages %}{% endif %}"
    "{% for message in others %}<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ told if loop.first }}{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
COUNTING = (
    "{% for message in messages %}{{ loop.index }}{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}>{% endif %}"
)
REMOVING = (
    "{% for message in messages %}[{{ message['role'] }}]{{ message['content'] | lower }}{% endfor %}"
    "{% if add_generation_prompt %}>{% endif %}"
)


@pytest.fixture
def tokenizer(llama: Any) -> Any:
    return transformers.AutoTokenizer.from_pretrained(str(llama))


def test_the_parts_of_templates(tokenizer: Any) -> None:
    asked = ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")
    system = ("<|im_start|>system\n", "<|im_end|>\n")
    tokenizer.chat_template = CHATML
    assert turns_of(tokenizer) == Turns(system, "", asked, "<|im_end|>\n")
    tokenizer.chat_template = QWEN
    assert turns_of(tokenizer) == Turns(system, "You are helpful.", asked, "<|im_end|>\n")
    tokenizer.chat_template = GEMMA
    asked = ("<start_of_turn>user\n", "<end_of_turn>\n<start_of_turn>model\n")
    assert turns_of(tokenizer) == Turns(None, "", asked, "<end_of_turn>\n")
    tokenizer.chat_template = GEMMA3  # a system prompt stands in the first turn, as no template of Ollama's can have it
    assert turns_of(tokenizer) == Turns(None, "", asked, "<end_of_turn>\n")


def test_a_token_that_begins_turns_is_no_beginning_of_texts(gpt2: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(gpt2)
    tokenizer.chat_template = QWEN.replace("<|im_start|>", tokenizer.bos_token)  # as SmolLM2 has it
    begin = tokenizer.bos_token
    assert turns_of(tokenizer) == Turns(
        (f"{begin}system\n", "<|im_end|>\n"),
        "You are helpful.",
        (f"{begin}user\n", f"<|im_end|>\n{begin}assistant\n"),
        "<|im_end|>\n",
    )


@pytest.mark.parametrize("template", [COUNTING, REMOVING])
def test_a_template_that_does_more(tokenizer: Any, template: str) -> None:
    tokenizer.chat_template = template
    with pytest.raises(ModelError) as caught:
        turns_of(tokenizer)
    assert str(caught.value) == (
        "this model's chat template does more than to write something around what is said: it cannot be written as "
        "Ollama's\n  export it as it is:   --to merged"
    )


def test_a_modelfile(tokenizer: Any) -> None:
    tokenizer.chat_template = QWEN
    generation = SimpleNamespace(do_sample=True, temperature=0.7, top_p=0.9, top_k=None)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert modelfile(tokenizer, generation, [end]) == (
        "# ollama create NAME -f Modelfile\n"
        "FROM .\n"
        'TEMPLATE """{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}'
        "<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n{{ .Response }}<|im_end|>\n"
        '"""\n'
        'SYSTEM """You are helpful."""\n'
        "PARAMETER temperature 0.7\n"
        "PARAMETER top_p 0.9\n"
        'PARAMETER stop "<|im_end|>"\n'
    )
    text = modelfile(tokenizer, generation, [], before="To Chinese:\n", greedy=True)
    assert "<|im_start|>user\nTo Chinese:\n{{ .Prompt }}<|im_end|>" in text
    assert text.splitlines()[-2:] == ["PARAMETER temperature 0", "PARAMETER repeat_penalty 1"]
    greedy = SimpleNamespace(do_sample=False, temperature=0.7, top_p=None, top_k=None)
    assert modelfile(tokenizer, greedy, [], behind=" <to-zh>").splitlines()[2:] == [
        'TEMPLATE """{{ .Prompt }} <to-zh>"""'
    ]


def test_what_a_modelfile_cannot_hold(tokenizer: Any) -> None:
    tokenizer.chat_template = CHATML.replace("<|im_start|>", '"""')
    with pytest.raises(ModelError, match="quotation marks that a Modelfile cannot hold"):
        modelfile(tokenizer, SimpleNamespace(do_sample=False), [])


def test_other_families_are_refused() -> None:
    check_family("Qwen2ForCausalLM", "mine")
    with pytest.raises(ModelError) as caught:
        check_family("GPT2LMHeadModel", "mine")
    assert str(caught.value) == (
        "mine: a 'GPT2LMHeadModel' cannot be exported to Ollama, which imports Llama, Qwen2, Gemma models\n"
        "  export it for other programs:   --to merged"
    )
