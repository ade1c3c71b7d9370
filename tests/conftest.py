"""What tests share: isolated caches, and one tiny translator that knows what it was taught."""

import atexit
import os
import tempfile
from pathlib import Path

import pytest

# Read once, when the libraries of Hugging Face are imported: nothing of the user's hub is read or written either.
_home = tempfile.TemporaryDirectory(prefix="hftoolkit-tests-")
atexit.register(_home.cleanup)
os.environ["HF_HOME"] = _home.name

# One thread: tiny models gain nothing from more, and lose much where other work runs beside the tests.
os.environ.update(
    OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", DISABLE_SAFETENSORS_CONVERSION="1", TOKENIZERS_PARALLELISM="false"
)

PAIRS = [
    ("Good morning!", "早上好！"),
    ("Good night!", "晚安！"),
    ("Where is the library?", "图书馆在哪里？"),
    ("Where is the canteen?", "食堂在哪里？"),
    ("Where is the teacher?", "老师在哪里？"),
    ("The library is open.", "图书馆开着。"),
    ("The canteen is open.", "食堂开着。"),
    ("The library is closed.", "图书馆关着。"),
    ("I am in the library.", "我在图书馆。"),
    ("I am in the canteen.", "我在食堂。"),
    ("The teacher is in the library.", "老师在图书馆。"),
    ("The teacher is in the canteen.", "老师在食堂。"),
    ("I like the teacher.", "我喜欢老师。"),
    ("I like the library.", "我喜欢图书馆。"),
    ("I do not like the canteen.", "我不喜欢食堂。"),
    ("Thank you very much!", "非常感谢！"),
]
"""English and Chinese; what the tiny translator knows by heart."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's caches is read or written."""
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path_factory.mktemp("cache")))


FORMAT = "float32"
"""Number format of the tiny translator in the fast engine, see `one_format`."""


@pytest.fixture
def one_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast engine runs in one number format on every machine. In int8 processors without VNNI add products in 16
    bits, which loses too much in a model as narrow as the tiny translator, though not in real ones."""
    monkeypatch.setattr("hftoolkit.engines.places.choose_format", lambda place: FORMAT)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data and models, for slow tests."""
    folder = os.environ.get("HFTOOLKIT_SHARED")
    if not folder:
        pytest.skip("HFTOOLKIT_SHARED does not name the folder with real data")
    return Path(folder)


@pytest.fixture(scope="session")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Marian checkpoint of 50,000 weights that translates `PAIRS`: built and trained by our own parts in seconds."""
    import torch
    from accelerate import Accelerator

    from hftoolkit.models.guard import zero_rows
    from hftoolkit.models.loading import load_checkpoint
    from hftoolkit.models.saved import write_saved
    from hftoolkit.models.scratch import build_marian
    from hftoolkit.recipe.schema import Languages, Scratch
    from hftoolkit.tasks.translation import Translation
    from hftoolkit.training.batches import Batch
    from hftoolkit.training.loop import Objective, train
    from hftoolkit.training.optimizer import build_optimizer
    from hftoolkit.training.plan import MicroBatch, PlannedStep

    folder = tmp_path_factory.mktemp("marian")
    sizes = Scratch(
        vocabulary=360,
        encoder_layers=1,
        decoder_layers=1,
        width=32,
        feed_forward=64,
        heads=2,
        dropout=0.0,
        positions=64,
    )
    languages = Languages(source="en", target="zh-Hans")
    build_marian(sizes, (text for pair in PAIRS for text in pair), languages, folder, seed=1)
    task = Translation(Translation.Options(), languages)
    loaded = load_checkpoint(str(folder), task.auto_class)
    task.bind(loaded.tokenizer, loaded.model.config)
    rows = [{"source": source, "target": target} for source, target in PAIRS]
    import numpy as np

    features = [
        {name: np.array(ids, dtype=np.int32) for name, ids in found[0].items()}
        for found in task.encode(rows, loaded.tokenizer, 64)
    ]
    everything = MicroBatch(np.arange(len(features)), True)

    def collate(_: MicroBatch, seed: int) -> Batch:
        return task.collate(features, seed)

    optimizer = build_optimizer(loaded.model, weight_decay=0.0, betas=(0.9, 0.98), zero_rows=zero_rows(loaded.model))
    steps = [PlannedStep(number, 0, number == 249, (everything,)) for number in range(250)]
    settings = {"rate": lambda _: 5e-3, "accelerator": Accelerator(cpu=True), "seed": 1, "max_grad_norm": 1.0}
    with torch.random.fork_rng(devices=[]):
        last = list(train(Objective(loaded.model, task.loss), optimizer, steps, collate=collate, **settings))[-1]
    assert last.loss < 0.1, "the tiny translator did not learn its sentences"
    loaded.model.save_pretrained(folder)
    write_saved(task.saved(), folder)
    return folder


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT encoder of 10,000 weights that has learned nothing, without a head."""
    from tiny_models import tiny_bert

    folder = tmp_path_factory.mktemp("bert")
    tiny_bert(folder)
    return folder


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of 13,000 weights that has learned nothing, with a tokenizer of bytes, without a chat template."""
    from tiny_models import tiny_gpt2

    folder = tmp_path_factory.mktemp("gpt2")
    tiny_gpt2(folder)
    return folder


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 9,000 weights that has learned nothing, with a tokenizer of bytes and a chat template."""
    from tiny_models import tiny_llama

    folder = tmp_path_factory.mktemp("llama")
    tiny_llama(folder)
    return folder


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    """`PAIRS` as a TSV file with the header ``en``, ``zh``."""
    path = tmp_path / "pairs.tsv"
    path.write_text("en\tzh\n" + "".join(f"{en}\t{zh}\n" for en, zh in PAIRS), encoding="utf-8")
    return path


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs draw nothing: pictures take most of the time of a tiny run."""
    monkeypatch.setattr("hftoolkit.reports.figures.training_curve", lambda *_, **__: b"")
