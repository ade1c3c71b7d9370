"""What an adapter's folder says about it, read without the libraries that run it."""

import json
from pathlib import Path

from hftoolkit import hub
from hftoolkit.errors import HftoolkitError, ModelError


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter instead of a whole model."""
    return (folder / "adapter_config.json").is_file()


def adapter_base(folder: Path) -> tuple[str, str]:
    """Name and revision of the model that an adapter belongs on.

    Raises:
        ModelError: If it does not say that, or belongs on itself, perhaps by way of others.
    """
    base, revision = _said(folder)
    seen, under = {folder.resolve()}, (base, revision)
    while (below := _found(*under)) is not None and is_adapter(below):
        if below.resolve() in seen:
            raise ModelError(
                f"{folder / 'adapter_config.json'}: {base!r} belongs on an adapter that belongs on this one\n"
                "  write the name or folder of a whole model there"
            )
        seen.add(below.resolve())
        under = _said(below)
    return base, revision


def _found(name: str, revision: str) -> Path | None:
    """Where a model lies, if it is on this machine; what is wrong with it says whoever loads it."""
    try:
        return hub.find(name, revision)
    except HftoolkitError:
        return None


def _said(folder: Path) -> tuple[str, str]:
    path = folder / "adapter_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        base, revision = config.get("base_model_name_or_path"), config.get("revision")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: damaged\n  copy the adapter again") from error
    if not base or not isinstance(base, str) or Path(base).resolve() == folder.resolve():
        raise ModelError(
            f"{path}: base_model_name_or_path: expected the model that this adapter belongs on, got {base!r}\n"
            "  write its name or folder there"
        )
    return base, str(revision or "main")


def saved_modules(folder: Path) -> list[str]:
    """Names of the modules whose weights lie whole beside an adapter's matrices, such as a head.

    Raises:
        ModelError: If it does not say that.
    """
    path = folder / "adapter_config.json"
    try:
        return list(json.loads(path.read_text(encoding="utf-8")).get("modules_to_save") or [])
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"{path}: damaged\n  copy the adapter again") from error
