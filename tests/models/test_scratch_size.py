import psutil
import pytest
import torch

from hftoolkit.errors import ModelError
from hftoolkit.models.scratch_size import check_size
from hftoolkit.recipe.schema import Scratch, ScratchDecoder, ScratchEncoder

SMALL = {"width": 1000, "feed_forward": 1000, "heads": 1, "vocabulary": 500, "positions": 250}
"""Six million weights a layer, and as many bytes in each of 4 numbers of 4 bytes: 96 MB."""


@pytest.fixture
def gigabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a memory of 1 GiB."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"total": 2**30}))


@pytest.mark.usefixtures("gigabyte")
@pytest.mark.parametrize("kind", [ScratchEncoder, ScratchDecoder])
def test_what_training_keeps_must_fit(kind: type[ScratchEncoder | ScratchDecoder]) -> None:
    check_size(kind(layers=11, **SMALL), torch.device("cpu"))
    with pytest.raises(ModelError) as caught:
        check_size(kind(layers=100, **SMALL), torch.device("cpu"))
    assert str(caught.value) == (
        "model.scratch: a model of these sizes has 600,750,000 weights, which take 9 GiB; this machine has 1 GiB\n"
        "  take fewer layers, or less of width, feed_forward or positions"
    )


@pytest.mark.usefixtures("gigabyte")
def test_beside_an_accelerator_the_machine_holds_the_weights_alone() -> None:
    sizes = ScratchEncoder(layers=40, **SMALL)
    check_size(sizes, torch.device("cuda"))
    with pytest.raises(ModelError):
        check_size(sizes, torch.device("cpu"))


@pytest.mark.usefixtures("gigabyte")
def test_a_translator_has_two_kinds_of_layers() -> None:
    check_size(Scratch(encoder_layers=5, decoder_layers=3, **SMALL), torch.device("cpu"))
    with pytest.raises(ModelError):
        check_size(Scratch(encoder_layers=5, decoder_layers=4, **SMALL), torch.device("cpu"))
