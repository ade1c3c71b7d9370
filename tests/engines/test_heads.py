"""Rows through a head: in order, whatever their batch neighbours, with what was cut counted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from hftoolkit.engines import heads
from hftoolkit.engines.heads import HeadEngine

TEXTS = ["good film", "a", "", "not very good, i hate it", "the story was awful and the food was bad", "great!"]


@pytest.fixture(scope="module")
def parts(bert: Path) -> tuple[Any, Any]:
    torch.manual_seed(2)
    model = transformers.AutoModelForTokenClassification.from_pretrained(str(bert), num_labels=3)
    return model.eval(), transformers.AutoTokenizer.from_pretrained(str(bert))


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[dict[str, list[int]]]]:
    """A feature for every comma-separated part: none for an empty text."""
    return [[dict(tokenizer(part)) for part in text.split(",") if part] for text in texts]


def kept(output: Any, lengths: list[int]) -> list[torch.Tensor]:
    return [row[:length].clone() for row, length in zip(output.logits, lengths, strict=True)]


def run(engine: HeadEngine, texts: Sequence[str]) -> list[tuple[str, int, list[torch.Tensor]]]:
    found = engine.run(texts, lambda rows: encode(engine.tokenizer, rows), kept)
    return [(text, len(features), outputs) for text, features, outputs in found]


@pytest.mark.parametrize("batch_tokens", [1, 24, 4096])
def test_every_row_gets_its_own_outputs(parts: tuple[Any, Any], batch_tokens: int) -> None:
    model, tokenizer = parts
    found = run(HeadEngine(model, tokenizer, batch_tokens=batch_tokens), TEXTS)
    assert [text for text, _, _ in found] == TEXTS
    assert [count for _, count, _ in found] == [1, 1, 0, 2, 1, 1]
    for text, _, outputs in found:
        for part, output in zip([part for part in text.split(",") if part], outputs, strict=True):
            with torch.inference_mode():
                alone = model(**tokenizer(part, return_tensors="pt")).logits[0]
            assert torch.allclose(output, alone, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(counts=st.lists(st.integers(0, 3), max_size=30), window=st.integers(1, 8), chunk=st.integers(1, 8))
def test_rows_keep_their_order_however_windows_fall(
    parts: tuple[Any, Any], counts: list[int], window: int, chunk: int
) -> None:
    engine = HeadEngine(*parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "WINDOW", window)
        patch.setattr(heads, "CHUNK", chunk)
        found = engine.run(
            list(enumerate(counts)),
            lambda rows: [[{"input_ids": [5 + row % 40] * (1 + copy)} for copy in range(n)] for row, n in rows],
            lambda _, lengths: lengths,
        )
        assert [(row, lengths) for row, _, lengths in found] == [
            ((row, n), list(range(1, n + 1))) for row, n in enumerate(counts)
        ]


def test_it_reads_no_further_than_it_must(parts: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "WINDOW", 2)
    monkeypatch.setattr(heads, "CHUNK", 2)
    read = []

    def rows() -> Any:
        for number in range(100):
            read.append(number)
            yield "good"

    engine = HeadEngine(*parts)
    next(engine.run(rows(), lambda texts: encode(engine.tokenizer, texts), kept))
    assert len(read) == 2


def test_rows_that_were_cut_are_counted_once(parts: tuple[Any, Any]) -> None:
    engine = HeadEngine(*parts)
    assert engine.notes == ()

    def cut(rows: Sequence[int]) -> list[list[dict[str, list[int]]]]:
        return [[{"input_ids": [5], "cut": [1]} for _ in range(row)] for row in rows]

    list(engine.run([2, 0], cut, kept))
    assert engine.notes == ("1 row is longer than the model's 48 tokens and was cut",)
    list(engine.run([1], cut, kept))
    assert engine.notes == ("2 rows are longer than the model's 48 tokens and were cut",)


def test_what_is_cut_may_be_a_part_of_a_row(parts: tuple[Any, Any]) -> None:
    engine = HeadEngine(*parts)
    engine.cut_part = "question", 64
    assert engine.cut_note(1) == "1 question is longer than 64 tokens and was cut"
    assert engine.cut_note(1234) == "1,234 questions are longer than 64 tokens and were cut"


def test_the_signature_names_the_number_format(parts: tuple[Any, Any]) -> None:
    exact, rough = HeadEngine(*parts), HeadEngine(*parts, precision="bf16")
    assert (exact.signature, rough.signature) == ("torch|float32", "torch|bf16")
    one, other = (run(engine, ["good film"])[0][2][0].float() for engine in (exact, rough))
    assert not torch.equal(one, other)
    assert torch.allclose(one, other, atol=0.05)


def test_the_model_answers_without_dropout(parts: tuple[Any, Any]) -> None:
    model, tokenizer = parts
    model.train()
    engine = HeadEngine(model, tokenizer)
    assert torch.equal(run(engine, ["good film"])[0][2][0], run(engine, ["good film"])[0][2][0])


def test_something_else_than_the_model_can_be_run(parts: tuple[Any, Any]) -> None:
    model, tokenizer = parts
    engine = HeadEngine(model, tokenizer)
    seen = []

    def forward(inputs: Any, features: Sequence[Any]) -> list[int]:
        assert torch.is_inference_mode_enabled()
        assert [row.tolist() for row in inputs["attention_mask"].sum(1)] == [len(one["input_ids"]) for one in features]
        seen.append(len(features))
        return [one["input_ids"][1] for one in features]

    found = engine.run(TEXTS, lambda rows: encode(tokenizer, rows), lambda output, _: output, forward)
    assert [outputs for _, _, outputs in found] == [
        [tokenizer(part)["input_ids"][1] for part in text.split(",") if part] for text in TEXTS
    ]
    assert sum(seen) == 6
