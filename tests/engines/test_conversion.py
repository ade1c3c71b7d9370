"""Conversions in the cache: made once, found again, never stale."""

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hftoolkit.engines import conversion
from hftoolkit.engines.conversion import Outcome, UnsuitedError, converted
from hftoolkit.errors import OutputError
from hftoolkit.hub import cache_folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "vocab.json", "report.json"):
        (folder / name).write_text(name, encoding="utf-8")
    return folder


class Maker:
    """Makes a model, and counts how often."""

    def __init__(self, outcome: Outcome | None = None, also: Callable[[], object] = lambda: None) -> None:
        self.outcome = outcome or Outcome("int8_float32", sentences=3, chrf=97.5)
        self.also = also
        self.times = 0

    def __call__(self, folder: Path) -> Outcome:
        self.times += 1
        assert list(folder.iterdir()) == []
        (folder / self.outcome.compute_type).mkdir(exist_ok=True)
        (folder / self.outcome.compute_type / "model.bin").write_text("model", encoding="utf-8")
        self.also()
        return self.outcome


def left_over() -> list[str]:
    """What lies in the cache besides finished conversions and locks."""
    found = (cache_folder() / "ctranslate2").iterdir()
    return [path.name for path in found if path.suffix != ".lock" and not (path / "outcome.json").is_file()]


def test_it_is_made_once_and_found_again(checkpoint: Path) -> None:
    make = Maker()
    place, outcome, seconds = converted([checkpoint], "int8_float32", make)
    assert seconds is not None
    assert outcome == make.outcome
    assert (place / "int8_float32" / "model.bin").is_file()
    assert place.parent == cache_folder() / "ctranslate2"
    assert converted([checkpoint], "int8_float32", make) == (place, outcome, None)
    assert make.times == 1
    assert left_over() == []
    assert json.loads((place / "outcome.json").read_text(encoding="utf-8"))["chrf"] == 97.5


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "vocab.json", "source.spm", "adapter_config.json"]
)
def test_what_it_depends_on_makes_it_anew(checkpoint: Path, name: str) -> None:
    make = Maker()
    first, _, _ = converted([checkpoint], "float32", make)
    (checkpoint / name).write_text("other", encoding="utf-8")
    assert converted([checkpoint], "float32", make)[0] != first
    assert make.times == 2


def test_what_it_does_not_depend_on_changes_nothing(checkpoint: Path) -> None:
    make = Maker()
    converted([checkpoint], "float32", make)
    (checkpoint / "report.json").write_text("other", encoding="utf-8")
    converted([checkpoint], "float32", make)
    assert make.times == 1


def test_the_model_below_an_adapter_counts(checkpoint: Path, tmp_path: Path) -> None:
    make = Maker()
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_text("adapter", encoding="utf-8")
    for _ in range(2):
        converted([adapter, checkpoint], "float32", make)
    assert make.times == 1
    (checkpoint / "model.safetensors").write_text("other", encoding="utf-8")
    converted([adapter, checkpoint], "float32", make)
    assert make.times == 2
    (adapter / "adapter_model.safetensors").write_text("other", encoding="utf-8")
    converted([adapter, checkpoint], "float32", make)
    assert make.times == 3


@pytest.mark.parametrize("name", ["FORMAT", "ctranslate2.__version__", "wanted"])
def test_so_do_the_way_of_converting_and_the_number_format(
    checkpoint: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Maker()
    converted([checkpoint], "float32", make)
    if name == "FORMAT":
        monkeypatch.setattr(conversion, name, conversion.FORMAT + 1)
    elif name != "wanted":
        monkeypatch.setattr(name, "9.9.9")
    converted([checkpoint], "float16" if name == "wanted" else "float32", make)
    assert make.times == 2


def test_a_refusal_is_remembered(checkpoint: Path) -> None:
    make = Maker(Outcome(refused="it writes other tokens"))
    for _ in range(2):
        with pytest.raises(UnsuitedError, match=r"^it writes other tokens$"):
            converted([checkpoint], "float32", make)
    assert make.times == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: (place / "float32" / "model.bin").write_bytes(b"mod"),
        lambda place: (place / "float32" / "model.bin").unlink(),
        lambda place: (place / "outcome.json").write_bytes(b"{"),
        lambda place: (place / "outcome.json").write_bytes(b"[]"),
        lambda place: (place / "outcome.json").unlink(),
    ],
)
def test_what_was_damaged_is_made_anew(damage: Callable[[Path], object], checkpoint: Path) -> None:
    make = Maker(Outcome("float32"))
    place, _, _ = converted([checkpoint], "float32", make)
    damage(place)
    again, outcome, seconds = converted([checkpoint], "float32", make)
    assert (again, outcome, make.times) == (place, Outcome("float32"), 2)
    assert seconds is not None
    assert (place / "float32" / "model.bin").read_bytes() == b"model"
    assert converted([checkpoint], "float32", make)[2] is None
    assert left_over() == []


def test_what_fails_leaves_nothing(checkpoint: Path) -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        converted([checkpoint], "float32", Maker(also=fail))
    assert left_over() == []
    make = Maker()
    converted([checkpoint], "float32", make)
    assert make.times == 1


def test_files_that_change_meanwhile_are_not_taken_for_what_was_read(checkpoint: Path) -> None:
    make = Maker(also=lambda: (checkpoint / "model.safetensors").write_text("other", encoding="utf-8"))
    with pytest.raises(UnsuitedError, match=r"^its files changed while they were read; try again$"):
        converted([checkpoint], "float32", make)
    assert left_over() == []


def test_of_two_at_once_one_waits_for_the_other(checkpoint: Path) -> None:
    begun, go = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go.wait(60)

    first, second = Maker(also=wait), Maker()
    places: list[Path] = []
    workers = [
        threading.Thread(target=lambda make=make: places.append(converted([checkpoint], "float32", make)[0]))
        for make in (first, second)
    ]
    workers[0].start()
    assert begun.wait(60)
    workers[1].start()
    go.set()
    for worker in workers:
        worker.join(60)
    assert (first.times, second.times) == (1, 0)
    assert len(places) == 2
    assert len(set(places)) == 1


def test_a_cache_that_is_full(checkpoint: Path) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError) as caught:
        converted([checkpoint], "float32", Maker(also=fail))
    assert str(caught.value) == (
        f"{cache_folder() / 'ctranslate2'}: the converted model cannot be kept here: No space left on device\n"
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
    )


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.EROFS])
def test_a_cache_in_which_nothing_may_be_made(checkpoint: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """As below ``/sys``, which not even root may write to."""
    home = cache_folder() / "ctranslate2"
    mkdir = Path.mkdir

    def refuse(path: Path, *arguments: object, **settings: object) -> None:
        if path == home:
            raise OSError(code, os.strerror(code))
        mkdir(path, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError) as caught:
        converted([checkpoint], "float32", Maker())
    assert str(caught.value).startswith(f"{home}: the converted model cannot be kept here: {os.strerror(code)}\n")


def test_a_cache_with_a_file_in_the_place_of_its_folder(checkpoint: Path) -> None:
    (cache_folder() / "ctranslate2").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="the converted model cannot be kept here"):
        converted([checkpoint], "float32", Maker())


def test_other_errors_of_the_system_are_not_hidden(checkpoint: Path) -> None:
    def fail() -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        converted([checkpoint], "float32", Maker(also=fail))
