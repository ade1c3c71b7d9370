"""The device and the number format: what is asked for, or what there is, said."""

import pytest
import torch

from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models import devices
from hftoolkit.models.devices import choose_device, choose_precision, device_words, enough_memory, peak_memory

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(devices, "_said", set())


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize("wanted", [None, -1, "cpu", CPU])
def test_the_processor(wanted: int | str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_device(wanted) == CPU
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("wanted", "device"), [(None, "cuda"), (0, "cuda:0"), (1, "cuda:1"), ("cuda:1", "cuda:1"), (-1, "cpu")]
)
def test_a_gpu_that_is_there(wanted: int | str | None, device: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_device(wanted) == torch.device(device)
    assert capsys.readouterr().err == ""


def test_an_apple_gpu_is_taken_before_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device() == choose_device("mps") == torch.device("mps")


def test_a_gpu_that_is_not_there_is_the_processor_and_it_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_device(0) == CPU
    assert choose_device(0) == CPU
    assert capsys.readouterr() == ("", "note: no GPU 'cuda:0' here: running on the CPU\n")


@pytest.mark.usefixtures("two_gpus")
def test_a_third_gpu_of_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_device("cuda:2") == CPU
    assert capsys.readouterr().err == "note: no GPU 'cuda:2' here: running on the CPU\n"


def test_an_apple_gpu_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_device("mps") == CPU
    assert capsys.readouterr().err == "note: no Apple GPU here: running on the CPU\n"


def test_what_is_no_device() -> None:
    with pytest.raises(UsageError) as caught:
        choose_device("gpu")
    assert str(caught.value) == "unknown device 'gpu'\n  use 'cpu', 'mps', 'cuda', or the number of a GPU"


@pytest.mark.parametrize("wanted", ["float32", "bf16"])
@pytest.mark.parametrize("adapter", [True, False])
def test_a_number_format_asked_for_is_kept(wanted: str, adapter: bool) -> None:
    assert choose_precision(wanted, CPU, adapter=adapter) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("capability", "adapter", "chosen"),
    [
        ("amx_bf16", False, "bf16"),
        ("avx512_bf16", False, "bf16"),
        ("avx2", False, "float32"),
        ("amx_bf16", True, "float32"),
    ],
)
def test_a_processor_gains_from_bf16_where_it_has_instructions_for_it(
    capability: str, adapter: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True}, raising=False)
    assert choose_precision("auto", CPU, adapter=adapter) == chosen


@pytest.mark.parametrize(("supported", "chosen"), [(True, "bf16"), (False, "float32")])
def test_a_gpu_gains_from_bf16_where_it_has_it(supported: bool, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    assert choose_precision("auto", torch.device("cuda"), adapter=True) == chosen


def test_an_apple_gpu_computes_in_float32() -> None:
    assert choose_precision("auto", torch.device("mps"), adapter=False) == "float32"


def test_the_largest_memory_is_in_bytes() -> None:
    import psutil

    now = psutil.Process().memory_info().rss
    assert now * 0.99 <= peak_memory(CPU) < now * 100


def test_devices_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert device_words(CPU) == "CPU, 1 thread"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert device_words(CPU) == "CPU, 2 threads"
    assert device_words(torch.device("mps")) == "Apple GPU (mps)"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: 40 TB"),
        MemoryError(),
    ],
    ids=["accelerator", "processor", "python"],
)
def test_too_little_memory_is_no_bug(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    with pytest.raises(ModelError) as caught, enough_memory(CPU):
        raise error
    assert str(caught.value).startswith("CPU, 1 thread has not enough memory\n  in training:    raise")


def test_another_error_of_torch_stays_itself() -> None:
    with pytest.raises(RuntimeError, match="shapes"), enough_memory(CPU):
        raise RuntimeError("shapes cannot be multiplied")
