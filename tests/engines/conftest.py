"""The tiny translator in both engines, and a checkpoint of the other family of Marian."""

from pathlib import Path

import pytest
from conftest import PAIRS
from tiny_models import two_vocabularies

from hftoolkit.engines.converting import convert
from hftoolkit.engines.ctranslate2 import CTranslate2Engine
from hftoolkit.engines.places import Place
from hftoolkit.engines.pytorch import TorchEngine
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.marian_tokenizer import MarianTokenizer

KNOWN = [source for source, _ in PAIRS]
UNKNOWN = ["I am the library.", "Is the teacher open?", "Good", "canteen canteen", "?", "Thank the teacher! " * 3]


def load(folder: Path) -> Loaded:
    """A checkpoint of a translator in memory."""
    return load_checkpoint(str(folder), lambda config, name: "AutoModelForSeq2SeqLM")


def fast_engine(loaded: Loaded, folder: Path, kind: str = "float32") -> CTranslate2Engine:
    """A checkpoint's model, as it is in memory, in the fast engine; from int8 on it is lost."""
    tokenizer = MarianTokenizer(loaded.folder)
    outcome = convert(loaded, tokenizer, KNOWN, folder, kind, Place())
    positions = loaded.model.config.max_position_embeddings
    assert outcome.compute_type == kind
    return CTranslate2Engine(folder / kind, tokenizer, positions=positions, compute_type=kind)


@pytest.fixture(scope="module")
def torch_engine(marian: Path) -> TorchEngine:
    loaded = load(marian)
    return TorchEngine(loaded.model, loaded.tokenizer)


@pytest.fixture(scope="module")
def fast(marian: Path, tmp_path_factory: pytest.TempPathFactory) -> CTranslate2Engine:
    return fast_engine(load(marian), tmp_path_factory.mktemp("fast"))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained checkpoint with a vocabulary for either side and an end token that is not the first."""
    folder = tmp_path_factory.mktemp("two")
    sources, targets = (list(side) for side in zip(*PAIRS, strict=True))
    two_vocabularies(folder, sources, targets, [">>cmn_Hans<<", ">>cmn_Hant<<"])
    return folder
