"""The engine that writes: transformers' own output, whatever stands beside it; samples, stops, streams and limits."""

import copy
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import tiny_llama

from hftoolkit.engines.causal import CausalEngine, Written
from hftoolkit.engines.prompts import Prompt, text_prompt
from hftoolkit.engines.sampling import Sampling
from hftoolkit.errors import UsageError
from hftoolkit.models.decoders import causal_class
from hftoolkit.models.loading import load_checkpoint

TEXTS = ["The library is open.", "Good", "图书", "x", "", "The teacher is in the canteen. " * 2, "?!"]
GREEDY = Sampling(max_new_tokens=24)
POSITIONS = 96


def engine_of(folder: Path, **settings: Any) -> CausalEngine:
    loaded = load_checkpoint(str(folder), causal_class)
    return CausalEngine(loaded.model, loaded.tokenizer, **settings)


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def engine(request: pytest.FixtureRequest) -> CausalEngine:
    return engine_of(request.getfixturevalue(request.param))


@pytest.fixture
def fresh(engine: CausalEngine) -> CausalEngine:
    """The same with settings of its own."""
    model = copy.deepcopy(engine.model)
    return CausalEngine(model, engine.tokenizer)


def prompts(engine: CausalEngine, texts: list[str] = TEXTS) -> list[Prompt]:
    return [text_prompt(engine.tokenizer, text) for text in texts]


def alone(engine: CausalEngine, sampling: Sampling, **settings: Any) -> list[list[Written]]:
    """Every text by itself."""
    return [next(engine.write([prompt], sampling, **settings)) for prompt in prompts(engine)]


def transformers_tokens(engine: CausalEngine, prompt: Prompt, **settings: Any) -> list[list[int]]:
    """What transformers writes behind a prompt."""
    ids = torch.tensor([list(prompt.tokens)])
    pad = engine.model.generation_config.eos_token_id
    found = engine.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        pad_token_id=pad if isinstance(pad, int) else pad[0],
        **settings,
    )
    ends = {pad} if isinstance(pad, int) else set(pad)
    rows = found[:, ids.shape[1] :].tolist()
    sizes = [next((place + 1 for place, token in enumerate(row) if token in ends), len(row)) for row in rows]
    return [row[:size] for row, size in zip(rows, sizes, strict=True)]  # without padding


def test_the_likeliest_text_is_that_of_transformers(engine: CausalEngine) -> None:
    for prompt, (written,) in zip(prompts(engine), engine.write(prompts(engine), GREEDY), strict=True):
        assert [written.tokens] == transformers_tokens(engine, prompt, max_new_tokens=24, do_sample=False)
        assert written.text == engine.tokenizer.decode(written.tokens, skip_special_tokens=True)


@pytest.mark.parametrize("rows", [1, 3, None])
def test_a_text_does_not_depend_on_its_neighbours(engine: CausalEngine, rows: int | None) -> None:
    expected = alone(engine, GREEDY)
    assert list(engine.write(prompts(engine), GREEDY, batch_rows=rows)) == expected
    backwards = list(engine.write(prompts(engine)[::-1], GREEDY, batch_rows=rows))
    assert backwards[::-1] == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"repetition_penalty": 1.5},
        {"no_repeat_ngram_size": 1},
        {"min_length": 20},
        {"max_length": 70},
        {"num_beams": 3},
        {"bad_words_ids": [[17], [40, 41]]},
        {"sequence_bias": [[[30], 4.0]]},
    ],
)
def test_further_settings_are_those_of_transformers_for_any_neighbours(
    engine: CausalEngine, settings: dict[str, Any]
) -> None:
    found = list(engine.write(prompts(engine), GREEDY, **settings))
    length = {} if "max_length" in settings else {"max_new_tokens": 24}
    for prompt, (written,) in zip(prompts(engine), found, strict=True):
        (expected,) = transformers_tokens(engine, prompt, do_sample=False, **length, **settings)
        assert written.tokens == expected


def test_what_a_checkpoint_says_of_repetition_holds_for_any_neighbours(fresh: CausalEngine) -> None:
    fresh.model.generation_config.repetition_penalty = 1.6
    assert list(fresh.write(prompts(fresh), GREEDY)) == alone(fresh, GREEDY)


