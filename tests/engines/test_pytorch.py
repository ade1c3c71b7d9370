"""The torch engine: transformers' own output, whatever the order, the batch and the window."""

import copy
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from conftest import PAIRS
from torch import Tensor

from hftoolkit.engines import pytorch
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.pytorch import TorchEngine
from hftoolkit.errors import UsageError
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.tasks.translation import Translation
from hftoolkit.translating import DEFAULT

KNOWN = [source for source, _ in PAIRS]
UNKNOWN = [
    "I am the library.",
    "Is the teacher open?",
    "Good",
    "canteen canteen canteen",
    "?",
    "Thank the teacher! " * 3,
]
POSITIONS = 64


@pytest.fixture(scope="module")
def loaded(marian: Path) -> Loaded:
    return load_checkpoint(str(marian), Translation(Translation.Options(), DEFAULT).auto_class)


@pytest.fixture(scope="module")
def unsure(marian: Path) -> Loaded:
    """The same with noise in its weights: it babbles, and its beams change places all the time."""
    loaded = load_checkpoint(str(marian), Translation(Translation.Options(), DEFAULT).auto_class)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in loaded.model.named_parameters():
            if "layers" in name:
                weight.add_(torch.randn(weight.shape, generator=generator) * 0.2)
    return loaded


class Recorder:
    """A tokenizer that keeps the numbers of every batch it is asked to turn into text."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.batches: list[list[list[int]]] = []

    def __call__(self, texts: list[str]) -> Any:
        return self.tokenizer(texts)

    def batch_decode(self, output: Tensor, **settings: Any) -> Any:
        self.batches.append([row_without_padding(row, self.tokenizer.pad_token_id) for row in output])
        return self.tokenizer.batch_decode(output, **settings)


class Echo:
    """A model whose output is its input."""

    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, model: Any, positions: int = POSITIONS) -> None:
        self.generation_config = model.generation_config
        self.config = SimpleNamespace(
            max_position_embeddings=positions, pad_token_id=model.config.pad_token_id, eos_token_id=0
        )
        self.masks: list[Tensor] = []

    def eval(self) -> "Echo":
        return self

    def generate(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> Tensor:
        self.masks.append(attention_mask)
        return input_ids


def row_without_padding(row: Tensor, pad: int) -> list[int]:
    """Numbers of an output row: what pads it at its end taken away, the start token, which is padding too, kept."""
    ids: list[int] = row.tolist()
    while ids[-1] == pad:
        ids.pop()
    return ids


def outputs(loaded: Loaded, sources: Sequence[str], decoding: Decoding, **settings: Any) -> list[list[int]]:
    """Output tokens of every source, generated in one batch."""
    recorder = Recorder(loaded.tokenizer)
    engine = TorchEngine(loaded.model, recorder, batch_tokens=10_000)
    list(engine.generate(sources, decoding, **settings))
    (batch,) = recorder.batches
    lengths = [len(ids) for ids in loaded.tokenizer(list(sources))["input_ids"]]
    order = sorted(range(len(sources)), key=lambda place: -lengths[place])
    return [batch[order.index(place)] for place in range(len(sources))]


def reference(loaded: Loaded, source: str, beams: int, longest: int) -> list[int]:
    """What transformers itself generates for one source alone."""
    config = copy.deepcopy(loaded.model.generation_config)
    config.update(num_beams=beams, do_sample=False, max_length=longest)
    with torch.inference_mode():
        output = loaded.model.generate(**loaded.tokenizer([source], return_tensors="pt"), generation_config=config)
    return row_without_padding(output[0], loaded.tokenizer.pad_token_id)


def echoes(loaded: Loaded, **settings: Any) -> tuple[TorchEngine, Recorder, Echo]:
    recorder, model = Recorder(loaded.tokenizer), Echo(loaded.model)
    return TorchEngine(model, recorder, **settings), recorder, model


# The same as transformers


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("model", ["loaded", "unsure"])
def test_alone_every_token_is_the_one_of_generate(model: str, beams: int, request: pytest.FixtureRequest) -> None:
    checkpoint: Loaded = request.getfixturevalue(model)
    decoding = Decoding(beams, longest=POSITIONS)  # every row may use all positions, as in the reference
    for source in KNOWN + UNKNOWN:
        assert outputs(checkpoint, [source], decoding) == [reference(checkpoint, source, beams, POSITIONS)], source


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("model", ["loaded", "unsure"])
def test_in_a_batch_every_token_is_the_one_of_generate_alone(
    model: str, beams: int, request: pytest.FixtureRequest
) -> None:
    checkpoint: Loaded = request.getfixturevalue(model)
    sources = KNOWN + UNKNOWN
    expected = [reference(checkpoint, source, beams, POSITIONS) for source in sources]
    assert len({len(row) for row in expected}) > 3
    assert outputs(checkpoint, sources, Decoding(beams, longest=POSITIONS)) == expected


def test_a_trained_model_translates_what_it_knows(marian: Path) -> None:
    loaded = load_checkpoint(str(marian), Translation(Translation.Options(), DEFAULT).auto_class)
    engine = TorchEngine(loaded.model, loaded.tokenizer)
    assert list(engine.generate(KNOWN, Decoding())) == [target for _, target in PAIRS]


def test_beams_are_as_many_as_asked_for(loaded: Loaded) -> None:
    # What the checkpoint would do by itself, four beams, changes nothing.
    assert loaded.model.generation_config.num_beams == 4
    sources = UNKNOWN
    one, four = (outputs(loaded, sources, Decoding(beams)) for beams in (1, 4))
    assert one != four
    assert loaded.model.generation_config.num_beams == 4


@pytest.mark.parametrize("beams", [1, 3])
def test_every_row_ends_at_its_own_limit(loaded: Loaded, beams: int) -> None:
    sources = ["?", "Good morning!", "The teacher is in the library. " * 3]
    decoding = Decoding(beams, longest=1.0)
    endless = {"sequence_bias": [[[loaded.model.config.eos_token_id], -1e9]]}
    lengths = [len(ids) for ids in loaded.tokenizer(sources)["input_ids"]]
    together = outputs(loaded, sources, decoding, **endless)
    assert [len(row) for row in together] == [decoding.limit(length, POSITIONS) for length in lengths]
    assert len(set(map(len, together))) == 3
    assert together == [row for source in sources for row in outputs(loaded, [source], decoding, **endless)]


def test_the_longest_output_fits_the_positions(loaded: Loaded) -> None:
    endless = {"sequence_bias": [[[loaded.model.config.eos_token_id], -1e9]]}
    (row,) = outputs(loaded, ["The library is open."], Decoding(1, longest=1000.0), **endless)
    assert len(row) == POSITIONS
    assert row[-1] == loaded.model.config.eos_token_id


@pytest.mark.parametrize(("name", "value", "length"), [("max_length", 4, 4), ("max_new_tokens", 4, 5)])
def test_a_user_may_shorten_the_output(
    loaded: Loaded, name: str, value: int, length: int, transformers_log: list[str]
) -> None:
    assert [len(row) for row in outputs(loaded, KNOWN[2:5], Decoding(), **{name: value})] == [length] * 3
    assert transformers_log == []


def test_further_settings_reach_transformers(loaded: Loaded) -> None:
    start, first, *_ = outputs(loaded, ["Good night!"], Decoding())[0]
    (without,) = outputs(loaded, ["Good night!"], Decoding(), suppress_tokens=[first])
    assert start == loaded.model.config.decoder_start_token_id
    assert first not in without


def test_the_model_is_in_evaluation_mode(loaded: Loaded) -> None:
    loaded.model.train()
    engine = TorchEngine(loaded.model, loaded.tokenizer)
    list(engine.generate(["Good night!"], Decoding(1)))
    assert not loaded.model.training


# Order, batches, windows


@pytest.mark.parametrize("batch_tokens", [1, 16, 40, 10_000])
def test_the_order_is_kept(loaded: Loaded, batch_tokens: int) -> None:
    engine, _, _ = echoes(loaded, batch_tokens=batch_tokens)
    assert list(engine.generate(KNOWN, Decoding())) == KNOWN


def test_batches_hold_a_budget_of_tokens_padding_included(loaded: Loaded) -> None:
    engine, recorder, _ = echoes(loaded, batch_tokens=40)
    assert list(engine.generate(UNKNOWN + KNOWN, Decoding())) == [source.strip() for source in UNKNOWN + KNOWN]
    sizes = [(len(batch), max(map(len, batch))) for batch in recorder.batches]
    assert sum(rows for rows, _ in sizes) == len(UNKNOWN + KNOWN)
    assert all(rows * width <= 40 or rows == 1 for rows, width in sizes)
    assert [width for _, width in sizes] == sorted((width for _, width in sizes), reverse=True)
    assert any(rows > 1 for rows, _ in sizes)


def test_a_source_larger_than_the_budget_goes_alone(loaded: Loaded) -> None:
    engine, recorder, _ = echoes(loaded, batch_tokens=1)
    assert list(engine.generate(KNOWN[:3], Decoding())) == KNOWN[:3]
    assert [len(batch) for batch in recorder.batches] == [1, 1, 1]


def test_rows_at_once_can_be_limited(loaded: Loaded) -> None:
    engine, recorder, _ = echoes(loaded, batch_tokens=10_000)
    assert list(engine.generate(KNOWN[:7], Decoding(), batch_rows=3)) == KNOWN[:7]
    assert [len(batch) for batch in recorder.batches] == [3, 3, 1]


def test_padding_is_masked(loaded: Loaded) -> None:
    engine, _, model = echoes(loaded, batch_tokens=10_000)
    list(engine.generate(KNOWN[:4], Decoding()))
    lengths = sorted((len(ids) for ids in loaded.tokenizer(KNOWN[:4])["input_ids"]), reverse=True)
    assert model.masks[0].sum(dim=1).tolist() == lengths
    assert all(row[0] == 1 for row in model.masks[0].tolist())


def test_a_stream_is_read_window_by_window(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytorch, "WINDOW", 4)
    engine, _, _ = echoes(loaded)
    read: list[str] = []

    def stream() -> Iterator[str]:
        for source in KNOWN[:10]:
            read.append(source)
            yield source

    answers = engine.generate(stream(), Decoding())
    assert read == []
    seen = []
    for place, answer in enumerate(answers):
        assert len(read) == min(4 * (place // 4 + 1), 10)
        seen.append(answer)
    assert seen == KNOWN[:10]


def test_no_source_gives_no_output(loaded: Loaded) -> None:
    engine, recorder, _ = echoes(loaded)
    assert list(engine.generate([], Decoding())) == []
    assert recorder.batches == []


def test_one_source(loaded: Loaded) -> None:
    assert list(TorchEngine(loaded.model, loaded.tokenizer).generate(iter(KNOWN[:1]), Decoding())) == [PAIRS[0][1]]


# Longer than the model


def test_a_source_longer_than_the_model_is_cut_its_end_token_kept_and_counted(loaded: Loaded) -> None:
    engine, recorder, _ = echoes(loaded)
    long = "Where is the library? " * 20
    full = loaded.tokenizer([long])["input_ids"][0]
    assert len(full) > POSITIONS
    list(engine.generate([long, KNOWN[0], long], Decoding()))
    rows = [row for batch in recorder.batches for row in batch]
    assert rows.count([*full[: POSITIONS - 1], full[-1]]) == 2
    assert full[-1] == loaded.model.config.eos_token_id
    assert engine.truncated == 2


def test_a_source_as_long_as_the_model_is_not_cut(loaded: Loaded) -> None:
    length = len(loaded.tokenizer(["Where is the library?"])["input_ids"][0])
    recorder = Recorder(loaded.tokenizer)
    engine = TorchEngine(Echo(loaded.model, positions=length), recorder)
    assert list(engine.generate(["Where is the library?"], Decoding())) == ["Where is the library?"]
    assert (engine.truncated, engine.notes) == (0, ())


def test_a_real_model_reads_what_was_cut(loaded: Loaded) -> None:
    engine = TorchEngine(loaded.model, loaded.tokenizer)
    assert len(list(engine.generate(["Where is the library? " * 20], Decoding()))) == 1
    assert engine.notes == ("1 source is longer than the model's 64 tokens and was cut",)


def test_how_many_were_cut_is_put_into_words(loaded: Loaded) -> None:
    engine, _, _ = echoes(loaded)
    list(engine.generate(["the library " * 40] * 3, Decoding()))
    assert engine.notes == ("3 sources are longer than the model's 64 tokens and were cut",)
    assert engine.cut_note(1234) == "1,234 sources are longer than the model's 64 tokens and were cut"


# Several texts with scores


def test_a_score_is_the_mean_log_probability_of_the_tokens(unsure: Loaded) -> None:
    engine = TorchEngine(unsure.model, unsure.tokenizer, batch_tokens=60)
    sources = KNOWN[:4] + UNKNOWN
    for decoding in (Decoding(1), Decoding(4, length_penalty=0.5), Decoding(2, no_repeat_ngram=2)):
        found = list(engine.hypotheses(sources, decoding))
        assert [row[0].text for row in found] == list(engine.generate(sources, decoding))
        eos, start = unsure.model.config.eos_token_id, unsure.model.config.decoder_start_token_id
        for source, output, (best,) in zip(sources, engine.outputs(sources, decoding), found, strict=True):
            ids = unsure.tokenizer(source)["input_ids"]
            assert best.score == pytest.approx(-cost(unsure, ids, [start, *output, eos]), abs=1e-5)


def test_the_best_texts_come_first_and_are_as_many_as_asked_for(unsure: Loaded) -> None:
    engine = TorchEngine(unsure.model, unsure.tokenizer)
    best = engine.generate(KNOWN, Decoding(4))
    for row, text in zip(engine.hypotheses(KNOWN, Decoding(4), n_best=3), best, strict=True):
        assert len(row) == 3
        assert row[0].text == text  # the search's best: by its length penalty, not by our mean


def test_more_texts_than_beams_are_refused_at_once(loaded: Loaded) -> None:
    with pytest.raises(UsageError, match="n_best: expected a whole number from 1 to the number of beams, 2, got 3"):
        TorchEngine(loaded.model, loaded.tokenizer).hypotheses([], Decoding(2), n_best=3)


def test_outputs_are_the_numbers_without_start_and_end(loaded: Loaded) -> None:
    engine = TorchEngine(loaded.model, loaded.tokenizer, batch_tokens=40)
    for (_, target), output in zip(PAIRS, engine.outputs(KNOWN, Decoding()), strict=True):
        assert loaded.tokenizer.decode(output) == target
        assert [*output, 0] == loaded.tokenizer(text_target=target)["input_ids"]


def test_what_may_follow_on_an_output(loaded: Loaded) -> None:
    engine = TorchEngine(loaded.model, loaded.tokenizer)
    (output,) = engine.outputs(KNOWN[:1], Decoding(1))
    likely = engine.next_token(KNOWN[0], output[:2])
    assert int(likely.argmax()) == output[2]
    assert float(likely.exp().sum()) == pytest.approx(1.0, abs=1e-5)


def test_loops_can_be_forbidden(unsure: Loaded) -> None:
    plain = outputs(unsure, UNKNOWN, Decoding(1))
    assert any(repeats(row) for row in plain)
    for decoding in (Decoding(1, no_repeat_ngram=1), Decoding(1, repetition_penalty=50.0)):
        assert not any(repeats(row) for row in outputs(unsure, UNKNOWN, decoding))


def repeats(row: list[int]) -> bool:
    return len(set(row)) < len(row)


def test_the_length_of_a_source_counts_its_end_token(loaded: Loaded) -> None:
    assert TorchEngine(loaded.model, loaded.tokenizer).tokens("") == 1


def test_the_signature_names_the_number_format(loaded: Loaded) -> None:
    assert TorchEngine(loaded.model, loaded.tokenizer).signature == "torch|float32"


@pytest.fixture
def transformers_log() -> Iterator[list[str]]:
    """What transformers logs."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    yield seen
    logger.removeHandler(handler)


