"""What the machine has to compute with: processor, memory, GPUs, and what number formats bring on them."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hftoolkit.diagnosing.diagnosis import Finding
from hftoolkit.diagnosing.loading import load, told
from hftoolkit.reports.wording import counted, memory

if TYPE_CHECKING:
    import torch


def machine() -> Iterator[Finding]:
    """Processor and memory, then what PyTorch and CTranslate2 make of them."""
    yield Finding("processor", f"{_processor()}, {counted(_cores(), 'core')} to be used")
    psutil, why = load("psutil")
    if psutil is None:
        yield Finding("memory", f"not known: psutil does not load: {why}", "problem")
    else:
        found = psutil.virtual_memory()
        yield Finding("memory", f"{memory(found.total)}, {memory(found.available)} free")
        yield Finding("load", f"{psutil.getloadavg()[0]:.1f} in the last minute")  # rates are measured beside it
    if load("torch")[0] is None:
        yield Finding("PyTorch", "not looked at: it does not load", "note")
    else:
        yield from _by_torch()
    if load("ctranslate2")[0] is None:
        yield Finding("CTranslate2", "not looked at: it does not load", "note")
    else:
        yield from _by_ctranslate2()


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.is_file():
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _by_torch() -> Iterator[Finding]:
    import torch

    from hftoolkit.models.devices import choose_device, choose_precision, device_words

    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        name = torch.cuda.get_device_name(number)
        yield Finding(f"GPU {number}", f"{name}, {memory(total)}, {memory(free)} free, CUDA {torch.version.cuda}")
    if shutil.which("nvidia-smi") and not torch.cuda.is_available():
        why = "is built without CUDA" if torch.version.cuda is None else f"finds none (CUDA {torch.version.cuda})"
        advice = "https://pytorch.org/get-started/locally has the command for your driver"
        yield Finding("GPU", f"there is a driver of NVIDIA, but this PyTorch {why}", "note", advice)
    device = choose_device()
    precision = choose_precision("auto", device, adapter=False)
    yield Finding("PyTorch", f"trains on {device_words(device)}, with products in {precision}")
    formats = {"float32": torch.float32, "bf16": torch.bfloat16}
    for name, number_format in formats.items():
        yield _rate(torch.device("cpu"), name, number_format)
    if device.type != "cpu":
        for name, number_format in {**formats, "fp16": torch.float16}.items():
            yield _rate(device, name, number_format)


def _rate(device: "torch.device", name: str, number_format: "torch.dtype") -> Finding:
    from hftoolkit.diagnosing.rates import product_rate

    title = f"{name}, {'CPU' if device.type == 'cpu' else device.type}"
    try:
        rate, size = product_rate(device, number_format)
    except RuntimeError as error:  # not in this format, or no memory left
        return Finding(title, f"does not multiply: {told(error)}", "note")
    return Finding(title, f"{rate / 1e9:,.{0 if rate >= 1e10 else 1}f} GFLOP/s, products of {size:,} x {size:,}")


def _by_ctranslate2() -> Iterator[Finding]:
    import ctranslate2

    from hftoolkit.engines.places import choose_format, choose_place, threads

    place = choose_place(None)[0]
    if place is not None:
        where = f"CPU, {counted(threads(), 'thread')}" if place.device == "cpu" else f"{place.device}:{place.index}"
        known = ", ".join(sorted(ctranslate2.get_supported_compute_types(place.device, place.index)))
        yield Finding("CTranslate2", f"translates on {where}, in {choose_format(place)}; knows {known}")
