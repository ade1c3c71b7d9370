"""Exported models load in the programs they are for, and give what their source gives."""

import os
import shutil
from pathlib import Path
from typing import Any

import ctranslate2
import pytest
import sentencepiece
import torch
import transformers
from conftest import PAIRS
from running import hftoolkit, write_jsonl, write_pairs
from safetensors.torch import load_file
from tiny_models import two_vocabularies

from hftoolkit import load, translate
from hftoolkit.errors import ModelError, OutputError, UsageError
from hftoolkit.exporting import export
from hftoolkit.finetuning import finetune
from hftoolkit.models.saved import Saved, write_saved

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def runs(marian: Path, llama: Path, bert: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Adapters on models of three kinds."""
    folder = tmp_path_factory.mktemp("runs")
    pairs = write_pairs(folder / "pairs.tsv", PAIRS)
    labels = write_jsonl(
        folder / "labels.jsonl",
        [{"text": f"{word} film {n}", "label": word} for n in range(12) for word in ("good", "awful")],
    )
    training = {"max_steps": 3, "batch_tokens": 256, "learning_rate": 1e-2, "epochs": 50, "precision": "float32"}
    common: dict[str, Any] = {"adapter": {"kind": "lora", "rank": 2}, "training": training}
    translating = {
        "task": "translation",
        "data": {
            "train": {"source": str(pairs), "columns": {"source": "en", "target": "zh"}},
            "validation": {"split": 0.2},
            "test": {"split": 0.2},
            "languages": {"source": "en", "target": "zh"},
        },
        "evaluation": {"beams": 1},
    }
    recipes: dict[str, dict[str, Any]] = {
        "marian": {**translating, "model": {"name": str(marian)}},
        "decoder": {**translating, "model": {"name": str(llama)}, "options": {"prompt": "separator"}},
        "bert": {
            "task": "classification",
            "model": {"name": str(bert)},
            "data": {"train": {"source": str(labels)}, "validation": {"split": 0.2}, "test": {"split": 0.2}},
        },
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hftoolkit.reports.figures.training_curve", lambda *_, **__: b"")
        patch.setenv("HFTOOLKIT_CACHE", str(folder / "cache"))
        for name, recipe in recipes.items():
            finetune({**common, **recipe, "output": str(folder / name)})
    return {name: folder / name for name in recipes}


@pytest.mark.parametrize("name", ["marian", "decoder"])
def test_merged_translators(runs: dict[str, Path], tmp_path: Path, name: str) -> None:
    found = export(runs[name], "merged", output=tmp_path / "new")
    assert found.folder == tmp_path / "new"
    assert found.checked.startswith("scores as its source's but for ")
    assert not (found.folder / "adapter_config.json").exists()
    sources = [source for source, _ in PAIRS]
    expected = translate(sources, model=runs[name], engine="torch", beams=1)
    assert translate(sources, model=found.folder, engine="torch", beams=1) == expected
    kind = transformers.AutoModelForSeq2SeqLM if name == "marian" else transformers.AutoModelForCausalLM
    _, info = kind.from_pretrained(found.folder, output_loading_info=True)
    assert not any(info.values())
    assert found.size == sum(path.stat().st_size for path in found.folder.rglob("*") if path.is_file())


def test_a_merged_classifier(runs: dict[str, Path], tmp_path: Path) -> None:
    found = export(runs["bert"], "merged", output=tmp_path / "new")
    texts = ["good film", "awful film"]
    ours, theirs = (load(str(model))(texts) for model in (runs["bert"], found.folder))
    assert [one["label"] for one in ours] == [one["label"] for one in theirs]
    assert [one["score"] for one in ours] == pytest.approx([one["score"] for one in theirs], abs=1e-5)
    plain = transformers.pipeline("text-classification", model=str(found.folder), device="cpu")
    assert [one["label"] for one in plain(texts)] == [one["label"] for one in ours]


def test_merging_is_compared_with_the_adapter_beside_its_base(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(model: Any, folder: Path) -> Any:
        with torch.no_grad():
            model.get_input_embeddings().weight.add_(0.1)
        return model

    monkeypatch.setattr("hftoolkit.models.adapters.beside", other)
    with pytest.raises(ModelError, match="exported, it gives other scores than its source, by up to"):
        export(runs["marian"], "merged", output=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_ctranslate2_by_hand(runs: dict[str, Path], tmp_path: Path) -> None:
    found = export(runs["marian"], "ctranslate2", output=tmp_path / "new")
    assert found.checked.endswith(" sentences as PyTorch writes them")
    reader, writer = (
        sentencepiece.SentencePieceProcessor(model_file=str(found.folder / name))
        for name in ("source.spm", "target.spm")
    )
    translator = ctranslate2.Translator(str(found.folder), compute_type="float32")
    sources = [source for source, _ in PAIRS]
    pieces = [[*reader.encode(source, out_type=str), "</s>"] for source in sources]
    written = [writer.decode(one.hypotheses[0]) for one in translator.translate_batch(pieces, beam_size=1)]
    assert written == translate(sources, model=runs["marian"], engine="torch", beams=1)


def test_ollama(runs: dict[str, Path], llama: Path, tmp_path: Path) -> None:
    found = export(llama, "ollama", output=tmp_path / "chat")
    assert {weight.dtype for weight in load_file(found.folder / "model.safetensors").values()} == {torch.float16}
    lines = (found.folder / "Modelfile").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "FROM ."
    assert [line for line in lines if line.startswith("PARAMETER stop")] == [
        'PARAMETER stop "</s>"',
        'PARAMETER stop "<|im_end|>"',
    ]
    found = export(runs["decoder"], "ollama", output=tmp_path / "translator")
    assert 'TEMPLATE """{{ .Prompt }} <to-zh>"""' in (found.folder / "Modelfile").read_text(encoding="utf-8")


def test_what_a_form_does_not_take(marian: Path, llama: Path, gpt2: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a 'llama' is not exported to CTranslate2, only Marian models are"):
        export(llama, "ctranslate2", output=tmp_path / "new")
    for other in (marian, gpt2):
        with pytest.raises(ModelError, match="cannot be exported to Ollama, which imports Llama, Qwen2, Gemma models"):
            export(other, "ollama", output=tmp_path / "new")
    with pytest.raises(UsageError, match="unknown form 'onnx'\n  known: merged, ctranslate2, ollama"):
        export(marian, "onnx", output=tmp_path / "new")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_two_vocabularies(tmp_path: Path) -> None:
    two_vocabularies(tmp_path / "two", [a for a, _ in PAIRS], [b for _, b in PAIRS], [">>cmn_Hans<<"])
    assert export(tmp_path / "two", "merged").folder == tmp_path / "two-merged"
    with pytest.raises(ModelError, match="it has a vocabulary for each language"):
        export(tmp_path / "two", "ctranslate2")


def test_a_chat_translator_keeps_its_instruction(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chat"
    shutil.copytree(llama, folder)
    write_saved(Saved("translation", "en", "zh", None, {"prompt": "chat", "end": 3}), folder)
    text = (export(folder, "ollama").folder / "Modelfile").read_text(encoding="utf-8")
    assert "<|im_start|>user\nTranslate from English to Chinese:\n{{ .Prompt }}<|im_end|>" in text
    assert "PARAMETER temperature 0\n" in text


def test_a_merged_model_stops_where_its_adapter_did(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    shutil.copytree(llama, folder)
    write_saved(Saved("instruction_tuning", state={"end": 7}), folder)
    found = export(folder, "merged").folder
    assert 7 in transformers.GenerationConfig.from_pretrained(found).eos_token_id


def test_a_folder_without_a_name(marian: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(marian, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    assert export(".", "merged").folder == tmp_path / "here-merged"


def test_nothing_is_overwritten(marian: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        export(marian, "merged", output=tmp_path / "new")
    assert str(caught.value) == f"{tmp_path / 'new'}: exists already\n  choose another folder:   --output FOLDER"


def test_from_the_shell(runs: dict[str, Path]) -> None:
    outcome = hftoolkit("export", runs["marian"], "--to", "merged")
    assert outcome.code == 0, outcome.err
    folder = Path(f"{runs['marian']}-merged")
    assert outcome.out.startswith(f"{folder}  ")
    assert (folder / "config.json").is_file()
    if os.name == "posix":
        assert (folder / "model.safetensors").stat().st_mode & 0o044
