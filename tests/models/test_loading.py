"""A checkpoint by any name, in float32 and evaluation mode, or an error that says what is wrong with it."""

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from conftest import PAIRS
from hub_server import COMMIT, allowed, serve
from safetensors.torch import load_file, save_file

from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.pytorch import TorchEngine
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.models.adapters import add_adapter, save_adapter
from hftoolkit.models.loading import Loaded, load_checkpoint
from hftoolkit.models.saved import Saved, write_saved
from hftoolkit.recipe.schema import Adapter, Languages
from hftoolkit.tasks.translation import Translation

TASK = Translation(Translation.Options(), Languages(source="en", target="zh-Hans"))
SOURCES = [source for source, _ in PAIRS]


def load(name: str | Path, **settings: Any) -> Loaded:
    return load_checkpoint(str(name), TASK.auto_class, **settings)


def refusal(name: str | Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(name)
    return str(caught.value)


def written(loaded: Loaded) -> list[str]:
    return list(TorchEngine(loaded.model, loaded.tokenizer).generate(SOURCES, Decoding(1)))


@pytest.fixture
def copy(marian: Path, tmp_path: Path) -> Path:
    """The tiny translator, to be changed."""
    return Path(shutil.copytree(marian, tmp_path / "copy"))


def change_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def change_weights(folder: Path, **changed: torch.Tensor | None) -> None:
    """Replace weights, or remove those given as None."""
    weights = load_file(folder / "model.safetensors") | changed
    kept = {name: tensor for name, tensor in weights.items() if tensor is not None}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def pickle_weights(folder: Path) -> None:
    """As most opus-mt repositories have them."""
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


# What is loaded


def test_a_folder(marian: Path) -> None:
    loaded = load(marian)
    assert (loaded.name, loaded.folder, loaded.notes, loaded.bases) == (str(marian), marian, (), ())
    assert loaded.saved == Saved("translation", "en", "zh-Hans")
    assert written(loaded) == [target for _, target in PAIRS]


def test_it_is_in_evaluation_mode_and_float32(marian: Path) -> None:
    model = load(marian).model
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_position_tables_are_not_trained_and_everything_else_is(marian: Path) -> None:
    frozen = [name for name, parameter in load(marian).model.named_parameters() if not parameter.requires_grad]
    assert frozen == ["model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"]


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32_and_it_is_said(copy: Path, half: torch.dtype) -> None:
    weights = load_file(copy / "model.safetensors")
    change_weights(copy, **{name: tensor.to(half) for name, tensor in weights.items()})
    name = str(half).removeprefix("torch.")
    change_json(copy / "config.json", dtype=name)
    loaded = load(copy)
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    assert loaded.notes == (f"{copy} is stored in {name}; it is used in float32",)
    assert torch.equal(loaded.model.lm_head.weight, weights["model.shared.weight"].to(half).float())


def test_dropout_is_the_checkpoints_or_the_recipes(marian: Path) -> None:
    assert load(marian).model.config.dropout == 0.0
    model = load(marian, dropout=0.25).model
    assert model.config.dropout == model.model.encoder.layers[0].dropout == 0.25


def test_generation_settings_left_in_the_configuration_are_mended(copy: Path) -> None:
    (copy / "generation_config.json").unlink()
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    pad = config["pad_token_id"]
    stated = load(copy).model.generation_config
    assert (stated.decoder_start_token_id, stated.pad_token_id) == (pad, pad)
    assert (stated.eos_token_id, stated.forced_eos_token_id) == (0, 0)
    assert stated.bad_words_ids == [[pad]]
    assert stated.max_length == 64


def test_nothing_is_printed(marian: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(marian)
    assert capfd.readouterr() == ("", "")


def test_transformers_speaks_as_before_afterwards(marian: Path) -> None:
    from transformers.utils import logging as transformers_logging

    before = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    load(marian)
    assert (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()) == before
    assert before[0] < logging.ERROR


def test_the_tokenizer_says_nothing_of_long_texts(marian: Path, transformers_log: list[str]) -> None:
    load(marian).tokenizer(["the library " * 100])
    assert transformers_log == []
    transformers.AutoTokenizer.from_pretrained(str(marian))(["the library " * 100])  # as it would be without us
    assert "Token indices sequence length is longer than" in transformers_log[0]


@pytest.fixture
def transformers_log() -> Iterator[list[str]]:
    """What transformers logs."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    yield seen
    logger.removeHandler(handler)


# By other names


def test_a_folder_with_pickled_weights_alone(marian: Path, copy: Path) -> None:
    pickle_weights(copy)
    loaded = load(copy)
    assert loaded.folder == copy
    (note,) = loaded.notes
    assert note.startswith("pytorch_model.bin was read as tensors only and converted to safetensors in ")
    expected = load(marian).model.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.model.state_dict().items())


def test_a_folder_in_a_package(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "tiny_translators"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    shutil.copytree(marian, package / "en-zh")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    loaded = load("package:tiny_translators/en-zh")
    assert loaded.folder == package / "en-zh"
    assert written(loaded) == [target for _, target in PAIRS]


@pytest.fixture
def hub_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of the hub, and leave to ask the hub."""
    with allowed(tmp_path / "home", monkeypatch):
        yield tmp_path / "home" / "hub"


def test_a_repository_with_pickled_weights_alone(copy: Path, hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pickle_weights(copy)
    with serve(models={"acme/opus-mt-en-zh": copy}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        loaded = load("acme/opus-mt-en-zh")
        asked = len(hub.requests)
        assert load("acme/opus-mt-en-zh").folder == loaded.folder
        assert len(hub.requests) == asked
    assert loaded.folder == hub_home / "models--acme--opus-mt-en-zh" / "snapshots" / COMMIT
    assert written(loaded) == [target for _, target in PAIRS]


def adapted(base: str | Path, folder: Path) -> list[str]:
    """Write an adapter that changes what its base says; return what it makes of it."""
    loaded = load(base)
    torch.manual_seed(3)
    model = add_adapter(loaded.model, Adapter(rank=2), str(base), "main")
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    save_adapter(model, folder)
    return list(TorchEngine(model.get_base_model(), loaded.tokenizer).generate(SOURCES, Decoding(1)))


def test_an_adapter_finds_its_base_from_any_folder(
    marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = adapted(marian, tmp_path / "adapter")
    assert expected != [target for _, target in PAIRS]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = load("../adapter")
    assert written(loaded) == expected
    assert (loaded.folder, loaded.bases) == (Path("../adapter"), (marian,))
    assert type(loaded.model).__name__ == "MarianMTModel"  # merged: as fast as without


def test_an_adapter_says_what_its_base_says_unless_it_knows_better(marian: Path, tmp_path: Path) -> None:
    adapted(marian, tmp_path / "adapter")
    assert load(tmp_path / "adapter").saved == Saved("translation", "en", "zh-Hans")
    write_saved(Saved("translation", "en", "zh-Hant", ">>zht<<"), tmp_path / "adapter")
    assert load(tmp_path / "adapter").saved == Saved("translation", "en", "zh-Hant", ">>zht<<")


def test_an_adapter_brings_its_own_tokenizer_where_it_has_one(marian: Path, tmp_path: Path) -> None:
    adapted(marian, tmp_path / "adapter")
    tokenizer = load(marian).tokenizer
    tokenizer.model_max_length = 11
    tokenizer.save_pretrained(tmp_path / "adapter")
    assert load(tmp_path / "adapter").tokenizer.model_max_length == 11


def test_an_adapter_on_an_adapter(marian: Path, tmp_path: Path) -> None:
    adapted(marian, tmp_path / "first")
    expected = adapted(tmp_path / "first", tmp_path / "second")
    loaded = load(tmp_path / "second")
    assert written(loaded) == expected
    assert loaded.bases == (tmp_path / "first", marian)


# What is refused


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path}: this folder holds no model (no config.json in it)\n"
        "  a model folder has config.json, weights and a tokenizer, as save_pretrained writes it"
    )


def test_a_model_that_does_not_translate(tmp_path: Path) -> None:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path)
    assert refusal(tmp_path) == (
        f"{tmp_path}: a model of the kind 'bert' does not translate; expected 'marian', or a decoder such as 'gpt2'\n"
        "  choose an opus-mt checkpoint:   model: {name: Helsinki-NLP/opus-mt-en-zh}"
    )


def test_weights_that_are_missing(copy: Path) -> None:
    change_weights(
        copy,
        **{"model.decoder.layers.0.fc1.weight": None, "model.encoder.layers.0.self_attn.q_proj.bias": None},
    )
    assert refusal(copy) == (
        f"{copy}: 2 of this model's weights are not in its files, the first is 'model.decoder.layers.0.fc1.weight'\n"
        "  fetch it again, or use another checkpoint"
    )


def test_weights_of_other_sizes(copy: Path) -> None:
    change_weights(copy, **{"model.decoder.layers.0.fc1.weight": torch.zeros(63, 32)})
    assert refusal(copy).startswith(f"{copy}: this model cannot be loaded: ")


@pytest.mark.parametrize("content", ["{", "{}", '{"model_type": "no_such_thing"}'])
def test_a_configuration_that_is_none(copy: Path, content: str) -> None:
    (copy / "config.json").write_text(content, encoding="utf-8")
    assert refusal(copy).startswith(f"{copy}: this model cannot be loaded: ")


def test_weights_that_were_cut_off(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    assert refusal(copy).startswith(f"{copy}: this model cannot be loaded: ")


@pytest.mark.parametrize("name", ["vocab.json", "source.spm"])
def test_a_tokenizer_that_is_incomplete(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert refusal(copy).startswith(f"{copy}: its tokenizer cannot be loaded, a file of it is missing or damaged: ")


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"there is no folder './nothing', and it is no hub id"):
        load("./nothing")


def test_an_adapter_without_its_base(marian: Path, tmp_path: Path) -> None:
    adapted(marian, tmp_path / "adapter")
    gone = tmp_path / "gone"
    change_json(tmp_path / "adapter" / "adapter_config.json", base_model_name_or_path=str(gone))
    assert refusal(tmp_path / "adapter") == (
        f"{tmp_path / 'adapter'}: the model that this adapter belongs on cannot be loaded: "
        f"there is no folder {str(gone)!r}, and it is no hub id\n"
        "  expected a folder, a hub id such as Helsinki-NLP/opus-mt-en-zh, or package:NAME/FOLDER"
    )


@pytest.fixture
def evil(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint with code of its own, and a user who says yes too quickly."""
    folder = tmp_path / "evil"
    shutil.copytree(bert, folder)
    (folder / "evil.py").write_text("open('ran', 'w')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.input", lambda *args: "y")
    return folder


def _wants(file: Path, **settings: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | settings), encoding="utf-8")


def test_code_of_a_model_is_not_run(evil: Path) -> None:
    code = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}
    _wants(evil / "config.json", model_type="evil", auto_map=code)
    with pytest.raises(ModelError) as caught:
        load_checkpoint(str(evil), lambda config, name: "AutoModel")
    assert str(caught.value) == (
        f"{evil}: 'evil' is no model of transformers, but Python code that comes with the checkpoint; it is not run\n"
        "  choose a checkpoint of a kind that transformers has, such as Marian, BERT or Llama"
    )
    assert not Path("ran").exists()


def test_code_of_a_tokenizer_is_not_run(evil: Path) -> None:
    """The one that transformers has for this kind of model is taken."""
    _wants(evil / "tokenizer_config.json", tokenizer_class="Evil", auto_map={"AutoTokenizer": ["evil.Evil", None]})
    load_checkpoint(str(evil), lambda config, name: "AutoModel")
    assert not Path("ran").exists()
