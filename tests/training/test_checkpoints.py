import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import nn

from hftoolkit.errors import OutputError
from hftoolkit.models.guard import zero_rows
from hftoolkit.training.checkpoints import (
    Place,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
    trained_weights,
)
from hftoolkit.training.loop import Step, train
from hftoolkit.training.optimizer import build_optimizer, learning_rates
from hftoolkit.training.plan import Plan

PLACE = Place(step=5, best_step=4, best_score=12.5, worse=1, data="rows")


@pytest.fixture
def small() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = nn.Linear(300, 200)
    return model, torch.optim.AdamW(model.parameters())


def begun(lesson: Any) -> Any:
    return build_optimizer(lesson.model, weight_decay=0.01, betas=(0.9, 0.98), zero_rows=zero_rows(lesson.model))


def taken(lesson: Any, optimizer: Any, first: int) -> Iterator[Step]:
    lengths = np.array([[len(f["input_ids"]), len(f["labels"])] for f in lesson.features], np.int32)
    plan = Plan(lengths, np.zeros(8, np.uint16), [1.0], batch_tokens=120, epochs=9, max_steps=10)
    return train(
        lesson.objective,
        optimizer,
        plan.steps(first, micro_batches=2),
        collate=lesson.collate,
        rate=learning_rates("cosine", peak=1e-3, warmup=3, total=10),
        accelerator=Accelerator(cpu=True),
        seed=1,
        max_grad_norm=1.0,
    )


@pytest.mark.parametrize("stop", [1, 5, 9])
def test_stopped_and_resumed_the_steps_are_the_same_bit_for_bit(
    lesson: Callable[..., Any], tmp_path: Path, stop: int
) -> None:
    whole, stopped, resumed = (lesson(dropout=0.2) for _ in range(3))
    expected = list(taken(whole, begun(whole), 0))
    assert len(expected) == 10

    optimizer = begun(stopped)
    found = [next(steps) for steps in [taken(stopped, optimizer, 0)] for _ in range(stop)]
    save_checkpoint(tmp_path / "last.pt", stopped.model, optimizer, replace(PLACE, step=stop))

    torch.rand(3)  # another process has other random states
    optimizer = begun(resumed)
    place = load_checkpoint(tmp_path / "last.pt", resumed.model, optimizer)
    found += list(taken(resumed, optimizer, place.step))

    def logged(step: Step) -> Step:
        return replace(step, seconds=0.0)

    assert list(map(logged, found)) == list(map(logged, expected))
    for (name, value), other in zip(whole.model.named_parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(value, other), name


def test_the_place_comes_back(small: Any, tmp_path: Path) -> None:
    for place in (PLACE, replace(PLACE, best_score=None)):
        save_checkpoint(tmp_path / "a" / "last.pt", *small, place)
        assert load_checkpoint(tmp_path / "a" / "last.pt", *small) == place


def test_weights_are_kept_once_and_only_those_trained(lesson: Callable[..., Any], tmp_path: Path) -> None:
    model = lesson().model
    model.model.encoder.layers[0].fc1.requires_grad_(False)
    weights = trained_weights(model)
    assert "model.shared.weight" in weights
    assert not {"lm_head.weight", "model.encoder.embed_tokens.weight"} & weights.keys()  # tied
    assert not [name for name in weights if "embed_positions" in name]  # constants
    assert "model.encoder.layers.0.fc1.weight" not in weights
    assert "model.encoder.layers.0.fc2.weight" in weights


def test_saved_weights_come_back_tied(lesson: Callable[..., Any], tmp_path: Path) -> None:
    one, two = lesson().model, lesson().model
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.add_(1.0)
    save_weights(tmp_path / "best.safetensors", one)
    load_weights(tmp_path / "best.safetensors", two)
    for (name, value), other in zip(one.named_parameters(), two.named_parameters(), strict=True):
        assert torch.equal(value, other[1]) or not value.requires_grad, name
    assert two.lm_head.weight is two.model.shared.weight


def damaged(content: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "first half": content[: len(content) // 2],
        "one byte short": content[:-1],
        "text": b"<html>not found</html>" * 50,
        "a pickle": b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.",
    }


@pytest.mark.parametrize("damage", list(damaged(b"")))
def test_a_damaged_checkpoint(small: Any, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, *small, PLACE)
    path.write_bytes(damaged(path.read_bytes())[damage])
    with pytest.raises(OutputError) as caught:
        load_checkpoint(path, *small)
    assert str(caught.value) == (
        f"{path}: this checkpoint is damaged, or of another model\n  start again:   add --overwrite"
    )


@pytest.mark.parametrize("damage", list(damaged(b"")))
def test_damaged_weights(small: Any, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "best.safetensors"
    save_weights(path, small[0])
    path.write_bytes(damaged(path.read_bytes())[damage])
    with pytest.raises(OutputError, match="this checkpoint is damaged, or of another model"):
        load_weights(path, small[0])


@pytest.mark.parametrize("other", [nn.Linear(301, 200), nn.Linear(300, 200, bias=False), nn.Embedding(3, 2)])
def test_a_checkpoint_of_another_model(small: Any, tmp_path: Path, other: nn.Module) -> None:
    save_checkpoint(tmp_path / "last.pt", *small, PLACE)
    save_weights(tmp_path / "best.safetensors", small[0])
    with pytest.raises(OutputError, match="of another model"):
        load_checkpoint(tmp_path / "last.pt", other, torch.optim.AdamW(other.parameters()))
    with pytest.raises(OutputError, match="of another model"):
        load_weights(tmp_path / "best.safetensors", other)


@pytest.mark.parametrize("content", [[1, 2], {"weights": {}}, torch.ones(2)])
def test_something_else_that_torch_saved(small: Any, tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "last.pt")
    with pytest.raises(OutputError, match="of another model"):
        load_checkpoint(tmp_path / "last.pt", *small)


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let files grow to so many bytes and no further, as on a disk that is nearly full."""
    resource = pytest.importorskip("resource", reason="the system has no limit for the size of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def too_large(path: Path, reason: str) -> str:
    return (
        f"{path}: cannot be written: {reason}\n"
        "  free some space or choose another folder:   --set output=...\n"
        "  the run continues from its last checkpoint when started again"
    )


def test_no_room_for_a_checkpoint_leaves_the_last_one(small: Any, tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, *small, PLACE)
    with room(100_000), pytest.raises(OutputError) as caught:
        save_checkpoint(path, *small, replace(PLACE, step=6))
    assert str(caught.value) == too_large(path, "File too large")
    assert load_checkpoint(path, *small) == PLACE
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_no_room_for_weights_leaves_the_last_ones(small: Any, tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    save_weights(path, small[0])
    before = path.read_bytes()
    with room(100_000), pytest.raises(OutputError) as caught:
        save_weights(path, small[0])
    reason = "Error while serializing: I/O error: File too large (os error 27)"
    assert str(caught.value).startswith(too_large(path, reason).split(" (os error")[0])
    assert path.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_called_so(small: Any, tmp_path: Path) -> None:
    (tmp_path / "last.pt.partial").symlink_to("/dev/full")
    with pytest.raises(OutputError) as caught:
        save_checkpoint(tmp_path / "last.pt", *small, PLACE)
    assert str(caught.value) == too_large(tmp_path / "last.pt", "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the message of the system differs")
def test_a_file_where_a_folder_should_be(small: Any, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        save_checkpoint(tmp_path / "checkpoints" / "last.pt", *small, PLACE)
    assert str(caught.value) == too_large(tmp_path / "checkpoints" / "last.pt", "File exists")
