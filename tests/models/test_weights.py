"""Pickled weights become safetensors once, and nothing but tensors is read."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file

from hftoolkit.errors import ModelError, OutputError
from hftoolkit.models.weights import safe_weights


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HFTOOLKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def marian() -> Any:
    torch.manual_seed(0)
    config = transformers.MarianConfig(
        vocab_size=20,
        d_model=8,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=16,
        pad_token_id=19,
        decoder_start_token_id=19,
        eos_token_id=0,
        forced_eos_token_id=0,
    )
    model = transformers.MarianMTModel(config)
    model.final_logits_bias.normal_()
    return model


def bert() -> Any:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    return transformers.BertForMaskedLM(config)


def gpt2() -> Any:
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2))


def pickled(model: Any, folder: Path, *, zipped: bool = True) -> Path:
    folder.mkdir()
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    (folder / "vocab.json").write_text("{}", encoding="utf-8")
    (folder / "tf_model.h5").write_text("not wanted", encoding="utf-8")
    return folder


@pytest.mark.parametrize("make", [marian, bert, gpt2])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_converted_checkpoint_loads_with_every_weight(make: Any, zipped: bool, tmp_path: Path) -> None:
    model = make()
    checkpoint = safe_weights(pickled(model, tmp_path / "pickled", zipped=zipped))

    loaded, info = type(model).from_pretrained(str(checkpoint.folder), output_loading_info=True)

    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    state = loaded.state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(state[name], tensor), name
    assert loaded.get_input_embeddings().weight is loaded.get_output_embeddings().weight


def test_shared_tensors_are_stored_once_under_the_name_of_the_input(tmp_path: Path) -> None:
    checkpoint = safe_weights(pickled(marian(), tmp_path / "pickled"))
    stored = load_file(checkpoint.folder / "model.safetensors")
    assert "model.shared.weight" in stored
    assert "lm_head.weight" not in stored
    assert "model.decoder.embed_tokens.weight" not in stored


def test_what_belongs_to_the_model_comes_along(tmp_path: Path) -> None:
    checkpoint = safe_weights(pickled(marian(), tmp_path / "pickled"))
    assert sorted(path.name for path in checkpoint.folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "vocab.json",
    ]
    assert checkpoint.notes == (
        f"pytorch_model.bin was read as tensors only and converted to safetensors in {checkpoint.folder}",
    )


def test_a_second_time_nothing_is_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pickled(marian(), tmp_path / "pickled")
    first = safe_weights(folder)
    monkeypatch.setattr(torch, "load", None)
    assert safe_weights(folder) == first


def test_a_changed_configuration_is_not_the_same_checkpoint(tmp_path: Path) -> None:
    folder = pickled(marian(), tmp_path / "pickled")
    first = safe_weights(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "dropout": 0.25}), encoding="utf-8")
    second = safe_weights(folder)
    assert second.folder != first.folder
    assert '"dropout": 0.25' in (second.folder / "config.json").read_text(encoding="utf-8")


def test_safetensors_are_used_where_they_are(tmp_path: Path, cache: Path) -> None:
    folder = pickled(marian(), tmp_path / "both")
    (folder / "model.safetensors").write_bytes(b"")
    checkpoint = safe_weights(folder)
    assert (checkpoint.folder, checkpoint.notes) == (folder, ())
    assert not cache.exists()


def test_views_of_one_tensor_are_stored_apart(tmp_path: Path) -> None:
    folder = tmp_path / "views"
    folder.mkdir()
    whole = torch.arange(6.0)
    torch.save({"first": whole[:3], "last": whole[3:], "turned": whole.view(2, 3).T}, folder / "pytorch_model.bin")
    stored = load_file(safe_weights(folder).folder / "model.safetensors")
    assert stored["first"].tolist() == [0, 1, 2]
    assert stored["last"].tolist() == [3, 4, 5]
    assert stored["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]


class Shell:
    """What a malicious pickle is made of."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        import os

        return os.system, (self.command,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused(zipped: bool, tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    harm = tmp_path / "harm"
    contents = {"weight": torch.zeros(2), "code": Shell(f"echo > {harm}")}
    torch.save(contents, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelError) as caught:
        safe_weights(tmp_path)
    assert str(caught.value) == (
        f"{path}: holds more than tensors; reading it could run code, so it is refused\n"
        "  if you trust it, save its weights as model.safetensors and use that folder"
    )
    assert not harm.exists()
    assert not any(cache.rglob("*.safetensors"))


def test_a_training_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": {"weight": torch.zeros(2)}}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds more than tensors"):
        safe_weights(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Not Found</html>",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 312\n",
        b"PK\x03\x04 cut off",
    ],
    ids=["empty", "web page", "LFS pointer", "zip"],
)
def test_a_damaged_pickle_is_said_to_be_damaged(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        safe_weights(tmp_path)
    assert str(caught.value) == (
        f"{path}: cannot be read as tensors; it is damaged or another kind of file\n  delete it and load it again"
    )


def test_other_formats_are_refused(tmp_path: Path) -> None:
    for name in ("config.json", "model.ckpt", "weights.pt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ModelError) as caught:
        safe_weights(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no weights in a format that is read here; the folder has config.json, model.ckpt, weights.pt\n"
        "  expected:  model.safetensors, or pytorch_model.bin to be converted"
    )


def full_disk(*_: Any, **__: Any) -> None:
    raise SafetensorError("I/O error: No space left on device (os error 28)")


def test_no_room_for_converted_weights(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pickled(marian(), tmp_path / "pickled")
    monkeypatch.setattr("hftoolkit.models.weights.save_file", full_disk)
    with pytest.raises(OutputError) as caught:
        safe_weights(folder)
    assert str(caught.value) == (
        f"{cache / 'safetensors'}: the converted weights cannot be kept here: "
        "I/O error: No space left on device (os error 28)\n"
        "  make room, or name another folder:  HFTOOLKIT_CACHE=FOLDER hftoolkit ..."
    )
    assert list((cache / "safetensors").iterdir()) == []
    shutil.rmtree(cache / "safetensors")
    (cache / "safetensors").touch()
    with pytest.raises(OutputError):
        safe_weights(folder)


def test_nothing_unfinished_is_left_behind(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pickled(marian(), tmp_path / "pickled")

    def break_off(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", break_off)
    with pytest.raises(KeyboardInterrupt):
        safe_weights(folder)
    assert list((cache / "safetensors").iterdir()) == []
