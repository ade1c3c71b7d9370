"""Make the built-in model from a finished run: weights in float16, and what is needed to translate.

    python demo-en-zh/publish.py runs/demo-en-zh FOLDER

FOLDER gets what transformers reads, and hftoolkit.json; a model card is written by hand.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

TOKENIZER = ("source.spm", "target.spm", "vocab.json", "tokenizer_config.json")
KEPT = (*TOKENIZER, "generation_config.json", "hftoolkit.json")


def publish(run: Path, folder: Path) -> None:
    """Write the model of a run, half as large."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.to(torch.float16) for name, value in load_file(run / "model.safetensors").items()}
    broken = [name for name, value in weights.items() if not value.isfinite().all()]
    if broken:
        raise SystemExit(f"{run}: float16 cannot hold these weights: {', '.join(broken)}")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}, indent=2) + "\n", encoding="utf-8")
    for name in KEPT:
        shutil.copyfile(run / name, folder / name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(f"{__doc__}")
    publish(Path(sys.argv[1]), Path(sys.argv[2]))
