"""Devices, number formats and threads of CTranslate2."""

import pytest

from hftoolkit.engines.places import Place, choose_format, choose_place, threads


@pytest.mark.parametrize(
    ("device", "gpus", "place", "note"),
    [
        (None, 0, Place(), None),
        (None, 2, Place("cuda"), None),
        (-1, 2, Place(), None),
        (1, 2, Place("cuda", 1), None),
        ("cpu", 2, Place(), None),
        ("cuda", 1, Place("cuda"), None),
        ("cuda:1", 2, Place("cuda", 1), None),
        (1, 1, Place(), "no GPU 'cuda:1' here: running on the CPU"),
        ("cuda", 0, Place(), "no GPU 'cuda' here: running on the CPU"),
        ("mps", 1, None, None),
        ("banana", 1, None, None),
    ],
)
def test_a_device_by_number_or_name(
    device: int | str | None, gpus: int, place: Place | None, note: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: gpus)
    assert choose_place(device) == (place, note)


@pytest.mark.parametrize(
    ("place", "known", "wanted"),
    [
        (Place(), {"int8", "int8_float32", "int16", "float32"}, "int8_float32"),
        (Place(), {"float32"}, "float32"),
        (Place("cuda"), {"int8", "int8_float16", "float16", "float32"}, "float16"),
        (Place("cuda"), {"int8_float32", "float32"}, "int8_float32"),
    ],
)
def test_the_number_format_suits_the_device(
    place: Place, known: set[str], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctranslate2.get_supported_compute_types", lambda device, index: known)
    assert choose_format(place) == wanted


@pytest.mark.parametrize("told", ["", "0", "many"])
def test_without_a_word_about_threads_all_processors_are_used(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert threads() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3


def test_the_formats_are_those_of_the_library() -> None:
    assert choose_format(Place()) in ("int8_float32", "float32")
