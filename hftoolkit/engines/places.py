"""Where CTranslate2 runs: the device, its number format, its threads."""

import os
import re
import sys
from dataclasses import dataclass

import ctranslate2


@dataclass(frozen=True)
class Place:
    """A device that CTranslate2 runs on."""

    device: str = "cpu"
    """``cpu`` or ``cuda``."""

    index: int = 0
    """Number of the GPU."""


CPU = Place()


def choose_place(device: int | str | None) -> tuple[Place | None, str | None]:
    """The device asked for or the best one that CTranslate2 runs on, and what should be said about the choice.

    Args:
        device: A GPU's number, -1 for the CPU, or a name; None chooses. A GPU that is not there is replaced by the CPU.

    Returns:
        No place for a device that CTranslate2 does not know.
    """
    gpus = ctranslate2.get_cuda_device_count()
    if device is None:
        return Place("cuda" if gpus else "cpu"), None
    if isinstance(device, int):
        device = "cpu" if device < 0 else f"cuda:{device}"
    named = re.fullmatch(r"(cpu|cuda)(?::(\d+))?", str(device))
    if named is None:
        return None, None
    index = int(named[2] or 0)
    if named[1] == "cuda" and index >= gpus:
        return Place(), f"no GPU '{device}' here: running on the CPU"
    return Place(named[1], index if named[1] == "cuda" else 0), None


def choose_format(place: Place) -> str:
    """The number format in which models run fastest at a place without losing quality, as CTranslate2 names it."""
    known = ctranslate2.get_supported_compute_types(place.device, place.index)
    wanted = ("int8_float32",) if place.device == "cpu" else ("float16", "int8_float16", "int8_float32")
    return next((name for name in wanted if name in known), "float32")


def threads() -> int:
    """Processors that this process may use, or as many as ``OMP_NUM_THREADS`` says."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
