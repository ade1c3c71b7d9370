"""A finished run -> a repository at the hub: model or adapter, recipe, and a card that says how good it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path
from typing import Final

from hftoolkit import hub
from hftoolkit.errors import ModelError, UsageError
from hftoolkit.hub.names import is_hub_id
from hftoolkit.models.adapter_folders import adapter_base
from hftoolkit.recipe.writer import as_yaml
from hftoolkit.reports.card import render_card
from hftoolkit.reports.files import read_report
from hftoolkit.reports.folder import RunFolder
from hftoolkit.reports.published import in_its_folder, published_recipe

_MODEL: Final = (
    *("config.json", "generation_config.json", "model.safetensors", "model-*-of-*.safetensors"),
    *("model.safetensors.index.json", "adapter_config.json", "adapter_model.safetensors", "hftoolkit.json"),
    *("tokenizer*", "vocab*", "*.spm", "*.model", "merges.txt", "special_tokens_map.json", "added_tokens.json"),
    *("target_vocab.json", "chat_template*"),
)
"""What loads a model, and nothing else of a run's folder: its predictions and reports hold rows of the data."""

_TEMPLATES: Final = "additional_chat_templates"
"""A folder beside them."""


@dataclass(frozen=True)
class Pushed:
    """What was sent, or would be."""

    address: str
    """Of the repository."""

    sizes: Mapping[str, int]
    """Bytes of every file."""

    card: str
    """The model card, which is the README.md there."""

    notes: tuple[str, ...]
    """What should be said about it."""

    def preview(self) -> str:
        """The files with their sizes, and the card."""
        files = [f"{size:15,}  {file}" for file, size in self.sizes.items()]
        return "\n".join(
            [f"would be sent to {self.address}, in bytes:", *files, "", "README.md:", "", self.card.rstrip()]
        )

    def __str__(self) -> str:
        return self.address


def push(run: str | PathLike[str], name: str, *, private: bool = False, dry_run: bool = False) -> Pushed:
    """Publish the model or adapter of a finished run, with a model card.

    Sent are the files that load it, the recipe, and the card with all scores, their signatures and intervals; no rows
    of the data, no predictions, and no folders of this machine. What is in the repository already is replaced.

    Args:
        run: The output folder of a run.
        name: The repository, ``ORG/NAME``; made if it is not there.
        private: Keep others out; an error where the repository is there and public.
        dry_run: Send nothing, connect to nobody.

    Raises:
        UsageError: If there is no run in the folder, or the name is none.
        OutputError: If the run is not finished.
        DataError: If its report cannot be read.
        ModelError: If its weights are missing, or its adapter is damaged.
        HubError: If nobody is logged in, or the endpoint cannot be reached or refuses.
    """
    _check_name(name)
    folder = Path(run)
    if not RunFolder(folder).begun:
        what = "holds no run" if folder.is_dir() else "there is no such folder"
        raise UsageError(
            f"{folder}: {what}\n  name the output folder of a run, as in:   hftoolkit push runs/mine {name}"
        )
    report = read_report(folder)
    card = render_card(report, name)
    model, notes = _model(folder)
    files = {
        "README.md": card.encode("utf-8", errors="replace"),
        **model,
        "recipe.yaml": as_yaml(published_recipe(report.recipe)).encode("utf-8", errors="replace"),
    }
    sizes = {file: len(at) if isinstance(at, bytes) else at.stat().st_size for file, at in files.items()}
    if not dry_run:
        from hftoolkit.hub.upload import upload

        made_by = report.versions["hftoolkit"]
        upload(name, files, stale=_loads_a_model, private=private, message=f"Push a run of hftoolkit {made_by}")
    return Pushed(f"{hub.shown(hub.endpoint())}/{name}", sizes, card, notes)


def _check_name(name: str) -> None:
    if not is_hub_id(name) or "/" not in name or name.endswith((".git", ".", "-")):
        raise UsageError(
            f"{name!r} is no name of a repository\n"
            "  expected ORG/NAME, such as acme/letters-en-zh: letters, digits, '-', '_' and '.'"
        )


def _loads_a_model(file: str) -> bool:
    if "/" in file:
        return file.startswith(f"{_TEMPLATES}/")
    return any(fnmatchcase(file, pattern) for pattern in _MODEL)


def _model(folder: Path) -> tuple[dict[str, Path | bytes], tuple[str, ...]]:
    """The files that load a model, and what should be said about them."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = {path.relative_to(folder).as_posix(): path for path in paths}
    found: dict[str, Path | bytes] = {file: path for file, path in files.items() if _loads_a_model(file)}
    if not any(file.endswith(".safetensors") for file in found):
        raise ModelError(f"{folder}: its weights are missing\n  copy the run again, or repeat it")
    if "adapter_config.json" not in found:
        return found, ()
    base, _ = adapter_base(folder)
    moved = in_its_folder(base)
    if moved == base:
        return found, ()
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    found["adapter_config.json"] = (
        json.dumps({**config, "base_model_name_or_path": moved}, ensure_ascii=False, indent=2) + "\n"
    ).encode()
    note = (
        f"this adapter belongs on '{moved.removeprefix('./')}', a folder of this machine: others can load it only "
        f"where they have the same folder, as {moved}\n"
        "  to let them fetch it, train on a model of the hub:   --set model.name=ORG/NAME"
    )
    return found, (note,)
