"""Chat templates: which tokens of a conversation are answers, and templates that do not tell."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import CHATML
from transformers import AutoTokenizer
from wild_texts import texts

from hftoolkit.data.messages import Message
from hftoolkit.errors import DataError, ModelError
from hftoolkit.tasks.instruction_tuning.template import Template, give_chatml

ASKED, ANSWERED = Message("user", "Open?"), Message("assistant", "Yes.")
ADVICE = "\n  choose another model, or give it another template:   options: {template: chatml}"

MARKED = (
    "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}{% generation %}MARKED{% endgeneration %}UNMARKED"
    "{% else %}{{ message['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
)
"""With marks around answers, as some checkpoints have them."""


def tokenizer_of(folder: Any, template: str | None = CHATML) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    tokenizer.chat_template = template
    return tokenizer


def told(tokenizer: Any, messages: Sequence[Message]) -> list[tuple[str, bool]]:
    """Every token with whether it is learned."""
    ((ids, learned),) = Template(tokenizer).read([messages])
    return [(tokenizer.decode([number]), one) for number, one in zip(ids, learned, strict=True)]


def answers(tokenizer: Any, messages: Sequence[Message]) -> list[str]:
    """What is learned, run by run."""
    ((ids, learned),) = Template(tokenizer).read([messages])
    found: list[list[int]] = []
    for place, (number, one) in enumerate(zip(ids, learned, strict=True)):
        if one and not learned[place - 1]:
            found.append([])
        if one:
            found[-1].append(number)
    return [tokenizer.decode(run) for run in found]


def test_answers_and_the_tokens_that_end_them_are_learned_and_nothing_else(llama: Any) -> None:
    messages = [Message("system", "Hi"), ASKED, ANSWERED, Message("user", "Why?"), Message("assistant", "I do.")]
    first = "<s>·<|im_start|>·s·y·s·t·e·m·\n·H·i·<|im_end|>·\n·<|im_start|>·u·s·e·r·\n·O·p·en·?·<|im_end|>·\n"
    header, second = "·<|im_start|>·a·s·s·i·s·t·an·t·\n", "\n·<|im_start|>·u·s·e·r·\n·W·h·y·?·<|im_end|>·\n"
    assert told(tokenizer_of(llama), messages) == [
        *((token, False) for token in (first + header).split("·")),
        *((token, True) for token in ["Y", "e", "s", ".", "<|im_end|>"]),
        *((token, False) for token in (second + header).split("·")),
        *((token, True) for token in ["I", " ", "do", ".", "<|im_end|>"]),
    ]


def test_tokens_are_those_that_transformers_gives(llama: Any) -> None:
    tokenizer = tokenizer_of(llama)
    ((ids, _),) = Template(tokenizer).read([[ASKED, ANSWERED]])
    whole = tokenizer.apply_chat_template([vars(ASKED), vars(ANSWERED)], return_dict=True)["input_ids"]
    assert whole == [*ids, *tokenizer("\n", add_special_tokens=False)["input_ids"]]
    question = Template(tokenizer).question([ASKED])
    assert ids[: len(question)] == question
    assert tokenizer.decode(ids[len(question) :]) == "Yes.<|im_end|>"


def test_a_token_that_would_reach_over_a_border_does_not(llama: Any) -> None:
    """As the model answers, its tokens begin where the question ends."""
    glued = CHATML.replace("assistant\n{% endif %}", "assistant\nT{% endif %}").replace(
        "{{ message['content'] }}", "{{ 'T' if message['role'] == 'assistant' }}{{ message['content'] }}"
    )
    tokenizer = tokenizer_of(llama, glued)
    assert len(tokenizer("The", add_special_tokens=False)["input_ids"]) == 1
    assert answers(tokenizer, [ASKED, Message("assistant", "he library.")]) == ["he library.<|im_end|>"]


def test_chatml_for_a_checkpoint_without_template(gpt2: Any, llama: Any) -> None:
    tokenizer = tokenizer_of(gpt2, None)
    with pytest.raises(ModelError) as caught:
        Template(tokenizer)
    assert str(caught.value) == (
        "this model has no chat template: nothing says how it is to read a conversation\n"
        "  give it one:   options: {template: chatml}   or choose a model that has one, such as "
        "HuggingFaceTB/SmolLM2-135M-Instruct"
    )
    give_chatml(tokenizer)
    ((ids, _),) = Template(tokenizer).read([[ASKED, ANSWERED]])
    end = "<|endoftext|>"
    assert tokenizer.decode(ids) == f"<|im_start|>user\nOpen?{end}\n<|im_start|>assistant\nYes.{end}"
    assert (ids[-1], Template(tokenizer).end) == (tokenizer.eos_token_id, tokenizer.eos_token_id)
    assert answers(tokenizer, [ASKED, ANSWERED, ASKED, ANSWERED]) == [f"Yes.{end}"] * 2
    tokenizer = tokenizer_of(llama, None)  # whose texts begin with a token
    give_chatml(tokenizer)
    assert told(tokenizer, [ASKED, ANSWERED])[:2] == [("<s>", False), ("<|im_start|>", False)]
    assert answers(tokenizer, [ASKED, ANSWERED]) == ["Yes.</s>"]


def test_a_checkpoint_that_ends_nothing(gpt2: Any) -> None:
    tokenizer = tokenizer_of(gpt2, None)
    tokenizer.eos_token = None
    with pytest.raises(ModelError) as caught:
        give_chatml(tokenizer)
    assert str(caught.value) == (
        "this model's tokenizer has no token for the end of a text: the model would never end an answer\n"
        "  choose a causal language model, such as HuggingFaceTB/SmolLM2-135M-Instruct"
    )


@pytest.mark.parametrize(
    "template",
    [
        # one that drops what was thought in earlier answers, as those of reasoning models do
        CHATML.replace("{{ message['content'] }}", "{{ message['content'] if loop.last else message['content'][:1] }}"),
        # one that asks for an answer otherwise than it writes one
        CHATML.replace("assistant\n{% endif %}", "assistant\n<think>{% endif %}"),
        # one that ends the whole with a token
        CHATML + "{% if not add_generation_prompt %}{{ eos_token }}{% endif %}",
    ],
)
def test_a_template_that_writes_beginnings_otherwise(template: str, llama: Any) -> None:
    with pytest.raises(ModelError) as caught:
        Template(tokenizer_of(llama, template))
    assert str(caught.value) == (
        "this model's chat template writes the beginning of a conversation otherwise than the whole of it: what of it "
        f"are answers cannot be told\n  it was told of:   user user 1. / assistant assistant 1. / user user 2. / assi…"
        f"{ADVICE}"
    )


def test_a_template_that_ends_answers_with_nothing(llama: Any) -> None:
    with pytest.raises(ModelError) as caught:
        Template(tokenizer_of(llama, CHATML.replace("<|im_end|>", "")))
    assert str(caught.value) == (
        f"this model's chat template ends an answer with no token of its own: the model would never end one{ADVICE}"
    )


def test_a_template_that_fails(llama: Any) -> None:
    with pytest.raises(ModelError) as caught:
        Template(tokenizer_of(llama, "{{ raise_exception('no chats') }}"))
    assert str(caught.value) == f"the model's chat template does not take these messages: no chats{ADVICE}"


def test_messages_that_a_template_does_not_take(llama: Any) -> None:
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system prompts') }}{% endif %}" + CHATML
    with pytest.raises(DataError) as caught:
        Template(tokenizer_of(llama, strict)).read([[Message("system", "Be\nbrief."), ASKED, ANSWERED]])
    assert str(caught.value) == (
        "the model's chat template does not take these messages: no system prompts\n"
        "  they are:   system Be brief. / user Open? / assistant Yes."
    )


@pytest.mark.parametrize(
    ("marked", "unmarked"),
    [
        ("{{ message['content'] }}<|im_end|>", "\n"),
        ("{{ message['content'] }}<|im_end|>\n", ""),
        ("{{ message['content'] }}", "<|im_end|>\n"),
    ],
)
def test_marks_of_a_template_are_believed(marked: str, unmarked: str, llama: Any) -> None:
    """They are there where beginnings are written otherwise; whether or not they hold the token that ends an answer."""
    template = MARKED.replace("UNMARKED", unmarked).replace("MARKED", marked)
    tokenizer = tokenizer_of(llama, template)
    messages = [ASKED, Message("assistant", "No <|im_end|> yet."), ASKED, ANSWERED]
    assert answers(tokenizer, messages) == ["No <|im_end|> yet.<|im_end|>", "Yes.<|im_end|>"]
    assert told(tokenizer, messages)[-1] == ("<|im_end|>", True)


def test_marks_around_nothing(llama: Any) -> None:
    template = MARKED.replace("UNMARKED", "{{ message['content'] }}<|im_end|>").replace("MARKED", "")
    with pytest.raises(ModelError) as caught:
        Template(tokenizer_of(llama, template))
    assert str(caught.value) == f"this model's chat template marks no answer, though it has marks{ADVICE}"


@pytest.fixture(scope="module")
def tokenizers(gpt2: Any, llama: Any) -> list[tuple[Any, str]]:
    """With the token that ends a turn."""
    given = tokenizer_of(gpt2, None)
    give_chatml(given)
    marked = MARKED.replace("UNMARKED", "\n").replace("MARKED", "{{ message['content'] }}<|im_end|>")
    return [
        (tokenizer_of(llama), "<|im_end|>"),
        (tokenizer_of(llama, marked), "<|im_end|>"),
        (given, "<|endoftext|>"),
    ]


WILD = st.lists(st.sampled_from(["<|im_end|>", "<s>", "assistant\n", "\n", "The library"]) | texts).map("".join)


@settings(max_examples=60, deadline=None)
@given(
    conversation=st.lists(
        st.tuples(st.sampled_from(["user", "assistant"]), WILD.filter(str.strip)), min_size=1, max_size=5
    ),
    system=st.none() | WILD.filter(str.strip),
)
def test_wild_conversations(
    conversation: list[tuple[str, str]], system: str | None, tokenizers: list[tuple[Any, str]]
) -> None:
    told = [] if system is None else [Message("system", system)]
    turns = [("user", "Open?"), *conversation, ("assistant", "Yes.")]
    messages = [*told, *(Message(role, content) for role, content in turns)]
    for tokenizer, end in tokenizers:
        expected = [message.content + end for message in messages if message.role == "assistant"]
        assert answers(tokenizer, messages) == expected
