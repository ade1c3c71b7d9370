"""Where a model runs, and in which number format."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from hftoolkit.errors import ModelError, UsageError

_said: set[str] = set()


def choose_device(wanted: int | str | torch.device | None = None) -> torch.device:
    """The device asked for, or the best one there is.

    Args:
        wanted: A GPU's number, -1 for the CPU, a name such as ``cuda:1``, ``mps`` or ``cpu``; None chooses. A GPU that
            is not there is replaced by the CPU, which is said once on standard error.

    Raises:
        UsageError: If the name means no device.
    """
    if wanted is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")
    if isinstance(wanted, int):
        wanted = "cpu" if wanted < 0 else f"cuda:{wanted}"
    try:
        device = torch.device(wanted)
    except (RuntimeError, TypeError) as error:
        raise UsageError(f"unknown device '{wanted}'\n  use 'cpu', 'mps', 'cuda', or the number of a GPU") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        _say_once(f"no GPU '{device}' here: running on the CPU")
        return torch.device("cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        _say_once("no Apple GPU here: running on the CPU")
        return torch.device("cpu")
    return device


def choose_precision(wanted: Literal["auto", "float32", "bf16"], device: torch.device, *, adapter: bool) -> str:
    """``float32`` or ``bf16``: what products in training are computed in.

    On a CPU bf16 gains where there are bf16 instructions (AMX, AVX512-BF16), but not under an adapter: its small
    matrices cost more in casting than they save.
    """
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device.type == "cpu" and not adapter:
        capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return "bf16" if capabilities.get("amx_bf16") or capabilities.get("avx512_bf16") else "float32"
    return "float32"


def _say_once(message: str) -> None:
    if message not in _said:
        _said.add(message)
        sys.stderr.write(f"note: {message}\n")


def peak_memory(device: torch.device) -> int:
    """Largest memory so far, in bytes: of the accelerator where there is one, else of the process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":
        # What getrusage tells is that of the parent, too, where a large process has begun this one.
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


@contextmanager
def enough_memory(device: torch.device) -> Iterator[None]:
    """Say plainly that there is not enough memory; on a CPU the system mostly ends the process itself.

    Raises:
        ModelError: If there is not.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "DefaultCPUAllocator" not in str(error):
            raise
        raise ModelError(
            f"{device_words(device)} has not enough memory\n"
            "  in training:    raise training.micro_batches, or lower training.batch_tokens\n"
            "  in measuring:   lower evaluation.batch_tokens"
        ) from error


def device_words(device: torch.device) -> str:
    """A device as a report names it."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"CPU, {threads} {'thread' if threads == 1 else 'threads'}"
    return "Apple GPU (mps)"
