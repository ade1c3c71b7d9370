"""What texts cost: the sum over windows is what transformers gives window by window."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.tasks.language_modelling import LanguageModelling
from hftoolkit.tasks.language_modelling.scoring import Cost, bits_per_byte, perplexity

TEXTS = ["The library is open.", "I do not like 图书馆! 😀", "The teacher is in the canteen. " * 9, "a"]
ROWS: list[dict[str, Any]] = [{"text": text} for text in TEXTS]


@pytest.fixture(params=["gpt2", "llama"])
def loaded(request: pytest.FixtureRequest) -> Loaded:
    return load_checkpoint(str(request.getfixturevalue(request.param)), task().auto_class)


def task(**options: Any) -> LanguageModelling:
    return LanguageModelling(options, None)


def bound(loaded: Loaded, **options: Any) -> LanguageModelling:
    found = task(**options)
    found.bind(loaded.tokenizer, loaded.model.config)
    return found


def predicted(task: LanguageModelling, loaded: Loaded, rows: Any = ROWS, **settings: Any) -> list[Cost]:
    return list(task.predict(task.engine(loaded.model, loaded.tokenizer, **settings), rows))


@torch.inference_mode()
def straightforward(loaded: Loaded, text: str, window: int) -> tuple[float, int]:
    """What a text costs, token by token: each with what stands before it in the first window that has it."""
    tokenizer = loaded.tokenizer
    begin = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    ids = [begin, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    nats = 0.0
    for place in range(1, len(ids)):
        start = 0
        while start + window <= place:
            start += window // 2
        logs = loaded.model(input_ids=torch.tensor([ids[start:place]])).logits[0, -1].float().log_softmax(-1)
        nats -= float(logs[ids[place]])
    return nats, len(ids) - 1


@pytest.mark.parametrize("window", [16, 33, 1024])
def test_costs_are_those_of_a_straightforward_computation(loaded: Loaded, window: int) -> None:
    for row, found in zip(ROWS, predicted(bound(loaded, window=window), loaded), strict=True):
        nats, tokens = straightforward(loaded, row["text"], min(window, 96))
        assert found.nats == pytest.approx(nats, rel=1e-4)
        assert (found.tokens, found.size) == (tokens, len(row["text"].encode()))


def test_costs_do_not_hang_on_the_batch(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = bound(loaded, window=24)
    alone = [predicted(wanted, loaded, [row])[0] for row in ROWS]
    for other in (predicted(wanted, loaded), predicted(wanted, loaded, ROWS[::-1], batch_tokens=50)[::-1]):
        assert [one.nats for one in other] == pytest.approx([one.nats for one in alone], rel=1e-5)
    monkeypatch.setattr("hftoolkit.tasks.language_modelling.scoring._SCORES", 1)
    assert [one.nats for one in predicted(wanted, loaded)] == pytest.approx([one.nats for one in alone], rel=1e-5)


def test_scores_that_are_capped_are_the_models_own(loaded: Loaded) -> None:
    torch.manual_seed(1)
    config = transformers.Gemma2Config(
        vocab_size=len(loaded.tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, final_logit_softcapping=0.5,
    )  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    wanted = bound(loaded)
    (found,) = wanted.predict(wanted.engine(model, loaded.tokenizer), ROWS[:1])
    ids = torch.tensor([wanted.reading.measured(ROWS[:1], 99)[0][0]["input_ids"]])
    with torch.inference_mode():
        expected = float(model(input_ids=ids, labels=ids).loss) * (ids.shape[1] - 1)
    assert found.nats == pytest.approx(expected, rel=1e-5)


def test_a_text_without_tokens_costs_nothing(loaded: Loaded) -> None:
    wanted = bound(loaded)
    (found,) = predicted(wanted, loaded, [{"text": ""}])
    assert found == Cost(0.0, 0, 0)
    assert wanted.record(found) == {"bits_per_byte": 0.0, "perplexity": 1.0, "tokens": 0}


def test_known_scores() -> None:
    sums = np.array([math.log(2) * 12, 6, 8])
    assert bits_per_byte(sums) == pytest.approx(1.5)
    assert perplexity(sums) == pytest.approx(4.0)
    assert perplexity(np.array([1e9, 1, 1])) < math.inf
