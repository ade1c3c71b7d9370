"""A causal model learns what transformers' own loss says, alone, padded or packed; neighbours change nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from hftoolkit.models.projection import scores_plainly
from hftoolkit.training.next_tokens import IGNORED, NEXT, next_token_batch, next_token_loss

LENGTHS = (9, 4, 17, 2, 6, 11)
ROW = 20


@pytest.fixture(params=["gpt2", "llama", "gemma2"])
def model(request: pytest.FixtureRequest) -> Any:
    """GPT-2 and Llama with the attention of training, and one whose scores are capped."""
    if request.param == "gemma2":
        torch.manual_seed(1)
        config = transformers.Gemma2Config(
            vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, head_dim=8, final_logit_softcapping=1.0, sliding_window=8,
        )  # fmt: skip
        return transformers.AutoModelForCausalLM.from_config(config).eval()
    folder: Path = request.getfixturevalue(request.param)
    return transformers.AutoModelForCausalLM.from_pretrained(str(folder)).eval()


def features(lengths: Sequence[int] = LENGTHS, *, learned: bool = False) -> list[dict[str, Any]]:
    """Random tokens; where asked for, with labels for every second of them."""
    random = np.random.default_rng(1)
    found: list[dict[str, Any]] = [{"input_ids": random.integers(5, 40, n).astype(np.int32)} for n in lengths]
    if learned:
        for one in found:
            one["labels"] = np.where(np.arange(len(one["input_ids"])) % 2, one["input_ids"], IGNORED)
    return found


def loss(model: Any, some: Sequence[dict[str, Any]], row: int | None = None, **settings: Any) -> torch.Tensor:
    batch = next_token_batch(some, pad=0, row=row)
    return next_token_loss(model, batch, plain=scores_plainly(model), **settings)[NEXT]


def theirs(model: Any, one: dict[str, Any]) -> float:
    """transformers' own loss of a feature, as a sum."""
    ids = torch.from_numpy(one["input_ids"])[None].long()
    labels = torch.from_numpy(np.asarray(one.get("labels", one["input_ids"])))[None].long()
    counted = int((labels[:, 1:] != IGNORED).sum())
    with torch.no_grad():
        return float(model(input_ids=ids, labels=labels).loss) * counted


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("row", [None, ROW], ids=["padded", "packed"])
def test_the_loss_is_transformers_own(model: Any, row: int | None, learned: bool) -> None:
    some = features(learned=learned)
    found = float(loss(model, some, row).detach())
    assert found == pytest.approx(sum(theirs(model, one) for one in some), rel=1e-5)


def gradients(model: Any, total: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_packed_and_unpacked_rows_have_the_same_gradients(model: Any, smoothing: float) -> None:
    some = features()
    one = gradients(model, loss(model, some, smoothing=smoothing))
    other = gradients(model, loss(model, some, ROW, smoothing=smoothing))
    assert one.keys() == other.keys() == dict(model.named_parameters()).keys()
    largest = max(float(gradient.abs().max()) for gradient in one.values())
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, other[name], rtol=1e-4, atol=1e-5 * largest)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradients_are_those_of_transformers_scores(model: Any, smoothing: float) -> None:
    (one,) = some = features([12])
    ids = torch.from_numpy(one["input_ids"])[None].long()
    scores = model(input_ids=ids).logits[0, :-1].float()
    wanted = torch.nn.functional.cross_entropy(scores, ids[0, 1:], reduction="sum", label_smoothing=smoothing)
    right = gradients(model, wanted)
    largest = max(float(gradient.abs().max()) for gradient in right.values())
    for name, gradient in gradients(model, loss(model, some, smoothing=smoothing)).items():
        torch.testing.assert_close(gradient, right[name], rtol=1e-4, atol=1e-5 * largest)


def test_another_neighbour_changes_nothing(model: Any) -> None:
    some = features([8, 7])
    batch = next_token_batch(some, pad=0, row=ROW)
    assert batch.inputs["input_ids"].shape[0] == 1
    other = next_token_batch([{"input_ids": some[0]["input_ids"][::-1].copy()}, some[1]], pad=0, row=ROW)
    with torch.no_grad():
        one, changed = (model(**each.inputs, use_cache=False).logits[0, 8:15].softmax(-1) for each in (batch, other))
        alone = model(input_ids=batch.inputs["input_ids"][:, 8:15]).logits[0].softmax(-1)
    assert torch.equal(one, changed)
    torch.testing.assert_close(one, alone)


def test_no_label_goes_over_the_end_of_a_document() -> None:
    some = features()
    batch = next_token_batch(some, pad=0, row=ROW)
    assert batch.counts == {NEXT: sum(LENGTHS) - len(LENGTHS)}
    assert (batch.tokens, batch.padded) == (sum(LENGTHS), batch.labels[NEXT].numel())
    starts = {tuple(one["input_ids"][:2].tolist()) for one in some}
    for ids, places, labels in zip(
        *(table.tolist() for table in (*batch.inputs.values(), batch.labels[NEXT])), strict=True
    ):
        for place, label in enumerate(labels):
            begins_next = place + 1 == len(ids) or places[place + 1] == 0
            assert label == (IGNORED if begins_next else ids[place + 1])
        found = [tuple(ids[place : place + 2]) for place, number in enumerate(places) if number == 0]
        assert starts >= {pair for pair in found if pair != (0, 0) and len(pair) == 2}


def test_rows_without_packing_are_padded() -> None:
    batch = next_token_batch(features([3, 5]), pad=7)
    assert list(batch.inputs) == ["input_ids", "attention_mask"]
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batch.inputs["input_ids"][0, 3:].tolist() == [7, 7]
    assert batch.labels[NEXT][0].tolist()[2:] == [IGNORED] * 3
