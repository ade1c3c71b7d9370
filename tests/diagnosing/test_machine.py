"""What the machine computes with, and what is said where a library does not load."""

import re
import sys

import pytest
import torch

from hftoolkit.diagnosing import machine as module
from hftoolkit.diagnosing import rates
from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.machine import machine


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_SECONDS", 0.0)
    monkeypatch.setattr(rates, "_LONG", 0.0)


def found() -> dict[str, Finding]:
    return {finding.name: finding for finding in machine()}


def test_everything_is_said_of_this_machine() -> None:
    here = found()
    assert re.fullmatch(r".+, \d+ cores? to be used", here["processor"].text)
    assert re.fullmatch(r"[\d.]+ [GM]iB, [\d.]+ [GM]iB free", here["memory"].text)
    assert re.fullmatch(r"\d+\.\d in the last minute", here["load"].text)
    assert re.match(r"trains on .+, with products in (float32|bf16)$", here["PyTorch"].text)
    for name in ("float32, CPU", "bf16, CPU"):
        assert re.fullmatch(r"[\d,.]+ GFLOP/s, products of 256 x 256", here[name].text)
    assert re.match(r"translates on (CPU, \d+ threads?|cuda:\d+), in \w+; knows .*float32", here["CTranslate2"].text)


def test_a_format_that_cannot_be_multiplied_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(device: torch.device, number_format: torch.dtype) -> tuple[float, int]:
        raise RuntimeError("not implemented for 'BFloat16'\nmore")

    monkeypatch.setattr(rates, "product_rate", refuse)
    text = "does not multiply: RuntimeError: not implemented for 'BFloat16'"
    assert found()["bf16, CPU"] == Finding("bf16, CPU", text, "note")


@pytest.mark.parametrize(
    ("library", "name", "state", "text"),
    [
        ("torch", "PyTorch", "note", "not looked at: it does not load"),
        ("ctranslate2", "CTranslate2", "note", "not looked at: it does not load"),
        ("psutil", "memory", "problem", "not known: psutil does not load: "),
    ],
)
def test_a_library_that_does_not_load_takes_nothing_else_along(
    library: str, name: str, state: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = found()
    monkeypatch.setitem(sys.modules, library, None)
    here = found()
    assert here[name].state == state
    assert here[name].text.startswith(text)
    missing = {"torch": {"float32, CPU", "bf16, CPU"}, "psutil": {"load"}}.get(library, set())
    assert here.keys() == complete.keys() - missing


@pytest.mark.parametrize(("cuda", "why"), [(None, "is built without CUDA"), ("12.6", "finds none (CUDA 12.6)")])
def test_a_gpu_that_is_not_used(cuda: str | None, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert found()["GPU"] == Finding(
        "GPU",
        f"there is a driver of NVIDIA, but this PyTorch {why}",
        "note",
        "https://pytorch.org/get-started/locally has the command for your driver",
    )
