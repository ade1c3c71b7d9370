"""A checkpoint's name -> an engine: the fast one where it holds, and else it is said why not."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import FORMAT, PAIRS
from engines.conftest import KNOWN, load

from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.opening import Opened, open_engine
from hftoolkit.errors import HftoolkitError, HubError, ModelError, OutputError, UsageError
from hftoolkit.hub import cache_folder
from hftoolkit.models.adapters import add_adapter, save_adapter
from hftoolkit.models.saved import read_saved
from hftoolkit.recipe.schema import Adapter
from hftoolkit.tasks.translation import Translation
from hftoolkit.translating import DEFAULT

pytestmark = pytest.mark.usefixtures("one_format")

TASK = Translation(Translation.Options(), DEFAULT)


def opened(name: Path | str, **wishes: Any) -> Opened:
    return open_engine(str(name), TASK.auto_class, **wishes)


def refusal(kind: type[HftoolkitError], name: Path | str, **wishes: Any) -> str:
    with pytest.raises(kind) as caught:
        opened(name, **wishes)
    return str(caught.value)


def texts(found: Opened) -> list[str]:
    return list(found.engine.generate(KNOWN, Decoding()))


@pytest.fixture(autouse=True)
def plain_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor without bf16 instructions, whichever runs the tests."""
    monkeypatch.setattr("torch.cpu.get_capabilities", dict)


