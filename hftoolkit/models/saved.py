"""What a model folder of ours says about itself, beside what transformers reads."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from hftoolkit.errors import ModelError

NAME = "hftoolkit.json"

END: Final = "end"
"""Under this name ``state`` says which token ends what the model writes: generation settings are not saved beside an
adapter."""


@dataclass(frozen=True)
class Saved:
    """Facts of a fine-tuned checkpoint that its weights and tokenizer do not hold."""

    task: str
    """What it was tuned for."""

    source_language: str | None = None
    target_language: str | None = None

    target_token: str | None = None
    """Token in front of every source, the same in training and use."""

    state: dict[str, Any] = field(default_factory=dict)
    """What else the task must know: ``options`` as the recipe gave them, a threshold, ..."""


def write_saved(saved: Saved, folder: Path) -> None:
    """Write the facts into a model folder."""
    temporary = folder / f"{NAME}.partial"
    temporary.write_text(json.dumps(asdict(saved), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, folder / NAME)


def read_saved(folder: Path) -> Saved | None:
    """The facts in a model folder, or None where it is not one of ours.

    Raises:
        ModelError: If they cannot be read.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        found = Saved(**{key: value for key, value in facts.items() if key in Saved.__dataclass_fields__})
        if not isinstance(found.state, dict):
            raise TypeError("state")
        return found
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path}: damaged: it does not say what this checkpoint is for\n"
            "  copy it again, or delete it and say yourself what it is for"
        ) from error