def test_the_best_of_the_beams(engine: CausalEngine) -> None:
    prompt = text_prompt(engine.tokenizer, "The library")
    found = next(engine.write([prompt], GREEDY, number=3, num_beams=4))
    expected = transformers_tokens(
        engine, prompt, max_new_tokens=24, do_sample=False, num_beams=4, num_return_sequences=3
    )
    assert [written.tokens for written in found] == expected


def test_samples_belong_to_prompt_seed_and_number(engine: CausalEngine) -> None:
    sampling = Sampling(temperature=1.0, max_new_tokens=12)
    expected = alone(engine, sampling, number=3)
    assert list(engine.write(prompts(engine), sampling, number=3)) == expected
    assert len({tuple(written.tokens) for written in expected[0]}) == 3
    other = Sampling(temperature=1.0, max_new_tokens=12, seed=2)
    assert alone(engine, other) != [found[:1] for found in expected]


def test_sampling_takes_the_checkpoints_further_settings(fresh: CausalEngine) -> None:
    prompt = prompts(fresh)[:1]
    sampling = Sampling(temperature=3.0, max_new_tokens=12)
    fresh.model.generation_config.update(do_sample=True, min_p=1.0, temperature=0.1, top_k=3)
    assert [*fresh.write(prompt, sampling)] == [*fresh.write(prompt, GREEDY_12)]


GREEDY_12 = Sampling(max_new_tokens=12)


def test_texts_are_read_as_they_are_written(engine: CausalEngine) -> None:
    assert next(engine.write(repeat(prompts(engine)[0]), Sampling(max_new_tokens=1)))


def test_a_text_ends_with_the_models_positions(engine: CausalEngine) -> None:
    """GPT-2 has no number for a position behind its last; a row that has come there waits for no other."""
    tokenizer = engine.tokenizer
    sizes = [POSITIONS - 1, POSITIONS - 3, POSITIONS - 3, 5]
    long = [Prompt(tokenizer("x ?!" * 60, add_special_tokens=False)["input_ids"][:size]) for size in sizes]
    fresh = CausalEngine(engine.model, tokenizer)
    found = [written for (written,) in fresh.write(long, Sampling(max_new_tokens=30))]
    assert [len(written.tokens) for written in found] == [1, 3, 3, 30]
    assert [written.ended for written in found] == ["limit"] * 4
    assert fresh.notes == ("3 texts end unfinished: the model has 96 tokens for prompt and text together",)
    fresh = CausalEngine(engine.model, tokenizer)
    fresh.stream(long[0], GREEDY, lambda _: None)
    assert fresh.notes == ("1 text ends unfinished: the model has 96 tokens for prompt and text together",)


def test_a_prompt_without_room_behind_it_is_refused(engine: CausalEngine) -> None:
    tokens = engine.tokenizer("x" * 200, add_special_tokens=False)["input_ids"]
    message = (
        f"^the prompt '{'x' * 37}...' has 96 tokens; the model has 96 for prompt and text together\n"
        "  give a shorter one$"
    )
    with pytest.raises(UsageError, match=message):
        list(engine.write([Prompt(tokens[:96])], GREEDY))
    with pytest.raises(UsageError, match=message):
        engine.stream(Prompt(tokens[:96]), GREEDY, print)
    with pytest.raises(UsageError) as caught:
        list(engine.write([Prompt(tokens[:6])], GREEDY, max_length=6))
    assert str(caught.value) == (
        "max_length: the prompt 'xxxxxx' has 6 tokens, and max_length counts them\n"
        "  raise it, or give max_new_tokens in its place"
    )