# Real sentences


@pytest.mark.slow
@pytest.mark.parametrize("beams", [1, 4])
def test_real_sentences_equal_generate(shared: Path, beams: int) -> None:
    lines = (shared / "data/translation/flores200/eng_Latn.devtest").read_text(encoding="utf-8").splitlines()[:500]
    model = str(shared / "models/marian-tiny-en-pt")
    loaded = load_checkpoint(model, Translation(Translation.Options(), DEFAULT).auto_class)
    ids = loaded.tokenizer(lines)["input_ids"]
    limits = [Decoding().limit(len(row), 512) for row in ids]  # a few make this small model run on
    expected = [reference(loaded, line, beams, limit) for line, limit in zip(lines, limits, strict=True)]
    alone = [row for line in lines for row in outputs(loaded, [line], Decoding(beams))]
    assert alone == expected

    recorder = Recorder(loaded.tokenizer)
    list(TorchEngine(loaded.model, recorder).generate(lines, Decoding(beams)))
    written = [row for batch in recorder.batches for row in batch]
    order = sorted(range(len(lines)), key=lambda place: -len(ids[place]))
    together = dict(zip(order, written, strict=True))
    different = [place for place in range(len(lines)) if together[place] != expected[place]]
    assert len(different) <= 0.005 * len(lines)
    for place in different:  # a tie that fell the other way
        gap = cost(loaded, ids[place], expected[place]) - cost(loaded, ids[place], together[place])
        assert abs(gap) < 1e-4, lines[place]


def cost(loaded: Loaded, source: list[int], output: list[int]) -> float:
    """Nats per token that an output costs the model, which cannot write padding."""
    with torch.inference_mode():
        logits = loaded.model(
            input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([output[:-1]])
        ).logits  # [1, T, V]
        logits[..., loaded.model.config.pad_token_id] = -torch.inf
    return float(torch.nn.functional.cross_entropy(logits[0], torch.tensor(output[1:])))
