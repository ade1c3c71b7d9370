"""The engine that writes one text behind every prompt: transformers' own output, whatever stands beside it."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.prompted import Behind, PromptedEngine
from hftoolkit.errors import UsageError
from hftoolkit.models.decoders import causal_class
from hftoolkit.models.loading import load_checkpoint

PROMPTS = ["The library is open.", "Good", "图书", "x y", "The teacher is in the canteen."]


def engine_of(folder: Path, **settings: Any) -> PromptedEngine:
    loaded = load_checkpoint(str(folder), causal_class)
    return PromptedEngine(loaded.model, loaded.tokenizer, end=loaded.tokenizer.eos_token_id, **settings)


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def engine(request: pytest.FixtureRequest) -> PromptedEngine:
    return engine_of(request.getfixturevalue(request.param))


def ids_of(engine: PromptedEngine, prompt: str) -> list[int]:
    found: list[int] = engine.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    return found


@pytest.mark.parametrize("beams", [1, 3])
def test_it_writes_what_transformers_writes_for_each_alone(engine: PromptedEngine, beams: int) -> None:
    expected = []
    for prompt in PROMPTS:
        ids = torch.tensor([ids_of(engine, prompt)])
        output = engine.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            num_beams=beams,
            do_sample=False,
            max_length=ids.shape[1] + Decoding().limit(ids.shape[1], 48),
            eos_token_id=engine.tokenizer.eos_token_id,
            forced_eos_token_id=engine.tokenizer.eos_token_id,
            pad_token_id=engine.tokenizer.eos_token_id,
        )
        expected.append(engine.tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True).strip())
    assert list(engine.generate(PROMPTS, Decoding(beams))) == expected
    assert [found[0].text for found in engine.hypotheses(PROMPTS, Decoding(beams))] == expected
    assert list(engine.generate(PROMPTS, Decoding(beams), batch_rows=1)) == expected


def test_scores_are_mean_log_probabilities(engine: PromptedEngine) -> None:
    for prompt, (found,) in zip(PROMPTS, engine.hypotheses(PROMPTS, Decoding(1)), strict=True):
        ids = torch.tensor([ids_of(engine, prompt)])
        (((_, output),),) = list(engine._written([prompt], Decoding(1), {}, 1))
        with torch.inference_mode():
            scores = engine.model(torch.cat([ids, torch.tensor([output])], 1)).logits[0].log_softmax(-1)
        wanted = [scores[ids.shape[1] - 1 + place, token].item() for place, token in enumerate(output)]
        assert found.score == pytest.approx(sum(wanted) / len(wanted), abs=1e-4)


def test_several_texts_the_best_first(engine: PromptedEngine) -> None:
    written = list(engine._written(PROMPTS, Decoding(4), {}, 3))
    assert [len({tuple(output) for _, output in each}) for each in written] == [3] * len(PROMPTS)
    found = list(engine.hypotheses(PROMPTS, Decoding(4), n_best=3))
    assert [[one.text for one in each] for each in found] == [
        [engine.tokenizer.decode(output, skip_special_tokens=True).strip() for _, output in each] for each in written
    ]
    assert [each[0].text for each in found] == list(engine.generate(PROMPTS, Decoding(4)))
    with pytest.raises(UsageError, match="n_best"):
        engine.hypotheses(PROMPTS, Decoding(1), n_best=2)


def test_a_separator_is_never_written(engine: PromptedEngine) -> None:
    (((_, written),),) = list(engine._written(PROMPTS[:1], Decoding(1), {}, 1))
    barred = PromptedEngine(engine.model, engine.tokenizer, end=engine.tokenizer.eos_token_id, never=written[:1])
    (((_, other),),) = list(barred._written(PROMPTS[:1], Decoding(1), {}, 1))
    assert written[0] not in other
    (found,) = next(barred.hypotheses(PROMPTS[:1], Decoding(1)))
    assert math.isfinite(found.score)


def test_what_stands_in_the_prompt_may_be_written_again(engine: PromptedEngine) -> None:
    behind = Behind(3, transformers.NoRepeatNGramLogitsProcessor(1))
    scores = behind(torch.tensor([[5, 6, 7, 8, 9]]), torch.zeros(1, 10))[0]
    assert scores.isneginf().nonzero().flatten().tolist() == [8, 9]
    assert not behind(torch.tensor([[5, 6, 7]]), torch.zeros(1, 10)).any()
    for (_, written), *_ in engine._written(PROMPTS, Decoding(2, no_repeat_ngram=1), {}, 1):
        assert len(set(written)) == len(written)
    plain = list(engine._written(PROMPTS, Decoding(1), {}, 1))
    assert list(engine._written(PROMPTS, Decoding(1, repetition_penalty=1.5), {}, 1)) != plain


def test_lengths_count_as_in_translation(engine: PromptedEngine) -> None:
    for settings in ({"max_new_tokens": 3}, {"max_length": 4}):
        for found in engine._written(PROMPTS, Decoding(1), settings, 1):
            assert len(found[0][1]) <= 3
    for found in engine._written(PROMPTS, Decoding(1), {"min_length": 9, "max_length": 12}, 1):
        assert len(found[0][1]) >= 8


def test_a_prompt_that_is_too_long_keeps_what_stands_behind_its_source(llama: Path) -> None:
    engine = engine_of(llama, behind=4)
    prompt = "x" * 60 + "abcd"
    ((ids, _),) = next(engine._written([prompt], Decoding(1), {}, 1))
    assert engine.tokenizer.decode(ids) == "x" * 44 + "abcd"
    assert engine.truncated == 1
    assert engine.notes == ("1 source is longer than half of the model's 96 tokens and was cut",)
    assert engine.longest == 44


@pytest.mark.parametrize("setting", [{"repetition_penalty": 1.3}, {"no_repeat_ngram_size": 2}, {"max_new_tokens": 3}])
def test_settings_of_the_checkpoint_are_for_chats(engine: PromptedEngine, setting: dict[str, Any]) -> None:
    expected = list(engine.generate(PROMPTS, Decoding(1)))
    own = copy.deepcopy(engine.model.generation_config)
    engine.model.generation_config.update(**setting)
    try:
        assert list(engine.generate(PROMPTS, Decoding(1))) == expected
        assert getattr(engine.model.generation_config, next(iter(setting))) == next(iter(setting.values()))
    finally:
        engine.model.generation_config = own