def test_what_contradicts_itself_is_refused(engine: CausalEngine) -> None:
    with pytest.raises(UsageError) as caught:
        engine.write([], Sampling(temperature=1.0), num_beams=2)
    assert str(caught.value) == "num_beams: beams find the likeliest text\n  leave them out, or do not sample"
    with pytest.raises(UsageError) as caught:
        engine.write([], GREEDY, number=2)
    assert str(caught.value) == (
        "num_return_sequences: the likeliest text is one, 2 were asked for\n"
        "  sample, or look for the 2 likeliest:   num_beams=2"
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> CausalEngine:
    """A model that writes nothing but letters, and never ends by itself."""
    folder = tmp_path_factory.mktemp("plain")
    tiny_llama(folder)
    engine = engine_of(folder)
    vocabulary = engine.tokenizer.get_vocab()
    engine.model.generation_config.suppress_tokens = [
        number for token, number in vocabulary.items() if not (token.isascii() and token.isalpha())
    ]
    engine.model.generation_config.eos_token_id = None
    return engine


def stops_of(plain: CausalEngine) -> Iterator[tuple[str, str, str]]:
    """Prompts, what is written behind each, and a part of it that stands there first in its middle."""
    for text in ("The library is open.", "Good", "x", "Where"):
        ((written,),) = plain.write([text_prompt(plain.tokenizer, text)], GREEDY)
        stop = next(
            written.text[place : place + 3]
            for place in range(5, 20)
            if written.text.find(written.text[place : place + 3]) == place
        )
        yield text, written.text, stop


def test_a_text_ends_before_a_stop(plain: CausalEngine) -> None:
    for text, whole, stop in stops_of(plain):
        sampling = Sampling(max_new_tokens=24, stop=("never", stop))
        pieces: list[str] = []
        prompt = text_prompt(plain.tokenizer, text)
        streamed = plain.stream(prompt, sampling, pieces.append)
        assert streamed.text == whole[: whole.index(stop)] == "".join(pieces)
        assert streamed.ended == "stop"
        assert stop in plain.tokenizer.decode(streamed.tokens)
        assert stop not in plain.tokenizer.decode(streamed.tokens[:-1])
        ((beside, *_), *_) = plain.write([prompt, *prompts(plain)], sampling)
        assert beside == streamed


def test_a_stop_ends_the_writing(plain: CausalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []
    generate = plain.model.generate

    def counting(**settings: Any) -> Any:
        output = generate(**settings)
        widths.append(output.shape[1] - settings["input_ids"].shape[1])
        return output

    monkeypatch.setattr(plain.model, "generate", counting)
    for text, _, stop in stops_of(plain):
        prompt = text_prompt(plain.tokenizer, text)
        ((written,),) = plain.write([prompt], Sampling(max_new_tokens=24, stop=(stop,)))
        assert widths[-1] == len(written.tokens) < 24


def test_the_end_of_a_prompt_is_no_part_of_a_stop(plain: CausalEngine) -> None:
    prompt = text_prompt(plain.tokenizer, "Good")
    ((whole,),) = plain.write([prompt], GREEDY)
    ((written,),) = plain.write([prompt], Sampling(max_new_tokens=24, stop=(f"d{whole.text[0]}",)))
    assert len(written.tokens) > 1


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(temperature=1.0, max_new_tokens=24)])
def test_a_stream_is_the_same_text_in_whole_characters(engine: CausalEngine, sampling: Sampling) -> None:
    for prompt in prompts(engine):
        pieces: list[str] = []
        streamed = engine.stream(prompt, sampling, pieces.append)
        ((written,),) = engine.write([prompt], sampling)
        assert streamed == written
        assert "".join(pieces) == written.text
        assert all(pieces)


def test_the_token_that_ends_a_text_is_not_shown(fresh: CausalEngine) -> None:
    prompt = prompts(fresh)[0]
    ((written,),) = fresh.write([prompt], GREEDY)
    place = next(place for place in range(4, 24) if written.tokens.index(written.tokens[place]) == place)
    fresh.model.generation_config.eos_token_id = [written.tokens[place]]
    pieces: list[str] = []
    streamed = fresh.stream(prompt, GREEDY, pieces.append)
    assert streamed == Written("".join(pieces), written.tokens[: place + 1], "end")
    assert streamed.text == fresh.tokenizer.decode(written.tokens[:place], skip_special_tokens=True)


def test_the_signature_names_engine_and_format(engine: CausalEngine) -> None:
    assert engine.signature == "torch|float32"
    assert engine.notes == ()
