"""The fast engine: PyTorch's own greedy tokens and scores, whatever the order, the batch and the window."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import PAIRS
from engines.conftest import KNOWN, UNKNOWN, fast_engine, load

from hftoolkit.engines import ctranslate2
from hftoolkit.engines.converting import convert
from hftoolkit.engines.ctranslate2 import CTranslate2Engine
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.places import Place
from hftoolkit.engines.pytorch import TorchEngine
from hftoolkit.errors import UsageError
from hftoolkit.models.marian_tokenizer import MarianTokenizer

POSITIONS = 64
Pair = tuple[TorchEngine, CTranslate2Engine]


@pytest.fixture(scope="module")
def unsure(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both engines on the tiny translator with noise in its weights: it babbles, often up to its limit."""
    loaded = load(marian)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in loaded.model.named_parameters():
            if "layers" in name:
                weight.add_(torch.randn(weight.shape, generator=generator) * 0.2)
    return TorchEngine(loaded.model, loaded.tokenizer), fast_engine(loaded, tmp_path_factory.mktemp("unsure"))


@pytest.fixture(scope="module")
def apart(two: Path, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both engines on two vocabularies."""
    loaded = load(two)
    return TorchEngine(loaded.model, loaded.tokenizer), fast_engine(loaded, tmp_path_factory.mktemp("apart"))


@pytest.fixture
def small(fast: CTranslate2Engine, monkeypatch: pytest.MonkeyPatch) -> CTranslate2Engine:
    """With small windows and batches, so that a few rows make several."""
    monkeypatch.setattr(ctranslate2, "WINDOW", 4)
    monkeypatch.setattr(fast, "batch_tokens", 16)
    return fast


# The same as PyTorch


@pytest.mark.parametrize("model", ["unsure", "apart"])
def test_every_greedy_token_is_the_one_of_pytorch(model: str, request: pytest.FixtureRequest) -> None:
    reference, fast = request.getfixturevalue(model)
    sources = KNOWN + UNKNOWN
    expected = list(reference.outputs(sources, Decoding(1)))
    assert len({len(row) for row in expected}) >= 3
    assert list(fast.outputs(sources, Decoding(1))) == expected
    assert list(fast.generate(sources, Decoding(1))) == list(reference.generate(sources, Decoding(1)))


@pytest.mark.parametrize("beams", [1, 4])
def test_a_trained_model_translates_what_it_knows(fast: CTranslate2Engine, beams: int) -> None:
    assert list(fast.generate(KNOWN, Decoding(beams))) == [target for _, target in PAIRS]


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("longest", [0.1, 0.5, 3.0])
def test_every_row_ends_at_its_own_limit(unsure: Pair, beams: int, longest: float) -> None:
    reference, fast = unsure
    sources = ["?", "Good", "Good morning!", *UNKNOWN, "The teacher is in the library. " * 3]
    decoding = Decoding(beams, longest=longest)
    together = list(fast.outputs(sources, decoding))
    assert beams > 1 or together == list(reference.outputs(sources, decoding))
    assert together == [output for source in sources for output in fast.outputs([source], decoding)]
    limits = [decoding.limit(fast.tokens(source), POSITIONS) - 2 for source in sources]
    assert any(len(output) == limit < max(limits) for output, limit in zip(together, limits, strict=True))


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(1),
        Decoding(4),
        Decoding(4, length_penalty=0.3),
        Decoding(1, length_penalty=2.0),
        Decoding(1, no_repeat_ngram=2),
        Decoding(2, longest=0.1),
        Decoding(2, repetition_penalty=1.5),
    ],
    ids=str,
)
def test_a_text_has_the_same_score_in_both(unsure: Pair, decoding: Decoding) -> None:
    reference, fast = unsure
    sources = KNOWN[:5] + UNKNOWN
    rows = list(fast.hypotheses(sources, decoding, n_best=decoding.beams))
    assert [row[0].text for row in rows] == list(fast.generate(sources, decoding))
    expected = list(reference.hypotheses(sources, decoding, n_best=decoding.beams))
    same = 0
    for row, others in zip(rows, expected, strict=True):
        scores = {one.text: one.score for one in others}
        for one in row:
            if one.text in scores:
                same += 1
                assert one.score == pytest.approx(scores[one.text], abs=1e-3)
    assert same > len(sources) / 2


@pytest.mark.parametrize(
    "settings",
    [
        {"max_length": 4},
        {"max_new_tokens": 4},
        {"max_new_tokens": 4, "max_length": 9},
        {"max_length": 9, "max_new_tokens": 4},
        {"min_length": 12},
        {"min_new_tokens": 12},
        {"no_repeat_ngram_size": 2},
        {"num_beams": 1, "length_penalty": 2.0, "do_sample": False},
    ],
    ids=str,
)
def test_a_setting_of_transformers_means_the_same(unsure: Pair, settings: dict[str, Any]) -> None:
    reference, fast = unsure
    expected = list(reference.generate(UNKNOWN, Decoding(1), **settings))
    assert list(fast.generate(UNKNOWN, Decoding(1), **settings)) == expected


@pytest.mark.parametrize(("name", "value"), [("do_sample", True), ("top_k", 5), ("repetition_penalty", 1.2)])
def test_what_it_cannot_do_exactly_is_refused_at_once(fast: CTranslate2Engine, name: str, value: object) -> None:
    with pytest.raises(UsageError) as caught:
        fast.generate([], Decoding(), **{name: value})
    assert str(caught.value) == (
        f"{name}: the ctranslate2 engine cannot do this exactly as transformers does\n"
        '  use the other engine:   engine="torch"'
    )


# Several texts


def test_the_best_texts_come_first_and_are_as_many_as_asked_for(unsure: Pair) -> None:
    _, fast = unsure
    for row in fast.hypotheses(KNOWN, Decoding(4), n_best=3):
        assert len(row) == 3
        scores = [one.score for one in row]
        assert scores == sorted(scores, reverse=True)


def test_more_texts_than_beams_are_refused_at_once(fast: CTranslate2Engine) -> None:
    with pytest.raises(UsageError, match="n_best: expected a whole number from 1 to the number of beams, 2, got 3"):
        fast.hypotheses([], Decoding(2), n_best=3)


# Order, batches, windows


def test_nothing_is_made_of_nothing(unsure: Pair) -> None:
    # Where PyTorch makes something up, CTranslate2 does not ask the model.
    _, fast = unsure
    assert list(fast.generate(["", "Good", ""], Decoding()))[::2] == ["", ""]
    assert [row[0].text for row in fast.hypotheses([""], Decoding(), n_best=2)] == [""]


def test_the_order_is_kept(small: CTranslate2Engine) -> None:
    assert list(small.generate(KNOWN, Decoding(1))) == [target for _, target in PAIRS]


@pytest.mark.parametrize("threads", [1, 3])
def test_workers_change_nothing(
    marian: Path, fast: CTranslate2Engine, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    engine = CTranslate2Engine(fast._folder, fast.tokenizer, positions=POSITIONS, compute_type="float32")
    assert list(engine.generate(KNOWN[:1], Decoding())) == [PAIRS[0][1]]
    assert engine._workers == 1
    assert list(engine.generate(KNOWN, Decoding())) == [target for _, target in PAIRS]
    assert engine._workers == threads
    assert list(engine.generate(KNOWN[:1], Decoding())) == [PAIRS[0][1]]


def test_rows_at_once_can_be_limited(fast: CTranslate2Engine) -> None:
    batches = list(fast._batches(KNOWN[:1] * 7, 3))
    assert [len(batch.ids) for batch in batches] == [3, 3, 1]
    assert {id(batch.window) for batch in batches} == {id(batches[0].window)}
    assert list(fast.generate(KNOWN, Decoding(), batch_rows=3)) == [target for _, target in PAIRS]


def test_a_step_computes_no_more_than_so_many_probabilities(
    fast: CTranslate2Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large vocabulary fewer rows go together than their tokens would allow."""
    rows: list[int] = []
    start = fast._start
    monkeypatch.setattr(fast, "_start", lambda batch, search: rows.append(len(batch.ids)) or start(batch, search))
    monkeypatch.setattr(ctranslate2, "PROBABILITIES", 2 * 3 * len(fast.tokenizer.vocabulary))
    assert list(fast.generate(KNOWN[:1] * 7, Decoding(beams=3))) == [PAIRS[0][1]] * 7
    assert rows == [2, 2, 2, 1]


def test_a_stream_is_read_no_more_than_two_windows_ahead(small: CTranslate2Engine) -> None:
    read: list[str] = []

    def stream() -> Iterator[str]:
        for source in KNOWN:
            read.append(source)
            yield source

    answers = small.generate(stream(), Decoding(1))
    assert read == []
    for place, _ in enumerate(answers):
        assert len(read) <= min(4 * (place // 4 + 2), len(KNOWN))


def test_a_stream_can_be_left(small: CTranslate2Engine) -> None:
    answers = small.generate(KNOWN, Decoding(1))
    assert next(answers) == PAIRS[0][1]
    assert isinstance(answers, Iterator)
    del answers
    assert list(small.generate(KNOWN[:1], Decoding(1))) == [PAIRS[0][1]]


def test_no_source_gives_no_output(fast: CTranslate2Engine) -> None:
    assert list(fast.generate([], Decoding())) == []
    assert list(fast.hypotheses([], Decoding())) == []


# Longer than the model


def test_a_source_longer_than_the_model_is_cut_its_end_token_kept_and_counted(
    torch_engine: TorchEngine, fast: CTranslate2Engine
) -> None:
    long = "Where is the library? " * 20
    assert fast.tokens(long) > POSITIONS
    cut = fast.truncated
    assert list(fast.generate([long, KNOWN[0], long], Decoding(1))) == list(
        torch_engine.generate([long, KNOWN[0], long], Decoding(1))
    )
    assert fast.truncated == cut + 2
    assert fast.notes == (fast.cut_note(fast.truncated),)
    assert fast.cut_note(2) == "2 sources are longer than the model's 64 tokens and were cut"


def test_a_source_that_spells_padding_is_read_as_something_unknown(fast: CTranslate2Engine) -> None:
    # CTranslate2 knows no padding; PyTorch reads its zero row.
    assert list(fast.generate(["<pad>"], Decoding(1))) == list(fast.generate(["<unk>"], Decoding(1)))


# Where and how


def test_the_signature_names_the_number_format(fast: CTranslate2Engine) -> None:
    assert fast.signature == "ctranslate2|float32"


def test_in_int8_it_still_knows_what_it_learned(marian: Path, tmp_path: Path) -> None:
    if convert(load(marian), MarianTokenizer(marian), KNOWN, tmp_path / "tried", "int8_float32", Place()).note:
        pytest.skip("this processor adds products of int8 in 16 bits: a model as narrow as the tiny one loses too much")
    engine = fast_engine(load(marian), tmp_path, "int8_float32")
    assert engine.signature == "ctranslate2|int8_float32"
    assert list(engine.generate(KNOWN, Decoding())) == [target for _, target in PAIRS]


def test_neither_torch_nor_transformers_is_imported() -> None:
    code = "import sys, hftoolkit.engines.ctranslate2\nprint(*{name.split('.')[0] for name in sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert "ctranslate2" in out.split()
    assert not {"torch", "transformers", "pydantic", "huggingface_hub"} & set(out.split())


# Real sentences


@pytest.mark.slow
def test_real_sentences_equal_pytorch(shared: Path, tmp_path: Path) -> None:
    lines = (shared / "data/translation/flores200/eng_Latn.devtest").read_text(encoding="utf-8").splitlines()[:500]
    loaded = load(shared / "models/marian-tiny-en-pt")
    reference = TorchEngine(loaded.model, loaded.tokenizer)
    fast = fast_engine(loaded, tmp_path)
    pairs = zip(lines, reference.outputs(lines, Decoding(1)), fast.outputs(lines, Decoding(1)), strict=True)
    different = [(line, expected, output) for line, expected, output in pairs if expected != output]
    assert len(different) <= 0.005 * len(lines)
    for line, expected, output in different:  # a tie that fell the other way
        place = next(n for n, (a, b) in enumerate(zip(expected, output, strict=False)) if a != b)
        likely = reference.next_token(line, expected[:place])
        assert float(likely[expected[place]] - likely[output[place]]) < 1e-3