@pytest.fixture
def copy(marian: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the tiny translator with other facts in one of its files."""

    def copied(name: str = "config.json", **facts: Any) -> Path:
        folder = tmp_path / "copy"
        shutil.copytree(marian, folder)
        known = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps(known | facts), encoding="utf-8")
        return folder

    return copied


# Both engines


def test_the_fast_engine_is_taken_by_itself(marian: Path) -> None:
    found = opened(marian)
    assert found.engine.signature == f"ctranslate2|{FORMAT}"
    assert (found.name, found.folder) == (str(marian), marian)
    assert texts(found) == [target for _, target in PAIRS]
    (note,) = found.notes
    assert note.startswith(f"{marian} was converted for the fast engine in ")
    (place,) = (path for path in (cache_folder() / "ctranslate2").iterdir() if path.is_dir())
    assert note.endswith(f" s, once; it is kept in {place}")


def test_the_second_time_there_is_nothing_to_say(marian: Path) -> None:
    opened(marian)
    again = opened(marian)
    assert again.notes == ()
    assert texts(again) == [target for _, target in PAIRS]


def test_the_torch_engine_can_be_asked_for(marian: Path) -> None:
    found = opened(marian, engine="torch", device="cpu")
    assert found.engine.signature == "torch|float32"
    assert found.notes == ()
    assert texts(found) == [target for _, target in PAIRS]
    assert not (cache_folder() / "ctranslate2").exists()


def test_the_torch_engine_uses_bf16_where_the_processor_has_it(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": True})
    found = opened(marian, engine="torch", device="cpu")
    assert found.engine.signature == "torch|bfloat16"
    assert sum(text == target for text, (_, target) in zip(texts(found), PAIRS, strict=True)) > 12


@pytest.mark.parametrize("engine", ["ctranslate2", "torch"])
def test_both_say_the_same_about_a_checkpoint(marian: Path, engine: str) -> None:
    found = opened(marian, engine=engine)
    assert found.saved == read_saved(marian)
    assert found.saved is not None
    assert (found.source_language, found.target_language) == ("en", "zh-Hans")
    assert found.vocabulary == load(marian).tokenizer.get_vocab()


@pytest.mark.parametrize("engine", ["ctranslate2", "torch"])
def test_two_vocabularies(two: Path, engine: str) -> None:
    found = opened(two, engine=engine)
    assert ">>cmn_Hant<<" in found.vocabulary
    assert (found.saved, found.source_language, found.target_language) == (None, None, None)
    assert len(texts(found)) == len(KNOWN)


def test_an_adapter_is_merged_and_another_on_the_same_base_is_another_model(marian: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("one", "other")):
        wrapped = add_adapter(load(marian).model, Adapter(), str(marian), "main")
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for key, weight in wrapped.named_parameters():
                if "lora_B" in key:
                    weight.copy_(torch.randn(weight.shape, generator=generator) * 0.2)
        save_adapter(wrapped, tmp_path / name)
    seen = []
    for name in ("one", "other"):
        fast, slow = (opened(tmp_path / name, engine=engine) for engine in ("ctranslate2", "torch"))
        assert fast.folder == tmp_path / name
        assert fast.saved == slow.saved == read_saved(marian)
        expected = list(slow.engine.generate(KNOWN, Decoding(1)))
        got = list(fast.engine.generate(KNOWN, Decoding(1)))
        assert sum(a == b for a, b in zip(got, expected, strict=True)) >= 12  # int8 may part here and there
        seen.append(expected)
    assert seen[0] != seen[1]
    assert [target for _, target in PAIRS] not in seen


def test_a_checkpoint_that_changes_is_converted_anew(copy: Callable[..., Path]) -> None:
    folder = copy()
    first = texts(opened(folder))
    loaded = load(folder)
    with torch.no_grad():
        loaded.model.final_logits_bias[0, 50] = 100.0
    loaded.model.save_pretrained(folder)
    assert texts(opened(folder)) != first


def test_converted_it_needs_neither_torch_nor_transformers(marian: Path) -> None:
    opened(marian)
    code = f"""
import sys
from hftoolkit.engines import places
from hftoolkit.engines.decoding import Decoding
from hftoolkit.engines.opening import open_engine
places.choose_format = lambda place: {FORMAT!r}
found = open_engine({str(marian)!r}, lambda config, name: "AutoModelForSeq2SeqLM")
print(next(found.engine.generate(["Good morning!"], Decoding())), file=sys.stderr)
print(next(found.engine.hypotheses(["Good morning!"], Decoding()))[0].text, file=sys.stderr)
print(*{{name.split(".")[0] for name in sys.modules}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr.split() == ["早上好！", "早上好！"]
    assert "ctranslate2" in done.stdout.split()
    assert not {"torch", "transformers", "pydantic", "huggingface_hub", "peft", "safetensors"} & set(
        done.stdout.split()
    )


# Why not


@pytest.mark.parametrize(
    ("file", "facts", "reason"),
    [
        (
            "tokenizer_config.json",
            {"sp_model_kwargs": {"alpha": 0.1}},
            "its tokenizer has settings of its own: sp_model_kwargs",
        ),
        ("generation_config.json", {"min_length": 3}, "its generation_config.json sets min_length"),
    ],
)
def test_what_the_fast_engine_does_not_run(
    copy: Callable[..., Path], file: str, facts: dict[str, Any], reason: str
) -> None:
    folder = copy(file, **facts)
    found = opened(folder, device="cpu")
    assert found.engine.signature == "torch|float32"
    assert found.notes == (f"{folder} runs on PyTorch, which is slower: {reason}",)
    assert texts(found) == [target for _, target in PAIRS]
    assert refusal(ModelError, folder, engine="ctranslate2") == (
        f"{folder}: the ctranslate2 engine does not run it: {reason}\n  use the other engine:   --engine torch"
    )


def test_a_device_that_only_pytorch_knows(marian: Path) -> None:
    assert refusal(ModelError, marian, engine="ctranslate2", device="mps") == (
        f"{marian}: the ctranslate2 engine does not run it: it does not run on the device 'mps'\n"
        "  use the other engine:   --engine torch"
    )
    found = opened(marian, device="mps")
    assert found.engine.signature == "torch|float32"
    assert found.notes == (f"{marian} runs on PyTorch, which is slower: it does not run on the device 'mps'",)


def test_a_gpu_that_is_not_there(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)
    found = opened(marian, device=0)
    assert found.engine.signature == f"ctranslate2|{FORMAT}"
    assert found.notes[0] == "no GPU 'cuda:0' here: running on the CPU"


def test_a_library_that_fails(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(marian)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Library libcublas.so.12 is not found\nmore")

    monkeypatch.setattr("ctranslate2.Translator", fail)
    found = opened(marian)
    assert found.notes == (
        f"{marian} runs on PyTorch, which is slower: CTranslate2 cannot run it: Library libcublas.so.12 is not found",
    )


def test_a_number_format_that_is_not_good_enough(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.engines.places.choose_format", lambda place: "int8_float32")
    monkeypatch.setattr("hftoolkit.engines.converting.LEAST_CHRF", 101.0)
    found = opened(marian)
    assert found.engine.signature == "ctranslate2|float32"
    assert found.notes[0].startswith(f"{marian}: in int8_float32 its output is too far from that in float32 (chrF2 ")
    assert opened(marian).notes == found.notes[:1]


def test_a_cache_that_cannot_be_written(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", fail)
    message = refusal(OutputError, marian, engine="ctranslate2")
    first, *_ = message.splitlines()
    assert first.endswith("ctranslate2: the converted model cannot be kept here: No space left on device")
    assert opened(marian).notes == (f"{marian} runs on PyTorch, which is slower: {first}",)


def test_an_unknown_engine(marian: Path) -> None:
    assert refusal(UsageError, marian, engine="onnx") == "unknown engine 'onnx'\n  known: auto, ctranslate2, torch"


@pytest.mark.parametrize("engine", ["auto", "ctranslate2", "torch"])
def test_what_does_not_translate(copy: Callable[..., Path], engine: str) -> None:
    folder = copy(model_type="bert")
    assert refusal(ModelError, folder, engine=engine).startswith(
        f"{folder}: a model of the kind 'bert' does not translate; expected 'marian', or a decoder such as 'gpt2'"
    )


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert refusal(ModelError, tmp_path).startswith(f"{tmp_path}: this folder holds no model (no config.json in it)")
    assert refusal(ModelError, tmp_path, engine="ctranslate2") == (
        f"{tmp_path}: the ctranslate2 engine does not run it: its config.json cannot be read\n"
        "  use the other engine:   --engine torch"
    )


@pytest.mark.parametrize("engine", ["auto", "ctranslate2", "torch"])
def test_an_adapter_whose_base_is_gone(tmp_path: Path, engine: str) -> None:
    facts = {"peft_type": "LORA", "base_model_name_or_path": str(tmp_path / "gone"), "revision": None}
    (tmp_path / "adapter_config.json").write_text(json.dumps(facts), encoding="utf-8")
    message = refusal(ModelError, tmp_path, engine=engine)
    assert message.startswith(
        f"{tmp_path}: the model that this adapter belongs on cannot be loaded: there is no folder"
    )


def test_the_built_in_model_is_a_name(marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hftoolkit.hub.builtin_folder", lambda: marian)
    assert texts(opened("demo")) == [target for _, target in PAIRS]


def test_what_is_not_on_the_hub_is_no_matter_of_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "acme/model" in refusal(HubError, "acme/model")


def test_importing_it_is_light() -> None:
    code = "import sys, hftoolkit.engines.opening\nprint(*{name.split('.')[0] for name in sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert not {"torch", "transformers", "pydantic", "ctranslate2", "numpy"} & set(out.split())
